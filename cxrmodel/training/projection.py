"""Training of the projection network: what an image shows, learnt with variety.

Radiographs of children and of unlabelled adults, rotated, mirrored and inverted; half of the real slices and hands;
synthetic negatives. All of them are disturbed alike.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import keras
import numpy as np

from cxrmodel import outputs
from cxrmodel.checks.projection import CLASSES, KINDS, ORIENTATIONS, PROJECTION_SIDE, as_projection_input
from cxrmodel.checks.spec import ProjectionTraining
from cxrmodel.model.network import build_projection
from cxrmodel.training.archive import load_images, training_split
from cxrmodel.training.augment import FloatImage
from cxrmodel.training.feed import Feed
from cxrmodel.training.loop import fit
from cxrmodel.training.negatives import negative
from cxrmodel.training.recipe import ProjectionOptions, Recipe
from cxrmodel.training.references import adults, other_kinds
from cxrmodel.training.variety import disturbed, trimmed

SIDE = 96
"""Side of the samples in pixels; the network's input has a side of 64."""
_UPRIGHT_SHARE = 0.4
_OTHER = KINDS[-1]
_VALIDATION = 200
"""Images of each class that are scored after an epoch."""


def oriented(image: np.ndarray, orientation: str, rng: np.random.Generator) -> np.ndarray:
    """Rotate, mirror or invert an upright image; at random where the orientation leaves a choice.

    Parameters
    ----------
    image : ndarray, shape (S, S), 0..255
    orientation : str
        One of ``ORIENTATIONS``.

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


class _Pictures:
    """Images to draw samples from: radiographs of children and of adults, and real images of other kinds."""

    def __init__(self, children: np.ndarray, grown: np.ndarray, kinds: Mapping[str, np.ndarray]) -> None:
        self.children, self.grown = _small(children), _small(grown)
        self.kinds = {kind: _small(images) for kind, images in kinds.items() if len(images)}

    def chest(self, rng: np.random.Generator, adults: float) -> FloatImage:
        """A chest radiograph, with the given probability of an adult."""
        images = self.grown if self.grown and rng.random() < adults else self.children
        return images[int(rng.integers(len(images)))]

    def sample(self, name: str, rng: np.random.Generator, adults: float) -> FloatImage:
        """A disturbed picture of a class, with or without its margins."""
        picture = self._picture(name, rng, adults)
        return trimmed(picture) if rng.random() < 0.5 else picture

    def _picture(self, name: str, rng: np.random.Generator, adults: float) -> FloatImage:
        image, other = self.chest(rng, adults), self.chest(rng, adults)
        if name == _OTHER:
            return negative(disturbed(image, other, rng) if rng.random() < 0.5 else image, rng)
        if name in ORIENTATIONS:
            return oriented(disturbed(image, other, rng), name, rng)
        images = self.kinds[name]
        picture = disturbed(images[int(rng.integers(len(images)))], other, rng)
        picture = np.rot90(picture, int(rng.integers(4)) if rng.random() < 0.3 else 0)
        picture = picture if rng.random() < 0.5 else picture[:, ::-1]
        return np.ascontiguousarray(picture if rng.random() < 0.85 else 255 - picture)


def train_projection(root: Path, recipe: Recipe, folder: Path, resume: bool = False) -> ProjectionTraining:
    """Train the network; write ``projection.keras`` and ``report.json`` into ``folder``.

    Returns
    -------
    ProjectionTraining
        As in ``report.json``, with the accuracy on disturbed validation images, by class and over all.

    Raises
    ------
    DataError, TrainingError
    """
    options, split = recipe.read_options(ProjectionOptions), training_split(root, recipe.seed)
    pictures, held_out = (
        _Pictures(
            load_images(images),
            adults(root, held_out=later),
            {kind: other_kinds(root, kind, held_out=later) for kind in KINDS if kind != _OTHER},
        )
        for images, later in ((split.train, False), (split.held_out, True))
    )
    keras.utils.set_random_seed(recipe.seed)
    model = build_projection(PROJECTION_SIDE, len(CLASSES), recipe.dropout)
    rare = list(pictures.kinds)
    turned = (1 - options.other - options.kinds * len(rare)) * (1 - _UPRIGHT_SHARE) / (len(ORIENTATIONS) - 1)
    shares = dict.fromkeys(ORIENTATIONS, turned) | dict.fromkeys(rare, options.kinds) | {_OTHER: options.other}
    shares["upright"] += 1 - sum(shares.values())
    names, chances = list(shares), list(shares.values())

    def sample(index: int, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
        name = names[int(rng.choice(len(names), p=chances))]
        y = np.zeros(len(CLASSES), np.float32)
        y[CLASSES.index(name)] = 1
        return as_projection_input(pictures.sample(name, rng, options.adults)), y, 1.0

    tests = {
        name: _validation(held_out, name, recipe.seed) for name in names if name not in rare or name in held_out.kinds
    }

    def score(network: keras.Model, size: int) -> dict[str, float]:
        accuracy = {name: _accuracy(network, inputs, name) for name, inputs in tests.items()}
        return {"accuracy": float(np.mean(list(accuracy.values())))} | accuracy

    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    feed = Feed(sample, options.samples, recipe.batch, recipe.seed)
    history = fit(model, loss, feed, recipe, folder, score, resume=resume)
    with outputs.draft(folder / "projection.keras", overwrite=True) as part:
        model.save(part, include_optimizer=False)
    epochs = [epoch.model_dump() for epoch in history]
    accuracy = score(model, PROJECTION_SIDE)
    record = ProjectionTraining(recipe=recipe.model_dump(mode="json"), validation=accuracy, history=epochs)
    outputs.write(folder / "report.json", record.to_json(), overwrite=True)
    return record


def _small(images: np.ndarray) -> Sequence[FloatImage]:
    return [cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) for image in images]


def _validation(pictures: _Pictures, name: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([as_projection_input(pictures.sample(name, rng, 0.5)) for _ in range(_VALIDATION)])


def _accuracy(network: keras.Model, inputs: np.ndarray, name: str) -> float:
    logits = keras.ops.convert_to_numpy(network(inputs, training=False))
    return float((logits.argmax(1) == CLASSES.index(name)).mean())
