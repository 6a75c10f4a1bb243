"""Any bytes give a radiograph as stored, or a refusal."""

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cxrmodel import errors
from cxrmodel.imaging.radiograph import Radiograph, read_radiograph
from cxrmodel.messages import Message

LEVELS = (np.add.outer(np.arange(72), 2 * np.arange(80)) % 256).astype(np.uint8)
DEEP = (LEVELS.astype(np.uint16) << 8) + LEVELS.T[:72, :72].repeat(2, 1)[:, :80]


def as_unit(levels, white=255):
    """Expected pixels of stored levels."""
    return (levels.astype(np.float64) / white).astype(np.float32)


def colour(levels):
    """The same image stored as red, green and blue."""
    return np.dstack([levels] * 3)


def test_every_variety_is_read_exactly(variety):
    """Lossless files give the stored level over white, to the last bit."""
    data, expected, file_format, bits = variety
    image = read_radiograph(data, "image")
    assert image.pixels.dtype == np.float32
    assert np.array_equal(image.pixels, expected)
    assert (image.file_format, image.bits) == (file_format, bits)
    assert image.notes == () or bits == 32


@pytest.mark.parametrize("options", [{}, {"mode": "RGB"}, {"progressive": True}, {"mode": "RGB", "subsampling": 2}])
def test_a_grey_jpeg_gives_exactly_its_levels(save, options):
    """Stored grey or as equal red, green and blue: the decoded level over 255."""
    data = save(LEVELS, "JPEG", **options)
    decoded = np.asarray(Image.open(BytesIO(data)))
    decoded = decoded if decoded.ndim == 2 else decoded[..., 0]
    image = read_radiograph(data, "image")
    assert np.array_equal(image.pixels, as_unit(decoded))
    assert (image.file_format, image.bits, image.notes) == ("JPEG", 8, ())


def test_a_radiograph_knows_its_file(save):
    """With name and checksum; the pixels are read-only."""
    data = save(LEVELS, "PNG")
    image = read_radiograph(data, "PA erect.png")
    assert (image.name, image.sha256) == ("PA erect.png", hashlib.sha256(data).hexdigest())
    assert image.pixels.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0] = 1
    with pytest.raises(FrozenInstanceError):
        image.bits = 16


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((8, 8)),
        np.zeros((8, 8, 1), np.float32),
        np.zeros((0, 8), np.float32),
        np.full((8, 8), 1.01, np.float32),
        np.full((8, 8), -0.01, np.float32),
        np.full((8, 8), np.nan, np.float32),
    ],
)
def test_no_radiograph_exists_in_an_invalid_state(pixels):
    """Pixels of another type, shape or range raise at once."""
    with pytest.raises(ValueError, match="radiograph"):
        Radiograph(pixels, "image", "0" * 64, "PNG", 8)


def test_the_name_is_never_used_to_judge(save):
    """The content decides: a PNG named as DICOM is a PNG, a text named as PNG is a text."""
    assert read_radiograph(save(LEVELS, "PNG"), "image.dcm").file_format == "PNG"
    with pytest.raises(errors.UnsupportedFile):
        read_radiograph(b"no image at all", "image.png")


@pytest.mark.parametrize(
    ("largest", "white", "depth"),
    [(200, 255, 8), (255, 255, 8), (900, 1023, 10), (3500, 4095, 12), (4095, 4095, 12), (15000, 16383, 14)],
)
@pytest.mark.parametrize("variety", ["grey", "colour", "TIFF"])
def test_fewer_bits_in_sixteen_are_found_and_noted(raw_png, tiff, largest, white, depth, variety):
    """The bits that the image fills are the scale, with a note."""
    levels = np.linspace(0, largest, 70 * 70).reshape(70, 70).astype(np.uint16)
    data = {"grey": raw_png(levels, 0), "colour": raw_png(colour(levels), 2), "TIFF": tiff(levels, ">")}[variety]
    image = read_radiograph(data, "image")
    assert np.array_equal(image.pixels, as_unit(levels, white))
    assert image.bits == 16
    assert image.notes == (Message("imaging.note.bits", stored=16, used=depth),)


@pytest.mark.parametrize("samples", [LEVELS, DEEP + 6000, as_unit(LEVELS)], ids=["8 bits", "16 bits", "float"])
@pytest.mark.parametrize("order", "<>")
def test_white_is_zero_is_inverted_at_every_depth(tiff, samples, order):
    """A TIFF whose zero is white is inverted, so that air is dark, with a note."""
    white = {1: 255, 2: 65535, 4: 1}[samples.itemsize]
    image = read_radiograph(tiff(samples, order, photometric=0), "image")
    assert np.array_equal(image.pixels, np.float32(1) - as_unit(samples, white))
    assert image.notes == (Message("imaging.note.inverted"),)


@pytest.mark.parametrize("outlier", [-50.0, 50.0])
def test_an_isolated_value_stays_on_the_scale(tiff, outlier):
    """Below black and above white, pixels are black and white."""
    samples = as_unit(LEVELS).copy()
    samples[0, :2] = outlier
    image = read_radiograph(tiff(samples, "<"), "image")
    assert image.pixels[0, 0] == (outlier > 1)
    assert np.array_equal(image.pixels[1:], as_unit(LEVELS)[1:])


def test_a_fax_compressed_image_keeps_its_polarity(save):
    """Fax-compressed files commonly store white as zero; what was white when written is white when read."""
    data = save(LEVELS > 127, "TIFF", compression="group4", tiffinfo={262: 0})
    image = read_radiograph(data, "image")
    assert np.array_equal(image.pixels, as_unit(LEVELS > 127, 1))
    assert len(image.notes) == 1


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "first", "second"),
    [
        (1, "top left", "top right"),
        (2, "top right", "top left"),
        (3, "bottom right", "bottom left"),
        (4, "bottom left", "bottom right"),
        (5, "top left", "bottom left"),
        (6, "top right", "bottom right"),
        (7, "bottom right", "top right"),
        (8, "bottom left", "top left"),
    ],
)
def test_the_image_is_rotated_as_its_file_requires(save, file_format, orientation, first, second):
    """A white mark stored at the top left and a grey one at the top right move as EXIF states; with a note."""
    stored = np.zeros((80, 96), np.uint8)
    stored[:32, :32], stored[:32, -32:] = 255, 128
    exif = Image.Exif()
    exif[274] = orientation
    image = read_radiograph(save(stored, file_format, exif=exif), "image")
    assert image.pixels.shape == ((96, 80) if orientation > 4 else (80, 96))
    middle = {"top": 16, "bottom": -16, "left": 16, "right": -16}
    for corner, level in ((first, 255), (second, 128)):
        row, column = (middle[word] for word in corner.split())
        assert image.pixels[row, column] == pytest.approx(level / 255, abs=0.02)
    assert (image.pixels > 0.25).mean() == pytest.approx(2 / 7.5, abs=0.02)
    assert len(image.notes) == (orientation != 1)
    assert image.pixels.flags.c_contiguous


def test_sixteen_bit_colour_is_rotated_once(tiff):
    """A separate decoder reads these and must not rotate the image again."""
    image = read_radiograph(tiff(colour(DEEP), photometric=2, tags={274: 6}), "image")
    assert np.array_equal(image.pixels, np.rot90(as_unit(DEEP, 65535), -1))


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12"]
)
def test_an_image_with_damaged_metadata_is_read(save, exif):
    """Unreadable EXIF counts as absent."""
    data = save(LEVELS, "JPEG", exif=exif)
    assert read_radiograph(data, "image").notes == ()


@pytest.mark.parametrize(("opacity", "factor"), [(255, 1), (51, 0.2), (0, 0)])
def test_transparent_parts_become_black(save, opacity, factor):
    """A level is weighed by its opacity on black, in grey and in colour alike."""
    alpha = np.full_like(LEVELS, 255)
    alpha[:36] = opacity
    expected = as_unit(LEVELS)
    expected[:36] *= np.float32(factor)
    for samples in (np.dstack([LEVELS, alpha]), np.dstack([colour(LEVELS), alpha])):
        image = read_radiograph(save(samples, "PNG"), "image")
        assert np.allclose(image.pixels, expected, atol=1e-7)
        assert len(image.notes) == (opacity != 255)


@pytest.mark.parametrize(
    ("samples", "colour_type", "body"),
    [
        (DEEP, 0, DEEP[40:41, 40].astype(">u2").tobytes()),
        (colour(DEEP), 2, colour(DEEP)[40, 40].astype(">u2").tobytes()),
    ],
)
def test_a_transparent_level_of_a_png_becomes_black(raw_png, chunk, samples, colour_type, body):
    """A PNG may name one level as transparent instead of storing alpha."""
    image = read_radiograph(raw_png(samples, colour_type, chunk(b"tRNS", body)), "image")
    expected = np.where(DEEP[40, 40] == DEEP, np.float32(0), as_unit(DEEP, 65535))
    assert np.array_equal(image.pixels, expected)
    assert image.notes == (Message("imaging.note.transparent"),)


def test_a_transparent_level_of_few_bits_becomes_black(raw_png, chunk):
    """It is named in stored bits: of the levels 0 to 3 of two bits, 2 is transparent here."""
    packed = np.full((64, 16), 0b00011011, np.uint8)
    image = read_radiograph(raw_png(packed, 0, chunk(b"tRNS", b"\0\2"), size=(64, 64), bits=2), "image")
    assert np.array_equal(image.pixels[0, :4], np.float32([0, 1 / 3, 0, 1]))
    assert image.notes


def outcome(data):
    """Result for a file: pixels, or the sentence of the refusal."""
    try:
        return read_radiograph(data, "Doe Jane.png").pixels
    except errors.ImageRefused as refusal:
        return np.array(str(refusal))


def test_threads_do_not_disturb_each_other(varieties):
    """Eight threads at once give the same images and refusals as one."""
    work = [data for data, *_ in varieties.values()] + [data[:-9] for data, *_ in varieties.values()]
    alone = [outcome(data) for data in work]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(outcome, work * 4))
    assert all(np.array_equal(one, other) for one, other in zip(alone * 4, together, strict=True))


def test_nothing_of_the_patient_is_logged(caplog, capfd, save, recwarn):
    """Neither name nor tags reach a log, a stream, a warning or a refusal, even where everything is logged."""
    caplog.set_level(logging.DEBUG)
    data = save(LEVELS, "TIFF", tiffinfo={270: "DOE^JANE", 315: "DOE^JANE"})
    assert b"DOE^JANE" in data
    refusals = [outcome(part) for part in (data, data[:-9], data[:200], b"DOE^JANE")][1:]
    outputs = [*caplog.messages, *capfd.readouterr(), *(warning.message for warning in recwarn), *refusals]
    assert not any("doe" in str(words).lower() for words in outputs)


@pytest.mark.images
def test_every_original_is_read_exactly(data_root):
    """Every image at its original resolution."""
    paths = sorted((data_root / "originals").glob("*/*.jpeg"))
    assert len(paths) == 80
    for path in paths:
        image = read_radiograph(path.read_bytes(), path.name)
        assert np.array_equal(image.pixels, as_unit(np.asarray(Image.open(path).convert("L"))))
        assert image.notes == ()
