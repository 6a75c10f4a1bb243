"""File formats: one registry of those that are read, and a table of those that are recognised but not supported."""

from cxrmodel.imaging.formats.registry import FORMATS, extensions, find_format, format_names

__all__ = ["FORMATS", "extensions", "find_format", "format_names"]
