"""Inboxes and targets with real servers."""
