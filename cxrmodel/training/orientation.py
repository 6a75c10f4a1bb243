"""Training of the orientation network on rotated, mirrored and inverted images and on synthetic negatives."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import keras
import numpy as np

from cxrmodel import outputs
from cxrmodel.checks.orientation import ORIENTATION_SIDE, ORIENTATIONS, as_orientation_input
from cxrmodel.checks.spec import OrientationTraining
from cxrmodel.model.network import build_orientation
from cxrmodel.training.archive import load_images, training_split
from cxrmodel.training.augment import match_histogram, perturb_intensity, random_affine
from cxrmodel.training.feed import Feed
from cxrmodel.training.loop import fit
from cxrmodel.training.negatives import negative
from cxrmodel.training.recipe import Recipe

SIDE = 96
"""Side of the samples in pixels; the network's input has a side of 64."""
_UPRIGHT_SHARE = 0.36
_OTHER = ORIENTATIONS[-1]
REPEATS = 2
"""Samples of each image in an epoch."""


def oriented(image: np.ndarray, orientation: str, rng: np.random.Generator) -> np.ndarray:
    """Rotate, mirror or invert an upright image; at random where the orientation leaves a choice.

    Parameters
    ----------
    image : ndarray, shape (S, S), 0..255
    orientation : str
        One of ``ORIENTATIONS`` except "other".

    Returns
    -------
    ndarray, of the image's shape and dtype
    """
    if orientation == "mirrored" or (orientation != "upright" and rng.random() < 0.5):
        image = image[:, ::-1]
    quarters = {"rotated left": 1, "upside down": 2, "rotated right": 3}.get(orientation, 0)
    if orientation == "inverted":
        image = 255 - image
        quarters = int(rng.integers(4)) if rng.random() < 0.3 else 0
    return np.ascontiguousarray(np.rot90(image, quarters))


def train_orientation(root: Path, recipe: Recipe, folder: Path, resume: bool = False) -> OrientationTraining:
    """Train the network; write ``orientation.keras`` and ``report.json`` into ``folder``.

    Returns
    -------
    OrientationTraining
        As in ``report.json``, with the accuracy on validation images, by orientation and over all.

    Raises
    ------
    DataError, TrainingError
    """
    split = training_split(root, recipe.seed)
    images, validation = _small(load_images(split.train)), _small(load_images(split.held_out))
    keras.utils.set_random_seed(recipe.seed)
    model = build_orientation(ORIENTATION_SIDE, recipe.dropout)
    tests = {orientation: _validation(validation, orientation, recipe.seed) for orientation in ORIENTATIONS}
    options = recipe.options

    def sample(index: int, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
        image = images[index % len(images)]
        if rng.random() < options["other"]:
            orientation, picture = _OTHER, negative(image, rng)
        else:
            choices = ORIENTATIONS[:-1]
            shares = [_UPRIGHT_SHARE] + [(1 - _UPRIGHT_SHARE) / (len(choices) - 1)] * (len(choices) - 1)
            orientation = choices[int(rng.choice(len(choices), p=shares))]
            picture = _augmented(image, images[int(rng.integers(len(images)))], rng, options)
            picture = oriented(picture, orientation, rng)
        y = np.zeros(len(ORIENTATIONS), np.float32)
        y[ORIENTATIONS.index(orientation)] = 1
        return as_orientation_input(picture), y, 1.0

    def score(network: keras.Model, size: int) -> dict[str, float]:
        accuracy = {orientation: _accuracy(network, inputs, orientation) for orientation, inputs in tests.items()}
        return {"accuracy": float(np.mean(list(accuracy.values())))} | accuracy

    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    feed = Feed(sample, REPEATS * len(images), recipe.batch, recipe.seed)
    history = fit(model, loss, feed, recipe, folder, score, resume=resume)
    with outputs.draft(folder / "orientation.keras", overwrite=True) as part:
        model.save(part)
    accuracy = score(model, ORIENTATION_SIDE)
    epochs = [epoch.model_dump() for epoch in history]
    record = OrientationTraining(recipe=recipe.model_dump(mode="json"), validation=accuracy, history=epochs)
    outputs.write(folder / "report.json", record.to_json(), overwrite=True)
    return record


def _small(images: np.ndarray) -> list[np.ndarray]:
    return [cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) for image in images]


def _validation(images: Sequence[np.ndarray], orientation: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pictures = [
        negative(image, rng) if orientation == _OTHER else oriented(image, orientation, rng) for image in images
    ]
    return np.stack([as_orientation_input(picture) for picture in pictures])


def _accuracy(network: keras.Model, inputs: np.ndarray, orientation: str) -> float:
    logits = keras.ops.convert_to_numpy(network(inputs, training=False))
    return float((logits.argmax(1) == ORIENTATIONS.index(orientation)).mean())


def _augmented(image: np.ndarray, other: np.ndarray, rng: np.random.Generator, options: dict[str, float]) -> np.ndarray:
    """Rotate slightly, scale, shift, mask edges, add letters, and change the intensities."""
    image = random_affine(image, rng, **{name: options[name] for name in ("degrees", "stretch", "shift")})
    if rng.random() < 0.4:
        image = match_histogram(image, other, rng.uniform(0.3, 1.0))
    image = perturb_intensity(image, rng)
    if rng.random() < 0.3:
        edges = (rng.random(4) < 0.5) * rng.uniform(0, 0.09, 4) * SIDE
        top, left, bottom, right = edges.astype(int)
        grey = float(rng.choice([0.0, 255.0, rng.uniform(0, 255)], p=[0.7, 0.1, 0.2]))
        image[:top], image[:, :left], image[SIDE - bottom :], image[:, SIDE - right :] = grey, grey, grey, grey
    letters = np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(int(rng.integers(0, 3))):
        place = tuple(int(v) for v in rng.integers(2, SIDE - 8, 2))
        letter, size, grey = chr(int(rng.integers(65, 91))), rng.uniform(0.15, 0.4), int(rng.integers(150, 256))
        cv2.putText(letters, letter, place, cv2.FONT_HERSHEY_SIMPLEX, size, grey)
    return np.maximum(image, letters.astype(np.float32))
