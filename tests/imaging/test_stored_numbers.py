"""Samples whose file states the wrong sign, too few bits or another order of bytes."""

import cv2
import numpy as np
import pytest

from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.imaging.stored_numbers import Numbers, find_numbers
from tests.support.dicom_files import dicom, run_lengths


@pytest.fixture(scope="module")
def film(make_image):
    """A drawn image, 0..1, with letters."""
    image = make_image()
    return written((image - image.min()) / np.ptp(image), "L", (20, 60), 1.0, cv2.LINE_AA)


def written(image, text, place, value, line):
    """The image with text."""
    share = cv2.putText(np.zeros(image.shape, np.uint8), text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.5, 255, 4, line) / 255
    return image * (1 - share) + value * share


def stored(film, low, high):
    """Its words, with the scale from `low` to `high`."""
    return np.rint(low + film * (high - low)).astype(np.int64).astype(np.uint16)


@pytest.mark.parametrize(
    ("low", "high", "change", "stated", "numbers"),
    [
        (0, 4095, lambda words: words, Numbers(12, True), Numbers(12, False)),
        (0, 65535, lambda words: words, Numbers(16, True), Numbers(16, False)),
        (-1024, 3071, lambda words: words, Numbers(16, False), Numbers(16, True)),
        (-1024, 3071, lambda words: words, Numbers(12, False), Numbers(16, True)),
        (-2000, 2000, lambda words: words & 4095, Numbers(12, False), Numbers(12, True)),
        (0, 8191, lambda words: words, Numbers(12, False), Numbers(16, False)),
        (0, 4800, lambda words: words, Numbers(12, False), Numbers(16, False)),
        (0, 65535, lambda words: words, Numbers(12, False), Numbers(16, False)),
        (0, 4095, lambda words: words.byteswap(), Numbers(16, False), Numbers(16, False, True)),
        (0, 4095, lambda words: words.byteswap(), Numbers(12, False), Numbers(12, False, True)),
        (0, 65535, lambda words: words.byteswap(), Numbers(16, False), Numbers(16, False, True)),
        (-1024, 3071, lambda words: words.byteswap(), Numbers(16, True), Numbers(16, True, True)),
    ],
)
@pytest.mark.parametrize("inverse", [False, True])
def test_the_image_decides_where_it_contradicts_its_file(film, low, high, change, stated, numbers, inverse):
    """Read rightly, it is as it was."""
    words = stored(1 - film if inverse else film, low, high)
    found = find_numbers(change(words), stated)
    assert found == numbers
    assert np.array_equal(found.values(change(words)), Numbers(16, low < 0).values(words))


@pytest.mark.parametrize("stated", [Numbers(12, False), Numbers(16, False), Numbers(12, True), Numbers(16, True)])
@pytest.mark.parametrize("text", [0.0, 1.0])
@pytest.mark.parametrize("blurred", [cv2.LINE_8, cv2.LINE_AA])
@pytest.mark.parametrize("top", [1.0, 0.2])
def test_an_image_that_agrees_with_its_file_is_left_alone(film, stated, text, blurred, top):
    """However sharp its burnt-in text; so are overlays in the bits above those of the values."""
    film = film * top
    for row in range(100, 400, 60):
        film = written(film, "AP PORTABLE", (60, row), text, blurred)
    low = -(2 ** (stated.bits - 1)) if stated.signed else 0
    words = stored(film, low, low + 2**stated.bits - 1)
    assert find_numbers(words, stated) == stated
    overlay = np.where(film == text, 1 << 15, 0).astype(np.uint16)
    if stated.bits < 16:
        assert find_numbers(words & 4095 | overlay, stated) == stated


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (lambda film: dicom(stored(film, 0, 4095).view(np.int16), bits=12), "sign"),
        (lambda film: dicom(stored(film, 0, 4095).view(np.int16), "JPEG lossless", bits=12), "sign"),
        (lambda film: dicom(stored(film, -1024, 3071)), "sign"),
        (lambda film: dicom(stored(film, 0, 255).astype(np.uint8).view(np.int8)), "sign"),
        (lambda film: dicom(stored(film, 0, 16383), bits=12), "more_bits"),
        (
            lambda film: dicom(stored(film, 0, 16383), "RLE", bits=12, frame=run_lengths(stored(film, 0, 16383))),
            "more_bits",
        ),
        (lambda film: dicom(stored(film, 0, 4095).byteswap(), bits=12), "bytes"),
        (lambda film: cv2.imencode(".png", stored(film, 0, 4095).byteswap())[1].tobytes(), "bytes"),
        (lambda film: cv2.imencode(".png", stored(film, -1024, 3071))[1].tobytes(), "sign"),
    ],
)
def test_files_are_read_as_their_image_requires(film, file, code):
    """To within the 6 % of an image that has its own range, with a note."""
    image = read_radiograph(file(film), "image")
    assert np.abs(image.pixels - film).max() < 0.065
    assert image.notes[0].code == f"imaging.note.numbers.{code}"
