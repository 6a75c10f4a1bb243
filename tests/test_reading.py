"""Readings with the shipped weights."""

import copy
import shutil
import threading
from contextlib import ExitStack
from dataclasses import asdict

import cv2
import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from cxrmodel import pipeline
from cxrmodel.artefacts import cores
from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import UNLIKE_CLEARLY
from cxrmodel.checks.suite import Checks
from cxrmodel.errors import (
    AlteredWeights,
    ImageRefused,
    ImageRejected,
    ImageTooLarge,
    MissingWeights,
)
from cxrmodel.evaluation.audits.hard_cases import CHANGED
from cxrmodel.evaluation.run import agreement, original_pairs
from cxrmodel.imaging.canonical import canonical_image
from cxrmodel.imaging.formats.png import PNG
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.messages import Message
from cxrmodel.model.calibration import at_prevalence, finding, points_at, probability
from cxrmodel.model.preprocess import crop_box
from cxrmodel.model.spec import Labels, OperatingPoints
from cxrmodel.paths import MODEL_FOLDER
from cxrmodel.pipeline import AHEAD
from cxrmodel.prevalence import EVEN_ODDS
from cxrmodel.reading import AT_ONCE, Attribution, Reader, Score, reasons_of
from cxrmodel.scheduling import Budget, Client


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The shipped DenseNet."""
    return Reader.load()


@pytest.fixture(scope="module")
def images(project) -> dict[str, bytes]:
    """The demo images by name."""
    return {path.name: path.read_bytes() for path in sorted((project / "assets" / "demo").glob("*.png"))}


def test_every_demo_image_is_read(reader, images):
    """Six synthetic images, each with a number that follows from its logit and the specification."""
    assert len(images) == 6
    spec = reader.spec
    for name, data in images.items():
        reading = reader.read(data, name)
        assert reading.name == name
        fitted = probability(reading.logit, **spec.calibration)
        assert reading.finding == finding(fitted, spec.operating_points, spec.labels)
        assert reading.prevalence == reader.prevalence == EVEN_ODDS
        assert reading.probability == pytest.approx(at_prevalence(fitted, spec.prevalence, EVEN_ODDS))
        assert reading.operating_points == points_at(spec.operating_points, spec.prevalence, EVEN_ODDS)
        assert (reading.operating_point, reading.threshold) == ("balanced", reading.operating_points["balanced"])
        assert reading.model == spec.version


def test_the_prevalence_of_the_weights_is_not_that_of_a_reading(reader, demo_image):
    """Weights that were fitted at another prevalence give the same reading; a reader has its own prevalence."""
    spec, given = reader.spec, reader.read(demo_image, "x")
    points = points_at(spec.operating_points, spec.prevalence, 0.9)
    refitted = Reader(spec.replace(prevalence=0.9, operating_points=points), reader._pipeline)
    other = refitted.read(demo_image, "x")
    assert (other.prevalence, other.finding) == (EVEN_ODDS, given.finding)
    assert other.probability == pytest.approx(given.probability)
    assert tuple(other.operating_points.values()) == pytest.approx(tuple(given.operating_points.values()))
    rare = Reader(spec, reader._pipeline, prevalence=0.1).read(demo_image, "x")
    assert (rare.prevalence, rare.finding) == (0.1, given.finding)
    assert rare.probability == pytest.approx(given.at(0.1).probability)


def test_unchecked_images_get_what_a_reading_gives(reader, images):
    """Canonical images in one batch give the same logit, lungs and map; given lungs decide the crop."""
    readings = [reader.read(data, name) for name, data in images.items()]
    canonical = np.stack([canonical_image(reading.radiograph.pixels) for reading in readings])
    found = reader.unchecked(canonical)
    for place, reading in enumerate(readings):
        assert found.logits[place] == pytest.approx(reading.logit, abs=1e-3)
        np.testing.assert_array_equal(found.lungs[place], reading.lungs.mask)
        np.testing.assert_allclose(found.heat[place], reading.heat, atol=1e-3 * reader.spec.heat_range)
        assert found.plausible[place]
    moved = np.zeros_like(found.lungs[:1])
    moved[0, 100:200, 100:200] = True
    again = reader.unchecked(canonical[:1], moved)
    assert again.boxes == [crop_box((100, 100, 200, 200), reader.spec.margin)]
    assert again.logits[0] != pytest.approx(found.logits[0], abs=1e-3)
    np.testing.assert_array_equal(again.lungs, moved)


def test_nothing_is_refused_unchecked(reader):
    """A black image has a logit too, and its lungs are marked as implausible."""
    found = reader.unchecked(np.zeros((1, 224, 224), np.uint8))
    assert np.isfinite(found.logits).all()
    assert not found.plausible.any()
    if not found.lungs.any():
        assert found.boxes == [(0, 0, 224, 224)]


def test_demo_images_of_the_two_labels_are_separated(reader, images):
    """Every synthetic pneumonia image has a higher probability than every synthetic normal one."""
    values = {name: reader.read(data, name).probability for name, data in images.items()}
    normal = [value for name, value in values.items() if "normal" in name]
    pneumonia = [value for name, value in values.items() if "pneumonia" in name]
    assert max(normal) < min(pneumonia)


def test_heat_is_on_the_image_and_its_share_in_the_lungs_adds_up(reader, images):
    """Raw, zero or above, zero outside the crop; the share follows from map and mask."""
    for name, data in images.items():
        reading = reader.read(data, name)
        assert reading.heat.shape == (224, 224)
        assert reading.heat.min() >= 0
        if reading.heat.any():
            inside = reading.heat[reading.lungs.mask].sum() / reading.heat.sum()
            assert reading.heat_in_lungs == pytest.approx(inside)
            assert 0 <= reading.heat_in_lungs <= 1
        else:
            assert reading.heat_in_lungs is None


def test_reading_twice_gives_the_same(reader, demo_image):
    """One reading does not affect the next."""
    first, second = reader.read(demo_image, "a"), reader.read(demo_image, "b")
    assert first.logit == second.logit
    np.testing.assert_array_equal(first.heat, second.heat)


def test_scoring_many_gives_the_numbers_of_reading_one(reader, images, png):
    """In order, refusals included, whatever else is in the batch."""
    items = [(data, name) for name, data in images.items()]
    blank = (png(np.zeros((300, 300), np.float32)), "blank")
    scores = list(reader.score_many([*items[:3], blank, *items[3:], (b"", "empty")]))
    assert isinstance(scores[3], ImageRejected)
    assert isinstance(scores[-1], ImageRefused)
    numbers = [score for score in scores if isinstance(score, Score)]
    for (data, name), score in zip(items, numbers, strict=True):
        assert score.logit == pytest.approx(reader.read(data, name).logit, abs=1e-4)


def test_many_images_and_one_give_the_same_readings(reader, images):
    """Each reading equals that of the image alone, map and lungs included."""
    sources = [(lambda data=data: data, name) for name, data in images.items()]
    for reading, (name, data) in zip(reader.read_many(sources), images.items(), strict=True):
        alone = reader.read(data, name)
        assert (reading.name, reading.finding, reading.reasons) == (name, alone.finding, alone.reasons)
        assert reading.logit == pytest.approx(alone.logit, abs=1e-4)
        np.testing.assert_allclose(reading.heat, alone.heat, atol=1e-4 * reader.spec.heat_range)
        np.testing.assert_array_equal(reading.lungs.mask, alone.lungs.mask)


def test_an_image_by_itself_opens_no_second_network(demo_image, monkeypatch):
    """Single-threaded networks are opened for the second image."""
    reader, opened = Reader.load(), []
    make = reader.engine.single_threaded
    monkeypatch.setattr(reader.engine, "single_threaded", lambda: opened.append(1) or make())
    assert len(list(reader.read_many([(lambda: demo_image, "alone")]))) == 1
    assert not opened
    assert not list(reader.read_many([]))
    for _ in range(2):
        assert len(list(reader.read_many([(lambda: demo_image, "one of three")] * 3))) == 3
    assert opened == [1]


def test_images_are_opened_no_further_ahead_than_is_needed(reader, demo_image):
    """A large folder needs the memory of a few images."""
    opened = []
    many = reader.read_many((lambda place=place: opened.append(place) or demo_image, "image") for place in range(40))
    for handed_back in range(1, 6):
        next(many)
        assert len(opened) <= handed_back + AHEAD * cores() + 1
    many.close()
    assert len(opened) < 40


def test_threads_get_the_same_numbers(reader, images):
    """Concurrent readings equal single ones."""
    items = list(images.items())
    alone = [reader.read(data, name).logit for name, data in items]
    found: dict[int, float] = {}

    def work(place: int) -> None:
        name, data = items[place % len(items)]
        found[place] = reader.read(data, name).logit

    threads = [threading.Thread(target=work, args=(place,)) for place in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[place] for place in range(12)] == pytest.approx(alone * 2, abs=1e-4)


@pytest.mark.parametrize(
    ("peak", "inside", "attribution", "reasons"),
    [
        (0.0, None, Attribution.NONE, (Message("reading.no_attribution", positive="effusion"),)),
        (0.04, 0.02, Attribution.FAINT, ()),
        (0.05, 0.4999, Attribution.OUTSIDE, (Message("reading.outside_lungs", share="49\u00a0%"),)),
        (0.5, 0.5, Attribution.INSIDE, ()),
    ],
)
def test_attribution_outside_the_lungs_is_warned_of_where_there_is_any(peak, inside, attribution, reasons):
    """A faint map gives no warning, nor does one half of which is inside."""
    labels = Labels(positive="effusion", negative="clear")
    assert Attribution.of(peak, inside) is attribution
    assert reasons_of("clear", attribution, inside, labels) == reasons
    assert reasons_of("uncertain", attribution, inside, labels) == (Message("reading.uncertain"), *reasons)


def test_a_waiting_reading_hears_its_place(reader, demo_image):
    """While every turn is taken a reading waits; an error of who is told gives the place up."""
    places = []

    def stop(place):
        places.append(place)
        raise InterruptedError

    with ExitStack() as held:
        for _ in range(AT_ONCE):
            held.enter_context(reader._turns.turn(Client()))
        with pytest.raises(InterruptedError):
            reader.read(demo_image, "x", Client(), stop)
    assert places == [1]
    assert 0 <= reader.read(demo_image, "x", Client(), stop).probability <= 1


def test_a_refusal_frees_its_turn(reader):
    """Refused images do not fill the queue."""
    for _ in range(AT_ONCE + 1):
        with pytest.raises(ImageRefused):
            reader.read(b"", "empty")


@pytest.mark.parametrize("many", [False, True])
def test_an_image_that_never_fits_is_refused_before_decoding(reader, demo_image, monkeypatch, many):
    """What decoding would take is known from the header; more than there is for it is a refusal with both numbers."""
    pixels = reader.read(demo_image, "x").radiograph.pixels.size
    monkeypatch.setattr(pipeline, "DECODING", Budget(PNG.bytes_per_pixel * pixels - 1))
    if many:
        outcomes = list(reader.read_many([(lambda: demo_image, "x")] * 3))
    else:
        with pytest.raises(ImageTooLarge) as caught:
            reader.read(demo_image, "x")
        outcomes = [caught.value]
    assert {outcome.message.code for outcome in outcomes} == {"reading.never_fits"}
    assert pipeline.DECODING.used == 0


@pytest.mark.parametrize("room", [1, 1.5, 100])
def test_decoding_stays_within_its_memory(reader, demo_image, monkeypatch, room):
    """However many threads read, what they decode together fits; the readings are the same."""
    alone = reader.read(demo_image, "x")
    peak = PNG.bytes_per_pixel * alone.radiograph.pixels.size
    monkeypatch.setattr(pipeline, "DECODING", budget := Budget(int(room * peak)))
    used = []

    def decoded(data, name, admit):
        radiograph = read_radiograph(data, name, admit)
        used.append(budget.used)
        return radiograph

    monkeypatch.setattr(pipeline, "read_radiograph", decoded)
    logits = [reading.logit for reading in reader.read_many([(lambda: demo_image, "x")] * 6)]
    assert logits == pytest.approx([alone.logit] * 6, abs=1e-3)
    assert peak <= min(used) <= max(used) <= budget.limit
    assert budget.used == 0


def test_image_size_hardly_matters(reader, images):
    """An image enlarged four times gives the same reading."""
    data = images["synthetic-pneumonia-1.png"]
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    large = cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    enlarged = cv2.imencode(".png", large)[1].tobytes()
    assert reader.read(enlarged, "x").probability == pytest.approx(reader.read(data, "x").probability, abs=0.02)


@pytest.mark.parametrize("name", ["synthetic-normal-1.png", "synthetic-pneumonia-1.png"])
def test_a_mirrored_image_reads_as_the_image_itself(reader, images, name):
    """Up to the edge of the lungs, which the segmenter finds in one view only."""
    image = cv2.imdecode(np.frombuffer(images[name], np.uint8), cv2.IMREAD_GRAYSCALE)
    mirrored = cv2.imencode(".png", image[:, ::-1])[1].tobytes()
    assert reader.read(mirrored, "x").logit == pytest.approx(reader.read(images[name], "x").logit, abs=0.3)


def test_a_reader_leaves_the_cores_to_its_networks(reader):
    """Matrix products use one thread, as waiting threads would slow the networks down."""
    with threadpool_limits(2, user_api="blas"):
        assert {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"} == {2}
        Reader.load(reader.spec.model)
        assert {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"} == {1}


def test_record_has_what_the_command_line_promises(reader, demo_image):
    """The keys of one line, with values that JSON can hold."""
    record = asdict(reader.read(demo_image, "x").as_record("x"))
    assert set(record) == {
        "file",
        "status",
        "probability",
        "finding",
        "uncertain_from",
        "uncertain_to",
        "operating_point",
        "threshold",
        "reasons",
        "codes",
        "heat_in_lungs",
        "evidence_shares",
        "model",
        "prevalence",
        "milliseconds",
        "file_bytes",
        "file_modified",
    }
    assert record["status"] == "read"
    assert record["milliseconds"] > 0


def test_an_uncertain_image_has_its_reason(reader, demo_image):
    """Between the outer thresholds the reasons include it."""
    value = reader.read(demo_image, "x").probability
    band = OperatingPoints(high_sensitivity=value / 2, balanced=value, high_specificity=(1 + value) / 2)
    unsure = Reader(reader.spec.replace(operating_points=band, prevalence=EVEN_ODDS), reader._pipeline)
    reading = unsure.read(demo_image, "x")
    assert reading.finding == "uncertain"
    assert "reading.uncertain" in [reason.code for reason in reading.reasons]


def test_the_specification_names_the_labels(reader, demo_image):
    """Finding, record and reasons take the labels of the specification."""
    labels = Labels(positive="effusion", negative="clear")
    reading = Reader(reader.spec.replace(labels=labels), reader._pipeline).read(demo_image, "x")
    assert reading.labels == labels
    assert reading.as_record("x").finding == reading.finding
    before = reader.read(demo_image, "x")
    assert labels.findings.index(reading.finding) == before.labels.findings.index(before.finding)
    assert reading.probability == before.probability


@pytest.fixture
def copied(tmp_path):
    """A copy of the shipped model that a test may damage."""
    for path in MODEL_FOLDER.glob("densenet121.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_altered_weights_read_nothing(copied):
    """One changed byte prevents loading."""
    path = copied / "densenet121.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(AlteredWeights) as caught:
        Reader.load(folder=copied)
    assert caught.value.message.code == "model.altered_file"


def test_missing_weights_read_nothing(copied):
    """Missing files prevent loading."""
    (copied / "densenet121.onnx").unlink()
    with pytest.raises(MissingWeights):
        Reader.load(folder=copied)


def test_every_original_is_read(reader, data_root):
    """The images at full size, as a user adds them."""
    paths = sorted((data_root / "originals").glob("*/*.jpeg"))
    if not paths:
        pytest.skip("the public archive alone has no originals folder")
    scores = list(reader.score_many((path.read_bytes(), path.name) for path in paths))
    assert len(scores) == 80
    assert all(isinstance(score, Score) for score in scores)


def test_originals_agree_with_their_small_copies(reader, data_root):
    """On average an image at full size and its 224 px copy differ by at most 0.02."""
    if not (data_root / "originals").is_dir():
        pytest.skip("the public archive alone has no originals folder")
    found = agreement(reader, original_pairs(data_root))
    assert found.images == 80
    assert found.probability.mean <= 0.02


@pytest.fixture(scope="module")
def levels(images) -> np.ndarray:
    """A demo image's grey levels."""
    return cv2.imdecode(np.frombuffer(images["synthetic-normal-1.png"], np.uint8), cv2.IMREAD_GRAYSCALE)


def test_an_inverted_image_gives_the_same_number(reader, levels, png):
    """It is corrected, the reasons include it, and the reading is the same."""
    right, wrong = (reader.read(png(pixels), "x") for pixels in (levels / 255, 1 - levels / 255))
    assert right.check.corrections == ()
    assert wrong.check.corrections == ("inverted",)
    assert set(wrong.check.warnings) <= set(wrong.reasons)
    assert wrong.probability == pytest.approx(right.probability, abs=0.02)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (np.rot90, "checks.rotation"),
        (lambda image: np.rot90(image, 2), "checks.rotation"),
        (lambda image: image[:, : image.shape[1] // 2], "checks."),
        (lambda image: CHANGED["fragment"](image, np.random.default_rng(0)), "checks."),
        (lambda image: np.full_like(image, 90), "checks."),
        (lambda image: cv2.resize(image, (100, 100)), "checks.size"),
    ],
)
def test_no_number_for_what_cannot_be_judged(reader, levels, png, spoil, code):
    """A refusal with its code, alone and in a batch."""
    data = png(np.ascontiguousarray(spoil(levels)) / 255)
    with pytest.raises(ImageRefused) as caught:
        reader.read(data, "x")
    assert caught.value.message.code.startswith(code)
    (found,) = reader.score_many([(data, "x")])
    assert isinstance(found, ImageRefused)


def test_without_checks_every_image_has_a_probability(reader, levels, png):
    """The same probability for an image, and one for a blank image too."""
    items = [(png(levels / 255), "image"), (png(np.full((300, 300), 0.4)), "blank"), (b"", "empty")]
    image, blank, empty = reader.score_many(items, checked=False)
    assert image.logit == pytest.approx(reader.read(items[0][0], "image").logit, abs=1e-4)
    assert isinstance(blank, Score)
    assert isinstance(empty, ImageRefused)


def test_an_image_unlike_the_training_images_is_read_and_says_so_first(reader, demo_image):
    """Beyond every threshold of the features' checks there is a reading; one message, before all others."""
    pipeline = copy.copy(reader._pipeline)
    rules = {
        name: rule.model_copy(update={"warning": 0.0, "clear": 0.0}) if rule.clear else rule
        for name, rule in pipeline.checks.rules.items()
    }
    pipeline.checks = Checks(rules, pipeline.checks.models)
    reading = Reader(reader.spec, pipeline).read(demo_image, "x")
    assert reading.check.has_warning("out_of_distribution")
    assert [reason.code for reason in reading.reasons].count(UNLIKE_CLEARLY) == 1
    assert reading.reasons[0] == reading.check.unlike == Message(UNLIKE_CLEARLY, ages=str(reader.spec.ages))


def test_examining_runs_every_check(reader, levels, png):
    """Also after a rejection: one result of each check, and a probability."""
    report, value = reader.examine(lambda: png(np.rot90(levels) / 255), "x")
    assert report.outcome == "rejected"
    assert {result.check for result in report.results} >= set(CHECKS.names) - {"age", "other_population"}
    assert 0 <= value <= 1
    assert isinstance(reader.examine(lambda: b"", "x"), ImageRefused)
