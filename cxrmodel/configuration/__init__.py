"""The configuration of a hospital: one TOML file, its schema, its errors and its reference page."""
