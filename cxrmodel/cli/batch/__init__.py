"""Reading many files: what is given, and the table of results."""
