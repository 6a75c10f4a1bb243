"""The commands on whole archives."""
