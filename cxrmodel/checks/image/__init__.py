"""Checks on the image alone: size, margins, orientation and grey levels."""
