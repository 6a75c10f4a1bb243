"""The orientation network and the checks: from an archive to what is shipped."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.checks.orientation import ORIENTATIONS, OrientationNetwork, as_orientation_input
from cxrmodel.checks.spec import load_check_spec
from cxrmodel.checks.suite import Checks
from cxrmodel.errors import TrainingError
from cxrmodel.model.spec import load_spec
from cxrmodel.paths import CHECK_FOLDER
from cxrmodel.training.checks import export_checks, fit_subspace
from cxrmodel.training.negatives import drawn, fragments, negative
from cxrmodel.training.orientation import oriented, train_orientation
from cxrmodel.training.recipe import load_recipe

CORNERS = np.uint8([[1, 2], [4, 3]])
"""Clockwise from the upper left."""


@pytest.mark.parametrize(
    ("orientation", "allowed"),
    [
        ("upright", [[[1, 2], [4, 3]]]),
        ("mirrored", [[[2, 1], [3, 4]]]),
        ("rotated left", [[[2, 3], [1, 4]], [[1, 4], [2, 3]]]),
        ("upside down", [[[3, 4], [2, 1]], [[4, 3], [1, 2]]]),
        ("rotated right", [[[4, 1], [3, 2]], [[3, 2], [4, 1]]]),
    ],
)
def test_images_are_oriented_as_named(orientation, allowed):
    """Four corners; a rotated image may be mirrored too, and over many draws both happen."""
    seen = {oriented(CORNERS, orientation, np.random.default_rng(seed)).tobytes() for seed in range(30)}
    assert seen == {np.uint8(image).tobytes() for image in allowed}


def test_inverted_images_are_inverted_in_any_orientation():
    """Every level is 255 minus itself; some are rotated as well."""
    seen = [oriented(CORNERS, "inverted", np.random.default_rng(seed)) for seed in range(60)]
    assert all(sorted(image.ravel()) == [251, 252, 253, 254] for image in seen)
    assert any(image.tobytes() == (255 - CORNERS).tobytes() for image in seen)
    assert len({image.tobytes() for image in seen}) > 4


@given(st.integers(0, 400))
def test_negatives_are_images(seed):
    """Of the image's shape, within 0..255, and a pure function of image and generator."""
    image = np.random.default_rng(1).integers(0, 256, (48, 48)).astype(np.uint8)
    first, second = (negative(image, np.random.default_rng(seed)) for _ in range(2))
    assert first.shape == (48, 48)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert first.min() >= 0
    assert first.max() <= 255
    np.testing.assert_array_equal(first, second)


def test_every_kind_of_negative_is_drawn():
    """Many draws give many images; some fragments of one image are equal."""
    image = np.random.default_rng(1).integers(0, 256, (48, 48)).astype(np.uint8)
    rng = np.random.default_rng(0)
    for make in (lambda: drawn(48, rng), lambda: fragments(image, rng)):
        assert len({np.asarray(make(), np.float32).tobytes() for _ in range(30)}) > 15


def test_subspace_of_two_directions():
    """Points on a plane are reconstructed; others keep their distance from it as the error."""
    rng = np.random.default_rng(0)
    points = np.zeros((50, 5), np.float32)
    points[:, 1], points[:, 3] = rng.normal(0, 3, 50), rng.normal(0, 2, 50)
    subspace = fit_subspace(points, components=2)
    assert subspace.reconstruction_error(points[0]) == pytest.approx(0, abs=1e-3)
    off = points[0] + np.float32([0, 0, 5, 0, 0])
    assert subspace.reconstruction_error(off) == pytest.approx(np.sqrt(25 / 5), abs=1e-3)


@pytest.fixture(scope="module")
def run(project, make_archive, tmp_path_factory):
    """A drawn archive, and a training on it of one tiny epoch."""
    root = make_archive(tmp_path_factory.mktemp("archive"), patients=6)
    shipped = load_recipe(project / "cxrmodel" / "training" / "recipes" / "orientation.toml")
    folder = tmp_path_factory.mktemp("run")
    return root, folder, train_orientation(root, shipped.replace(stages=((64, 1),), batch=8), folder)


def test_training_reports_every_orientation(run):
    """Accuracy on validation images."""
    assert set(ORIENTATIONS) < set(run[2].validation)
    assert all(0 <= share <= 1 for share in run[2].validation.values())


def test_export_gives_checks_that_load(run, tmp_path):
    """Graph, subspaces and thresholds, with checksums."""
    root, folder, _ = run
    spec = export_checks(folder, root, tmp_path / "check")
    checks = Checks.load(load_spec("cnn"), tmp_path / "check")
    assert load_check_spec(tmp_path / "check") == spec
    assert set(spec.rules) == set(load_check_spec().rules) <= set(checks.rules)
    assert checks.rules["lung_area"].rejection > 0
    assert checks.rules["contrast"].rejection < checks.rules["contrast"].warning


def test_export_without_a_training_names_what_is_missing(run, tmp_path):
    """By its path, and nothing is written."""
    with pytest.raises(TrainingError) as raised:
        export_checks(tmp_path, run[0], tmp_path / "check")
    assert raised.value.message.code == "training.unfinished"
    assert raised.value.message.values["path"].endswith("report.json")
    assert not (tmp_path / "check").exists()


def test_probabilities_sum_to_one():
    """Over the orientations; "other" has a probability of its own."""
    network = OrientationNetwork((CHECK_FOLDER / "orientation.onnx").read_bytes())
    found = network.probabilities(np.random.default_rng(0).integers(0, 256, (224, 224)).astype(np.uint8))
    assert tuple(found) == ORIENTATIONS
    assert sum(found.values()) - found["other"] == pytest.approx(1)
    assert 0 <= found["other"] <= 1


def test_the_input_ignores_brightness():
    """An image and its darker copy give one input; a uniform image gives zeros."""
    image = np.random.default_rng(0).integers(100, 256, (224, 224)).astype(np.float32)
    image[:112] += 400
    np.testing.assert_allclose(as_orientation_input(image), as_orientation_input(image + 90), atol=1e-3)
    assert not as_orientation_input(np.full((224, 224), 77, np.uint8)).any()
