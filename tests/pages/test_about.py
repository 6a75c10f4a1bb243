"""About."""

import pytest

from cxrmodel.imaging.lung_spec import load_lung_spec
from cxrmodel.training.record import shipped_training_record
from cxrmodel.web import about
from tests.support.stand_ins import SPEC

pytestmark = pytest.mark.usefixtures("reader", "evaluations")


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """The files that the page's figures come from."""
    model, lungs = tmp_path / "model", tmp_path / "lungs"
    model.mkdir()
    lungs.mkdir()
    shipped = shipped_training_record("densenet121")
    held_out, repeats = tuple(f"p{number}" for number in range(250)), tuple(f"{number}.jpeg" for number in range(31))
    counts = {"train_images": 4321, "train_patients": 2100, "held_out_images": 510}
    split = shipped.split.replace(held_out_patients=held_out, repeats_dropped=repeats, **counts)
    (model / "densenet121.training.json").write_text(shipped.replace(split=split).to_json())
    spec = load_lung_spec()
    test = spec.test.replace(images=77, dice_mean=0.95432)
    (lungs / "spec.json").write_text(spec.replace(test=test).to_json())
    monkeypatch.setattr(about, "MODEL_FOLDER", model)
    monkeypatch.setattr(about, "LUNGS_FOLDER", lungs)
    return model, lungs


@pytest.mark.usefixtures("folders")
def test_figures_come_from_the_artefact(visit, text_of):
    """Training, segmenter and evaluation are described by the figures of their own files."""
    shown = text_of(visit("about"))
    for expected in (
        "densenet121 0123456789ab",
        "224 x 224 pixels",
        "at even odds",
        "high sensitivity 20.0 %, balanced 45.0 %, high specificity 80.0 %",
        "4321 images of 2100 patients",
        "510 images of 250 other patients",
        "left out: 31.",
        "Dice of 0.954 on 77",
        "60 images of 40 patients",
        "AUC 0.",
    ):
        assert expected in shown


@pytest.mark.usefixtures("folders")
def test_limits_and_sources(visit, text_of):
    """Intended use, limits, attribution, licences and the way to report a problem are on the page."""
    shown = text_of(visit("about")).replace("**", "")
    for expected in (
        "not a medical device",
        f"children aged {SPEC.ages}",
        "Kermany D. S. et al.",
        "10.17632/rscbjbr9sj.2",
        "V7 Labs",
        "CC BY 4.0",
        "MIT licence",
        "Never send a patient's image",
    ):
        assert expected in shown


def test_without_its_files_the_page_does_without_their_figures(visit, text_of, folders, evaluations):
    """Absent or damaged files cost the page their figures, and nothing else."""
    model, lungs = folders
    (model / "densenet121.training.json").unlink()
    (lungs / "spec.json").write_text("{")
    (evaluations / "densenet121.json").unlink()
    app = visit("about")
    shown = text_of(app)
    assert "a drawn collection." in shown
    assert "Dice" not in shown
    assert "There is no evaluation of densenet121" in shown
    assert not app.error
    assert not app.exception
