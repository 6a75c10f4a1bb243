"""File formats: one registry of those that are read, and a table of those that are recognised but not supported."""
