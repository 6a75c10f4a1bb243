"""Refusals of files that are not an image, or not a whole one."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cxrmodel import errors
from cxrmodel.imaging.formats.image_format import ImageFormat
from cxrmodel.imaging.radiograph import MAX_BYTES, read_radiograph
from cxrmodel.messages import Message

LEVELS = np.random.default_rng(0).integers(60, 200, (72, 80)).astype(np.uint8)
DEEP = LEVELS.astype(np.uint16) * 257


def pages(file_format, **options):
    """A file of two images."""
    out, images = BytesIO(), [Image.fromarray(LEVELS), Image.fromarray(LEVELS.max() - LEVELS)]
    images[0].save(out, file_format, save_all=True, append_images=images[1:], **options)
    return out.getvalue()


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP", "MPO"])
def test_a_file_of_several_images_is_refused(file_format):
    """Animations, pages and paired photographs do not state which one is the image."""
    with pytest.raises(errors.MultipleImages):
        read_radiograph(pages(file_format), "image")


@pytest.mark.parametrize(
    ("data", "refusal", "code"),
    [
        (b"", errors.EmptyFile, "empty"),
        (b"\xff\xd8\xff", errors.UnreadableFile, "damaged"),
        (b"\x89PNG\r\n\x1a\n", errors.UnreadableFile, "damaged"),
        (b"\x89PNG\n\x1a\n" + bytes(100), errors.UnreadableFile, "damaged"),
        (b"II*\0" + bytes(100), errors.UnreadableFile, "damaged"),
        (b"RIFF\0\0\0\0WEBPVP8 " + bytes(20), errors.UnreadableFile, "damaged"),
        (bytes(1000), errors.UnsupportedFile, "unknown_format"),
        (pages("GIF"), errors.UnsupportedFile, "unsupported.gif"),
    ],
)
def test_what_is_no_image_is_refused_by_name(data, refusal, code):
    """With the class and the code of its kind."""
    with pytest.raises(refusal) as raised:
        read_radiograph(data, "image")
    assert type(raised.value) is refusal
    assert raised.value.message.code == f"imaging.{code}"


def test_no_part_of_a_file_is_taken_for_the_whole(variety):
    """A copy that ends early is refused wherever it ends, unless only the end marker of the file is missing."""
    data, pixels, *_ = variety
    size = len(data)
    for end in {1, size - 1, *range(size - 30, size - 8), *(size * part // 20 for part in range(1, 20))}:
        codes = unchanged(data[:end], pixels)
        assert codes is None or (end >= size - 12 and codes == ["imaging.note.no_end"])


def unchanged(data, pixels):
    """Codes of the notes of a file that is read, with these pixels; None where it is refused."""
    try:
        image = read_radiograph(data, "image")
    except errors.ImageRefused:
        return None
    assert np.array_equal(image.pixels, pixels)
    return [note.code for note in image.notes]


@pytest.mark.parametrize("ending", [b"", b"\xff\xd9", bytes(3000)], ids=["bare", "end marker", "zeros"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_half_a_jpeg_is_refused_whatever_follows(save, make_image, mode, ending):
    """A JPEG has no checksum: missing data show as mid-grey, and must not be read as an image."""
    data = save(np.uint8(make_image() * 255), "JPEG", mode=mode, quality=90)
    assert read_radiograph(data, "image").notes == ()
    with pytest.raises(errors.UnreadableFile):
        read_radiograph(data[: len(data) // 2] + ending, "image")


def test_an_evenly_grey_jpeg_is_not_taken_for_a_broken_one(save):
    """A uniform mid-grey image is complete."""
    assert read_radiograph(save(np.full((80, 80), 128, np.uint8), "JPEG"), "image").pixels.max() == np.float32(
        128 / 255
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_byte_of_a_png_never_goes_unseen(save, data):
    """Every byte of a PNG is under a checksum. Only those of its end marker do not cost the image."""
    whole = save(LEVELS, "PNG")
    place = data.draw(st.integers(0, len(whole) - 1) | st.integers(len(whole) - 24, len(whole) - 1))
    change = data.draw(st.integers(1, 255))
    broken = whole[:place] + bytes([whole[place] ^ change]) + whole[place + 1 :]
    codes = unchanged(broken, LEVELS / np.float32(255))
    assert codes is None or (place >= len(whole) - 12 and codes)


def read_or_refuse(data):
    """Read bytes of any kind; the result is a valid radiograph or a refusal with a sentence."""
    try:
        image = read_radiograph(data, "Doe Jane.png")
    except errors.ImageRefused as refusal:
        sentence = str(refusal)
        assert sentence.endswith(".")
        assert "Doe" not in sentence
        return None
    assert image.pixels.min() >= 0
    assert image.pixels.max() <= 1
    return image


MAGIC = st.sampled_from(
    [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"RIFF"]
)


@settings(max_examples=300, deadline=None)
@given(MAGIC, st.binary(max_size=600))
def test_random_bytes_are_refused(magic, rest):
    """Noise is no image, whatever it starts with."""
    assert read_or_refuse(magic + rest) is None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_nothing_but_refusals_comes_of_damage(varieties, data):
    """Bytes overwritten, cut out or put in anywhere, headers above all."""
    whole = bytearray(data.draw(st.sampled_from(list(varieties.values())))[0])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, 250) | st.integers(0, len(whole)))
        whole[place : place + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    read_or_refuse(bytes(whole))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["baseline", "progressive", "lossy WebP"]), st.data())
def test_nothing_but_refusals_comes_of_damage_to_lossy_files(save, kind, data):
    """The same where most of the damage cannot be seen."""
    options = {"baseline": {}, "progressive": {"progressive": True, "mode": "RGB"}, "lossy WebP": {}}[kind]
    whole = bytearray(save(LEVELS, "WEBP" if "WebP" in kind else "JPEG", **options))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place : place + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    read_or_refuse(bytes(whole))


def claims(file_format, width, height, save, tiff, raw_png):
    """A small file whose header claims another size."""
    if file_format == "PNG":
        return raw_png(DEEP, 0, size=(width, height))
    if file_format == "TIFF":
        return tiff(LEVELS, tags={256: width, 257: height, 278: height})
    if file_format == "JPEG":
        data = save(LEVELS, "JPEG")
        at = data.index(b"\xff\xc0") + 5
        return data[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + data[at + 4 :]
    data = save(LEVELS, "WEBP")
    at = data.index(b"\x9d\x01\x2a") + 3
    return data[:at] + width.to_bytes(2, "little") + height.to_bytes(2, "little") + data[at + 4 :]


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG", "WebP"])
@pytest.mark.parametrize(
    ("width", "height", "refusal"),
    [
        (10_000, 5_001, errors.ImageTooLarge),
        (16_000, 16_000, errors.ImageTooLarge),
        (63, 64, errors.ImageTooSmall),
        (64, 63, errors.ImageTooSmall),
        (64, 257, errors.ImplausibleShape),
        (257, 64, errors.ImplausibleShape),
    ],
)
def test_size_and_shape_are_refused_before_decoding(
    monkeypatch, save, tiff, raw_png, file_format, width, height, refusal
):
    """The header alone decides: no decoder sees a decompression bomb."""
    monkeypatch.setattr(ImageFormat, "image", None)
    with pytest.raises(refusal) as raised:
        read_radiograph(claims(file_format, width, height, save, tiff, raw_png), "image")
    assert raised.value.message.values.items() >= {"width": width, "height": height}.items()


def test_large_sizes_in_fields_of_four_bytes_are_refused(raw_png):
    """A PNG may claim four thousand million pixels a side."""
    with pytest.raises(errors.ImageTooLarge):
        read_radiograph(raw_png(DEEP, 0, size=(2**32 - 1, 2**31)), "image")


@pytest.mark.parametrize("shape", [(64, 64), (64, 256), (256, 64)])
def test_the_limits_themselves_are_within(save, shape):
    """The smallest side and the longest shape that are allowed are read."""
    assert read_radiograph(save(np.zeros(shape, np.uint8), "PNG"), "image").pixels.shape == shape


def test_the_largest_image_is_within(save):
    """Fifty million pixels are read."""
    assert read_radiograph(save(np.zeros((5_000, 10_000), np.uint8), "PNG"), "image").pixels.size == 50_000_000


def test_too_many_bytes_are_refused_unseen(monkeypatch, save):
    """Above 64 MiB no header is read; at 64 MiB, bytes after the image are ignored."""
    data = save(LEVELS, "PNG")
    padded = data + bytes(MAX_BYTES - len(data))
    assert read_radiograph(padded, "image").pixels.shape == LEVELS.shape
    monkeypatch.setattr(ImageFormat, "header", None)
    with pytest.raises(errors.ImageTooLarge) as raised:
        read_radiograph(padded + b"\0", "image")
    assert raised.value.message == Message("imaging.too_many_bytes", limit=64)


@pytest.mark.images
def test_photographs_are_refused_as_colour(data_root):
    """Every colour photograph is refused, and no grey image."""
    for path in sorted((data_root / "not_chest").glob("*/*")):
        if path.parent.name == "photo":
            with pytest.raises(errors.ColourImage):
                read_radiograph(path.read_bytes(), path.name)
        else:
            assert read_radiograph(path.read_bytes(), path.name).file_format == "JPEG"
