"""The projection network and the checks: from an archive to what is shipped."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.checks.projection import CLASSES, KINDS, ORIENTATIONS, ProjectionNetwork, as_projection_input
from cxrmodel.checks.spec import load_check_spec
from cxrmodel.checks.suite import Checks
from cxrmodel.errors import DataError, TrainingError
from cxrmodel.model.spec import load_spec
from cxrmodel.paths import CHECK_FOLDER
from cxrmodel.training.checks import export_checks
from cxrmodel.training.negatives import drawn, fragments, negative
from cxrmodel.training.projection import oriented, train_projection
from cxrmodel.training.recipe import load_recipe
from cxrmodel.training.references import adults, held_out_kinds, other_kinds
from cxrmodel.training.variety import disturbed

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


def noise(seed: int = 1) -> np.ndarray:
    """An image of 48 x 48 random grey levels, uint8."""
    return np.random.default_rng(seed).integers(0, 256, (48, 48)).astype(np.uint8)


@pytest.mark.parametrize(
    "make",
    [negative, lambda image, rng: disturbed(image.astype(np.float32), noise(2).astype(np.float32), rng)],
    ids=["negative", "disturbed"],
)
@given(seed=st.integers(0, 400))
def test_samples_are_images(make, seed):
    """Of the image's shape, within 0..255, and a pure function of image and generator."""
    first, second = (make(noise(), np.random.default_rng(seed)) for _ in range(2))
    assert first.shape == (48, 48)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert first.min() >= 0
    assert first.max() <= 255
    np.testing.assert_array_equal(first, second)


def test_every_kind_of_negative_is_drawn():
    """Many draws give many images; some fragments of one image are equal."""
    image = noise()
    rng = np.random.default_rng(0)
    for make in (lambda: drawn(48, rng), lambda: fragments(image, rng)):
        assert len({np.asarray(make(), np.float32).tobytes() for _ in range(30)}) > 15


def write(path, seed):
    """A PNG file of random grey levels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 256, (64, 64)).astype(np.uint8))


@pytest.fixture
def beside(tmp_path):
    """Ten adults, of whom two are also among those for testing, and four hands."""
    table = ["file,patient", *(f"adult_unlabelled/{i}.png,{i}" for i in range(10))]
    for i in range(10):
        write(tmp_path / "adult_unlabelled" / f"{i}.png", i)
    (tmp_path / "adult_unlabelled.csv").write_text("\n".join(table) + "\n", encoding="utf-8")
    (tmp_path / "adult_rsna.csv").write_text("file,patient\na.png,3\nb.png,4\n", encoding="utf-8")
    for i in range(4):
        write(tmp_path / "not_chest" / "hand" / f"{i}.png", 20 + i)
    return tmp_path


def test_what_is_held_out_is_not_learnt_from(beside):
    """Every adult but those for testing, and every hand, is on one side only."""
    sides = [{image.tobytes() for image in adults(beside, held_out=side)} for side in (False, True)]
    assert len(sides[0]) + len(sides[1]) == len(sides[0] | sides[1]) == 8
    hands = [{image.tobytes() for image in other_kinds(beside, "hand", held_out=side)} for side in (False, True)]
    assert [len(side) for side in hands] == [2, 2]
    assert not hands[0] & hands[1]
    assert {kind: len(paths) for kind, paths in held_out_kinds(beside).items()} == {"ct": 0, "mr": 0, "hand": 2}


@pytest.mark.parametrize("table", ["file\nadult_unlabelled/1.png\n", "file,patient\n1\n"])
def test_a_damaged_table_is_named(beside, table):
    """A column that is missing, or a row that is too short."""
    (beside / "adult_unlabelled.csv").write_text(table, encoding="utf-8")
    with pytest.raises(DataError) as raised:
        adults(beside, held_out=False)
    assert raised.value.message.code == "training.damaged_table"


@pytest.fixture(scope="module")
def run(project, make_archive, tmp_path_factory):
    """A drawn archive, and a training on it of one tiny epoch."""
    root = make_archive(tmp_path_factory.mktemp("archive"), patients=6)
    shipped = load_recipe(project / "cxrmodel" / "training" / "recipes" / "projection.toml")
    tiny = shipped.replace(stages=((64, 1),), batch=8, options=shipped.options | {"samples": 16})
    folder = tmp_path_factory.mktemp("run")
    return root, folder, train_projection(root, tiny, folder)


def test_training_reports_every_class_with_images(run):
    """Accuracy on validation images; without real slices and hands their kinds are not learnt."""
    assert set(run[2].validation) == {"accuracy", *ORIENTATIONS, KINDS[-1]}
    assert all(0 <= share <= 1 for share in run[2].validation.values())


def test_export_gives_checks_that_load(run, tmp_path):
    """Graph and thresholds, with checksums."""
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
    """Over the orientations; the kinds leave the rest to a chest radiograph."""
    network = ProjectionNetwork((CHECK_FOLDER / "projection.onnx").read_bytes())
    found = network.examine(np.random.default_rng(0).integers(0, 256, (224, 224)).astype(np.uint8))
    assert tuple(found.orientations) + tuple(found.kinds) == CLASSES
    assert sum(found.orientations.values()) == pytest.approx(1)
    assert found.not_chest == pytest.approx(sum(found.kinds.values()))
    assert 0 <= found.not_chest <= 1


def test_the_input_ignores_brightness():
    """An image and its darker copy give one input; a uniform image gives zeros."""
    image = np.random.default_rng(0).integers(100, 256, (224, 224)).astype(np.float32)
    image[:112] += 400
    np.testing.assert_allclose(as_projection_input(image), as_projection_input(image + 90), atol=1e-3)
    assert not as_projection_input(np.full((224, 224), 77, np.uint8)).any()
