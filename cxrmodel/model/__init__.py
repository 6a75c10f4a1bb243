"""The trained artefact and its arithmetic."""
