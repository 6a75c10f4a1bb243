"""Checks on the lung fields that the segmenter finds."""
