"""Spread over training seeds: trained runs measured on the test images, stored in ``seeds.json``.

Runs of one model and one form (recipe except for the seed) belong together. The seed also draws the held-out patients,
so the spread contains that of the threshold which they fix. The threshold of a run is fixed on the logits of its
training record, at even prevalence; `cxrmodel export` fixes the shipped thresholds on whole readings, so accuracies of
the shipped weights differ a little from those of their evaluation.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from cxrmodel import outputs
from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.storage import EVALUATION_FOLDER
from cxrmodel.imaging.lungs import LungSegmenter
from cxrmodel.messages import Message
from cxrmodel.metrics.estimate import significant
from cxrmodel.metrics.thresholds import choose_operating_points
from cxrmodel.model.calibration import probability
from cxrmodel.model.preprocess import normalise
from cxrmodel.records import Failure, Record, Sha256
from cxrmodel.training.archive import find_images
from cxrmodel.training.record import TrainingRecord, TrainingRun, load_training_record

MEASURES = ("held_out_auc", "auc", "accuracy", "balanced_accuracy")
FILE = "seeds.json"
UNREADABLE: Failure = (EvaluationError, "evaluation.error.seeds_unreadable")
DAMAGED: Failure = (EvaluationError, "evaluation.error.seeds")
BATCH = 32


class TrainingForm(Record):
    """Image sizes in pixels with their epochs, and whether images were mixed; no stages where they are unknown."""

    stages: tuple[tuple[int, int], ...] = ()
    mixup: bool = False

    @property
    def schedule(self) -> Message:
        """In words."""
        if not self.stages:
            return Message("training.unknown_schedule")
        stages = ", ".join(str(Message("training.stage", size=size, epochs=epochs)) for size, epochs in self.stages)
        return Message("training.schedule_with_mixup" if self.mixup else "training.schedule", stages=stages)


class SeedRun(Record):
    """A measured training.

    Attributes
    ----------
    model : str
    trainings : tuple of TrainingForm
        All trainings that led to the weights, the last one last.
    init : str or None
        Initial weights of the first: ``none`` for random ones, a name, or None where unknown.
    seed : int
    weights_sha256 : str
    held_out_auc, auc, accuracy, balanced_accuracy : float
        On held-out and on test images, 0..1; accuracies at the balanced threshold of the run's own held-out patients.
    """

    model: str
    trainings: tuple[TrainingForm, ...]
    init: str | None
    seed: int
    weights_sha256: Sha256
    held_out_auc: float
    auc: float
    accuracy: float
    balanced_accuracy: float

    @property
    def form(self) -> Message:
        """Trainings and initial weights in words."""
        first, *others = self.trainings
        schedule = first.schedule
        for training in others:
            schedule = Message("training.then", first=schedule, second=training.schedule)
        return Message("training.summary", schedule=schedule, start=TrainingRun(init=self.init).start)


class _SeedFile(Record):
    format: Literal[2]
    runs: tuple[SeedRun, ...]


class Moments(NamedTuple):
    """Mean and sample standard deviation; None for a single run."""

    mean: float
    deviation: float | None


@dataclass(frozen=True)
class SeedGroup:
    """Runs of one model and form.

    Attributes
    ----------
    model : str
    form : Message
    seeds : tuple of int
    weights : frozenset of str
        Their sha256.
    measures : dict of str to Moments
        By the names of `MEASURES`.
    """

    model: str
    form: Message
    seeds: tuple[int, ...]
    weights: frozenset[str]
    measures: dict[str, Moments]


def measure_run(run: Path, root: Path) -> SeedRun:
    """Measure one finished training on the official test images, leaving out those on which no lungs are found.

    Parameters
    ----------
    run : Path
        Folder that ``train`` wrote.
    root : Path
        The archive.

    Raises
    ------
    DataError, TrainingError
        When an image cannot be read, or the folder holds no finished training.
    """
    import keras

    from cxrmodel.training.classifier import load_training_images
    from cxrmodel.training.export import load_network

    record = load_training_record(run / "training.json")
    network, weights = load_network(run, record.recipe.model)
    images = load_training_images(root, find_images(root, ("test",)), LungSegmenter.load())
    inputs = normalise(images.crops(record.options.margin, record.recipe.final_size), record.mean, record.std)
    logits = [
        keras.ops.convert_to_numpy(network(inputs[i : i + BATCH], training=False))[:, 0]
        for i in range(0, len(inputs), BATCH)
    ]
    held_out_labels = np.array([image.label for image in record.held_out])
    held_out_logits = np.array([image.logit for image in record.held_out])
    threshold = choose_operating_points(held_out_labels, probability(held_out_logits, 1.0, 0.5))["balanced"]
    labels, values = images.labels.astype(int), probability(np.concatenate(logits), 1.0, 0.5)
    trainings, init = form_of(record)
    return SeedRun(
        model=record.recipe.model,
        trainings=trainings,
        init=init,
        seed=record.recipe.seed,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        held_out_auc=significant(roc_auc_score(held_out_labels, held_out_logits)),
        auc=significant(roc_auc_score(labels, values)),
        accuracy=significant(accuracy_score(labels, values >= threshold)),
        balanced_accuracy=significant(balanced_accuracy_score(labels, values >= threshold)),
    )


def form_of(record: TrainingRecord) -> tuple[tuple[TrainingForm, ...], str | None]:
    """Form of a training, with those of the trainings before it, and the initial weights of the first."""
    forms = tuple(
        TrainingForm(stages=run.recipe.stages, mixup=run.recipe.mixup > 0) if run.recipe else TrainingForm()
        for run in record.runs
    )
    return forms, record.runs[0].init


def spread(runs: Iterable[SeedRun]) -> list[SeedGroup]:
    """Mean and sample standard deviation of every measure over the runs of one model and form."""
    groups: dict[tuple[str, str], list[SeedRun]] = {}
    for run in sorted(runs, key=_order):
        groups.setdefault((run.model, str(run.form)), []).append(run)
    return [
        SeedGroup(
            model=members[0].model,
            form=members[0].form,
            seeds=tuple(run.seed for run in members),
            weights=frozenset(run.weights_sha256 for run in members),
            measures={name: _moments([getattr(run, name) for run in members]) for name in MEASURES},
        )
        for members in groups.values()
    ]


def _moments(values: Sequence[float]) -> Moments:
    deviation = significant(float(np.std(values, ddof=1))) if len(values) > 1 else None
    return Moments(significant(float(np.mean(values))), deviation)


def _order(run: SeedRun) -> tuple[object, ...]:
    return run.model, [(form.stages, form.mixup) for form in run.trainings], run.init or "", run.seed


def load_seeds(folder: Path = EVALUATION_FOLDER) -> tuple[SeedRun, ...]:
    """Read the measured runs; none where there is no file.

    Raises
    ------
    EvaluationError
        When the file is damaged or of another format.
    """
    path = Path(folder) / FILE
    return _SeedFile.load(path, UNREADABLE, DAMAGED).runs if path.is_file() else ()


def save_seeds(runs: Iterable[SeedRun], folder: Path = EVALUATION_FOLDER) -> tuple[SeedRun, ...]:
    """Add runs to the file; one of the same model, form and seed is replaced.

    Returns
    -------
    tuple of SeedRun
        All runs now in the file.
    """
    merged = {(run.model, run.form, run.seed): run for run in [*load_seeds(folder), *runs]}
    stored = _SeedFile(format=2, runs=tuple(sorted(merged.values(), key=_order)))
    outputs.write(Path(folder) / FILE, stored.to_json(), overwrite=True)
    return stored.runs
