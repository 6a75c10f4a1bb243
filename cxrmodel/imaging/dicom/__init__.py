"""DICOM objects: data set, eligibility, pixels and greyscale transformation."""
