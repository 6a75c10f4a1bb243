"""One reading for people: as words, and as a PDF of one page."""
