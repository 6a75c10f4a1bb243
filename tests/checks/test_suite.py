"""The checks on the image and the lungs, on synthetic and modified images."""

import json
import shutil

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cxrmodel.checks.image.clipping import clipped_share
from cxrmodel.checks.image.local_contrast import local_contrast
from cxrmodel.checks.image.margins import margin_share
from cxrmodel.checks.lungs.cut_off import edge_share
from cxrmodel.checks.lungs.position import centroid_distance
from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import OUTCOMES, PASSED, REJECTED, WARNING, CheckReport
from cxrmodel.checks.suite import Checks
from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.evaluation.audits.hard_cases import CHANGED, SYNTHETIC
from cxrmodel.evaluation.audits.photographs import screen_photo
from cxrmodel.imaging.lungs import LungSegmenter, regions
from cxrmodel.imaging.margins import image_box
from cxrmodel.imaging.perturbations import clahe, rotate
from cxrmodel.imaging.photograph import border_range, dark_level, grid_strength
from cxrmodel.imaging.radiograph import Radiograph, read_radiograph
from cxrmodel.messages import Message
from cxrmodel.model.spec import load_spec
from cxrmodel.paths import CHECK_FOLDER

MODEL = load_spec("densenet121")


@pytest.fixture(scope="module")
def checks() -> Checks:
    """The shipped checks."""
    return Checks.load(MODEL)


@pytest.fixture(scope="module")
def segmenter() -> LungSegmenter:
    """The shipped segmenter."""
    return LungSegmenter.load()


@pytest.fixture(scope="module")
def image(project) -> np.ndarray:
    """A synthetic image, uint8."""
    data = (project / "assets" / "demo" / "synthetic-normal-1.png").read_bytes()
    return np.rint(read_radiograph(data, "demo").pixels * 255).astype(np.uint8)


def radiograph(pixels: np.ndarray) -> Radiograph:
    """An image of uint8 as a radiograph."""
    return Radiograph(pixels.astype(np.float32) / 255, "x", "0" * 64, "PNG", 8)


def examine(checks: Checks, segmenter: LungSegmenter, pixels: np.ndarray) -> CheckReport:
    """Every result on an image before the network runs."""
    image, report = checks.examine_image(checks.input(radiograph(pixels)))
    mask = segmenter.masks(image.canonical[None])[0]
    return report.extended(checks.examine_lungs(image, mask))


def test_a_radiograph_passes_every_check(checks, segmenter, image):
    """Upright, whole, with air dark: nothing is rejected and nothing corrected."""
    report = examine(checks, segmenter, image)
    assert report.outcome != REJECTED
    assert report.corrections == ()


@pytest.mark.parametrize("name", SYNTHETIC)
def test_drawings_are_rejected(checks, segmenter, name):
    """Synthetic images of other subjects, of the size and greyscale of a radiograph."""
    assert examine(checks, segmenter, SYNTHETIC[name](np.random.default_rng(0))).outcome == REJECTED


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("rotated_left", "rotation"),
        ("upside_down", "rotation"),
        ("rotated_right", "rotation"),
        ("half", None),
        ("small_on_a_page", "image_extent"),
    ],
)
def test_modified_radiographs_are_rejected(checks, segmenter, image, name, check):
    """By the check with the fitting message, where there is one."""
    report = examine(checks, segmenter, CHANGED[name](image, np.random.default_rng(0)))
    assert report.outcome == REJECTED
    first = next(result for result in report.results if result.outcome == REJECTED)
    assert check in (first.check, None)


def test_a_mirrored_image_is_read_with_a_warning(checks, segmenter, image):
    """And is not flipped back."""
    report = examine(checks, segmenter, image[:, ::-1])
    assert report.has_warning("mirroring")
    assert report.outcome == WARNING
    assert not examine(checks, segmenter, image).has_warning("mirroring")


def test_an_inverted_image_is_corrected(checks, image):
    """The result is the image as it would have been read with air dark."""
    given = radiograph(image)
    upright, passed = checks.examine_image(checks.input(given))
    corrected, report = checks.examine_image(checks.input(radiograph(255 - image)))
    assert passed.corrections == ()
    assert report.corrections == ("inverted",)
    assert Message("checks.inverted_greyscale.warning") in report.warnings
    np.testing.assert_allclose(corrected.radiograph.pixels, given.pixels, atol=1e-6)
    assert np.abs(corrected.canonical.astype(int) - upright.canonical).max() <= 1


def test_correcting_a_corrected_image_changes_nothing(checks, image):
    """A corrected image is never inverted back."""
    once, _ = checks.examine_image(checks.input(radiograph(255 - image)))
    twice, report = checks.examine_image(checks.input(once.radiograph))
    assert "inverted" not in report.corrections
    np.testing.assert_array_equal(twice.canonical, once.canonical)


@given(arrays(np.uint8, (5, 7)))
def test_inverting_twice_gives_the_image_back(checks, levels):
    """To rounding."""
    given = checks.input(radiograph(levels))
    np.testing.assert_allclose(given.inverted().inverted().radiograph.pixels, given.radiograph.pixels, atol=1e-6)


@pytest.mark.parametrize("degrees", [3, 9, 15, -6, -12])
def test_a_slightly_rotated_image_is_straightened_and_read(checks, segmenter, image, degrees):
    """With a warning; the lungs pass every check as before."""
    report = examine(checks, segmenter, rotate(np.maximum(image, 20), degrees))
    assert report.corrections == ("straightened",)
    assert report.has_warning("tilt")
    assert not {result.check for result in report.results if result.outcome == REJECTED and "lung" in result.check}


@pytest.mark.parametrize("seed", range(3))
def test_a_photograph_of_a_screen_is_warned_of(checks, image, seed):
    """By the grid of its pixels or by what is seen around it; the image itself, of any size, is not."""
    _, report = checks.examine_image(checks.input(radiograph(screen_photo(image, np.random.default_rng(seed)))))
    assert report.has_warning("screen_photo")
    for size in ((224, 224), (500, 450), (1400, 1200)):
        _, report = checks.examine_image(checks.input(radiograph(cv2.resize(image, size))))
        assert not report.has_warning("screen_photo")


def test_a_grid_off_the_axes_is_found():
    """A weak oblique wave within noise; the same wave along an axis may be an anti-scatter grid."""
    y, x = np.mgrid[0:512, 0:512].astype(np.float32)
    noise = np.random.default_rng(0).normal(0.5, 0.02, x.shape).astype(np.float32)
    assert grid_strength(noise + 0.02 * np.sin(2 * np.pi * (0.21 * x + 0.13 * y))) > 2
    assert grid_strength(noise + 0.02 * np.sin(2 * np.pi * 0.21 * x)) < 1
    assert grid_strength(noise[:300]) == 0


def test_the_border_by_hand():
    """Half of it dark, half bright, or all of it even."""
    border = np.full((224, 224), 50, np.uint8)
    assert border_range(border) == (50, 0)
    border[:, 112:] = 150
    assert border_range(border) == pytest.approx((50, 100))
    assert dark_level(border) == 50


@pytest.mark.parametrize("limit", [4.0, 40.0])
def test_a_locally_equalised_image_is_warned_of(checks, image, limit):
    """And the image as it is, is not."""
    _, report = checks.examine_image(checks.input(radiograph(clahe(image, limit))))
    assert report.has_warning("local_contrast")
    _, report = checks.examine_image(checks.input(radiograph(image)))
    assert not report.has_warning("local_contrast")


def test_local_contrast_by_hand():
    """A half black, half white image has none within its blocks; a checkerboard has all of it there."""
    halves = np.zeros((224, 224), np.uint8)
    halves[:, 112:] = 200
    assert local_contrast(halves) == 0
    board = (np.indices((224, 224)).sum(0) % 2 * 200).astype(np.uint8)
    assert local_contrast(board) == pytest.approx(1)
    assert local_contrast(np.full((224, 224), 7, np.uint8)) == 0


def test_straightening_needs_a_tilt(checks, image):
    """An upright image is left alone."""
    with pytest.raises(ValueError, match="not tilted"):
        checks.input(radiograph(image)).straightened()


@pytest.mark.parametrize("name", ["lung_area", "lung_balance", "lung_distance", "lung_level"])
def test_unusual_lungs_are_a_warning_before_they_are_a_rejection(checks, name):
    """Nothing at all, as with a single lung, is rejected."""
    rule = checks.rules[name]
    assert rule.warning is not None
    assert rule.rejection is not None
    assert rule.outcome((rule.warning + rule.rejection) / 2) == WARNING
    assert rule.outcome(float("nan")) == REJECTED


@pytest.mark.parametrize("level", [0, 30, 255])
def test_wide_margins_are_cropped(checks, image, level):
    """An image on a uniform slide is cropped to itself, within a pixel of the canonical image, with a warning."""
    slide = np.full((1000, 1000), level, np.uint8)
    slide[120:870, 100:850] = cv2.resize(image, (750, 750), interpolation=cv2.INTER_AREA)
    cropped, report = checks.examine_image(checks.input(radiograph(slide)))
    assert "cropped" in report.corrections
    assert report.has_warning("margins")
    height, width = cropped.radiograph.pixels.shape
    assert 680 <= height <= 760
    assert 680 <= width <= 760


def test_the_size_is_that_inside_cropped_margins(checks, image):
    """A large slide with a small image is a small image."""
    slide = np.full((300, 300), 255, np.uint8)
    slide[60:240, 60:240] = cv2.resize(image, (180, 180), interpolation=cv2.INTER_AREA)
    _, report = checks.examine_image(checks.input(radiograph(slide)))
    assert [result.outcome for result in report.results if result.check == "size"] == [WARNING]


@pytest.mark.parametrize(("side", "outcome"), [(224, PASSED), (223, WARNING), (112, WARNING), (111, REJECTED)])
def test_small_images(checks, image, side, outcome):
    """Below the side of the training images is a warning, below half of it a rejection."""
    small = radiograph(cv2.resize(image, (300, side), interpolation=cv2.INTER_AREA))
    _, report = checks.examine_image(checks.input(small))
    assert {result.check: result.outcome for result in report.results}["size"] == outcome


def test_margins_by_hand():
    """Ten lines above, twenty at the left, none elsewhere; a letter in the margin does not end it."""
    pixels = np.random.default_rng(0).integers(0, 256, (224, 224)).astype(np.uint8)
    pixels[:10] = pixels[:, :20] = 200
    pixels[4, 50:60] = 0
    assert image_box(pixels) == (10, 20, 224, 224)
    assert margin_share((10, 20, 224, 224)) == pytest.approx(1 - 214 * 204 / 224**2)


def test_cropping_scales_to_the_image(checks):
    """The box is of the canonical image, the crop of the pixels themselves."""
    pixels = np.zeros((448, 896), np.uint8)
    pixels[20:220, 80:880] = np.random.default_rng(0).integers(0, 256, (200, 800))
    given = checks.input(radiograph(pixels))
    assert given.box == (10, 20, 110, 220)
    assert given.cropped().radiograph.pixels.shape == (200, 800)
    assert given.cropped().size == (200, 800)


def test_clipped_share_by_hand():
    """Two black and one nearly white of eight pixels."""
    assert clipped_share(np.uint8([[0, 1, 2, 100], [200, 253, 254, 130]])) == 3 / 8


def test_position_of_lungs_by_hand():
    """Centroids 90 pixels apart horizontally and 4 vertically; 40 pixels at the edge."""
    mask = np.zeros((224, 224), bool)
    mask[0:100, 40:80] = True
    mask[4:104, 130:170] = True
    centroids = regions(mask)[1]
    assert centroid_distance(centroids, 0) == pytest.approx(90 / 224)
    assert centroid_distance(centroids, 1) == pytest.approx(4 / 224)
    assert edge_share(mask) == pytest.approx(40 / (4 * 224 - 4))
    assert np.isnan(centroid_distance(centroids[:1], 0))
    assert np.isnan(centroid_distance(centroids[:0], 1))


@settings(max_examples=25, deadline=None)
@given(
    arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.floats(0, 1, width=32)),
    st.sampled_from([1, 9]),
)
def test_no_image_breaks_a_check(checks, segmenter, pixels, factor):
    """Whatever the pixels, every check before the network gives a result and nothing raises."""
    given = Radiograph(np.kron(pixels, np.ones((factor, factor), np.float32)), "x", "0" * 64, "PNG", 8)
    image, report = checks.examine_image(checks.input(given))
    mask = segmenter.masks(image.canonical[None])[0]
    report = report.extended(checks.examine_lungs(image, mask))
    expected = {check.name for check in CHECKS if check.stage in ("image", "lungs")}
    assert {result.check for result in report.results} == expected
    assert report.outcome in OUTCOMES
    assert image.radiograph.pixels.size > 0


def test_thresholds_come_from_the_rules(checks, image):
    """A threshold moved in the specification moves the outcome."""
    strict = checks.rules["contrast"].model_copy(update={"warning": 2000.0, "rejection": 1000.0})
    changed = Checks(checks.rules | {"contrast": strict}, checks.models)
    _, report = changed.examine_image(changed.input(radiograph(image)))
    assert {result.check: result.outcome for result in report.results}["contrast"] == REJECTED


@pytest.mark.parametrize("name", ["spec.json", "projection.onnx"])
def test_missing_files_are_named(tmp_path, name):
    """A missing file is an error, not a skipped check."""
    shutil.copytree(CHECK_FOLDER, tmp_path / "check")
    (tmp_path / "check" / name).unlink()
    with pytest.raises(MissingWeights, match=name.replace(".", r"\.")):
        Checks.load(MODEL, tmp_path / "check")


def test_an_altered_network_is_refused(tmp_path):
    """One byte more is another file."""
    shutil.copytree(CHECK_FOLDER, tmp_path / "check")
    with (tmp_path / "check" / "projection.onnx").open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(AlteredWeights):
        Checks.load(MODEL, tmp_path / "check")


def test_a_specification_without_a_rule_is_refused(tmp_path):
    """Every registered check needs its thresholds."""
    shutil.copytree(CHECK_FOLDER, tmp_path / "check")
    path = tmp_path / "check" / "spec.json"
    spec = json.loads(path.read_text(encoding="utf-8"))
    del spec["rules"]["rotation"]
    path.write_text(json.dumps(spec), encoding="utf-8")
    with pytest.raises(AlteredWeights) as raised:
        Checks.load(MODEL, tmp_path / "check")
    assert raised.value.message.code == "checks.damaged_spec"
    assert raised.value.message.values["problem"] == "rules.rotation: missing"


def test_a_lung_check_before_the_segmenter_is_an_error(checks, image):
    """A check of the lungs needs a mask."""
    with pytest.raises(ValueError, match="after the segmenter"):
        _ = checks.input(radiograph(image)).lung_mask
