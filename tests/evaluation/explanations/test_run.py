"""The evaluation of explanations: images chosen, means, continuing an interrupted run."""

from types import SimpleNamespace

import numpy as np
import pytest

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.audits.adults import box_mask
from cxrmodel.evaluation.explanations import results
from cxrmodel.evaluation.explanations import run as explanations
from cxrmodel.evaluation.explanations.cases import Case, adult_images, cases, stratified
from cxrmodel.evaluation.explanations.measures import BATCH, affordable, in_boxes, mean_of, of_maps
from cxrmodel.evaluation.explanations.schema import ExplanationAudit, ShuffledLabels, Similarity
from cxrmodel.evaluation.explanations.section import audit_of
from cxrmodel.evaluation.storage import load_evaluation, save_evaluation
from cxrmodel.explain.methods import INSTANT, METHODS
from cxrmodel.messages import Message
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.model.preprocess import ModelInput
from cxrmodel.model.spec import OperatingPoints
from cxrmodel.reading import Reader
from cxrmodel.registry import Registry
from cxrmodel.training.archive import Image, find_images
from cxrmodel.training.recipe import Recipe
from cxrmodel.training.record import shipped_training_record
from tests.support.made_up_sections import EXPLANATIONS

RECIPE = Recipe(
    model="cnn",
    stages=((32, 1),),
    seed=0,
    batch=4,
    peak_rate=0.001,
    weight_decay=0.0,
    warmup_epochs=1,
    average=0.98,
    precision="float32",
    dropout=0.0,
    options={"shuffle_labels": True},
)


def measured(images=("a", "b", "c", "d")):
    """What was measured of a method."""
    return {
        "images": list(images),
        "positive": list(images),
        "in_lungs": [0.5, 0.7, None, 0.6][: len(images)],
        "stability": [0.9] * len(images),
        "seconds": [0.1] * len(images),
        "grids": [np.arange(784).reshape(28, 28).tolist()] * len(images),
        "curves": {"deletion": [0.5] * len(images), "insertion": [0.7] * len(images)},
        "map_range": 2.0,
        "range_images": 3,
        "adults": {"peak": [True, False], "share": [0.2, None]},
    }


def audited(shuffled=None) -> ExplanationAudit:
    """An audit of all methods."""
    run = {
        "seed": 0,
        "test": 4,
        "sample": ("a", "b", "c", "d"),
        "positive": ["a", "b", "c", "d"],
        "patients": dict(zip("abcd", "wxyz", strict=True)),
        "labels": dict(zip("abcd", (1, 0, 1, 1), strict=True)),
        "adult_patients": ["p", "q"],
        "adults_without_lungs": 0,
        "box_area": [0.1, 0.3],
        "settings": EXPLANATIONS.settings.model_dump(exclude={"stages"}),
        "heat_range": 1.5,
    }
    random = {"positive": ["a", "b", "c", "d"], "curves": {"deletion": [0.6] * 4, "insertion": [0.4] * 4}}
    stages = [{"stage": "output", "spearman": 0.8, "ssim": 0.5}, {"stage": "stem", "spearman": 0.1, "ssim": 0.1}]
    randomised = {name: {"images": 2, "stages": stages} for name in METHODS.names}
    found = {name: measured() for name in METHODS.names}
    return audit_of(run, found, random, randomised, shuffled)


def shuffled_labels(**spearman: float) -> ShuffledLabels:
    """Weights of shuffled labels, to whose maps each method's are so similar."""
    found = {name: Similarity(spearman=spearman.get(name, 0.2), ssim=0.1) for name in METHODS.names}
    return ShuffledLabels(weights_sha256="ab" * 32, recipe=RECIPE, final_loss=0.69, similarity=found)


def test_shapes_and_means():
    """Estimates, random baseline, randomisation test and agreement."""
    made = audited()
    row = made.methods[0]
    assert [row.name for row in made.methods] == list(METHODS.names)
    assert (row.map_range, made.methods[1].map_range) == (1.5, 2.0)
    assert row.deletion_auc == Estimate(0.5, 0.5, 0.5, 4)
    assert (row.random_deletion_auc, row.random_insertion_auc) == (0.6, 0.4)
    assert (row.in_lungs.value, row.in_lungs.n, row.empty) == (0.6, 3, 1)
    assert (row.in_lungs_positive.value, row.in_lungs_positive.n) == (0.55, 2)
    assert row.randomisation.spearman == (0.8, 0.1)
    assert row.randomisation.shuffled_labels is None
    assert row.randomisation.depends_on_model
    assert made.settings.stages == ("output", "stem")
    assert made.agreement[0][:2] == (None, 1.0)
    assert made.adults.expected_by_area == 0.2
    assert made.adults.methods[0].peak_in_box.value == 0.5
    assert (made.adults.methods[0].share.value, made.adults.methods[0].share.n) == (0.2, 1)
    assert not {"p", "q"} & set(made.adults.model_dump_json().split('"'))


def test_shuffled_labels_enter_with_their_weights():
    """A method whose map is similar to that of shuffled labels is marked."""
    made = audited(shuffled_labels(saliency=0.7))
    assert made.method(INSTANT).randomisation.shuffled_labels == 0.2
    assert made.method(INSTANT).randomisation.depends_on_model
    assert not made.method("saliency").randomisation.depends_on_model
    assert made.shuffled.weights_sha256 == "ab" * 32


def test_measurements_are_kept_by_what_they_depend_on(make_spec):
    """Weights, graph, pixels, lungs, boxes, settings and which images are positive; not version or calibration."""
    spec, mask = make_spec(), np.eye(224, dtype=bool)

    def key(spec=spec, name="a", level=0.0, lungs=mask, box=(0, 0, 9, 9), boxes=mask, positive=("a",), steps=1):
        ready = ModelInput(np.full((4, 4, 1), level, np.float32), box)
        case = Case(name, "p", 1, ready, lungs, 0.5, boxes)
        return explanations.digest(spec, [case, case], positive, {"steps": steps})

    same = spec.replace(version="another", temperature=2.0, prevalence=0.5, heat_range=9.0)
    changed = [
        {"spec": spec.replace(weights_sha256="0" * 64)},
        {"spec": spec.replace(graph_sha256="0" * 64)},
        {"name": "b"},
        {"level": 1.0},
        {"lungs": ~mask},
        {"box": (0, 0, 9, 8)},
        {"boxes": ~mask},
        {"positive": ()},
        {"steps": 2},
    ]
    assert key(spec=same) == key()
    assert len({key(), *(key(**change) for change in changed)}) == 1 + len(changed)


def test_means_are_over_patients():
    """Images of one patient move together: two patients, one with three images."""
    assert mean_of([1.0, 1.0, 1.0, 0.0], ["p", "p", "p", "q"]) == Estimate(0.75, 0.0, 1.0, 4)
    assert mean_of([None, None], ["p", "q"]) == Estimate.undefined()


def test_every_beginning_of_the_sample_is_stratified(archive):
    """The share of each stratum in the first images is its share in all, within an image."""
    images = find_images(archive, ("test",))
    ordered = stratified(images, 0)
    assert sorted(image.name for image in ordered) == sorted(image.name for image in images)
    for count in range(1, len(images)):
        for stratum in ("normal", "bacteria", "virus"):
            share = sum(image.stratum == stratum for image in images) / len(images)
            assert abs(sum(image.stratum == stratum for image in ordered[:count]) - share * count) <= 1
    assert [image.name for image in stratified(images, 0)] == [image.name for image in ordered]
    assert [image.name for image in stratified(images, 1)] != [image.name for image in ordered]


def test_images_that_a_method_is_measured_on():
    """Cheap ones on all, costly ones on as many as the passes allow, never fewer than three."""
    assert affordable(INSTANT, 100, 4000) == 100
    assert affordable("layercam", 100, 600) == 100
    assert affordable("occlusion", 100, 4040) == 40
    assert affordable("smoothgrad", 100, 10) == 3
    assert affordable("smoothgrad", 2, 10) == 2


@pytest.mark.parametrize("noisy", [0, 2, BATCH + 1, 6])
def test_only_the_first_images_are_disturbed(noisy):
    """Each image's map is measured; those of the first ones once more, each against its own."""
    images = [
        SimpleNamespace(
            ready=SimpleNamespace(tensor=np.full((28, 28, 1), level, np.float32), to_image=lambda heat: heat),
            lungs=np.eye(28, dtype=bool),
        )
        for level in range(6)
    ]
    asked = []

    def maps(method, tensors):
        asked.append(len(tensors))
        return np.stack([np.roll(np.arange(784.0), 300 * round(float(tensor.mean()))) for tensor in tensors]).reshape(
            -1, 28, 28
        )

    explainer = SimpleNamespace(crop_maps=maps, spec=SimpleNamespace(std=0.25))
    found = of_maps(explainer, INSTANT, images, noisy, lambda count: None)
    assert sum(asked) == 6 + noisy
    assert len(found["orders"]) == len(found["in_lungs"]) == len(found["seconds"]) == 6
    assert found["stability"] == pytest.approx([1.0] * noisy)


def test_boxes_by_hand():
    """A box over the left half of an image of 8 x 4 pixels covers the left half of its canonical form."""
    mask = box_mask(((0, 0, 4, 4), (7, 0, 1, 1)), 4, 8, side=8)
    assert mask[:, :4].all()
    assert mask[:, 4:].sum() == 2  # one image pixel is one column wide and two rows high
    assert mask[:2, 7].all()


def test_pointing_by_hand():
    """A peak in the box, one beside it, and an empty map, which points nowhere."""
    heats = [np.zeros((2, 2), np.float32) for _ in range(3)]
    heats[0][0, 0], heats[1][1, 1] = 1, 1
    boxes = np.zeros((2, 2), bool)
    boxes[0, 0] = True
    images = [
        SimpleNamespace(ready=SimpleNamespace(tensor=np.zeros((2, 2, 1)), to_image=lambda heat: heat), boxes=boxes)
    ] * 3
    drawn = iter(heats)
    explainer = SimpleNamespace(crop_maps=lambda method, tensors: np.stack([next(drawn) for _ in tensors]))
    assert in_boxes(explainer, INSTANT, images, lambda count: None) == {
        "peak": [True, False, False],
        "share": [1.0, 0.0, None],
    }


@pytest.fixture
def real_archive(tmp_path, make_archive):
    """A drawn archive, and the plain CNN that reads it."""
    return make_archive(tmp_path / "archive", patients=4), Reader.load("cnn")


def test_images_are_opened_and_cropped_as_for_reading(project):
    """The network's input is that of a reading."""
    paths = sorted((project / "assets" / "demo").glob("*.png"))[::3]
    reader = Reader.load("cnn")
    found = cases(reader, [Image(path, path.name, "test", 1, "virus", path.stem) for path in paths])
    assert [case.name for case in found] == [path.name for path in paths]
    for path, case in zip(paths, found, strict=True):
        reading = reader.read(path.read_bytes(), path.name).at(reader.spec.prevalence)
        assert case.probability == pytest.approx(reading.probability, abs=1e-6)
        np.testing.assert_array_equal(case.ready.tensor, reader.model_input(reading).tensor)
        np.testing.assert_array_equal(case.lungs, reading.lungs.mask)


def test_no_adults_no_part(real_archive):
    """Who has only the public archive gets a section without them."""
    root, reader = real_archive
    assert adult_images(reader, root) == ([], 0)


@pytest.fixture
def quick(monkeypatch):
    """Two methods, few images; the held-out patients are those of the archive."""
    two = Registry("method", METHODS[INSTANT], METHODS["layercam"])
    monkeypatch.setattr(explanations, "METHODS", two)
    monkeypatch.setattr(explanations, "RANDOMISED_IMAGES", 2)
    monkeypatch.setattr(explanations, "RANGE_IMAGES", 2)


@pytest.mark.usefixtures("quick")
def test_a_whole_run_and_going_on(real_archive, make_evaluation, tmp_path, monkeypatch):
    """The results are stored with their weights; a second run measures nothing again; shuffled weights come later."""
    root, reader = real_archive
    out, work, shuffled = tmp_path / "out", tmp_path / "work", tmp_path / "shuffled"
    points = {"high_sensitivity": 1e-9, "balanced": 1e-9, "high_specificity": 1e-9}  # every image is positive
    reader.spec = reader.spec.replace(operating_points=OperatingPoints(**points))
    evaluation = make_evaluation("cnn", points=points)
    given = {"version": reader.spec.version, "prevalence": reader.spec.prevalence}
    save_evaluation(evaluation.replace(**given), out)
    made = explanations.evaluate_explanations(reader, root, out, work, shuffled, images=4, progress=False)
    assert load_evaluation("cnn", out, reader.spec).explanations == made
    assert len(made.images.sample) == 4
    assert [row.name for row in made.methods] == [INSTANT, "layercam"]
    assert made.methods[0].images == made.images.test > 4
    assert made.methods[0].map_range == pytest.approx(reader.spec.heat_range, rel=1e-3)
    assert made.methods[1].map_range > 0
    assert made.adults is None

    def measured_again(*_):
        raise AssertionError("what was measured is kept")

    monkeypatch.setattr(explanations, "of_maps", measured_again)
    monkeypatch.setattr(explanations, "curve_areas", measured_again)
    again = explanations.evaluate_explanations(reader, root, out, work, shuffled, images=4, progress=False)
    assert again == made
    shuffled.mkdir()
    from cxrmodel.model.network import build

    build("cnn", 32).save(shuffled / "cnn.keras")
    (shuffled / "training.json").write_text(shipped_training_record("cnn").to_json())
    third = explanations.evaluate_explanations(reader, root, out, work, shuffled, images=4, progress=False)
    assert third.methods[0].randomisation.shuffled_labels is not None
    (shuffled / "cnn.keras").unlink()
    fourth = explanations.evaluate_explanations(reader, root, out, work, shuffled, images=4, progress=False)
    assert fourth == third


def test_what_is_found_follows_the_evaluation(make_evaluation, make_spec, tmp_path, monkeypatch):
    """Range and randomisation test; and a message where nothing was tested."""
    spec = make_spec()
    save_evaluation(make_evaluation(), tmp_path)
    monkeypatch.setattr(results, "load_evaluation", lambda model, spec: load_evaluation(model, tmp_path, spec))
    assert results.tested_explanations(spec) is None
    assert results.randomisation_finding(None, "layercam") == (None, Message("explanations.not_tested"))
    made = audited(shuffled_labels(saliency=0.7))
    save_evaluation(make_evaluation(explanations=made), tmp_path)
    tested = results.tested_explanations(spec)
    assert results.result_of(tested, "layercam").map_range == 2.0
    assert results.randomisation_finding(tested, "layercam") == (True, Message("explanations.depends", images=2))
    assert results.randomisation_finding(tested, "saliency") == (False, Message("explanations.independent", images=2))
    assert results.tested_explanations(make_spec(version="densenet121 other")) is None


def test_nothing_is_measured_without_an_evaluation_to_add_to(real_archive, tmp_path):
    """The error comes before the work."""
    root, reader = real_archive
    with pytest.raises(EvaluationError) as caught:
        explanations.evaluate_explanations(reader, root, tmp_path / "out", tmp_path / "work", progress=False)
    assert caught.value.message.code == "evaluation.error.missing"
    assert not (tmp_path / "work").exists()
