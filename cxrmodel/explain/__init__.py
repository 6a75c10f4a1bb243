"""Explanations: attribution maps of several methods, their overlays and their tests."""
