"""Out-of-fold scores: left-out training patients read by a network that did not see them, also perturbed.

The calibration is chosen and fitted on them (``cxrmodel.training.calibration``).
"""

from collections.abc import Iterator, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from cxrmodel.imaging.lungs import LungFields, LungSegmenter
from cxrmodel.imaging.perturbations import KINDS, perturbations
from cxrmodel.model.network import for_reading
from cxrmodel.model.preprocess import prepare
from cxrmodel.records import Record
from cxrmodel.training.archive import Image, load_images
from cxrmodel.training.record import TrainingRecord

FILE = "out_of_fold.json"
INTACT = "intact"
BATCH = 32
SEED = 0

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


class OutOfFoldScore(Record):
    """Logit of a left-out image.

    Attributes
    ----------
    file : str
        Path inside the archive.
    label : int
        0 negative, 1 positive.
    patient : str
    kind : str
        Of its perturbation, or ``intact``.
    logit : float
        Mean of both views, as in a reading.
    """

    file: str
    label: int
    patient: str
    kind: str
    logit: float


class OutOfFold(Record):
    """What a training wrote about the fold that it left out: the scores of its images."""

    scores: tuple[OutOfFoldScore, ...]


def score_left_out(
    network: keras.Model, images: Sequence[Image], segmenter: LungSegmenter, record: TrainingRecord
) -> OutOfFold:
    """Score images intact and perturbed; those without plausible lungs are left out, as a reading rejects them.

    Parameters
    ----------
    network : keras.Model
        Trained, of a fixed input size.
    images : sequence of Image
        That it did not see.
    record : TrainingRecord
        Of its training.
    """
    reading = for_reading(network, record.recipe.model)
    logit = keras.Model(reading.input, reading.outputs[0])
    scored, tensors = [], []
    for image, kind, pixels, mask in _variants(images, segmenter):
        if segmenter.plausible(pixels, mask):
            ready = prepare(
                pixels,
                LungFields(mask).box,
                margin=record.options.margin,
                size=record.recipe.final_size,
                mean=record.mean,
                std=record.std,
            )
            scored.append((image, kind))
            tensors.append(ready.tensor)
    parts = [logit.predict_on_batch(np.stack(tensors[i : i + BATCH])) for i in range(0, len(tensors), BATCH)]
    return OutOfFold(
        scores=tuple(
            OutOfFoldScore(file=image.name, label=image.label, patient=image.patient, kind=kind, logit=float(value))
            for (image, kind), value in zip(scored, np.concatenate(parts)[:, 0], strict=True)
        )
    )


def _variants(images: Sequence[Image], segmenter: LungSegmenter) -> Iterator[tuple[Image, str, Pixels, Mask]]:
    """Each image intact, and under one perturbation where that changes it, with its lungs; all kinds in turn."""
    loaded = load_images(images)
    changes, kinds = perturbations(loaded), list(KINDS)
    for place, (image, pixels) in enumerate(zip(images, loaded, strict=True)):
        mask = segmenter.masks(pixels[None])[0]
        yield image, INTACT, pixels, mask
        kind = kinds[place % len(kinds)]
        names = KINDS[kind]
        change = changes[names[place // len(kinds) % len(names)]]
        made = change(pixels, mask, np.random.default_rng((SEED, place)))
        if (made != pixels).any():
            yield image, kind, made, segmenter.masks(made[None])[0]
