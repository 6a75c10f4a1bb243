"""Files whose structure departs from the standard: read with a note where their image is beyond doubt, or refused."""

import struct
import zlib

import numpy as np
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cxrmodel import errors
from cxrmodel.imaging.radiograph import read_radiograph
from tests.support.dicom_files import LOSSLESS, LOSSY, SYNTAXES, coded, compressed, dicom, lut_item

ROWS, COLUMNS = np.mgrid[0:96, 0:90]
GRAIN = np.random.default_rng(0).integers(0, 9, ROWS.shape)
WHOLE = ROWS * 2 + COLUMNS + GRAIN
LEVELS = np.uint8(WHOLE * 255 // WHOLE.max())
DEEP = np.uint16(WHOLE * 4095 // WHOLE.max())
PIXELS = b"\xe0\x7f\x10\0"
ITEM, END_OF_ITEM, END_OF_SEQUENCE = (b"\xfe\xff" + mark for mark in (b"\x00\xe0", b"\x0d\xe0", b"\xdd\xe0"))
DELIMITER = END_OF_SEQUENCE + bytes(4)
IRREGULAR, CONTRADICTION = "imaging.dicom.irregular", "imaging.dicom.syntax_contradiction"
NO_END, SURPLUS = "imaging.note.no_end", "imaging.note.surplus"


def result(data):
    """Notes and pixels of a file, or the code of its refusal and None."""
    try:
        image = read_radiograph(data, "image")
    except errors.ImageRefused as refusal:
        return refusal.message.code, None
    return [note.code for note in image.notes], image.pixels


def exact(data, samples=LEVELS, bits=8):
    """Codes of the notes of a file that is read to the last bit, or of its refusal."""
    codes, pixels = result(data)
    if pixels is not None:
        assert np.array_equal(pixels, (samples.astype(np.float64) / (2**bits - 1)).astype(np.float32))
    return codes


def declared(data, name):
    """The same file with the transfer syntax of another name in its meta information."""
    place = data.index(b"\x02\0\x10\0UI")
    length = struct.unpack_from("<H", data, place + 6)[0]
    uid = SYNTAXES.get(name, name).encode()
    uid += b"\0" * (len(uid) % 2)
    return data[: place + 6] + struct.pack("<H", len(uid)) + uid + data[place + 8 + length :]


def with_pixels(data, body, length=0xFFFFFFFF, vr=b"OB"):
    """The same explicit file with other pixel data and another length of them."""
    return data[: data.rindex(PIXELS)] + PIXELS + vr + b"\0\0" + struct.pack("<I", length) + body


def item(body):
    """A fragment."""
    return ITEM + struct.pack("<I", len(body)) + body


def even(body):
    """Padded with a zero to an even length."""
    return body + b"\0" * (len(body) % 2)


EXPLICIT, IMPLICIT = dicom(LEVELS), dicom(LEVELS, "implicit")
FRAME = even(compressed(LEVELS, "JPEG-LS lossless", 8))
J2K, JPEG = compressed(LEVELS, "JPEG 2000 lossless", 8), compressed(LEVELS, "JPEG lossless", 8)
PACKED = even(compressed(LEVELS, "RLE", 8))
NATIVE_BYTES = LEVELS.tobytes()
LS = dicom(LEVELS, "JPEG-LS lossless")

STRUCTURES = {
    # The elements are encoded in another way than the transfer syntax states.
    "implicit, declared as explicit": (declared(IMPLICIT, "explicit"), [CONTRADICTION]),
    "explicit, declared as implicit": (declared(EXPLICIT, "implicit"), [CONTRADICTION]),
    "big endian, declared as little": (declared(dicom(LEVELS, "big endian"), "explicit"), [CONTRADICTION]),
    "big endian, declared as implicit": (declared(dicom(LEVELS, "big endian"), "implicit"), [CONTRADICTION]),
    "little endian, declared as big": (declared(EXPLICIT, "big endian"), [CONTRADICTION]),
    "plain, declared as deflated": (declared(EXPLICIT, "deflated"), [CONTRADICTION]),
    "deflated, declared as explicit": (declared(dicom(LEVELS, "deflated"), "explicit"), [CONTRADICTION]),
    "deflated, declared as implicit": (declared(dicom(LEVELS, "deflated"), "implicit"), [CONTRADICTION]),
    # So are the pixel data.
    "native, declared as JPEG-LS": (declared(EXPLICIT, "JPEG-LS lossless"), [CONTRADICTION]),
    "native, declared as run lengths": (declared(EXPLICIT, "RLE"), [CONTRADICTION]),
    "native, declared as encapsulated": (declared(EXPLICIT, "fragments"), [CONTRADICTION]),
    "encapsulated native, declared as native": (declared(dicom(LEVELS, "fragments"), "explicit"), [CONTRADICTION]),
    "encapsulated native, declared as JPEG": (declared(dicom(LEVELS, "fragments"), "JPEG lossless"), [CONTRADICTION]),
    "JPEG-LS, declared as native": (declared(LS, "explicit"), [CONTRADICTION]),
    "JPEG-LS, declared as run lengths": (declared(LS, "RLE"), [CONTRADICTION]),
    "JPEG-LS, declared as encapsulated": (declared(LS, "fragments"), [CONTRADICTION]),
    "JPEG-LS, declared as JPEG 2000": (declared(LS, "JPEG 2000"), []),
    "JPEG-LS, unknown syntax": (declared(LS, "1.2.3"), [CONTRADICTION]),
    "JPEG 2000, declared as native": (declared(dicom(LEVELS, "JPEG 2000 lossless"), "explicit"), [CONTRADICTION]),
    "lossless JPEG, retired syntax": (
        declared(dicom(LEVELS, "JPEG lossless"), "1.2.840.10008.1.2.4.58"),
        [CONTRADICTION],
    ),
    "run lengths, declared as native": (declared(dicom(LEVELS, "RLE"), "explicit"), [CONTRADICTION]),
    "run lengths, declared as JPEG": (declared(dicom(LEVELS, "RLE"), "JPEG baseline"), [CONTRADICTION]),
    "codestream in place of native pixels": (with_pixels(EXPLICIT, J2K, len(J2K)), [CONTRADICTION]),
    "codestream without items": (with_pixels(LS, FRAME, len(FRAME)), []),
    "codestream without items or length": (with_pixels(LS, FRAME), []),
    "items in a defined length": (with_pixels(LS, item(b"") + item(FRAME), len(FRAME) + 16), [IRREGULAR]),
    "unknown native": (declared(EXPLICIT, "1.2.3"), "imaging.dicom.transfer_syntax"),
    "neither native nor compressed": (
        with_pixels(LS, item(b"") + item(bytes(5000)) + DELIMITER),
        "imaging.dicom.damaged_codestream",
    ),
    "codestream of another size": (
        dicom(LEVELS, "JPEG-LS lossless", frame=even(compressed(LEVELS[:80], "JPEG-LS lossless", 8))),
        "imaging.dicom.size_contradiction",
    ),
    # Delimiters and lengths of the pixel data.
    "no delimiter": (LS[:-8], [IRREGULAR]),
    "half a delimiter": (LS[:-5], [IRREGULAR]),
    "no delimiter, padded": (LS[:-8] + bytes(512), [IRREGULAR]),
    "no offset table": (with_pixels(LS, item(FRAME) + DELIMITER), [IRREGULAR]),
    "no offset table, two fragments": (with_pixels(LS, item(FRAME[:300]) + item(FRAME[300:]) + DELIMITER), [IRREGULAR]),
    "empty offset table": (with_pixels(LS, item(b"") + item(FRAME) + DELIMITER), []),
    "wrong offset table": (with_pixels(LS, item(b"\x09\0\0\0") + item(FRAME) + DELIMITER), []),
    "many fragments": (
        with_pixels(LS, item(b"") + b"".join(item(FRAME[at : at + 64]) for at in range(0, len(FRAME), 64)) + DELIMITER),
        [],
    ),
    "odd fragments": (
        with_pixels(LS, item(b"") + b"".join(item(FRAME[at : at + 77]) for at in range(0, len(FRAME), 77)) + DELIMITER),
        [],
    ),
    "an empty fragment": (with_pixels(LS, item(b"") + item(b"") + item(FRAME) + DELIMITER), []),
    "two frames": (
        with_pixels(LS, item(b"") + item(FRAME) + item(FRAME) + DELIMITER),
        "imaging.dicom.multiple_frames",
    ),
    "two frames, no offset table": (
        with_pixels(LS, item(FRAME) + item(FRAME) + DELIMITER),
        "imaging.dicom.multiple_frames",
    ),
    "a last fragment longer than the file": (
        with_pixels(LS, item(b"") + ITEM + struct.pack("<I", len(FRAME) + 500) + FRAME),
        [IRREGULAR],
    ),
    "native pixels of undefined length": (with_pixels(EXPLICIT, NATIVE_BYTES), [IRREGULAR]),
    "native pixels of undefined length, delimited": (with_pixels(EXPLICIT, NATIVE_BYTES + DELIMITER), [IRREGULAR]),
    "native pixels of undefined length, too few": (
        with_pixels(EXPLICIT, NATIVE_BYTES[:-1]),
        "imaging.dicom.truncated",
    ),
    "no byte of padding": (with_pixels(EXPLICIT, NATIVE_BYTES, len(NATIVE_BYTES) + 1), [IRREGULAR]),
    "length of twice the frame": (
        with_pixels(EXPLICIT, NATIVE_BYTES, 2 * len(NATIVE_BYTES)),
        "imaging.dicom.truncated",
    ),
    "length of half the frame": (
        with_pixels(EXPLICIT, NATIVE_BYTES, len(NATIVE_BYTES) // 2),
        "imaging.dicom.truncated",
    ),
    "no pixel data": (EXPLICIT[: EXPLICIT.rindex(PIXELS)], "imaging.dicom.no_pixel_data"),
    "empty pixel data": (with_pixels(EXPLICIT, b"", 0), "imaging.dicom.no_pixel_data"),
    # What follows the pixel data.
    "zeros at the end": (EXPLICIT + bytes(3000), []),
    "text at the end": (EXPLICIT + b"appended by a transfer program", [SURPLUS]),
    "a line at the end": (EXPLICIT + b"\r\n", [SURPLUS]),
    "a file at the end": (EXPLICIT + dicom(255 - LEVELS[:80]), [SURPLUS]),
    "elements at the end": (EXPLICIT + b"\x28\0\x10\0US\2\0\x40\0\x28\0\x11\0US\2\0\x40\0", [SURPLUS]),
    "padding element at the end": (EXPLICIT + b"\xfc\xff\xfc\xffOB\0\0\x04\0\0\0ABCD", []),
    "private element at the end": (EXPLICIT + b"\xe1\x7f\x10\0LO\4\0TEST", []),
    "text after a delimiter": (LS + b"appended", [SURPLUS]),
    # Beginnings.
    "prefix without preamble": (EXPLICIT[128:], []),
    "preamble without prefix": (EXPLICIT[:128] + EXPLICIT[132:], []),
    "neither": (EXPLICIT[132:], []),
    "no meta information": (EXPLICIT[EXPLICIT.index(b"\x08\0\x16\0UI") :], []),
    "prefix, no meta information": (EXPLICIT[:132] + EXPLICIT[EXPLICIT.index(b"\x08\0\x16\0UI") :], []),
    "no meta information, compressed": (LS[LS.index(b"\x08\0\x16\0UI") :], []),
    "wrong length of the meta information": (EXPLICIT[:140] + b"\xff\x00\0\0" + EXPLICIT[144:], []),
    "zero length of the meta information": (EXPLICIT[:140] + bytes(4) + EXPLICIT[144:], []),
    "no length of the meta information": (EXPLICIT[:132] + EXPLICIT[144:], []),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_file_of_odd_structure(name):
    """Read to the last bit, with these notes; or refused for this reason."""
    data, expected = STRUCTURES[name]
    assert exact(data) == expected


def sequence(body, length=0xFFFFFFFF):
    """An explicit sequence in front of the modality of a file."""
    place = EXPLICIT.index(b"\x08\0\x60\0CS")
    return EXPLICIT[:place] + b"\x08\0\x41\0SQ\0\0" + struct.pack("<I", length) + body + EXPLICIT[place:]


INSIDE = b"\x08\0\x50\x11UI\x04\x001.2\0"
OPEN = ITEM + b"\xff\xff\xff\xff"
CLOSED = END_OF_ITEM + bytes(4)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (DELIMITER, []),
        (OPEN + INSIDE + CLOSED + DELIMITER, []),
        (item(INSIDE) + DELIMITER, []),
        (2 * (OPEN + INSIDE + CLOSED) + DELIMITER, []),
        (OPEN + b"\x08\0\x41\0SQ\0\0\xff\xff\xff\xff" + OPEN + INSIDE + CLOSED + DELIMITER + CLOSED + DELIMITER, []),
        (OPEN + b"\x08\0\x50\x11\4\0\0\x001.2\0" + CLOSED + DELIMITER, []),
        (OPEN + INSIDE + CLOSED, [IRREGULAR]),
        (item(INSIDE), [IRREGULAR]),
        (b"", [IRREGULAR]),
        (OPEN + INSIDE + DELIMITER, [IRREGULAR]),
        (OPEN + INSIDE + OPEN + INSIDE + CLOSED + DELIMITER, [IRREGULAR]),
        (OPEN + INSIDE, "imaging.dicom.damaged"),
        (ITEM + b"\xff\xff\xff\x7f" + INSIDE, "imaging.dicom.damaged"),
        (CLOSED, "imaging.dicom.damaged"),
    ],
)
def test_sequences_without_delimiters(body, expected):
    """A delimiter may be missing where a later element tells that the sequence has ended."""
    assert exact(sequence(body)) == expected


def test_nested_sequences_end_somewhere():
    """Depth is bounded."""
    for depth, expected in ((20, []), (5_000, "imaging.dicom.too_many_elements")):
        body = depth * (OPEN + b"\x08\0\x41\0SQ\0\0\xff\xff\xff\xff") + DELIMITER + depth * (CLOSED + DELIMITER)
        assert exact(sequence(body)) == expected


def test_unknown_value_representations_are_passed_over():
    """One without a meaning has no length of its own: the element is implicit, or of a kind that the standard adds."""
    place = EXPLICIT.index(b"\x08\0\x60\0CS")
    for element in (b"\x08\0\x41\0\4\0\0\0ABCD", b"\x08\0\x41\0ZZ\0\0\4\0\0\0ABCD"):
        assert exact(EXPLICIT[:place] + element + EXPLICIT[place:]) == []


def test_a_value_of_odd_length_is_passed_over():
    """The next element follows it directly."""
    place = EXPLICIT.index(b"\x08\0\x60\0CS")
    assert exact(EXPLICIT[:place] + b"\x08\0\x41\0LO\3\0ABC" + EXPLICIT[place:]) == []


ENDLESS = [name for name in (*LOSSLESS, *LOSSY) if name not in ("fragments", "RLE")]


@pytest.mark.parametrize("name", ENDLESS)
def test_a_codestream_without_end_marker_is_read_if_it_is_whole(name):
    """And never if data are missing as well, whatever comes in their place."""
    bits = 8 if name == "JPEG baseline" else 12
    samples = LEVELS.copy() if bits == 8 else DEEP.copy()
    samples[-24:] = 2 ** (bits - 1)
    frame = compressed(samples, name, bits)
    whole = read_radiograph(dicom(samples, name, bits=bits, frame=even(frame)), "image").pixels
    assert frame.endswith(b"\xff\xd9")
    codes, pixels = result(dicom(samples, name, bits=bits, frame=even(frame[:-2])))
    assert NO_END in codes
    assert np.array_equal(pixels, whole)
    for missing in (3, 4, 5, 8, 20, 200, 900):
        for filler in (b"", bytes(1000), b"\xff\xff", DELIMITER):
            codes, pixels = result(dicom(samples, name, bits=bits, frame=even(frame[:-missing] + filler)))
            assert pixels is None or (NO_END in codes and np.array_equal(pixels, whole))


@pytest.mark.parametrize("name", ENDLESS)
def test_bytes_after_a_codestream_are_passed_over(name):
    """Padding of any kind, and more than one byte of it."""
    bits = 8 if name == "JPEG baseline" else 12
    samples = LEVELS if bits == 8 else DEEP
    frame = compressed(samples, name, bits)
    whole = read_radiograph(dicom(samples, name, bits=bits, frame=even(frame)), "image").pixels
    for rest in (bytes(9), b"  ", b"\xff\xff", b"padding!"):
        _, pixels = result(dicom(samples, name, bits=bits, frame=even(frame + rest)))
        assert np.array_equal(pixels, whole)


@pytest.mark.parametrize("name", ["JPEG extended", "JPEG lossless"])
@pytest.mark.parametrize("level", [0, 2047, 2048, 2049, 4095])
def test_a_deep_jpeg_that_ends_in_one_grey_is_whole(name, level):
    """Also in the grey that the decoder puts in place of missing data, which are noticed."""
    samples = DEEP.copy()
    samples[-24:] = level
    frame = compressed(samples, name, 12)
    assert np.abs(result(dicom(samples, name, bits=12, frame=even(frame)))[1][-1] - level / 4095).max() < 0.01
    for part in range(1, 20):
        cut = frame[: 300 + (len(frame) - 320) * part // 20] + b"\xff\xd9"
        assert result(dicom(samples, name, bits=12, frame=even(cut)))[1] is None


def marked(name, segments):
    """A lossless JPEG 2000 codestream with further segments in its main header."""
    frame = compressed(DEEP, name, 12)
    place = frame.index(b"\xff\x52")
    place += 2 + struct.unpack_from(">H", frame, place + 2)[0]
    return frame[:place] + segments(frame) + frame[place:]


def component_style(frame, component=0, **changes):
    """A coding style for one component, from the general one."""
    place = frame.index(b"\xff\x52")
    style, levels, *rest = (
        frame[place + 4],
        *frame[place + 9 : place + 2 + struct.unpack_from(">H", frame, place + 2)[0]],
    )
    body = bytes([component, style & 1, changes.get("levels", levels), *rest])
    return b"\xff\x53" + struct.pack(">H", len(body) + 2) + body


@pytest.mark.parametrize("name", ["JPEG 2000 lossless", "HTJ2K lossless"])
def test_a_coding_style_of_the_component_is_read(name):
    """It takes the place of the general one, within the same bounds."""
    plain = dicom(DEEP, name, bits=12, frame=even(compressed(DEEP, name, 12)))
    expected = result(plain)
    codes, pixels = result(dicom(DEEP, name, bits=12, frame=even(marked(name, component_style))))
    assert codes == expected[0]
    assert np.array_equal(pixels, expected[1])
    for change in ({"component": 3}, {"levels": 33}):
        frame = marked(name, lambda codestream, change=change: component_style(codestream, **change))
        assert result(dicom(DEEP, name, bits=12, frame=even(frame)))[0] == "imaging.dicom.damaged_codestream"


NUMBERS = ["WindowCenter", "WindowWidth", "PixelSpacing", "RescaleSlope", "NumberOfFrames", "PatientOrientation"]
TEXTS = ["PatientAge", "BodyPartExamined", "ViewPosition", "Modality", "StudyInstanceUID", "Laterality"]


@pytest.mark.parametrize("syntax", ["implicit", "explicit", "deflated", "big endian"])
@pytest.mark.parametrize("keyword", NUMBERS + TEXTS)
def test_a_long_element_is_refused_before_it_is_converted(syntax, keyword):
    """Eight megabytes of numbers would take more than a minute."""
    tag = tag_for_keyword(keyword)
    value = b"1\\" * 100_000 if keyword in NUMBERS else b"A" * 200_000
    with pytest.raises(errors.UnreadableFile) as raised:
        read_radiograph(dicom(LEVELS, syntax, raw=[(tag, "UN", value)]), "image")
    assert raised.value.message.code == "imaging.dicom.long_element"
    assert raised.value.message.values == {"tag": f"{tag >> 16:04X},{tag & 65535:04X}"}


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"WindowCenter": [127.5] * 128, "WindowWidth": [256] * 128}, []),
        ({"ViewCodeSequence": "399348003"}, []),
        ({"ViewCodeSequence": "3" * 2_000}, "imaging.dicom.long_element"),
        ({"ViewCodeSequence": Sequence([Dataset()] * 1_001)}, "imaging.dicom.too_many_elements"),
        ({"VOILUTSequence": Sequence([lut_item(0, np.arange(65536), 16)])}, None),
        ({"ReferencedImageSequence": "3" * 200_000}, []),
        ({"DerivationDescription": "A" * 1_000_000}, []),
    ],
)
@pytest.mark.filterwarnings("ignore:The value length")
def test_only_what_is_read_is_bounded(elements, expected):
    """A thousand bytes, a table of 65,536 values, a thousand items; others are passed over whatever their length.

    A text in place of a sequence is the value of its one code, whose meaning is long.
    """
    elements = {
        keyword: coded(value, "SCT", "DOE^JANE" * 1_000) if "Sequence" in keyword and isinstance(value, str) else value
        for keyword, value in elements.items()
    }
    codes = result(dicom(LEVELS, "implicit", **elements))[0]
    assert codes == expected or (expected is None and "imaging.dicom.long_element" not in codes)


@pytest.mark.parametrize(("count", "expected"), [(5_000, []), (60_000, "imaging.dicom.too_many_elements")])
@pytest.mark.parametrize("explicit", [True, False])
def test_elements_without_number_are_refused(count, expected, explicit):
    """Each one takes time, however short it is."""
    data = EXPLICIT if explicit else IMPLICIT
    place = data.index(b"\x10\0\x10\0")
    middle = b"LO\0\0" if explicit else bytes(4)
    many = b"".join(struct.pack("<HH", 0x0009, 0x1000 + number % 0xE000) + middle for number in range(count))
    assert exact(data[:place] + many + data[place:]) == expected


def inflated(data):
    """The meta information of a deflated file, and its data set."""
    place = 144 + struct.unpack_from("<I", data, 140)[0]
    return data[:place], zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[place:])


def test_a_deflated_file_has_the_same_limit_as_any_other():
    """A thousandth of the limit inflates to more than it."""
    meta, body = inflated(dicom(LEVELS, "deflated"))
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = meta + packer.compress(with_pixels(body, bytes(2**27), 2**27)) + packer.flush()
    assert len(bomb) < 2**20
    assert result(bomb)[0] == "imaging.dicom.inflated"


def test_a_deflated_file_with_the_header_of_a_zlib_stream_is_read():
    """Some writers leave it in."""
    meta, body = inflated(dicom(LEVELS, "deflated"))
    assert exact(meta + zlib.compress(body)) == []
