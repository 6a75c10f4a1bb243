"""Training record: how weights were trained, stored beside them as ``training.json``."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cxrmodel.errors import TrainingError
from cxrmodel.messages import Message
from cxrmodel.paths import MODEL_FOLDER
from cxrmodel.records import Failure, Record, Sha256
from cxrmodel.training.recipe import ClassifierOptions, Recipe

UNFINISHED: Failure = (TrainingError, "training.unfinished")
BAD_RECORD: Failure = (TrainingError, "training.bad_record")


class Epoch(Record, extra="allow", allow_inf_nan=True):
    """One epoch: its number from 1, image side in pixels, learning rate at its end, mean training loss and scores.

    In JSON the scores follow the other fields; each training has its own.
    """

    epoch: int
    size: int
    rate: float
    loss: float
    __pydantic_extra__: dict[str, float] = Field(init=False)

    @property
    def scores(self) -> dict[str, float]:
        """Scores of the averaged weights on held-out images, by name."""
        return dict(self.__pydantic_extra__)


class ClassifierEpoch(Epoch, extra="forbid"):
    """One epoch of a classifier, with AUC and loss (equal weight for both classes) on held-out images."""

    held_out_auc: float
    held_out_loss: float


class Fold(Record):
    """One of several parts of the training patients: its ``number``, from 1, and their number ``of``.

    Raises
    ------
    ValidationError
        When there are fewer than two parts, or there is no part of that number.
    """

    number: Annotated[int, Field(ge=1)]
    of: Annotated[int, Field(ge=2)]

    @model_validator(mode="after")
    def _exists(self) -> Self:
        if self.number > self.of:
            raise ValueError(f"there is no fold {self.number} of {self.of}")
        return self


class TrainingSplit(Record):
    """The images of a training: counts by split and stratum, the held-out patients, and the files left out.

    Attributes
    ----------
    seed : int
    train_images, train_patients, held_out_images : int
    train_strata, held_out_strata : dict of str to int
        Images by stratum: ``normal``, ``bacteria``, ``virus``.
    held_out_patients : tuple of str
    repeats_dropped : tuple of str
        Files that repeat another file.
    used_images : int or None
        Training images with lungs, which the network saw.
    fold : Fold or None
        Training patients whose images were left out too, to be scored after training.
    """

    seed: int
    train_images: int
    train_patients: int
    train_strata: dict[str, int]
    held_out_images: int
    held_out_strata: dict[str, int]
    held_out_patients: tuple[str, ...]
    repeats_dropped: tuple[str, ...]
    used_images: int | None = None
    fold: Fold | None = None


class HeldOutScore(Record):
    """Logit of a held-out image: path inside the archive, label (0 negative, 1 positive) and logit."""

    file: str
    label: int
    logit: float


class TrainingRun(Record):
    """One run of training among those that led to some weights.

    Attributes
    ----------
    recipe : Recipe or None
    init : str or None
        ``none`` (random weights), ``imagenet``, or the name of the file with the initial weights.
    history : tuple of ClassifierEpoch
    weights_sha256 : str or None
        Of the resulting Keras file. All other fields are empty where only this is known.
    """

    recipe: Recipe | None = None
    init: str | None = None
    history: tuple[ClassifierEpoch, ...] = ()
    weights_sha256: Sha256 | None = None

    @property
    def schedule(self) -> Message:
        """Image sizes and epochs."""
        return self.recipe.schedule if self.recipe else Message("training.unknown_schedule")

    @property
    def start(self) -> Message:
        """The initial weights."""
        if self.init is None:
            return Message("training.unknown_weights")
        if self.init == "none":
            return Message("training.random_weights")
        return Message("training.given_weights", name=self.init)


class KindScore(Record):
    """Log loss of a candidate on one left-out kind of perturbation, in nats at even odds.

    Attributes
    ----------
    kind : str
        ``intact``, or a kind of ``cxrmodel.imaging.perturbations.KINDS``.
    log_loss : float
    standard_error : float
        Of its difference from the best candidate's.
    """

    kind: str
    log_loss: float
    standard_error: float


class CandidateScore(Record):
    """A way to calibrate among those compared.

    Attributes
    ----------
    name : str
    log_loss : float
        Mean over the left-out kinds.
    excess, standard_error : float
        Its difference from the best candidate's, and the standard error of that.
    kinds : tuple of KindScore
    """

    name: str
    log_loss: float
    excess: float
    standard_error: float
    kinds: tuple[KindScore, ...]


class FoldTraining(Record):
    """A training whose left-out patients calibrated a network: the fold that it left out, and its recipe."""

    fold: Fold
    recipe: Recipe


class CalibrationChoice(Record):
    """How the calibration of exported weights was chosen.

    Attributes
    ----------
    rule : str
        Stated in ``cxrmodel.training.calibration``.
    candidates : tuple of CandidateScore
        The simplest first; none where a class has fewer than two patients, and the simplest is taken.
    chosen : str
    scores, images, patients : int
        Logits that were used, and the images and patients that they belong to.
    trainings : tuple of FoldTraining
        Whose left-out patients were used; none where the held-out patients were.
    """

    rule: Literal["one_standard_error"] = "one_standard_error"
    candidates: tuple[CandidateScore, ...]
    chosen: str
    scores: int
    images: int
    patients: int
    trainings: tuple[FoldTraining, ...] = ()


class TrainingRecord(Record):
    """How the weights of a classifier were trained.

    Attributes
    ----------
    recipe : Recipe
    init : str
        As in :class:`TrainingRun`.
    before : tuple of TrainingRun
        The runs that led to the initial weights, the first one first.
    split : SplitRecord
    mean, std : float
        Of the grey levels of the training crops, 0..1.
    history : tuple of ClassifierEpoch
        Of this run.
    held_out : tuple of HeldOutScore
        Of the trained network.
    calibration : CalibrationChoice or None
        Of exported weights.
    """

    recipe: Recipe
    init: str
    before: tuple[TrainingRun, ...] = ()
    split: TrainingSplit
    mean: float
    std: float
    history: tuple[ClassifierEpoch, ...]
    held_out: tuple[HeldOutScore, ...]
    calibration: CalibrationChoice | None = None

    @property
    def options(self) -> ClassifierOptions:
        """Preprocessing and augmentation.

        Raises
        ------
        TrainingError
        """
        return self.recipe.read_options(ClassifierOptions)

    @property
    def runs(self) -> tuple[TrainingRun, ...]:
        """All runs that led to the weights, this one last."""
        return *self.before, TrainingRun(recipe=self.recipe, init=self.init, history=self.history)

    def epochs(self) -> Iterator[tuple[int, int, ClassifierEpoch]]:
        """Give every epoch of all runs: its number over all runs and its run's number, both from 1, and itself."""
        pairs = ((run, epoch) for run, part in enumerate(self.runs, start=1) for epoch in part.history)
        for number, (run, epoch) in enumerate(pairs, start=1):
            yield number, run, epoch

    @property
    def summary(self) -> Message:
        """Image sizes and epochs of all runs, and the weights at the start."""
        return summarise(self.runs)


def summarise(runs: Iterable[TrainingRun]) -> Message:
    """Image sizes and epochs of consecutive runs, and the weights that the first one started from."""
    first, *others = runs
    schedule = first.schedule
    for run in others:
        schedule = Message("training.then", first=schedule, second=run.schedule)
    return Message("training.summary", schedule=schedule, start=first.start)


def load_training_record(path: Path) -> TrainingRecord:
    """Read a training record.

    Raises
    ------
    TrainingError
        When the file is missing or damaged; the message names the field at fault.
    """
    return TrainingRecord.load(path, UNFINISHED, BAD_RECORD)


def shipped_training_record(model: str, folder: Path = MODEL_FOLDER) -> TrainingRecord | None:
    """Read the training record of a shipped model; None where there is none.

    Raises
    ------
    TrainingError
        When the file is damaged.
    """
    path = folder / f"{model}.training.json"
    return load_training_record(path) if path.is_file() else None
