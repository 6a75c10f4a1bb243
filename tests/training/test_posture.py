"""The posture network and the gates: from an archive to what is shipped."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.errors import TrainingError
from cxrmodel.imaging.gate import Gates
from cxrmodel.imaging.posture import POSTURES, PostureNetwork, as_posture_input
from cxrmodel.training.gate import export_gates, fit_likeness
from cxrmodel.training.loop import load_recipe
from cxrmodel.training.posture import laid, train_posture
from cxrmodel.training.strange import drawn, film_in_pieces, strange

CORNERS = np.uint8([[1, 2], [4, 3]])
"""Clockwise from the upper left."""


@pytest.mark.parametrize(
    ("posture", "allowed"),
    [
        ("upright", [[[1, 2], [4, 3]]]),
        ("mirrored", [[[2, 1], [3, 4]]]),
        ("turned left", [[[2, 3], [1, 4]], [[1, 4], [2, 3]]]),
        ("upside down", [[[3, 4], [2, 1]], [[4, 3], [1, 2]]]),
        ("turned right", [[[4, 1], [3, 2]], [[3, 2], [4, 1]]]),
    ],
)
def test_films_are_laid_as_named(posture, allowed):
    """By hand on four corners; a turned film may be mirrored too, and over many draws both happen."""
    seen = {laid(CORNERS, posture, np.random.default_rng(seed)).tobytes() for seed in range(30)}
    assert seen == {np.uint8(film).tobytes() for film in allowed}


def test_inverted_films_are_inverted_however_they_lie():
    """Every level is 255 less; some are turned as well."""
    seen = [laid(CORNERS, "inverted", np.random.default_rng(seed)) for seed in range(60)]
    assert all(sorted(film.ravel()) == [251, 252, 253, 254] for film in seen)
    assert any(film.tobytes() == (255 - CORNERS).tobytes() for film in seen)
    assert len({film.tobytes() for film in seen}) > 4


@given(st.integers(0, 400))
def test_strange_pictures_are_pictures(seed):
    """Of the film's shape, within 0..255, and a pure function of film and generator."""
    film = np.random.default_rng(1).integers(0, 256, (48, 48)).astype(np.uint8)
    first, second = (strange(film, np.random.default_rng(seed)) for _ in range(2))
    assert first.shape == (48, 48)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert first.min() >= 0
    assert first.max() <= 255
    np.testing.assert_array_equal(first, second)


def test_every_kind_of_strangeness_is_drawn():
    """Many draws are many pictures; of the pieces of one film some are alike."""
    film = np.random.default_rng(1).integers(0, 256, (48, 48)).astype(np.uint8)
    rng = np.random.default_rng(0)
    for make in (lambda: drawn(48, rng), lambda: film_in_pieces(film, rng)):
        assert len({np.asarray(make(), np.float32).tobytes() for _ in range(30)}) > 15


def test_space_of_two_directions():
    """Points on a plane lie in its space, and those off it are as far as they stand off."""
    rng = np.random.default_rng(0)
    points = np.zeros((50, 5), np.float32)
    points[:, 1], points[:, 3] = rng.normal(0, 3, 50), rng.normal(0, 2, 50)
    space = fit_likeness(points, axes=2)
    assert space.distance(points[0]) == pytest.approx(0, abs=1e-3)
    off = points[0] + np.float32([0, 0, 5, 0, 0])
    assert space.distance(off) == pytest.approx(np.sqrt(25 / 5), abs=1e-3)


@pytest.fixture(scope="module")
def run(project, make_archive, tmp_path_factory):
    """A drawn archive, and a training on it of one tiny epoch."""
    root = make_archive(tmp_path_factory.mktemp("archive"), patients=6)
    shipped = load_recipe(project / "cxrmodel" / "training" / "recipes" / "posture.toml")
    folder = tmp_path_factory.mktemp("run")
    return root, folder, train_posture(root, dataclasses.replace(shipped, stages=((64, 1),), batch=8), folder)


def test_training_reports_every_posture(run):
    """Shares of held-out films told right."""
    assert set(POSTURES) < set(run[2])
    assert all(0 <= share <= 1 for share in run[2].values())


def test_export_gives_gates_that_load(run, tmp_path):
    """Graph, spaces and thresholds, checked against each other; no held-out film is refused by a rule of extremes."""
    root, folder, _ = run
    spec = export_gates(folder, root, tmp_path / "gate")
    gates = Gates.load(tmp_path / "gate")
    assert json.loads((tmp_path / "gate" / "spec.json").read_text(encoding="utf-8")) == spec
    assert set(gates.rules) == set(spec["rules"])
    assert gates.rules["lung area"].refuse > 0
    assert gates.rules["contrast"].refuse < gates.rules["contrast"].warn


def test_export_without_a_training_names_what_is_missing(run, tmp_path):
    """A sentence, and nothing written."""
    with pytest.raises(TrainingError, match=r"report\.json"):
        export_gates(tmp_path, run[0], tmp_path / "gate")
    assert not (tmp_path / "gate").exists()


def test_probabilities_are_shares():
    """The postures of a film add up to one; strangeness stands for itself."""
    gates = Gates.load()
    assert isinstance(gates.posture, PostureNetwork)
    shares = gates.posture.probabilities(np.random.default_rng(0).integers(0, 256, (224, 224)).astype(np.uint8))
    assert tuple(shares) == POSTURES
    assert sum(shares.values()) - shares["strange"] == pytest.approx(1)
    assert 0 <= shares["strange"] <= 1


def test_the_input_knows_no_brightness():
    """A film and its darker copy are one to the network; an even picture is all zero."""
    film = np.random.default_rng(0).integers(100, 256, (224, 224)).astype(np.float32)
    film[:112] += 400
    np.testing.assert_allclose(as_posture_input(film), as_posture_input(film + 90), atol=1e-3)
    assert not as_posture_input(np.full((224, 224), 77, np.uint8)).any()
