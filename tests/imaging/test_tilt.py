"""Small rotations on a uniform canvas: found, straightened, and never seen where there are none."""

import cv2
import numpy as np
import pytest

from cxrmodel.checks.spec import load_check_spec
from cxrmodel.imaging.canonical import canonical_image
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.imaging.tilt import find_tilt, straightened
from cxrmodel.training.archive import find_images


def rotated(pixels: np.ndarray, degrees: float, level: float, grown: bool) -> np.ndarray:
    """An image rotated clockwise on a canvas of its own size, or of one that holds it whole."""
    height, width = pixels.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    size = np.array([width, height])
    if grown:
        size = np.ceil(np.abs(matrix[:, :2]) @ size).astype(int)
        matrix[:, 2] += (size - (width, height)) / 2
    return cv2.warpAffine(pixels, matrix, size.tolist(), borderValue=level)


@pytest.fixture(scope="module")
def pixels(project) -> np.ndarray:
    """A synthetic image whose edges are not black."""
    data = (project / "assets" / "demo" / "synthetic-normal-1.png").read_bytes()
    return np.float32(0.1) + np.float32(0.9) * read_radiograph(data, "demo").pixels


@pytest.mark.parametrize("grown", [False, True])
@pytest.mark.parametrize("level", [0.0, 1.0])
@pytest.mark.parametrize("degrees", [-15, -7.5, -3, 3, 7.5, 15])
def test_a_rotation_is_found_and_undone(pixels, degrees, level, grown):
    """To half a degree; the middle of the image comes back as it was."""
    canvas = rotated(pixels, degrees, level, grown)
    tilt = find_tilt(canonical_image(canvas), canvas.shape)
    assert tilt is not None
    assert tilt.degrees == pytest.approx(degrees, abs=0.5)
    assert tilt.size == pytest.approx(pixels.shape[::-1], rel=0.02)
    upright = canonical_image(straightened(canvas, tilt))[40:184, 40:184].astype(float)
    wanted = canonical_image(pixels)[40:184, 40:184].astype(float)
    assert np.corrcoef(upright.ravel(), wanted.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_uniform_image_is_not_tilted(level):
    """There is nothing on the canvas."""
    assert find_tilt(np.full((224, 224), level, np.uint8), (500, 400)) is None


def test_an_even_margin_is_not_tilted(pixels):
    """An upright image on a slide."""
    slide = np.zeros((700, 700), np.float32)
    slide[100:532, 60:636] = pixels[:432, :576]
    assert find_tilt(canonical_image(slide), slide.shape) is None


@pytest.mark.images
def test_images_as_they_are_stored_are_not_straightened(data_root):
    """A sample of the official test: none is tilted by more than collimators are."""
    limit = load_check_spec().rules["tilt"].warning
    for image in find_images(data_root, ("test",))[::20]:
        tilt = find_tilt(cv2.imread(str(image.path), cv2.IMREAD_GRAYSCALE), (224, 224))
        assert tilt is None or abs(tilt.degrees) <= limit
