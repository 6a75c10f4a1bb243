"""Training record: what is stored beside a model's weights of how they were trained."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.record import Record, what_is_wrong
from cxrmodel.model.spec import MODEL_FOLDER

__all__ = ["Epoch", "HeldOutScore", "Recipe", "TrainingRecord", "TrainingRun", "TrainingSplit", "load_training_record"]


class Recipe(Record):
    """Settings of a training; see `cxrmodel.training.loop.Recipe`."""

    model: str
    stages: tuple[tuple[int, int], ...]
    seed: int
    batch: int
    peak_rate: float
    weight_decay: float
    warmup_epochs: float
    average: float
    precision: str
    dropout: float
    mixup: float = 0.0
    smoothing: float = 0.0
    options: dict[str, bool | float]


class Epoch(Record):
    """One epoch: its number from 1, image side in pixels, last learning rate, and losses."""

    epoch: int
    size: int
    rate: float
    loss: float
    held_out_auc: float
    held_out_loss: float


class TrainingRun(Record):
    """A training before the last one, whose weights the next began with.

    Attributes
    ----------
    recipe : Recipe or None
    init : str
        ``none`` for random weights, else the file of weights that it began with.
    history : tuple of Epoch
        Empty where it was not kept.
    weights_sha256 : str
    """

    recipe: Recipe | None = None
    init: str = ""
    history: tuple[Epoch, ...] = ()
    weights_sha256: str = ""


class TrainingSplit(Record):
    """How the training images were split by patient.

    Attributes
    ----------
    seed : int
    train_images, train_patients, held_out_images, used_images : int
    train_strata, held_out_strata : dict of str to int
        Images by ``normal``, ``bacteria`` and ``virus``.
    held_out_patients, repeats_dropped : tuple of str
        Patients that were held out, and files that repeat another one.
    """

    seed: int
    train_images: int
    train_patients: int
    train_strata: dict[str, int]
    held_out_images: int
    held_out_strata: dict[str, int]
    held_out_patients: tuple[str, ...]
    repeats_dropped: tuple[str, ...]
    used_images: int


class HeldOutScore(Record):
    """A held-out image with its label and logit."""

    file: str
    label: int
    logit: float


class TrainingRecord(TrainingRun):
    """The training that gave the weights.

    Attributes
    ----------
    before : tuple of TrainingRun
        Trainings before, in order.
    split : TrainingSplit
    mean, std : float
        Of the training images, by which inputs are normalised.
    held_out : tuple of HeldOutScore
    """

    before: tuple[TrainingRun, ...] = ()
    split: TrainingSplit
    mean: float
    std: float
    held_out: tuple[HeldOutScore, ...]

    @property
    def runs(self) -> tuple[TrainingRun, ...]:
        """All trainings in order, this one last."""
        return (*self.before, self)

    def epochs(self) -> Iterator[tuple[int, int, Epoch]]:
        """Give every epoch of all trainings: its number counted through, its training (both from 1), and itself."""
        pairs = ((place, epoch) for place, run in enumerate(self.runs, start=1) for epoch in run.history)
        for number, (place, epoch) in enumerate(pairs, start=1):
            yield number, place, epoch


def load_training_record(model: str, folder: Path = MODEL_FOLDER) -> TrainingRecord | None:
    """Read the training record of a model; None where there is none.

    Raises
    ------
    EvaluationError
        When the file is damaged.
    """
    try:
        return TrainingRecord.model_validate_json((folder / f"{model}.training.json").read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise EvaluationError("evaluation.error.training_record", model=model, what=what_is_wrong(error)) from error
