"""What the browser asks of the room of its session, by addresses below ``/room``."""
