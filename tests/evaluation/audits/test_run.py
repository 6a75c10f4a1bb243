"""Audits of readers whose score is known: one looks at lungs alone, one at everything but, and both are seen."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from cxrmodel.errors import DataError, EvaluationError, NoLungsFound
from cxrmodel.evaluation.audits import lungs as lung_audit
from cxrmodel.evaluation.audits.lung_masking import fade
from cxrmodel.evaluation.audits.lungs import CONDITIONS, donors, lung_rows, perturbation_rows
from cxrmodel.evaluation.audits.run import audit, subgroups
from cxrmodel.evaluation.audits.schema import NotMeasured
from cxrmodel.evaluation.audits.test_set import Panel, load_panel, score
from cxrmodel.evaluation.run import evaluate
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.imaging.canonical import canonical_image
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.metrics import bootstrap, intervals
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.model.calibration import probability
from cxrmodel.pipeline import Unchecked
from cxrmodel.reading import Score
from cxrmodel.training.archive import Image, find_images, training_split

LUNGS = np.zeros((224, 224), bool)
LUNGS[50:170, 40:95] = LUNGS[50:170, 130:185] = True


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch):
    draw = bootstrap.patient_weights
    for module in (bootstrap, intervals):
        monkeypatch.setattr(module, "patient_weights", lambda patients, *given: draw(patients, 50))


class GreyReader:
    """Scores the mean grey of a part of the image: of the lungs it is given (else of fixed blocks), or of the rest.

    The rest begins beyond the fade around the lungs.
    """

    def __init__(self, spec, of_lungs: bool = True):
        self.spec, self.of_lungs, self.batches = spec, of_lungs, []

    def unchecked(self, images: np.ndarray, lungs: np.ndarray | None = None) -> Unchecked:
        """No image is refused."""
        lungs = np.broadcast_to(LUNGS, images.shape) if lungs is None else lungs
        self.batches.append(len(images))
        parts = [mask if self.of_lungs else fade(mask) == 0 for mask in lungs]
        logits = [image[part].mean() / 10 - 10 for image, part in zip(images, parts, strict=True)]
        heat = np.zeros(images.shape, np.float32)
        heat[:, :112] = 1.0
        plausible = images.std(axis=(1, 2)) > 0
        return Unchecked(lungs, plausible, [(20, 20, 204, 204)] * len(images), np.array(logits), heat)

    def score_many(self, items, checked=True):
        """A picture without contrast is refused."""
        for data, name in items:
            image = canonical_image(read_radiograph(data, name).pixels)
            if image.std() == 0:
                yield NoLungsFound("No two lungs were found.")
            else:
                logit = float(self.unchecked(image[None]).logits[0])
                yield Score(logit, probability(logit, **self.spec.calibration))


def panel_of(reader, lungs_grey, rest_grey, count: int = 24) -> Panel:
    """Images of one grey within and one without the lungs, by label; two of each patient."""
    labels = np.arange(count) // 2 % 2
    images = tuple(
        Image(Path(f"{i}.jpeg"), f"chest_xray/test/{i}.jpeg", "test", int(label), ("", "virus")[label], f"p{i // 2}")
        for i, label in enumerate(labels)
    )
    pixels = np.stack([np.where(LUNGS, lungs_grey[label] + i % 3, rest_grey[label]) for i, label in enumerate(labels)])
    pixels = pixels.astype(np.uint8)
    found = reader.unchecked(pixels)
    return Panel(images, pixels, np.array(found.lungs), found.logits)


def masks_of(panel: Panel) -> np.ndarray:
    """The same lungs for every image."""
    return np.repeat(LUNGS[None], len(panel.images), axis=0)


def test_a_reader_of_lungs_needs_nothing_else(make_spec):
    """AUC 1 with lungs alone, a half without them whatever even fill there is, and it follows exchanged lungs."""
    reader = GreyReader(make_spec())
    panel = panel_of(reader, (60, 120), (200, 200))
    rows = lung_rows(reader, panel, masks_of(panel), lambda images: None)
    assert len(rows) == CONDITIONS
    assert {row.auc.n for row in rows} == {24}
    for row in rows:
        if row.kind == "only":
            assert row.auc == Estimate(1.0, 1.0, 1.0, 24)
        elif row.kind == "removed" and "noise" not in row.name:
            assert row.auc.value == 0.5
        elif row.kind == "exchange":
            assert row.auc.value == 1.0
            assert row.auc_of_surroundings.value == (0.0 if "between" in row.name else 1.0)


def test_a_reader_of_everything_else_is_found_out(make_spec):
    """Perfect on the whole image and without its lungs; with lungs alone it guesses; exchanged lungs move nothing."""
    reader = GreyReader(make_spec(), of_lungs=False)
    panel = panel_of(reader, (90, 90), (120, 220))
    assert panel.auc.value == 1.0
    for row in lung_rows(reader, panel, masks_of(panel), lambda images: None):
        if row.kind == "removed" and "hull" not in row.name:
            assert row.auc.value == 1.0
        elif row.kind == "only" and row.name in ("only_on_grey", "only_on_black"):
            assert row.auc.value == 0.5
        elif row.name == "exchanged_between_classes":
            assert (row.auc.value, row.auc_of_surroundings.value) == (0.0, 1.0)


def test_donors_are_who_they_should_be():
    """Of the other class each serves before one serves again; of the same class it is another patient."""
    labels = np.array([0] * 7 + [1] * 12)
    patients = np.array([f"a{i // 2}" for i in range(7)] + [f"b{i // 3}" for i in range(12)])
    across, within = donors(labels, patients, True), donors(labels, patients, False)
    assert (labels[across] != labels).all()
    assert len(set(across[:7])) == 7
    assert sorted(np.bincount(across[7:], minlength=7)) == [1, 1, 2, 2, 2, 2, 2]
    assert (labels[within] == labels).all()
    assert (patients[within] != patients).all()
    assert sorted(within) == list(range(19))
    np.testing.assert_array_equal(donors(labels, patients, True), across)


def test_perturbations_are_measured_against_the_intact_images(make_spec, monkeypatch):
    """One that does nothing changes nothing; one that inverts reverses the AUC; blank images count as refused."""
    reader = GreyReader(make_spec())
    panel = panel_of(reader, (60, 120), (200, 200))
    listed = {
        "noise": lambda image, lungs, rng: image,
        "clahe": lambda image, lungs, rng: 255 - image,
        "resampled": lambda image, lungs, rng: np.zeros_like(image),
    }
    monkeypatch.setattr(lung_audit, "perturbations", lambda images: listed)
    shown, steps = [], []
    nothing, inverted, blank = perturbation_rows(reader, panel, steps.append, shown.append)
    assert shown == ["noise", "clahe", "resampled"]
    assert sum(steps) == 3 * 24
    assert (nothing.auc.value, nothing.auc_change.value, nothing.mean_probability_change) == (1.0, 0.0, 0.0)
    assert (nothing.changed, nothing.without_lungs) == (0, 0)
    assert (inverted.auc.value, inverted.auc_change.value, inverted.changed) == (0.0, -1.0, 24)
    before = probability(panel.logits, **reader.spec.calibration)
    after = probability(np.array([(255 - image)[LUNGS].mean() for image in panel.pixels]) / 10 - 10, 1.0, 0.5)
    assert inverted.mean_probability_change == pytest.approx(np.abs(after - before).mean(), rel=1e-5)
    assert (blank.auc.value, blank.without_lungs) == (0.5, 24)


def test_images_go_through_in_batches_and_in_order(make_spec):
    """70 images make three batches; each keeps its own lungs and its own score."""
    reader = GreyReader(make_spec())
    masks = np.zeros((70, 224, 224), bool)
    for place in range(70):
        masks[place, place] = True
    image = np.repeat(np.arange(224, dtype=np.uint8)[:, None], 224, axis=1)
    steps = []
    logits, _ = score(reader, lambda place: image, 70, steps.append, masks)
    np.testing.assert_allclose(logits, np.arange(70) / 10 - 10)
    assert steps == reader.batches == [32, 32, 6]


def test_subgroups_by_hand(make_spec):
    """Viral against all normal images, quarters by pixels; a quarter of one class has no AUC."""
    panel = panel_of(GreyReader(make_spec()), (60, 120), (200, 200), 16)
    order = np.lexsort((np.arange(16), panel.labels))
    sizes = {panel.images[image].name: (100 + place, 100) for place, image in enumerate(order)}
    rows, missing = subgroups(panel, sizes)
    assert missing == []
    assert [(row.auc.n, row.positives) for row in rows] == [(8, 0), (16, 8), (4, 0), (4, 0), (4, 4), (4, 4)]
    assert [row.auc.value for row in rows] == [None, 1.0, None, None, None, None]
    rows, missing = subgroups(panel, {})
    assert len(rows) == 2
    assert missing == [NotMeasured(name="image_size", reason="audits.reason.no_sizes")]


@pytest.fixture(scope="module")
def archive(make_archive, tmp_path_factory) -> Path:
    """A drawn archive without tables, masks or adults."""
    return make_archive(tmp_path_factory.mktemp("archive"), patients=20)


@pytest.fixture
def reader(archive, make_spec) -> GreyReader:
    """The reader that fits the archive's held-out patients."""
    held_out = training_split(archive, 3).held_out
    return GreyReader(make_spec(held_out_patients=tuple(sorted({image.patient for image in held_out}))))


def test_what_the_archive_lacks_is_named_with_a_reason(reader, archive, tmp_path):
    """The rest is measured, stored in the evaluation of the same version."""
    before = evaluate(reader, archive, tmp_path, progress=False)
    found = audit(reader, archive, tmp_path, progress=False)
    names = [item.name for item in found.not_measured]
    assert names == ["file_size", "aspect", "lung_outline", "image_size", "adults"]
    assert all(str(item.title) and str(item.message) for item in found.not_measured)
    assert (found.auc.n, found.masks) == (8, "segmenter")
    assert len(found.lungs) == CONDITIONS
    assert [row.name for row in found.subgroups] == ["bacteria", "virus"]
    assert found.auc == found.auc_with_masks
    assert found.adults is None
    for row in (*found.shortcuts, *found.lungs, *found.perturbations, *found.subgroups):
        assert str(row.title)
        assert str(row.description)
    assert load_evaluation("densenet121", tmp_path, reader.spec) == before.replace(audits=found)


def test_no_evaluation_no_audits(reader, archive, tmp_path, make_spec):
    """They belong to an evaluation of the same version, which is checked before any image is read."""
    with pytest.raises(EvaluationError) as caught:
        audit(reader, archive, tmp_path, progress=False)
    assert caught.value.message.code == "evaluation.error.missing"
    evaluate(reader, archive, tmp_path, progress=False)
    other = GreyReader(make_spec(version="densenet121 other"))
    with pytest.raises(EvaluationError) as caught:
        audit(other, archive, tmp_path, progress=False)
    assert caught.value.message.code == "evaluation.error.version"
    assert other.batches == []


def test_everything_at_hand_is_measured(reader, make_archive, make_image, png, make_spec, tmp_path, capsys):
    """Tables, masks and adults beside the archive; of the adults nothing but aggregates is stored."""
    root = make_archive(tmp_path / "archive", patients=20)
    images = find_images(root)
    with (root / "chest_xray.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "original_width", "original_height"])
        table.writerows([image.name, 1000 + number % 7, 900] for number, image in enumerate(images))
    for image in images:
        path = root / "lung_masks" / image.path.parent.name / f"{image.path.stem}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), LUNGS.astype(np.uint8) * 255)
    missing = next(image for image in images if image.folder == "test")
    (root / "lung_masks" / missing.path.parent.name / f"{missing.path.stem}.png").unlink()
    rows = []
    for number, group in enumerate(["normal", "abnormal_no_opacity", "opacity"] * 4):
        name = f"adult_rsna/{group}/secret_{number}.png"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(make_image(number, (512, 512))))
        rows.append([name, group, "0 0 256 256" if group == "opacity" else "", f"hidden{number}"])
    with (root / "adult_rsna.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["file", "label", "boxes_x_y_w_h", "patient"], *rows])
    held_out = training_split(root, 3).held_out
    reader = GreyReader(make_spec(held_out_patients=tuple(sorted({image.patient for image in held_out}))))
    evaluate(reader, root, tmp_path / "out", progress=False)
    capsys.readouterr()
    found = audit(reader, root, tmp_path / "out", progress=True)
    assert found.not_measured == ()
    assert found.masks == "annotated"
    assert {row.auc.n for row in found.lungs} == {7}
    assert [row.name for row in found.shortcuts] == ["file_size", "aspect", "grey_levels", "lung_outline"]
    assert len(found.subgroups) > 2
    assert [(row.auc.n, row.positives) for row in found.adults.panels] == [(8, 4), (12, 4)]
    assert found.adults.boxes.share.value == pytest.approx(0.5)
    text = (tmp_path / "out" / "densenet121.json").read_text()
    assert not any(word in text for word in ("secret", "hidden", "adult_rsna/"))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert all(name in shown.err for name in ("shortcuts", "lungs", "clahe", "adults", "100%"))


def test_images_that_cannot_be_decoded_are_counted(reader, make_archive, tmp_path):
    """They are neither measured nor passed over in silence."""
    root = make_archive(tmp_path / "archive", patients=2)
    images = find_images(root, ("test",))
    images[0].path.write_bytes(b"no picture")
    panel, unreadable = load_panel(reader, images, lambda images: None)
    assert (len(panel.images), unreadable) == (7, 1)
    assert panel.images == tuple(images[1:])
    images[0].path.unlink()
    panel, unreadable = load_panel(reader, images, lambda images: None)
    assert unreadable == 1
    with pytest.raises(DataError) as caught:
        load_panel(reader, images[:1], lambda images: None)
    assert caught.value.message.code == "evaluation.error.undecodable"
