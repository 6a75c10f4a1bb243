"""Targets: where results go."""
