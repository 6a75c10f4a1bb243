"""Bytes to a reading, through the shipped weights."""

import dataclasses
import shutil
import threading

import cv2
import numpy as np
import pytest

from cxrmodel.errors import AlteredWeights, Busy, FilmRefused, MissingWeights, NoLungsFound
from cxrmodel.evaluation.evaluate import agreement, original_pairs
from cxrmodel.model.calibration import finding, probability
from cxrmodel.model.spec import MODEL_FOLDER, load_spec, save_spec
from cxrmodel.reading import QUEUE, Reader, Score, _reasons


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The shipped DenseNet."""
    return Reader.load()


@pytest.fixture(scope="module")
def films(project) -> dict[str, bytes]:
    """The demo films by name."""
    return {path.name: path.read_bytes() for path in sorted((project / "assets" / "films").glob("*.png"))}


def test_every_demo_film_is_read(reader, films):
    """Six synthetic films, each with a number that follows from its logit and the specification."""
    assert len(films) == 6
    spec = reader.spec
    for name, data in films.items():
        reading = reader.read(data, name)
        assert reading.name == name
        assert reading.probability == probability(reading.logit, **spec.calibration)
        assert reading.finding == finding(reading.probability, spec.operating_points)
        assert (reading.operating_point, reading.threshold) == ("balanced", spec.operating_points["balanced"])
        assert reading.model == spec.version


def test_demo_films_of_the_two_kinds_are_told_apart(reader, films):
    """The model finds more pneumonia in every synthetic pneumonia film than in any synthetic normal one."""
    values = {name: reader.read(data, name).probability for name, data in films.items()}
    normal = [value for name, value in values.items() if "normal" in name]
    pneumonia = [value for name, value in values.items() if "pneumonia" in name]
    assert max(normal) < min(pneumonia)


def test_heat_is_on_the_film_and_its_share_in_the_lungs_adds_up(reader, films):
    """Raw, zero or above, nothing outside the crop, and the share recomputed from map and mask."""
    for name, data in films.items():
        reading = reader.read(data, name)
        assert reading.heat.shape == (224, 224)
        assert reading.heat.min() >= 0
        if reading.heat.any():
            inside = reading.heat[reading.lungs.mask].sum() / reading.heat.sum()
            assert reading.heat_in_lungs == pytest.approx(inside)
            assert 0 <= reading.heat_in_lungs <= 1
        else:
            assert reading.heat_in_lungs is None


def test_reading_twice_gives_the_same(reader, demo_film):
    """Nothing of one reading stays behind for the next."""
    first, second = reader.read(demo_film, "a"), reader.read(demo_film, "b")
    assert first.logit == second.logit
    np.testing.assert_array_equal(first.heat, second.heat)


def test_scoring_many_gives_the_numbers_of_reading_one(reader, films, png):
    """In order, refusals in their place, whatever else is in the batch."""
    items = [(data, name) for name, data in films.items()]
    blank = (png(np.zeros((300, 300), np.float32)), "blank")
    scores = list(reader.score_many([*items[:3], blank, *items[3:], (b"", "empty")]))
    assert isinstance(scores[3], NoLungsFound)
    assert isinstance(scores[-1], FilmRefused)
    numbers = [score for score in scores if isinstance(score, Score)]
    for (data, name), score in zip(items, numbers, strict=True):
        assert score.logit == pytest.approx(reader.read(data, name).logit, abs=1e-4)


def test_threads_get_the_same_numbers(reader, films):
    """Readings at once are readings one at a time."""
    items = list(films.items())
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
    ("peak", "inside", "said"),
    [
        (0.0, None, "heatmap is empty"),
        (0.04, 0.02, None),
        (0.5, 0.4999, "(49 % within)"),
        (0.5, 0.5, None),
    ],
)
def test_heat_outside_the_lungs_is_warned_of_where_there_is_heat(peak, inside, said):
    """A share of next to nothing is no warning; half within is not most outside."""
    reasons = _reasons("normal", peak, inside)
    assert [said in reason for reason in reasons] == ([True] if said else [])


def test_a_full_queue_says_so_at_once(reader, demo_film):
    """Beyond the stated bound a reading is turned away with a sentence, and is read once there is room."""
    for _ in range(QUEUE):
        assert reader._places.acquire(blocking=False)
    with pytest.raises(Busy, match="again in a few seconds"):
        reader.read(demo_film, "x")
    for _ in range(QUEUE):
        reader._places.release()
    assert 0 <= reader.read(demo_film, "x").probability <= 1


def test_a_refusal_gives_its_place_back(reader):
    """However many films are refused, the queue does not fill up."""
    for _ in range(QUEUE + 1):
        with pytest.raises(FilmRefused):
            reader.read(b"", "empty")


def test_film_size_hardly_matters(reader, films):
    """A film enlarged four times reads as the film itself."""
    data = films["synthetic-pneumonia-1.png"]
    film = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    large = cv2.resize(film, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    enlarged = cv2.imencode(".png", large)[1].tobytes()
    assert reader.read(enlarged, "x").probability == pytest.approx(reader.read(data, "x").probability, abs=0.02)


def test_record_has_what_the_command_line_promises(reader, demo_film):
    """The keys of one line, with values that JSON can hold."""
    record = reader.read(demo_film, "x").as_record()
    assert set(record) == {
        "status",
        "probability",
        "finding",
        "uncertain_from",
        "uncertain_to",
        "operating_point",
        "threshold",
        "reasons",
        "heat_in_lungs",
        "model",
        "milliseconds",
    }
    assert record["status"] == "read"
    assert record["milliseconds"] > 0


def test_an_uncertain_film_says_so(reader, demo_film):
    """Within the band, the reasons tell the reader not to lean on the model."""
    value = reader.read(demo_film, "x").probability
    band = {"high_sensitivity": value / 2, "balanced": value, "high_specificity": (1 + value) / 2}
    unsure = Reader(dataclasses.replace(reader.spec, operating_points=band), reader._pipeline)
    reading = unsure.read(demo_film, "x")
    assert reading.finding == "uncertain"
    assert any("cannot tell" in reason for reason in reading.reasons)


@pytest.fixture
def copied(tmp_path):
    """A copy of the shipped model that a test may spoil."""
    for path in MODEL_FOLDER.glob("densenet121.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_altered_weights_read_nothing(copied):
    """One flipped byte, and there is no reader."""
    path = copied / "densenet121.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(AlteredWeights, match="not those"):
        Reader.load(folder=copied)


def test_missing_weights_read_nothing(copied):
    """No weights, no reader."""
    (copied / "densenet121.onnx").unlink()
    with pytest.raises(MissingWeights):
        Reader.load(folder=copied)


def test_another_segmenter_reads_nothing(copied):
    """A model fixed with other lung fields is not used with these."""
    save_spec(dataclasses.replace(load_spec("densenet121"), lungs_sha256="0" * 64), copied)
    with pytest.raises(AlteredWeights, match="another lung segmenter"):
        Reader.load(folder=copied)


def test_every_original_is_read(reader, data_root):
    """The films at their full size, as a clinician would drop them in."""
    paths = sorted((data_root / "originals").glob("*/*.jpeg"))
    if not paths:
        pytest.skip("the public archive alone has no originals folder")
    scores = list(reader.score_many((path.read_bytes(), path.name) for path in paths))
    assert len(scores) == 80
    assert all(isinstance(score, Score) for score in scores)


def test_originals_agree_with_their_small_copies(reader, data_root):
    """On average a film at full size and its 224 px copy differ by at most two hundredths."""
    if not (data_root / "originals").is_dir():
        pytest.skip("the public archive alone has no originals folder")
    found = agreement(reader, original_pairs(data_root))
    assert found["films"] == 80
    assert found["probability"]["mean_difference"] <= 0.02
