"""Readings put down for people: their wording and the one-page report."""
