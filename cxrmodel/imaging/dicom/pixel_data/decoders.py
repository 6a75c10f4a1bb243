"""Native decoders of compressed pixel data."""

from io import BytesIO

import gdcm
import jpeg_ls
import numpy as np
from openjpeg.utils import decode as decode_jpeg2000

from cxrmodel.imaging.dicom.pixel_data.codestreams import Codestream
from cxrmodel.imaging.formats.jpeg_scans import DamagedJpeg, WholeJpeg

gdcm.Trace.DebugOff()
gdcm.Trace.WarningOff()
gdcm.Trace.ErrorOff()

_UINT8, _LITTLE = np.dtype("u1"), np.dtype("<u2")


def decode_codestream(codestream: bytes, found: Codestream) -> tuple[np.ndarray | None, bool]:
    """Decode a compressed image whose header was checked; this runs in the sandbox.

    Parameters
    ----------
    codestream : bytes
        Without comments.
    found : Codestream
        Its header; ``bare`` is not used.

    Returns
    -------
    samples : ndarray of uint8, int8, uint16 or int16, or None
        Pixel by pixel, in any shape; None where the variety is not supported.
    ends_early : bool
        Data are missing.

    Raises
    ------
    Exception
        Anything that the decoders raise on damaged data.
    """
    if found.kind == "JPEG 2000":
        return _jpeg2000(codestream, found), False
    if found.kind == "JPEG-LS":
        buffer, frame = jpeg_ls.decode_pixel_data(codestream)
        samples = np.frombuffer(buffer, _UINT8 if found.bits <= 8 else _LITTLE)
        if len(found.components) == 3 and frame["interleave_mode"] == 0:
            samples = np.moveaxis(samples.reshape(3, found.height, found.width), 0, 2)
        return samples, False
    if found.kind == "JPEG" and found.bits == 8:
        try:
            return _jpeg(codestream), False
        except DamagedJpeg:
            return None, True
    return _gdcm(codestream, found), False


def _jpeg(codestream: bytes) -> np.ndarray:
    with WholeJpeg(BytesIO(codestream)) as image:
        if image.mode == "RGB":
            # As stored: the codestream without its comments does not tell the colour space.
            image.tile = [image.tile[0]._replace(args=("RGB", "RGB"))]
        return np.asarray(image)


def _jpeg2000(codestream: bytes, found: Codestream) -> np.ndarray:
    samples = decode_jpeg2000(codestream, j2k_format=0, reshape=False)
    kind = "i" if found.signed else "u"
    return samples.view(f"<{kind}{1 if found.bits <= 8 else 2}")


# PS3.5 annex A.4.1 and A.4.2: extended JPEG of 12 bits, lossless JPEG with any predictor.
_SYNTAXES = {"JPEG": "1.2.840.10008.1.2.4.51", "lossless JPEG": "1.2.840.10008.1.2.4.57"}


def _gdcm(codestream: bytes, found: Codestream) -> np.ndarray | None:
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(codestream)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((found.width, found.height, 1))
    image.SetDataElement(element)
    kinds = gdcm.PhotometricInterpretation
    image.SetPhotometricInterpretation(kinds(kinds.RGB if len(found.components) == 3 else kinds.MONOCHROME2))
    syntax = gdcm.TransferSyntax.GetTSType(_SYNTAXES[found.kind])
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    # With 16 bits the 8-bit decoder is tried before the 12-bit one, and complains on standard error.
    allocated = 8 if found.bits <= 8 else 12 if found.kind == "JPEG" else 16
    image.SetPixelFormat(gdcm.PixelFormat(len(found.components), allocated, found.bits, found.bits - 1, 0))
    text = image.GetBuffer()
    if not text:
        return None
    # The binding returns bytes as text.
    return np.frombuffer(text.encode("utf-8", "surrogateescape"), _UINT8 if allocated == 8 else _LITTLE)
