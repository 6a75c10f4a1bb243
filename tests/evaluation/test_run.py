"""Every image of both splits is read or listed as refused, and the file holds what the reader gave."""

import math

import pytest

from cxrmodel.errors import DataError
from cxrmodel.evaluation.run import agreement, evaluate, original_pairs
from cxrmodel.evaluation.schema import Bootstrap, Refusal, SplitCounts
from cxrmodel.evaluation.storage import load_evaluation, save_evaluation
from cxrmodel.metrics.performance import evaluate_scores
from cxrmodel.training.archive import find_images, training_split
from tests.support.made_up_sections import AUDITS, CHECKS, EXPLANATIONS

REFUSAL = "metrics.error.no_images"
POINTS = {"high_sensitivity": 0.2, "balanced": 0.5, "high_specificity": 0.8}


@pytest.fixture
def originals(archive):
    """Originals of four training images: three with a shifted logit, and one the same as its copy."""
    shifts = {
        "NORMAL/IM-0001-0000": 0.0,
        "NORMAL/IM-0002-0000": 0.25,
        "PNEUMONIA/person1_bacteria_0": 0.5,
        "PNEUMONIA/person2_bacteria_0": -8.0,
    }
    for name, shift in shifts.items():
        copy = archive / "chest_xray" / "train" / f"{name}.jpeg"
        path = archive / "originals" / f"{name}.jpeg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{float(copy.read_text().split('#')[0]) + shift:.4f}#{name}")
    return archive


def test_every_test_image_is_scored(reader, archive, tmp_path):
    """Images are in the order of their names, with the archive's data and the reader's scores."""
    evaluation = evaluate(reader, archive, tmp_path / "out", progress=False)
    images = find_images(archive, ("test",))
    rows = evaluation.splits["test"].images
    assert [row.file for row in rows] == [image.name for image in images]
    for row, image in zip(rows, images, strict=True):
        logit = float(image.path.read_text().split("#")[0])
        assert (row.label, row.organism, row.patient) == (image.label, image.organism, image.patient)
        assert row.logit == logit
        assert row.probability == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-5)
    assert evaluation.splits["test"].counts == SplitCounts(
        images=48, patients=24, negative=24, positive=24, refused=0, strata={"bacteria": 16, "virus": 8}
    )


def test_held_out_images_are_those_of_training(reader, archive, tmp_path):
    """The split of the weights is drawn again, and its held-out images alone are scored."""
    evaluation = evaluate(reader, archive, tmp_path / "out", progress=False)
    held_out = training_split(archive, reader.spec.split_seed).held_out
    assert list(evaluation.splits["held_out"].files) == [image.name for image in held_out]
    assert evaluation.splits["held_out"].counts.images == len(held_out)


def test_file_holds_what_is_returned(reader, archive, tmp_path):
    """The file is whole, and the figures follow from the scores in it."""
    evaluation = evaluate(reader, archive, tmp_path / "out", progress=False)
    assert load_evaluation("densenet121", tmp_path / "out", reader.spec) == evaluation
    for split in evaluation.splits.values():
        scores = (split.labels, split.probabilities, split.patients)
        assert evaluate_scores(*scores, evaluation.operating_points, prevalence=0.5) == split.performance
    assert evaluation.version == reader.spec.version
    assert evaluation.bootstrap == Bootstrap(resamples=2000, seed=0, level=0.95)


def test_sections_of_the_same_version_are_kept(reader, archive, make_spec, tmp_path):
    """Those of another version are not."""
    first = evaluate(reader, archive, tmp_path, progress=False)
    save_evaluation(first.replace(audits=AUDITS, checks=CHECKS, explanations=EXPLANATIONS), tmp_path)
    again = evaluate(reader, archive, tmp_path, progress=False)
    assert (again.audits, again.checks, again.explanations) == (AUDITS, CHECKS, EXPLANATIONS)
    spec = make_spec(version="densenet121 other", held_out_patients=reader.spec.held_out_patients)
    assert evaluate(type(reader)(spec), archive, tmp_path, progress=False).audits is None


def test_refused_images_are_listed(reader, archive, tmp_path):
    """A refused image is counted and named with its reason; the others keep their own scores."""
    broken = archive / "chest_xray" / "test" / "NORMAL" / "IM-0203-0001.jpeg"
    broken.write_text("no number")
    split = evaluate(reader, archive, tmp_path / "out", progress=False).splits["test"]
    assert split.refused == (Refusal(file="chest_xray/test/NORMAL/IM-0203-0001.jpeg", code=REFUSAL),)
    assert (split.counts.images, split.counts.refused, len(split.images)) == (48, 1, 47)
    confusion = split.performance.at["balanced"].confusion
    assert confusion.tn + confusion.fp + confusion.fn + confusion.tp == 47
    for row in split.images:
        assert row.logit == float((archive / row.file).read_text().split("#")[0])


@pytest.mark.parametrize("logit", [-20.0, -0.3, 1e-9, 0.7, 12.0, 14.1, 33.0])
def test_stored_probabilities_stay_on_their_side(logit, reader, archive, make_spec, tmp_path):
    """An image at the threshold is positive by its stored probability too, and one just below is not."""
    exact = 1 / (1 + math.exp(-logit))
    above = math.nextafter(exact, 1.0)
    image = archive / "chest_xray" / "test" / "PNEUMONIA" / "person204_bacteria_0.jpeg"
    image.write_text(f"{logit!r}#{image.stem}")
    name = "chest_xray/test/PNEUMONIA/person204_bacteria_0.jpeg"
    for balanced in (exact, above):
        points = {"high_sensitivity": 0.01, "balanced": balanced, "high_specificity": 0.99}
        spec = make_spec(operating_points=points, held_out_patients=reader.spec.held_out_patients)
        chance = next(type(reader)(spec).score_many([(image.read_bytes(), name)])).probability
        images = evaluate(type(reader)(spec), archive, tmp_path / "out", progress=False).splits["test"].images
        stored = next(row.probability for row in images if row.file == name)
        assert (stored >= balanced) == (chance >= balanced)


def test_another_archive_is_refused(reader, archive, make_spec, tmp_path):
    """Patients used for training are refused as held-out patients."""
    spec = make_spec(held_out_patients=(*reader.spec.held_out_patients[1:], "bacteria-999"))
    with pytest.raises(DataError) as caught:
        evaluate(type(reader)(spec), archive, tmp_path / "out", progress=False)
    assert caught.value.message.code == "evaluation.error.other_archive"
    assert not (tmp_path / "out").exists()


def test_missing_test_images_are_named(reader, archive, tmp_path):
    """An empty folder is a sentence, not an empty result."""
    for path in (archive / "chest_xray" / "test" / "NORMAL").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"no images in .*test/NORMAL"):
        evaluate(reader, archive, tmp_path / "out", progress=False)


def test_progress_goes_to_standard_error(reader, archive, tmp_path, capsys):
    """Standard output stays empty; without progress both do."""
    evaluate(reader, archive, tmp_path / "out", progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "test" in shown.err
    assert "held-out" in shown.err
    assert "48/48" in shown.err
    evaluate(reader, archive, tmp_path / "out", progress=False)
    assert capsys.readouterr() == ("", "")


def test_agreement_by_hand(reader, originals):
    """Differences of the logit are 0, 0.25, 0.5 and 8; a shift of 8 carries a finding across the band."""
    pairs = original_pairs(originals)
    found = agreement(reader, pairs)
    logits = [tuple(float(path.read_text().split("#")[0]) for path in pair) for pair in pairs]
    chances = [tuple(1 / (1 + math.exp(-logit)) for logit in pair) for pair in logits]
    named = [tuple((chance >= 0.2) + (chance >= 0.8) for chance in pair) for pair in chances]
    assert found.images == 4
    differences = [abs(a - b) for a, b in chances]
    assert (found.logit.mean, found.logit.max) == pytest.approx((8.75 / 4, 8.0), rel=1e-5)
    assert (found.probability.mean, found.probability.max) == pytest.approx(
        (sum(differences) / 4, max(differences)), rel=1e-5
    )
    assert found.changed_findings == sum(a != b for a, b in named) >= 1
    assert found.refused == ()


def test_agreement_leaves_out_refused_pairs(reader, originals):
    """One refused file takes its pair out and is listed; the other pairs keep their partners."""
    (originals / "originals" / "NORMAL" / "IM-0002-0000.jpeg").write_text("broken")
    found = agreement(reader, original_pairs(originals))
    assert found.images == 3
    assert found.logit.mean == pytest.approx(8.5 / 3, rel=1e-5)
    assert found.refused == (Refusal(file="originals/NORMAL/IM-0002-0000.jpeg", code=REFUSAL),)


def test_agreement_is_stored_where_originals_exist(reader, originals, tmp_path):
    """The public archive has none, and nothing is claimed of them."""
    evaluation = evaluate(reader, originals, tmp_path / "out", progress=False)
    assert evaluation.agreement == agreement(reader, original_pairs(originals))
    for path in (originals / "originals").glob("*/*"):
        path.unlink()
    for path in (originals / "originals").iterdir():
        path.rmdir()
    (originals / "originals").rmdir()
    assert evaluate(reader, originals, tmp_path / "out", progress=False).agreement is None


def test_an_original_without_copy_is_named(originals):
    """It is not left out in silence."""
    (originals / "originals" / "NORMAL" / "stray.jpeg").write_text("1.0")
    with pytest.raises(DataError) as caught:
        original_pairs(originals)
    assert caught.value.message.values["files"] == "stray.jpeg"


def test_no_pair_at_all(reader, archive):
    """An empty folder, and a folder of refused images, are sentences."""
    (archive / "originals").mkdir()
    with pytest.raises(DataError) as caught:
        original_pairs(archive)
    assert caught.value.message.code == "evaluation.error.no_originals"
    with pytest.raises(DataError) as caught:
        agreement(reader, [])
    assert caught.value.message.code == "evaluation.error.no_pairs"


def test_a_file_that_vanishes_is_named(reader, originals):
    """Deleted after it was listed."""
    pairs = original_pairs(originals)
    pairs[1][0].unlink()
    with pytest.raises(DataError) as caught:
        agreement(reader, pairs)
    assert caught.value.message.values["file"] == str(pairs[1][0])


@pytest.mark.images
def test_official_split_of_the_real_archive(data_root):
    """The images that the figures are of, as published, and the originals beside them."""
    images = find_images(data_root, ("test",))
    assert [sum(image.label == label for image in images) for label in (0, 1)] == [234, 390]
    pairs = original_pairs(data_root)
    assert all(original.stem == copy.stem for original, copy in pairs)
