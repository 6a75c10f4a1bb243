"""Training and export of the lung segmenter."""

import numpy as np
import pytest

from cxrmodel.errors import DataError, TrainingError
from cxrmodel.imaging.lung_spec import load_lung_spec
from cxrmodel.imaging.lungs import LungSegmenter
from cxrmodel.paths import RECIPES
from cxrmodel.training.export import export_lungs
from cxrmodel.training.recipe import load_recipe
from cxrmodel.training.segmenter import SegmenterRecord, dice, train_lungs


@pytest.fixture(scope="module")
def recipe():
    """The shipped recipe, cut to one tiny epoch."""
    return load_recipe(RECIPES / "lungs.toml").replace(stages=((32, 1),), batch=8, precision="float32")


@pytest.fixture(scope="module")
def trained(make_archive, png, recipe, tmp_path_factory):
    """A segmenter trained on drawn images with two blocks as masks: the run's folder and its record."""
    root, folder = make_archive(tmp_path_factory.mktemp("archive"), patients=4), tmp_path_factory.mktemp("run")
    mask = np.zeros((224, 224), np.float32)
    mask[50:170, 40:95] = mask[50:170, 130:185] = 1
    for path in list(root.rglob("*.jpeg")):
        place = root / "lung_masks" / path.parent.name / f"{path.stem}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(png(mask))
    return folder, train_lungs(root, recipe, folder)


def test_dice_by_hand():
    """Two of three pixels each in common, none in common, and both empty."""
    first, second = np.array([1, 1, 1, 0], bool), np.array([0, 1, 1, 1], bool)
    assert dice(first, second) == pytest.approx(4 / 6)
    assert dice(first, ~first) == 0
    assert dice(first & False, second & False) == 1


def test_a_run_leaves_its_record(trained):
    """With the scores on held-out patients and on the test images."""
    folder, record = trained
    assert SegmenterRecord.model_validate_json((folder / "report.json").read_bytes()) == record
    assert record.test.images == 8
    assert min(dict(record.held_out.least).values()) >= 0
    assert record.history[-1].scores["dice"] == pytest.approx(record.held_out.dice_mean, abs=0.01)


def test_an_exported_segmenter_loads(trained, tmp_path):
    """Graph and specification belong together, and the plausibility bounds lie below the lowest measures."""
    folder, record = trained
    spec = export_lungs(folder, tmp_path)
    segmenter = LungSegmenter.load(tmp_path)
    assert load_lung_spec(tmp_path) == spec
    assert segmenter.size == 32
    for bound, value in record.held_out.least:
        assert getattr(segmenter.minimum, bound) == pytest.approx(0.8 * value, abs=1e-4)


def test_no_masks_are_an_error(make_archive, recipe, tmp_path):
    """The segmenter cannot be trained without."""
    with pytest.raises(DataError) as raised:
        train_lungs(make_archive(tmp_path, patients=2), recipe, tmp_path / "run")
    assert raised.value.message.code == "training.no_masks"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("report.json", None, "training.unfinished"),
        ("report.json", b"{}", "training.bad_record"),
        ("lungs.keras", None, "training.unfinished"),
        ("lungs.keras", b"damaged", "training.damaged_weights"),
    ],
)
def test_an_incomplete_run_is_not_exported(trained, tmp_path, name, data, code):
    """A file that is missing or damaged, and nothing is written."""
    run = tmp_path / "run"
    run.mkdir()
    for path in trained[0].iterdir():
        (run / path.name).write_bytes(path.read_bytes())
    (run / name).unlink()
    if data is not None:
        (run / name).write_bytes(data)
    with pytest.raises(TrainingError) as raised:
        export_lungs(run, tmp_path / "out")
    assert raised.value.message.code == code
    assert not (tmp_path / "out").exists()
