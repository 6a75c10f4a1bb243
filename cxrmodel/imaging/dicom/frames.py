"""Native decoders of compressed DICOM frames."""

from io import BytesIO

import gdcm
import jpeg_ls
import numpy as np
from openjpeg.utils import decode as decode_jpeg2000

from cxrmodel.imaging.formats.jpeg_scans import DamagedJpeg, WholeJpeg

gdcm.Trace.DebugOff()
gdcm.Trace.WarningOff()
gdcm.Trace.ErrorOff()

_UINT8, _LITTLE = np.dtype("u1"), np.dtype("<u2")


def decode_frame(
    frame: bytes, kind: str, size: tuple[int, int], bits: int, signed: bool
) -> tuple[np.ndarray | None, bool]:
    """Decode a frame whose codestream was checked; this runs in the sandbox.

    Parameters
    ----------
    frame : bytes
        Bare codestream.
    kind, size, bits, signed
        As in ``Codestream``; the size is (width, height).

    Returns
    -------
    samples : ndarray of uint8, int8, uint16 or int16, or None
        Row by row, in any shape; None where the variety is not supported.
    ends_early : bool
        Data are missing.

    Raises
    ------
    Exception
        Anything that the decoders raise on damaged data.
    """
    if kind == "JPEG 2000":
        samples = decode_jpeg2000(frame, j2k_format=0, reshape=False)
        return samples.view(f"<{'i' if signed else 'u'}{1 if bits <= 8 else 2}"), False
    if kind == "JPEG-LS":
        buffer, _ = jpeg_ls.decode_pixel_data(frame)
        return np.frombuffer(buffer, _UINT8 if bits <= 8 else _LITTLE), False
    if kind == "JPEG" and bits == 8:
        try:
            with WholeJpeg(BytesIO(frame)) as image:
                return np.asarray(image), False
        except DamagedJpeg:
            return None, True
    return _gdcm(frame, kind, size, bits), False


# PS3.5 annex A.4.1 and A.4.2: extended JPEG of 12 bits, lossless JPEG with any predictor.
_SYNTAXES = {"JPEG": "1.2.840.10008.1.2.4.51", "lossless JPEG": "1.2.840.10008.1.2.4.57"}


def _gdcm(frame: bytes, kind: str, size: tuple[int, int], bits: int) -> np.ndarray | None:
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((*size, 1))
    image.SetDataElement(element)
    grey = gdcm.PhotometricInterpretation.MONOCHROME2
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(grey))
    syntax = gdcm.TransferSyntax.GetTSType(_SYNTAXES[kind])
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    # With 16 bits the 8-bit decoder is tried before the 12-bit one, and complains on standard error.
    allocated = 8 if bits <= 8 else 12 if kind == "JPEG" else 16
    image.SetPixelFormat(gdcm.PixelFormat(1, allocated, bits, bits - 1, 0))
    text = image.GetBuffer()
    if not text:
        return None
    # The binding returns bytes as text.
    return np.frombuffer(text.encode("utf-8", "surrogateescape"), _UINT8 if allocated == 8 else _LITTLE)
