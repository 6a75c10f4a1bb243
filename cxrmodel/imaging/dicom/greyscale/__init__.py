"""From stored values to grey levels: look-up tables, windows and padding."""
