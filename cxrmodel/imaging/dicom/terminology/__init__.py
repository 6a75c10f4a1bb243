"""Terms that DICOM attributes use: modalities, parts of the body, views, sides and ages."""
