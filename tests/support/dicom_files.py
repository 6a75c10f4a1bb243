"""Write DICOM files with known stored values, in every supported transfer syntax."""

import warnings
from io import BytesIO

import imagecodecs
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID

IDENTIFIERS = ("DOE^JANE", "4711-PID", "ACC-0815", "19770402")
"""Name, identifier, accession number and date of birth in every file; none may appear anywhere."""

CR_CLASS = "1.2.840.10008.5.1.4.1.1.1"
CAPTURE_CLASS = "1.2.840.10008.5.1.4.1.1.7"

IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
DEFLATED, RLE = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5"
_JPEG = "1.2.840.10008.1.2.4."

NATIVE = {"implicit": IMPLICIT, "explicit": EXPLICIT, "big endian": BIG, "deflated": DEFLATED}
LOSSLESS = {
    "fragments": "1.2.840.10008.1.2.1.98",
    "RLE": RLE,
    "JPEG lossless": f"{_JPEG}57",
    "JPEG lossless, predictor 6": f"{_JPEG}57",
    "JPEG lossless, first order": f"{_JPEG}70",
    "JPEG-LS lossless": f"{_JPEG}80",
    "JPEG 2000 lossless": f"{_JPEG}90",
    "HTJ2K lossless": f"{_JPEG}201",
    "HTJ2K lossless, RPCL": f"{_JPEG}202",
}
LOSSY = {
    "JPEG baseline": f"{_JPEG}50",
    "JPEG extended": f"{_JPEG}51",
    "JPEG-LS near-lossless": f"{_JPEG}81",
    "JPEG 2000": f"{_JPEG}91",
    "HTJ2K": f"{_JPEG}203",
}
SYNTAXES = NATIVE | LOSSLESS | LOSSY


def compressed(samples: np.ndarray, syntax: str, bits: int) -> bytes:
    """One frame in a syntax of ``LOSSLESS`` or ``LOSSY``, by its name there."""
    if syntax == "fragments":
        return samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    if syntax == "RLE":
        return run_lengths(samples)
    if syntax.startswith("JPEG lossless"):
        predictor = 6 if "6" in syntax else 1
        return imagecodecs.jpeg8_encode(
            samples, lossless=True, predictor=predictor, bitspersample=bits, subsampling="444"
        )
    if syntax in ("JPEG baseline", "JPEG extended"):
        # Components of a colour image as they are.
        raw = {"colorspace": "RGB", "outcolorspace": "RGB"} if samples.ndim == 3 else {}
        return imagecodecs.jpeg8_encode(samples, level=98, bitspersample=bits, subsampling="444", **raw)
    if syntax.startswith("JPEG-LS"):
        return imagecodecs.jpegls_encode(samples, level=2 if "near" in syntax else 0)
    if syntax.startswith("JPEG 2000"):
        lossless = "lossless" in syntax
        return imagecodecs.jpeg2k_encode(
            samples, level=0 if lossless else 60, codecformat="j2k", reversible=lossless, bitspersample=bits
        )
    if "lossless" in syntax:
        return imagecodecs.htj2k_encode(samples, reversible=True)
    return imagecodecs.htj2k_encode(samples, level=0.0001, reversible=False)


def run_lengths(samples: np.ndarray) -> bytes:
    """PS3.5 annex G: each byte of the samples packed row by row into runs and literals, the upper byte first."""
    components = [samples] if samples.ndim == 2 else list(np.moveaxis(samples, 2, 0))
    shifts = [8, 0] if samples.itemsize == 2 else [0]
    planes = [component >> shift & 255 for component in components for shift in shifts]
    segments = []
    for plane in planes:
        rows = [imagecodecs.packbits_encode(row.astype(np.uint8).tobytes()) for row in plane]
        segment = b"".join(rows)
        segments.append(segment + b"\0" * (len(segment) % 2))
    starts = [64 + sum(map(len, segments[:number])) for number in range(len(segments))]
    header = np.zeros(16, "<u4")
    header[: len(starts) + 1] = [len(segments), *starts]
    return header.tobytes() + b"".join(segments)


def dicom(
    samples: np.ndarray,
    syntax: str = "explicit",
    *,
    bits: int | None = None,
    preamble: bytes | None = bytes(128),
    meta: bool = True,
    frame: bytes | None = None,
    raw: list[tuple] = (),
    **elements,
) -> bytes:
    """A frontal chest radiograph of a child of three years, with what `elements` change of it.

    Parameters
    ----------
    samples : ndarray of uint8, uint16 or int16, shape (H, W) or (H, W, 3)
        Stored values, as they go into the file.
    syntax : str
        A name of ``SYNTAXES``.
    bits : int or None
        Bits stored; None for all of the samples' type.
    preamble : bytes or None
        128 bytes; None for neither preamble nor prefix.
    meta : bool
        Whether there is file meta information.
    frame : bytes or None
        Pixel data, or a compressed frame, in place of the samples.
    raw : list of (int, str, object)
        Elements by tag, value representation and value.
    **elements
        Keywords with their values; None takes an element out.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # values that the standard forbids are meant
        signed = samples.dtype.kind == "i"
        bits = bits or samples.itemsize * 8
        data = Dataset()
        data.SOPClassUID = CR_CLASS
        data.SOPInstanceUID, data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.3.4.5", "1.2.3", "1.2.3.4"
        data.PatientName, data.PatientID, data.AccessionNumber, data.PatientBirthDate = IDENTIFIERS
        data.InstitutionName, data.StudyDescription, data.StudyDate = "DOE^JANE clinic", "DOE^JANE chest", "20200101"
        data.PatientAge, data.Modality, data.BodyPartExamined, data.ViewPosition = "003Y", "CR", "CHEST", "AP"
        data.Rows, data.Columns = samples.shape[:2]
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        if samples.ndim == 3:
            data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
        data.BitsAllocated, data.BitsStored, data.HighBit = samples.itemsize * 8, bits, bits - 1
        data.PixelRepresentation = int(signed)
        for keyword, value in elements.items():
            if value is None:
                delattr(data, keyword)
            else:
                setattr(data, keyword, value)
        for tag, representation, value in raw:
            data.add_new(tag, representation, value)
        if syntax in NATIVE:
            order = ">" if syntax == "big endian" else "<"
            body = samples.astype(samples.dtype.newbyteorder(order)).tobytes() if frame is None else frame
            body += b"\0" * (len(body) % 2)
            if samples.itemsize == 1 and syntax == "big endian" and frame is None:
                body = np.frombuffer(body, "<u2").astype(">u2").tobytes()
            data.PixelData = body
            data["PixelData"].VR = "OW"
        else:
            unsigned = samples.view(f"u{samples.itemsize}")
            unsigned = unsigned & np.array(2**bits - 1, unsigned.dtype) if syntax != "fragments" else unsigned
            data.PixelData = encapsulate([compressed(unsigned, syntax, bits) if frame is None else frame])
            data["PixelData"].VR = "OB"
            data["PixelData"].is_undefined_length = True
        return written(data, SYNTAXES[syntax], preamble, meta)


def written(data: Dataset, syntax: str, preamble: bytes | None = bytes(128), meta: bool = True) -> bytes:
    """Bytes of a data set in the transfer syntax of a UID."""
    out = BytesIO()
    implicit, little = syntax == IMPLICIT, syntax != BIG
    if meta:
        data.file_meta = FileMetaDataset()
        data.file_meta.MediaStorageSOPClassUID = data.get("SOPClassUID", "1.2.3")
        data.file_meta.MediaStorageSOPInstanceUID = data.get("SOPInstanceUID", "1.2.3")
        data.file_meta.TransferSyntaxUID = UID(syntax)
        data.preamble = preamble
        pydicom.dcmwrite(out, data, enforce_file_format=preamble is not None, implicit_vr=None)
    else:
        pydicom.dcmwrite(out, data, implicit_vr=implicit, little_endian=little, enforce_file_format=False)
    return out.getvalue()


def palette(red, green=None, blue=None, bits: int = 16, first: int = 0) -> dict:
    """Elements of a palette; eight-bit entries are packed two to a word."""
    elements = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour, entries in (("Red", red), ("Green", green), ("Blue", blue)):
        entries = red if entries is None else entries
        stored = entries.astype("<u2") if bits == 16 else entries.astype(np.uint8)
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [len(entries) % 65536, first, bits]
        elements[f"{colour}PaletteColorLookupTableData"] = stored.tobytes()
    return elements


def lut_item(first: int, entries, bits: int = 16, signed: bool = False) -> Dataset:
    """An item of a modality or VOI LUT sequence."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if signed else "US", [len(entries) % 65536, first, bits])
    item.add_new("LUTData", "US", [int(entry) for entry in entries])
    return item


def coded(value: str, scheme: str, meaning: str = "DOE^JANE") -> Sequence:
    """A code sequence of one item."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Sequence([item])
