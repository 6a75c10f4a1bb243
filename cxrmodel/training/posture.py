"""Training of the posture network: the archive's films turned, mirrored and inverted by code, and strange pictures."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import keras
import numpy as np

from cxrmodel.imaging.posture import POSTURE_SIDE, POSTURES, as_posture_input
from cxrmodel.model.network import build_posture
from cxrmodel.training.augment import borrow_greys, disturb_greys, reframed
from cxrmodel.training.dataset import load_films, training_split
from cxrmodel.training.feed import Feed
from cxrmodel.training.loop import Recipe, fit
from cxrmodel.training.strange import strange

__all__ = ["laid", "train_posture"]

SIDE = 96
"""Side at which samples are made, in pixels: enough for what is seen at 64."""
_UPRIGHT, _STRANGE = 0.36, "strange"
REPEATS = 2
"""Samples of each film an epoch."""


def laid(film: np.ndarray, posture: str, rng: np.random.Generator) -> np.ndarray:
    """Lay an upright film as a posture says; where that leaves a choice, at random.

    Parameters
    ----------
    film : ndarray, shape (S, S), 0..255
    posture : str
        One of ``POSTURES`` but "strange".

    Returns
    -------
    ndarray, of the film's shape and dtype
    """
    if posture in ("mirrored",) or (posture not in ("upright",) and rng.random() < 0.5):
        film = film[:, ::-1]
    quarters = {"turned left": 1, "upside down": 2, "turned right": 3}.get(posture, 0)
    if posture == "inverted":
        film = 255 - film
        quarters = int(rng.integers(4)) if rng.random() < 0.3 else 0
    return np.ascontiguousarray(np.rot90(film, quarters))


def train_posture(root: Path, recipe: Recipe, folder: Path, resume: bool = False) -> dict:
    """Train the network; write ``posture.keras`` and ``report.json`` into ``folder``.

    Returns
    -------
    dict
        Share of held-out films told right, for each posture.

    Raises
    ------
    DataError, TrainingError
    """
    split = training_split(root, recipe.seed)
    films, held = _small(load_films(split.train)), _small(load_films(split.held_out))
    keras.utils.set_random_seed(recipe.seed)
    model = build_posture(POSTURE_SIDE, recipe.dropout)
    tests = {posture: _held_out(held, posture, recipe.seed) for posture in POSTURES}
    options = recipe.options

    def sample(index: int, size: int, rng: np.random.Generator):
        film = films[index % len(films)]
        if rng.random() < options["strange"]:
            posture, picture = _STRANGE, strange(film, rng)
        else:
            choices = POSTURES[:-1]
            shares = [_UPRIGHT] + [(1 - _UPRIGHT) / (len(choices) - 1)] * (len(choices) - 1)
            posture = choices[int(rng.choice(len(choices), p=shares))]
            picture = _disturbed(film, films[int(rng.integers(len(films)))], rng, options)
            picture = laid(picture, posture, rng)
        y = np.zeros(len(POSTURES), np.float32)
        y[POSTURES.index(posture)] = 1
        return as_posture_input(picture), y, 1.0

    def score(network: keras.Model, size: int) -> dict:
        right = {posture: _right(network, inputs, posture) for posture, inputs in tests.items()}
        return {"right": float(np.mean(list(right.values())))} | right

    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    feed = Feed(sample, REPEATS * len(films), recipe.batch, recipe.seed)
    history = fit(model, loss, feed, recipe, folder, score, resume)
    model.save(folder / "posture.keras")
    report = {"recipe": recipe.describe(), "held_out": score(model, POSTURE_SIDE), "history": history}
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report["held_out"]


def _small(films: np.ndarray) -> list[np.ndarray]:
    return [cv2.resize(film, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) for film in films]


def _held_out(films: Sequence[np.ndarray], posture: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pictures = [strange(film, rng) if posture == _STRANGE else laid(film, posture, rng) for film in films]
    return np.stack([as_posture_input(picture) for picture in pictures])


def _right(network: keras.Model, inputs: np.ndarray, posture: str) -> float:
    logits = keras.ops.convert_to_numpy(network(inputs, training=False))
    return float((logits.argmax(1) == POSTURES.index(posture)).mean())


def _disturbed(film: np.ndarray, other: np.ndarray, rng: np.random.Generator, options: dict) -> np.ndarray:
    """Turn a little, zoom, shift, stretch, cover edges, add letters, and change the greys."""
    film = reframed(film, rng, **{name: options[name] for name in ("degrees", "stretch", "shift")})
    if rng.random() < 0.4:
        film = borrow_greys(film, other, rng.uniform(0.3, 1.0))
    film = disturb_greys(film, rng)
    if rng.random() < 0.3:
        edges = (rng.random(4) < 0.5) * rng.uniform(0, 0.09, 4) * SIDE
        top, left, bottom, right = edges.astype(int)
        grey = float(rng.choice([0.0, 255.0, rng.uniform(0, 255)], p=[0.7, 0.1, 0.2]))
        film[:top], film[:, :left], film[SIDE - bottom :], film[:, SIDE - right :] = grey, grey, grey, grey
    letters = np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(int(rng.integers(0, 3))):
        place = tuple(int(v) for v in rng.integers(2, SIDE - 8, 2))
        letter, size, grey = chr(int(rng.integers(65, 91))), rng.uniform(0.15, 0.4), int(rng.integers(150, 256))
        cv2.putText(letters, letter, place, cv2.FONT_HERSHEY_SIMPLEX, size, grey)
    return np.maximum(film, letters.astype(np.float32))
