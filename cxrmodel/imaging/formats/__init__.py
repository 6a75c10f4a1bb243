"""File formats: known by their content, bounded by their headers, then decoded."""
