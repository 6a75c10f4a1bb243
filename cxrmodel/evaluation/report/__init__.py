"""Evaluations as charts, tables and documents."""
