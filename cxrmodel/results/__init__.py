"""Results of a reading as DICOM objects for an archive: a structured report and a secondary capture."""
