"""The HTTP interface beside the app: readings for other programs, health and metrics."""
