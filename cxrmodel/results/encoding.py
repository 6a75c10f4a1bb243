"""A result object as the bytes of a file: the elements that the program makes, and those of its source as stored."""

from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.filebase import DicomIO
from pydicom.filewriter import write_data_element, write_file_meta_info

from cxrmodel.results.source import SourceImage

_PREFIX = bytes(128) + b"DICM"


def encode(dataset: Dataset, source: SourceImage) -> bytes:
    """Encode a result object as a file.

    What the program writes is ASCII, which means the same in every character set of DICOM, so that it can stand beside
    a patient's name in any of them.

    Parameters
    ----------
    dataset : pydicom.Dataset
        A complete object with file meta information of a transfer syntax in explicit little endian. Its elements of
        patient and study are replaced.
    source : SourceImage
    """
    stream = BytesIO(_PREFIX)
    stream.seek(0, 2)
    write_file_meta_info(DicomIO(stream), dataset.file_meta, enforce_standard=True)
    parts = {int(tag): _element(dataset, tag) for tag in list(dataset.keys())} | source.identity
    return stream.getvalue() + b"".join(parts[tag] for tag in sorted(parts))


def _element(dataset: Dataset, tag: int) -> bytes:
    stream = BytesIO()
    target = DicomIO(stream)
    target.is_implicit_VR, target.is_little_endian = False, True
    write_data_element(target, dataset[tag], "ascii")
    return stream.getvalue()
