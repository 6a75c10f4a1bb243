"""Out-of-fold scores: left-out training patients read by a network that did not see them, also perturbed.

The calibration is chosen and fitted on them (``cxrmodel.training.calibration``).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from cxrmodel.errors import TrainingError
from cxrmodel.imaging.lungs import LungFields, LungSegmenter
from cxrmodel.imaging.perturbations import INTACT, KINDS, perturbations
from cxrmodel.model.network import for_reading
from cxrmodel.model.preprocess import prepare
from cxrmodel.records import Failure, Record
from cxrmodel.training.archive import Image, load_images
from cxrmodel.training.calibration import Scores
from cxrmodel.training.record import UNFINISHED, FoldTraining, TrainingRecord, load_training_record

FILE = "out_of_fold.json"
BAD_SCORES: Failure = (TrainingError, "training.bad_scores")
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


def load_folds(runs: Sequence[Path], record: TrainingRecord) -> tuple[Scores, tuple[FoldTraining, ...]]:
    """Read the scores that the trainings of all folds wrote.

    Parameters
    ----------
    runs : sequence of Path
        Their folders, in any order.
    record : TrainingRecord
        Of the network to calibrate.

    Raises
    ------
    TrainingError
        When a file is missing or damaged, a training is of another model or split or left out no fold, a fold is
        missing or there twice, or a kind of perturbation was not scored.
    """
    trainings: dict[int, FoldTraining] = {}
    scored: list[tuple[int, OutOfFoldScore]] = []
    for run in runs:
        training = _fold_training(run, record, trainings)
        trainings[training.fold.number] = training
        found = OutOfFold.load(run / FILE, UNFINISHED, BAD_SCORES).scores
        absent = {INTACT, *KINDS} - {score.kind for score in found}
        if absent:
            raise TrainingError("training.fold_lacks_kinds", run=str(run), kinds=tuple(sorted(absent)))
        scored += [(training.fold.number, score) for score in found]
    of = max(training.fold.of for training in trainings.values())
    missing = sorted(set(range(1, of + 1)) - set(trainings))
    if missing:
        raise TrainingError("training.folds_missing", missing=tuple(map(str, missing)), of=of)
    scored.sort(key=lambda each: (each[1].file, each[1].kind))
    scores = Scores(
        labels=np.array([score.label for _, score in scored]),
        logits=np.array([score.logit for _, score in scored]),
        files=np.array([score.file for _, score in scored]),
        patients=np.array([score.patient for _, score in scored]),
        kinds=np.array([score.kind for _, score in scored]),
        folds=np.array([fold for fold, _ in scored]),
    )
    return scores, tuple(trainings[number] for number in sorted(trainings))


def _fold_training(run: Path, record: TrainingRecord, others: Mapping[int, FoldTraining]) -> FoldTraining:
    """Which fold a training left out, if it goes with the network to calibrate and with the other trainings."""
    found = load_training_record(run / "training.json")
    fold, model = found.split.fold, record.recipe.model
    if fold is None:
        raise TrainingError("training.not_a_fold", run=str(run))
    if found.recipe.model != model:
        raise TrainingError("training.fold_of_other_model", run=str(run), found=found.recipe.model, model=model)
    counts = {fold.of, *(other.fold.of for other in others.values())}
    if found.split.held_out_patients != record.split.held_out_patients or len(counts) > 1:
        raise TrainingError("training.fold_of_other_split", run=str(run))
    if fold.number in others:
        raise TrainingError("training.fold_twice", run=str(run))
    return FoldTraining(fold=fold, recipe=found.recipe)


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
            scored.append((image, kind))
            tensors.append(input_tensor(pixels, mask, record))
    parts = [logit.predict_on_batch(np.stack(tensors[i : i + BATCH])) for i in range(0, len(tensors), BATCH)]
    return OutOfFold(
        scores=tuple(
            OutOfFoldScore(file=image.name, label=image.label, patient=image.patient, kind=kind, logit=float(value))
            for (image, kind), value in zip(scored, np.concatenate(parts)[:, 0], strict=True)
        )
    )


def input_tensor(pixels: Pixels, mask: Mask, record: TrainingRecord) -> NDArray[np.float32]:
    """What the network of a training sees of a canonical image with these lungs: float32, shape (S, S, 1)."""
    ready = prepare(
        pixels,
        LungFields(mask).box,
        margin=record.options.margin,
        size=record.recipe.final_size,
        mean=record.mean,
        std=record.std,
    )
    return ready.tensor


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
