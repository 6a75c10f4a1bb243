"""Is it a frontal chest X-ray? The checks of kind and orientation, on real files and on the demo images."""

import cv2
import numpy as np
import pytest

from cxrmodel.checks.report import REJECTED
from cxrmodel.checks.suite import Checks
from cxrmodel.evaluation.audits.checks import grey_at_image_size
from cxrmodel.imaging.radiograph import Radiograph, read_radiograph
from cxrmodel.model.spec import load_spec
from cxrmodel.training.references import held_out_kinds

ORIENTATION = {"rotation", "greyscale_polarity"}
QUESTION = {"ct", "mr", "hand", "projection"} | ORIENTATION
"""Checks that ask for a frontal chest X-ray."""


@pytest.fixture(scope="module")
def checks() -> Checks:
    """The shipped checks."""
    return Checks.load(load_spec("densenet121"))


@pytest.fixture(scope="module", params=["normal-1", "normal-2", "pneumonia-1"])
def image(project, request) -> np.ndarray:
    """A synthetic image, uint8."""
    data = (project / "assets" / "demo" / f"synthetic-{request.param}.png").read_bytes()
    return np.rint(read_radiograph(data, "demo").pixels * 255).astype(np.uint8)


def refusals(checks: Checks, pixels: np.ndarray) -> list[str]:
    """Names of the checks of the image that reject it, in order."""
    radiograph = Radiograph(pixels.astype(np.float32) / 255, "x", "0" * 64, "PNG", 8)
    _, report = checks.examine_image(checks.input(radiograph))
    return [result.check for result in report.results if result.outcome == REJECTED]


def refusals_of(checks: Checks, data: bytes) -> list[str]:
    """The same for a file, in grey and at the size of a radiograph."""
    return refusals(checks, np.rint(read_radiograph(grey_at_image_size(data), "x.png").pixels * 255))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_rotated_radiograph_is_told_to_be_rotated(checks, image, quarters):
    """And not that it is something else."""
    assert refusals(checks, np.rot90(image, quarters))[0] == "rotation"


@pytest.mark.parametrize("degrees", [-15, -7, 7, 15])
def test_a_slight_rotation_with_black_corners_is_accepted(checks, image, degrees):
    """As a patient who leans."""
    height, width = image.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    assert not QUESTION & set(refusals(checks, cv2.warpAffine(image, matrix, (width, height))))


def test_a_marked_radiograph_is_accepted(checks, image):
    """With a side letter and a tube."""
    marked = cv2.putText(image.copy(), "R", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 255, 3)
    cv2.line(marked, (300, 0), (280, 250), 230, 4)
    assert not QUESTION & set(refusals(checks, marked))


@pytest.mark.images
def test_real_images_of_other_kinds_are_named(checks, data_root):
    """Those that the network has not learnt from: most are named, none as another kind and none as rotated."""
    kinds = held_out_kinds(data_root)
    if not any(kinds.values()):
        pytest.skip("the public archive alone has no not_chest folder")
    named = []
    for kind, paths in kinds.items():
        first = [(refusals_of(checks, path.read_bytes()) or [""])[0] for path in paths]
        assert not ({"", *kinds} - {kind} | ORIENTATION) & set(first)
        named += [name == kind for name in first]
    assert sum(named) >= len(named) / 2


@pytest.mark.images
@pytest.mark.parametrize("folder", ["adult_rsna", "other_hospital"])
def test_frontal_radiographs_of_other_hospitals_are_recognised(checks, data_root, folder):
    """Adults, bedside and standing, with tubes, markers and collimator edges."""
    paths = sorted((data_root / folder).rglob("*.jpg"))[::4]
    if not paths:
        pytest.skip(f"the public archive alone has no {folder} folder")
    refused = sum(bool(QUESTION & set(refusals_of(checks, path.read_bytes()))) for path in paths)
    assert refused <= 0.03 * len(paths)
