"""Images from other systems, and results to them: DICOMweb, DICOM C-STORE, folders."""
