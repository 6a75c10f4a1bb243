"""Every transfer syntax gives the stored values: exactly where it is lossless, closely where it is not."""

import struct

import imagecodecs
import numpy as np
import pytest

from cxrmodel import errors
from cxrmodel.imaging.dicom.pixel_data.codestreams import read_codestream
from cxrmodel.imaging.dicom.pixel_data.lossless_jpeg import has_all_bits
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.messages import Message
from tests.support.dicom_files import (
    BIG,
    EXPLICIT,
    IDENTIFIERS,
    LOSSLESS,
    LOSSY,
    NATIVE,
    compressed,
    dicom,
    run_lengths,
)

ROWS, COLUMNS = np.mgrid[0:72, 0:90]


def ramp(bits, signed=False):
    """An image with grain that uses every bit, as stored values."""
    grain = np.random.default_rng(0).integers(0, 9, ROWS.shape)
    whole = ROWS * 3 + COLUMNS * 5 + grain
    values = np.rint((whole - whole.min()) / np.ptp(whole) * (2**bits - 1)).astype(np.int64)
    size = 1 if bits == 8 else 2
    return (values - 2 ** (bits - 1)).astype(f"i{size}") if signed else values.astype(f"u{size}")


def expected(samples, bits):
    """The levels of an image without window that uses its whole scale."""
    values = samples.astype(np.float64) + (2 ** (bits - 1) if samples.dtype.kind == "i" else 0)
    return (values / (2**bits - 1)).astype(np.float32)


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("bits", [8, 9, 10, 12, 14, 15, 16])
@pytest.mark.parametrize("syntax", [*NATIVE, *LOSSLESS])
def test_lossless_syntaxes_are_exact(read, syntax, bits, signed):
    """To the last bit, whatever the depth and the sign."""
    samples = ramp(bits, signed)
    image = read(samples, syntax, bits=bits)
    assert np.array_equal(image.pixels, expected(samples, bits))
    assert (image.file_format, image.bits, image.notes) == ("DICOM", bits, ())
    assert image.stored_range == (int(samples.min()), int(samples.max()))
    assert image.pixels.flags.c_contiguous


DEPTHS = {"JPEG baseline": [8], "JPEG extended": [8, 12]}


@pytest.mark.parametrize(
    ("syntax", "bits"), [(syntax, bits) for syntax in LOSSY for bits in DEPTHS.get(syntax, [8, 10, 12, 16])]
)
def test_lossy_syntaxes_are_close(read, syntax, bits):
    """Within about one part in a hundred of the scale, at its ends too."""
    samples = ramp(bits)
    image = read(samples, syntax, bits=bits)
    assert np.abs(image.pixels - expected(samples, bits)).max() < 0.02
    assert np.abs(image.pixels - expected(samples, bits)).mean() < 0.006
    assert image.notes == ()


@pytest.mark.parametrize("predictor", range(1, 8))
def test_every_predictor_of_lossless_jpeg_is_read(read, predictor):
    """Process 14 has seven."""
    samples = ramp(12)
    frame = imagecodecs.jpeg8_encode(samples, lossless=True, predictor=predictor, bitspersample=12)
    assert np.array_equal(read(samples, "JPEG lossless", bits=12, frame=frame).pixels, expected(samples, 12))


@pytest.mark.parametrize("bits", [8, 11, 16])
@pytest.mark.parametrize("kind", ["even", "noise", "white"])
def test_lossless_jpeg_takes_as_many_bits_as_it_holds(bits, kind):
    """Computed from the samples alone, to within the last, padded byte."""
    noise = np.random.default_rng(2).integers(0, 2**bits, (300, 70))
    samples = {"even": noise * 0 + 3, "noise": noise, "white": noise * 0 + 2**bits - 1}[kind]
    samples = samples.astype(np.uint8 if bits == 8 else np.uint16)
    for predictor in range(1, 8):
        frame = imagecodecs.jpeg8_encode(samples, lossless=True, predictor=predictor, bitspersample=bits)
        bare = read_codestream(frame).bare
        assert has_all_bits(bare, samples, bits)
        assert not has_all_bits(bare[:-4] + bare[-2:], samples, bits)


def test_signed_jpeg_2000_is_read(read):
    """A codestream whose samples have a sign of their own, with and without the attribute that states it."""
    samples = ramp(12, signed=True)
    frame = imagecodecs.jpeg2k_encode(samples, codecformat="j2k", reversible=True, bitspersample=12)
    for representation in (0, 1):
        image = read(samples, "JPEG 2000 lossless", bits=12, frame=frame, PixelRepresentation=representation)
        assert np.array_equal(image.pixels, expected(samples, 12))


def test_unsigned_codestream_of_signed_values_is_read(read):
    """Two's complements of fewer bits than the attributes state."""
    samples = ramp(12, signed=True)
    frame = compressed(samples.view("u2") & np.uint16(4095), "JPEG 2000 lossless", 12)
    image = read(samples, "JPEG 2000 lossless", bits=16, frame=frame)
    assert image.stored_range == (-2048, 2047)
    assert np.array_equal(image.pixels, expected(samples, 12))


def test_a_jpeg_2000_file_within_the_frame_is_read(read):
    """Some devices store the boxes of a file around the codestream."""
    samples = ramp(12)
    frame = imagecodecs.jpeg2k_encode(samples, codecformat="jp2", reversible=True, bitspersample=12)
    assert np.array_equal(read(samples, "JPEG 2000 lossless", bits=12, frame=frame).pixels, expected(samples, 12))


@pytest.mark.parametrize("syntax", ["explicit", "big endian", "RLE", "JPEG lossless", "JPEG-LS lossless"])
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_bits_above_those_stored_are_masked(read, syntax, signed):
    """An overlay or leftovers in the upper four bits changes nothing, compressed or not."""
    samples = ramp(12, signed)
    dirty = ((samples.view("u2") & 4095) | (np.random.default_rng(1).integers(0, 16, ROWS.shape) << 12)).astype("u2")
    frame = None if syntax in NATIVE else compressed(dirty, syntax, 16)
    image = read(dirty.view(samples.dtype), syntax, bits=12, frame=frame)
    assert np.array_equal(image.pixels, expected(samples, 12))


def test_values_above_an_overlay_in_the_lower_bits_are_shifted(read):
    """A topmost bit above those stored: the value is in the upper bits of the sample."""
    samples = ramp(12)
    image = read(samples << 4 | 5, bits=12, HighBit=15)
    assert np.array_equal(image.pixels, expected(samples, 12))


@pytest.mark.parametrize(
    ("syntax", "meta"),
    [(syntax, meta) for syntax in NATIVE for meta in (True, False) if (syntax, meta) != ("deflated", False)],
)
def test_files_without_preamble_are_read(read, syntax, meta):
    """With file meta information and without any, where the encoding follows from the elements."""
    samples = ramp(12)
    image = read(samples, syntax, bits=12, preamble=None, meta=meta)
    assert np.array_equal(image.pixels, expected(samples, 12))


def test_compressed_files_without_meta_information_are_read():
    """The codestream identifies itself."""
    samples = ramp(8)
    whole = dicom(samples, "JPEG baseline")
    data_set = whole[whole.index(b"\x08\0\x16\0UI") :]
    assert np.abs(read_radiograph(data_set, "image").pixels - expected(samples, 8)).max() < 0.02


def test_a_preamble_that_looks_like_a_tiff_makes_no_tiff(read):
    """The prefix after it decides."""
    image = read(ramp(8), preamble=b"II*\0\x08\0\0\0" + bytes(120))
    assert image.file_format == "DICOM"


def test_a_meta_information_that_names_the_wrong_encoding_is_survived(read):
    """Implicit data sets declared as explicit are common."""
    samples = ramp(8)
    declared = dicom(samples, "implicit")
    place = declared.index(b"\x02\0\x10\0UI")
    length = struct.unpack_from("<H", declared, place + 6)[0]
    data = declared[: place + 6] + struct.pack("<H", 20) + EXPLICIT.encode() + b"\0" + declared[place + 8 + length :]
    assert np.array_equal(read_radiograph(data, "image").pixels, expected(samples, 8))


def test_a_frame_in_many_fragments_is_joined(read):
    """A codestream may be cut anywhere."""
    samples = ramp(12)
    frame = compressed(samples, "JPEG-LS lossless", 12)
    frame += b"\0" * (len(frame) % 2)
    whole = dicom(samples, "JPEG-LS lossless", bits=12, frame=frame)
    pieces = [frame[start : start + 400] for start in range(0, len(frame), 400)]
    body = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(piece)) + piece for piece in pieces)
    start = whole.index(frame) - 8
    data = whole[:start] + body + b"\xfe\xff\xdd\xe0" + bytes(4)
    assert np.array_equal(read_radiograph(data, "image").pixels, expected(samples, 12))


def test_big_endian_bytes_in_words_are_swapped(read):
    """Eight-bit samples, an odd number of them: two to a word of the other byte order."""
    samples = ramp(8)[:71, :89]
    assert np.array_equal(read(samples, "big endian").pixels, expected(samples, 8))


def test_run_lengths_need_no_respect_for_rows(read):
    """Runs over the end of a row, and bytes that mean nothing, do not prevent reading."""
    samples = np.zeros((64, 64), np.uint8)
    samples[32:] = 255
    segment = b"\x80" + b"\x81\x00" * 16 + b"\x81\xff" * 16
    frame = struct.pack("<16I", 1, 64, *[0] * 14) + segment + b"\0"
    assert np.array_equal(read(samples, "RLE", frame=frame).pixels, samples / np.float32(255))
    assert len(run_lengths(samples)) < samples.size


def test_surplus_pixel_data_give_a_note(read):
    """More than a byte of padding may mean a wrong size."""
    samples = ramp(8)
    image = read(samples, frame=samples.tobytes() + bytes(100))
    assert np.array_equal(image.pixels, expected(samples, 8))
    assert image.notes == (Message("imaging.dicom.surplus_pixel_data"),)


def test_overlays_are_not_burned_in(read):
    """Neither those in elements of their own nor those in the bits above the stored ones."""
    samples = ramp(12)
    overlay = [(0x60000010, "US", 72), (0x60000011, "US", 90), (0x60000040, "CS", "G"), (0x60000050, "SS", [1, 1])]
    image = read(samples | 0x8000, bits=12, raw=[*overlay, (0x60000100, "US", 16), (0x60000102, "US", 15)])
    assert np.array_equal(image.pixels, expected(samples, 12))
    plane = (0x60003000, "OW", b"\xff" * (samples.size // 8))
    image = read(samples, bits=12, raw=[*overlay, (0x60000100, "US", 1), (0x60000102, "US", 0), plane])
    assert np.array_equal(image.pixels, expected(samples, 12))


def declared(data, syntax):
    """The same file with another transfer syntax in its meta information."""
    place = data.index(b"\x02\0\x10\0UI")
    length = struct.unpack_from("<H", data, place + 6)[0]
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    return data[: place + 6] + struct.pack("<H", len(uid)) + uid + data[place + 8 + length :]


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.110", "1.2.3", "1.2.840.10008.1.2.6.1"]
)
def test_other_syntaxes_are_refused_by_name(syntax):
    """Video, JPEG XL, private ones: neither pixels nor an unknown codestream are taken for anything."""
    for data in (dicom(ramp(8)), dicom(ramp(8), "JPEG baseline", frame=b"\0\0\1\xba" + bytes(996))):
        with pytest.raises(errors.UnsupportedFile) as raised:
            read_radiograph(declared(data, syntax), "image")
        assert raised.value.message.code == "imaging.dicom.transfer_syntax"


def test_identifiers_are_in_every_file_that_these_tests_read():
    """Otherwise the tests of privacy would prove nothing."""
    for syntax in ("explicit", "JPEG-LS lossless"):
        assert all(word.encode() in dicom(ramp(8), syntax) for word in IDENTIFIERS)
    assert BIG.encode() in dicom(ramp(8), "big endian")
