"""Checks on the image alone: kind, size, margins, orientation and grey levels."""
