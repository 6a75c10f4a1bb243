"""The probability of an image does not depend on the scale on which its file stores the grey levels."""

import cv2
import numpy as np
import pytest
from pydicom.sequence import Sequence

from cxrmodel.reading import Reader
from tests.support.dicom_files import dicom, lut_item

FILMS = (
    "NORMAL/IM-0001-0001.jpeg",
    "NORMAL/NORMAL2-IM-0376-0001.jpeg",
    "PNEUMONIA/person1633_virus_2829.jpeg",
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The shipped DenseNet."""
    return Reader.load()


@pytest.mark.parametrize(
    "name",
    [
        "png16_offset_n.png",
        "png16_sixty_n.png",
        "png16_half_n.png",
        "png16_marker_n.png",
        "marker_n.dcm",
        "wide_window_n.dcm",
        "lut15of16_n.dcm",
        "padding_n.dcm",
        "padding_mono1_n.dcm",
    ],
)
def test_files_from_the_field_read_as_their_eight_bit_image(data_root, reader, name):
    """Within two parts in a hundred, with a note."""
    place = data_root / "field_cases"
    expected = reader.read((place / "reference_n.png").read_bytes(), "image").probability
    reading = reader.read((place / name).read_bytes(), name)
    assert reading.probability == pytest.approx(expected, abs=0.02)
    assert reading.radiograph.notes


def twelve_bits(levels, low=0, high=4095):
    """Finer than the eight bits, as a detector's values are."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, levels.shape)
    return np.uint16(np.rint(low + np.clip(levels + noise, 0, 255) / 255 * (high - low)))


def marked(samples, *values):
    """With a marker of each value in the right corners."""
    samples = samples.copy()
    for number, value in enumerate(values):
        samples[4 + 190 * number : 18 + 190 * number, -20:-6] = value
    return samples


def png(samples):
    """Bytes of a PNG."""
    return cv2.imencode(".png", samples)[1].tobytes()


@pytest.mark.parametrize("film", FILMS)
@pytest.mark.parametrize(
    ("make", "white"),
    [
        (lambda levels: png(twelve_bits(levels, 500, 2957)), 0),
        (lambda levels: png(marked(twelve_bits(levels), 65535, 30000)), 2),
        (lambda levels: dicom(marked(twelve_bits(levels, 150, 1992), 4095, 3500), bits=12), 2),
        (lambda levels: dicom(twelve_bits(levels), bits=12, WindowCenter=4096, WindowWidth=8192), 0),
        (lambda levels: dicom(twelve_bits(levels), bits=12, WindowCenter=[9000, 2048], WindowWidth=[4096, 4096]), 0),
        (
            lambda levels: dicom(
                twelve_bits(levels), bits=12, VOILUTSequence=Sequence([lut_item(0, np.arange(4096) * 8)])
            ),
            0,
        ),
    ],
    ids=["offset", "two markers in a PNG", "two markers", "wide window", "second window", "15 of 16 bits"],
)
def test_other_images_of_the_same_kinds_do_too(data_root, reader, film, make, white):
    """Markers are white in the image of eight bits."""
    levels = cv2.imread(str(data_root / "chest_xray" / "test" / film), cv2.IMREAD_GRAYSCALE)
    eight = marked(levels, *[255] * white)
    expected = reader.read(png(eight), "image").probability
    assert reader.read(make(levels), "image").probability == pytest.approx(expected, abs=0.02)
