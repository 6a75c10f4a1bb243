"""The checks on picture and lungs: made pictures, and which rule says what of them."""

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cxrmodel.checks.lung_fields import lie_of_lungs
from cxrmodel.checks.picture import clipped_share, cropped, inverted, margin_share
from cxrmodel.checks.report import ACCEPT, REFUSE, WARN
from cxrmodel.checks.subspace import Likeness, around_lungs, whole_image
from cxrmodel.checks.suite import CHECK_FOLDER, Checks
from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.evaluation.audits.hard_cases import DRAWN, SPOILT
from cxrmodel.imaging.canonical import canonical_image
from cxrmodel.imaging.lungs import LungFields, LungSegmenter
from cxrmodel.imaging.margins import image_box
from cxrmodel.imaging.radiograph import Radiograph, read_radiograph


@pytest.fixture(scope="module")
def checks() -> Checks:
    """The shipped checks."""
    return Checks.load()


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
    """A picture of uint8 as a radiograph."""
    return Radiograph(pixels.astype(np.float32) / 255, "x", "0" * 64, "PNG", 8)


def examine(checks: Checks, segmenter: LungSegmenter, pixels: np.ndarray) -> dict:
    """Every finding on a picture, by rule."""
    taken = radiograph(pixels)
    examined = checks.picture(taken, canonical_image(taken.pixels))
    mask = segmenter.masks(examined.canonical[None])[0]
    report = examined.report.plus(*checks.lungs(examined.canonical, mask))
    return {item.rule: item for item in report.findings} | {"all": report}


def test_an_image_passes_every_check(checks, segmenter, image):
    """Upright, whole, of its own polarity: nothing is refused and nothing changed."""
    found = examine(checks, segmenter, image)
    assert found["all"].outcome != REFUSE
    assert found["all"].corrections == ()


@pytest.mark.parametrize("name", DRAWN)
def test_drawings_are_refused(checks, segmenter, name):
    """What is no chest radiograph is refused, at image size and in grey."""
    assert examine(checks, segmenter, DRAWN[name][1](np.random.default_rng(0)))["all"].outcome == REFUSE


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("turned left", "turned"),
        ("upside down", "turned"),
        ("turned right", "turned"),
        ("half", None),
        ("small on a page", "page"),
    ],
)
def test_spoilt_images_are_refused(checks, segmenter, image, name, rule):
    """By the rule that has the fitting sentence, where there is one."""
    found = examine(checks, segmenter, SPOILT[name][1](image, np.random.default_rng(0)))
    assert found["all"].outcome == REFUSE
    if rule:
        first = next(item for item in found["all"].findings if item.outcome == REFUSE)
        assert first.rule == rule


def test_a_mirrored_image_is_read_with_a_warning(checks, segmenter, image):
    """And is not turned round."""
    found = examine(checks, segmenter, image[:, ::-1])
    assert found["mirrored"].outcome == WARN
    assert found["all"].outcome == WARN
    assert examine(checks, segmenter, image)["mirrored"].outcome == ACCEPT


def test_an_inverted_image_is_put_right(checks, image):
    """The check gives the image back as it would have been taken upright, and says so."""
    given, wrong = radiograph(image), radiograph(255 - image)
    right = checks.picture(given, canonical_image(given.pixels))
    corrected = checks.picture(wrong, canonical_image(wrong.pixels))
    assert right.report.corrections == ()
    assert corrected.report.corrections == ("inverted",)
    assert any("inverted" in sentence for sentence in corrected.report.warnings)
    np.testing.assert_allclose(corrected.radiograph.pixels, given.pixels, atol=1e-6)
    assert np.abs(corrected.canonical.astype(int) - right.canonical).max() <= 1


def test_correcting_a_corrected_image_changes_nothing(checks, image):
    """The check never inverts back what it has inverted."""
    wrong = radiograph(255 - image)
    once = checks.picture(wrong, canonical_image(wrong.pixels))
    twice = checks.picture(once.radiograph, once.canonical)
    assert "inverted" not in twice.report.corrections
    np.testing.assert_array_equal(twice.canonical, once.canonical)


@given(arrays(np.uint8, (5, 7)))
def test_inverting_twice_gives_the_image_back(levels):
    """To rounding."""
    taken = radiograph(levels)
    np.testing.assert_allclose(inverted(inverted(taken)).pixels, taken.pixels, atol=1e-6)


@pytest.mark.parametrize("level", [0, 30, 255])
def test_wide_margins_are_cut_off(checks, image, level):
    """An image on an even slide is cropped to itself, within a pixel of the canonical image, and the page says so."""
    slide = np.full((1000, 1000), level, np.uint8)
    slide[120:870, 100:850] = cv2.resize(image, (750, 750), interpolation=cv2.INTER_AREA)
    taken = radiograph(slide)
    examined = checks.picture(taken, canonical_image(taken.pixels))
    assert "cropped" in examined.report.corrections
    height, width = examined.radiograph.pixels.shape
    assert 680 <= height <= 760
    assert 680 <= width <= 760


@pytest.mark.parametrize(("side", "outcome"), [(224, ACCEPT), (223, WARN), (112, WARN), (111, REFUSE)])
def test_small_pictures(checks, image, side, outcome):
    """Under the side that the model learnt from is warned of, under half of it refused."""
    taken = radiograph(cv2.resize(image, (300, side), interpolation=cv2.INTER_AREA))
    report = checks.picture(taken, canonical_image(taken.pixels)).report
    assert report.findings[0].outcome == outcome


def test_margins_by_hand():
    """Ten lines above, twenty at the left, none elsewhere; a letter in the margin does not end it."""
    picture = np.random.default_rng(0).integers(0, 256, (224, 224)).astype(np.uint8)
    picture[:10] = picture[:, :20] = 200
    picture[4, 50:60] = 0
    assert image_box(picture) == (10, 20, 224, 224)
    assert margin_share((10, 20, 224, 224)) == pytest.approx(1 - 214 * 204 / 224**2)


def test_cropping_scales_to_the_picture():
    """The box is of the canonical image, the cut of the picture itself."""
    taken = radiograph(np.zeros((448, 896), np.uint8))
    assert cropped(taken, (10, 20, 110, 220)).pixels.shape == (200, 800)


def test_clipped_share_by_hand():
    """Two black and one nearly white of eight pixels."""
    assert clipped_share(np.uint8([[0, 1, 2, 100], [200, 253, 254, 130]])) == 3 / 8


def test_lie_of_lungs_by_hand():
    """Middles 90 apart across and 4 along; two rows at the edge."""
    mask = np.zeros((224, 224), bool)
    mask[0:100, 40:80] = True
    mask[4:104, 130:170] = True
    lie = lie_of_lungs(mask)
    assert lie["distance"] == pytest.approx(90 / 224)
    assert lie["level"] == pytest.approx(4 / 224)
    assert lie["edge"] == pytest.approx(40 / (4 * 224 - 4))
    assert np.isnan(lie_of_lungs(np.zeros((224, 224), bool))["distance"])


def test_distance_by_hand():
    """What lies along an axis is no distance; what lies beyond is."""
    space = Likeness(np.zeros(4, np.float32), np.float32([[1, 0, 0, 0]]))
    assert space.distance(np.float32([5, 0, 0, 0])) == 0
    assert space.distance(np.float32([5, 3, 0, 4])) == pytest.approx(2.5)


def test_brightness_and_contrast_do_not_matter(image):
    """A darker image of less contrast is the same to the likeness."""
    small = canonical_image(image.astype(np.float32) / 255)
    darker = np.rint(small * 0.5 + 20).astype(np.uint8)
    assert np.abs(whole_image(darker) - whole_image(small)).max() < 0.35
    assert around_lungs(small, LungFields(np.ones((224, 224), bool))) == pytest.approx(whole_image(small))


@settings(max_examples=25, deadline=None)
@given(
    arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.floats(0, 1, width=32)),
    st.sampled_from([1, 9]),
)
def test_no_picture_breaks_a_rule(checks, segmenter, pixels, factor):
    """Whatever the pixels, every rule gives a finding and nothing raises."""
    taken = Radiograph(np.kron(pixels, np.ones((factor, factor), np.float32)), "x", "0" * 64, "PNG", 8)
    examined = checks.picture(taken, canonical_image(taken.pixels))
    mask = segmenter.masks(examined.canonical[None])[0]
    report = examined.report.plus(*checks.lungs(examined.canonical, mask))
    rules = {item.rule for item in report.findings}
    assert set(checks.rules) - rules <= {"page"}
    assert report.outcome in (ACCEPT, WARN, REFUSE)
    assert examined.radiograph.pixels.size > 0


def test_thresholds_come_from_the_file(checks, image):
    """A threshold moved in the specification moves the outcome."""
    taken = radiograph(image)
    strict = Checks(
        checks.rules | {"contrast": replace(checks.rules["contrast"], refuse=1000.0)},
        checks.orientation,
        checks.image,
        checks.around,
        checks.lungs_sha256,
    )
    found = {item.rule: item for item in strict.picture(taken, canonical_image(taken.pixels)).report.findings}
    assert found["contrast"].outcome == REFUSE


@pytest.mark.parametrize("name", ["spec.json", "orientation.onnx", "likeness.npz"])
def test_missing_files_are_named(tmp_path, name):
    """No check is left out for want of a file."""
    shutil.copytree(CHECK_FOLDER, tmp_path / "check")
    (tmp_path / "check" / name).unlink()
    with pytest.raises(MissingWeights, match=name.replace(".", r"\.")):
        Checks.load(tmp_path / "check")


@pytest.mark.parametrize("name", ["orientation.onnx", "likeness.npz"])
def test_altered_files_are_refused(tmp_path, name):
    """One byte more is another file."""
    shutil.copytree(CHECK_FOLDER, tmp_path / "check")
    with (tmp_path / "check" / name).open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(AlteredWeights):
        Checks.load(tmp_path / "check")


def test_a_damaged_specification_is_refused(tmp_path):
    """A rule without a side is no rule."""
    shutil.copytree(CHECK_FOLDER, tmp_path / "check")
    path = tmp_path / "check" / "spec.json"
    spec = json.loads(path.read_text(encoding="utf-8"))
    del spec["rules"]["turned"]["side"]
    path.write_text(json.dumps(spec), encoding="utf-8")
    with pytest.raises(AlteredWeights, match=r"spec\.json"):
        Checks.load(tmp_path / "check")
