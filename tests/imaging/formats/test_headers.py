"""Headers of raster files, read before a pixel is decoded."""

import struct

import numpy as np
import pytest

from cxrmodel.errors import UnreadableFile, UnsupportedFile
from cxrmodel.imaging.formats.image_format import Header
from cxrmodel.imaging.formats.registry import find_format
from cxrmodel.messages import Message


def read_header(data):
    """The header of a file of any format."""
    return find_format(data).header(data)


LEVELS = np.random.default_rng(0).integers(0, 256, (72, 80)).astype(np.uint8)


def test_every_variety_states_its_size_and_depth(varieties):
    """Width and height as stored, and bits per sample."""
    for data, pixels, file_format, bits in varieties.values():
        header = read_header(data)
        assert (find_format(data).name, header.bits) == (file_format, bits)
        assert (header.height, header.width) == pixels.shape
        assert not header.multiple


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"mode": "CMYK"}),
        ("JPEG", {"exif": b"Exif\0\0" + bytes(60_000), "comment": b"\xff\xc0 no frame"}),
        ("WEBP", {}),
        ("WEBP", {"exif": b"Exif\0\0"}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_lossy_files_state_theirs(save, file_format, options):
    """Baseline and progressive JPEG, and the three kinds of WebP."""
    name = {"JPEG": "JPEG", "WEBP": "WebP"}[file_format]
    data = save(LEVELS, file_format, **options)
    assert find_format(data).name == name
    assert read_header(data) == Header(80, 72, 8)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("photometric", "orientation", "neutral"), [(1, 1, 0), (0, 1, 1), (1, 6, 1), (0, 8, 2), (1, 0, 1), (1, 9, 1)]
)
def test_polarity_and_orientation_of_a_tiff(tiff, order, photometric, orientation, neutral):
    """With their offsets; an orientation that does not exist counts as 1."""
    data = tiff(LEVELS, order, photometric, {274: orientation})
    header = read_header(data)
    assert header.white_is_zero == (photometric == 0)
    assert header.orientation == (orientation if 1 <= orientation <= 8 else 1)
    assert sorted(struct.unpack_from(form, data, offset)[0] for offset, form, _ in header.neutral) == sorted(
        [photometric] * (photometric != 1) + [orientation] * (orientation != 1)
    )
    assert len(header.neutral) == neutral


@pytest.mark.parametrize(
    "tags",
    [
        {256: None},
        {257: 0},
        {273: None},
        {273: 60_000},
        {279: None, 259: 5},
        {279: 60_000, 259: 5},
        {278: 36},
        {278: 0},
        {322: 80, 323: 72, 324: 8, 325: 0, 277: 2, 284: 2},
        {322: 0, 323: 0, 324: 8, 325: 5760},
        {322: 65_535, 323: 65_535, 324: 8, 325: 5760},
    ],
    ids=[
        "no width",
        "no height",
        "no strips",
        "strip past the end",
        "no lengths",
        "strip longer than the file",
        "half the strips",
        "strips of no rows",
        "half the planes",
        "tiles of no size",
        "tiles far larger than the image",
    ],
)
def test_a_tiff_that_cannot_be_whole_is_refused(tiff, tags):
    """Strips or tiles that are missing, past the end of the file or far too large."""
    with pytest.raises(UnreadableFile) as raised:
        read_header(tiff(LEVELS, tags=tags))
    assert raised.value.message == Message("imaging.damaged", format="TIFF")


def test_a_tiff_that_lacks_its_last_byte_is_refused(tiff):
    """Even if only an unused tag is there."""
    data = tiff(np.dstack([LEVELS] * 3), photometric=2)
    assert read_header(data).bits == 8
    with pytest.raises(UnreadableFile):
        read_header(data[:-1])


def test_a_tiff_of_one_tile_is_read(tiff):
    """The smallest tile that holds the image is not too large."""
    assert read_header(tiff(LEVELS, tags={322: 80, 323: 80, 324: 8, 325: 5760})).width == 80


def test_a_tiff_without_polarity_is_refused(tiff):
    """A wrong guess would invert the image."""
    with pytest.raises(UnreadableFile) as raised:
        read_header(tiff(LEVELS, tags={262: None}))
    assert raised.value.message.code == "imaging.tiff_polarity"


def test_a_directory_of_absurd_length_is_refused(tiff):
    """No image has thousands of tags."""
    data = bytearray(tiff(LEVELS))
    directory = struct.unpack_from("<I", data, 4)[0]
    struct.pack_into("<H", data, directory, 65_535)
    with pytest.raises(UnreadableFile):
        read_header(bytes(data) + bytes(12 * 65_535 + 4))


@pytest.mark.parametrize(
    ("kind", "scans", "refused"),
    [
        ("progressive", 9, False),
        ("progressive", 90, False),
        ("progressive", 100, True),
        ("progressive", 5_000, True),
        ("colour", 99, False),
        ("colour", 100, True),
        ("grey", 5_000, True),
    ],
)
def test_a_jpeg_of_countless_scans_is_refused(save, kind, scans, refused):
    """Each scan goes over every pixel, so that a small file could keep the decoder busy for hours."""
    samples = np.dstack([LEVELS] * 3) if kind == "colour" else LEVELS
    data = save(samples, "JPEG", progressive=kind == "progressive")
    last = data.rindex(b"\xff\xda")
    empty = data[last : last + 2 + data[last + 3]]
    more = data[:-2] + empty * scans + data[-2:]
    if refused:
        with pytest.raises(UnreadableFile):
            read_header(more)
    else:
        assert read_header(more).width == 80


def test_a_second_scan_of_a_sequential_grey_jpeg_is_never_decoded(save):
    """The decoder stops at it, so that such a file is refused as broken and takes no longer than another."""
    data = save(LEVELS, "JPEG")
    more = data[:-2] + data[data.index(b"\xff\xda") :]
    with pytest.raises(UnreadableFile):
        find_format(more).image(more, read_header(more))


@pytest.mark.parametrize("parts", [1_000, 300_000])
def test_a_file_of_countless_parts_is_refused(save, chunk, parts):
    """A thousand empty chunks, segments or fill bytes are passed over; hundreds of thousands are refused."""
    png, jpeg = save(LEVELS, "PNG"), save(LEVELS, "JPEG")
    stuffed = [
        png[:33] + parts * chunk(b"tEXt", b"") + png[33:],
        jpeg[:2] + parts * b"\xff\xe9\0\2" + jpeg[2:],
        jpeg[:2] + parts * b"\xff" + jpeg[2:],
    ]
    for data in stuffed:
        if parts > 1_000:
            with pytest.raises(UnreadableFile):
                read_header(data)
        else:
            assert read_header(data).width == 80


@pytest.mark.parametrize(
    ("marker", "bits"), [(0xC1, 12), (0xC3, 16), (0xF7, 8)], ids=["12 bits", "lossless 16 bits", "JPEG-LS"]
)
def test_deep_jpegs_are_refused_by_name(save, marker, bits):
    """They can be exported as 16-bit PNG or TIFF."""
    data = bytearray(save(LEVELS, "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 1], data[at + 4] = marker, bits
    with pytest.raises(UnsupportedFile) as raised:
        read_header(bytes(data))
    assert raised.value.message.code == "imaging.unsupported.deep_jpeg"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:2] + data,
        lambda data: data.replace(b"\xff\xc0", b"\xff\xfe"),
        lambda data: data[: data.index(b"\xff\xda")] + b"\xff\xd9",
        lambda data: data[:2] + b"\xff\xe0\0\1" + data[2:],
        lambda data: data[:20] + bytes(100_000) + data[20:],
        lambda data: data[: data.index(b"\xff\xda")] + data[data.index(b"\xff\xc0") :],
    ],
    ids=["second start", "no frame", "no scan", "segment of no length", "garbage between segments", "two frames"],
)
def test_a_jpeg_out_of_order_is_refused(save, spoil):
    """Its segments follow each other, with one frame before the first scan."""
    with pytest.raises(UnreadableFile):
        read_header(spoil(save(LEVELS, "JPEG")))


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"RIFF\x24\0\0\0WAVEfmt " + bytes(40), UnsupportedFile),
        (b"RIFF\x24\0\0\0WEBPXXXX" + bytes(40), UnreadableFile),
        (b"RIFF\xff\0\0\0WEBPVP8X" + bytes(40), UnreadableFile),
    ],
)
def test_other_riff_files_are_refused(data, refusal):
    """A sound file, a kind of WebP that does not exist, and one that is longer than it is."""
    with pytest.raises(refusal):
        read_header(data)
