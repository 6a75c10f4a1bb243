"""The elements of a DICOM file that are read; all others are skipped. The viewer's list of tags is apart from that.

No names, no patient identifiers, no free text. The date of birth only gives the age and is not kept.
"""

ELEMENTS = (
    "SpecificCharacterSet",
    "MediaStorageSOPClassUID",
    "TransferSyntaxUID",
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyDate",
    "Modality",
    "Manufacturer",
    "DeviceUID",
    "PresentationIntentType",
    "AnatomicRegionSequence",
    "PatientBirthDate",
    "PatientAge",
    "BodyPartExamined",
    "ViewPosition",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "ViewCodeSequence",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "PatientOrientation",
    "Laterality",
    "ImageLaterality",
    "DirectoryRecordSequence",
    "EncapsulatedDocument",
    "ContentSequence",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelSpacing",
    "PixelAspectRatio",
    "PixelSpacingCalibrationType",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "RescaleIntercept",
    "RescaleSlope",
    "ModalityLUTSequence",
    "VOILUTSequence",
    "PresentationLUTShape",
    "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
    "FloatPixelData",
    "DoubleFloatPixelData",
    "PixelData",
)

MENTIONED = frozenset(
    [
        "DirectoryRecordSequence",
        "EncapsulatedDocument",
        "ContentSequence",
        "FloatPixelData",
        "DoubleFloatPixelData",
        "PixelData",
    ]
)
"""Those of which only the presence is read here, whatever their length."""

ITEM_ELEMENTS = ("CodeValue", "CodingSchemeDesignator", "LUTDescriptor", "LUTData")
"""Those that are read in the items of sequences."""

TABLES = frozenset(
    [
        "LUTData",
        "RedPaletteColorLookupTableData",
        "GreenPaletteColorLookupTableData",
        "BluePaletteColorLookupTableData",
    ]
)
"""Those that may be as long as a table of 65,536 values."""
