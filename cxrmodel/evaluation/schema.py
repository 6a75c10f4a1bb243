"""Schema of an evaluation: the typed, versioned record behind ``assets/evaluation/<model>.json``.

A document is valid only when its figures follow from the scores that it holds.
"""

import math
from collections.abc import Mapping
from datetime import date
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, JsonValue, NonNegativeInt, model_validator

from cxrmodel.errors import CxrError, DataError
from cxrmodel.evaluation.audits.schema import Audits, CheckAudit, Split
from cxrmodel.evaluation.explanations.schema import ExplanationAudit
from cxrmodel.messages import Message
from cxrmodel.metrics import validation
from cxrmodel.metrics.bootstrap import weighted
from cxrmodel.metrics.calibration import at_observed_prevalence
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.performance import Performance, evaluate_scores
from cxrmodel.metrics.rates import confusion_at
from cxrmodel.metrics.registry import rates_in_order, score_metrics
from cxrmodel.model.calibration import finding
from cxrmodel.model.spec import OPERATING_POINTS, Labels
from cxrmodel.records import Record, Sha256, Share
from cxrmodel.sinks import storable

FORMAT = 2
"""Version of the schema that this program writes and reads."""
DATASET_NAME = "[A-Za-z0-9][A-Za-z0-9 _-]{0,60}"
"""Pattern of what can be part of a file's name, and needs no care on a page."""
SPLITS: tuple[Split, Split] = ("test", "held_out")
_ROUNDING = 1e-4
"""Largest difference of a stored figure from that of the stored scores, as both are rounded."""


class Bootstrap(Record):
    """How intervals were made: resamples drawn with a seed, their confidence level, and what is resampled."""

    resamples: NonNegativeInt
    seed: int
    level: Share
    unit: Literal["patient"] = "patient"


class Provenance(Record):
    """Hashes of the code and of the images of each split, and versions of Python and of libraries."""

    code_sha256: Sha256
    images_sha256: dict[str, Sha256]
    python: str
    libraries: dict[str, str]


class Dataset(Record):
    """A user's own images.

    Attributes
    ----------
    name : str
    folder : str
        Where in the given folder NORMAL and PNEUMONIA were found: ``.`` for itself.
    named : int
        Images whose patient is known, from names that follow the archive's or from a table of labels; each other image
        counts as a patient.
    origin : {"folders", "archive", "table"}
        Images that were read for the evaluation, or the output of an archive, labelled by folders or by a table.
    """

    name: str = Field(pattern=f"^{DATASET_NAME}$")
    folder: str
    named: int
    origin: Literal["folders", "archive", "table"] = "folders"

    @property
    def described(self) -> Message:
        """Where images and labels come from."""
        return Message(f"evaluation.own.{self.origin}", folder=self.folder)

    def grouping(self, images: int) -> Message:
        """How the images of a set of this size were grouped into patients."""
        code = "all" if self.named == images else "some" if self.named else "none"
        kind = "grouping_by_table" if self.origin == "table" else "grouping"
        return Message(f"evaluation.{kind}.{code}", images=images, named=self.named)


class ScoredImage(Record):
    """An image that was read.

    Attributes
    ----------
    file : str
        Path inside the archive.
    label : {0, 1}
    organism : str
        ``bacteria``, ``virus`` or empty.
    patient : str
        Grouping key.
    logit, probability : float
        Before and after calibration; probability in 0..1.
    """

    file: str
    label: Literal[0, 1]
    organism: str = Field(pattern="^[A-Za-z0-9_-]*$")
    patient: str
    logit: float
    probability: float = Field(ge=0, le=1)


class Refusal(Record):
    """An image that was not read: its file, and the reason as message code with values."""

    file: str
    code: str
    values: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _in_words(self) -> Self:
        try:
            str(self.reason)
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"there are no words for the reason {self.code}") from error
        return self

    @classmethod
    def of(cls, file: str, error: CxrError) -> Self:
        """Store an error."""
        values: dict[str, JsonValue] = {
            name: value if isinstance(value, bool | int | float) else storable(str(value))
            for name, value in error.message.values.items()
        }
        return cls(file=file, code=error.message.code, values=values)

    @property
    def reason(self) -> Message:
        """Why it was not read."""
        return Message(self.code, **self.values)


class SplitCounts(Record):
    """Images of a split, refused ones included.

    Attributes
    ----------
    images, patients, negative, positive, refused : int
    strata : dict of str to int
        Positive images by organism.
    """

    images: NonNegativeInt
    patients: NonNegativeInt
    negative: NonNegativeInt
    positive: NonNegativeInt
    refused: NonNegativeInt
    strata: dict[str, NonNegativeInt]


class SplitScores(Record):
    """One split of the images: what was read, what was refused, and the performance.

    Attributes
    ----------
    counts : SplitCounts
    performance : Performance
    images : tuple of ScoredImage
        In the order of their names.
    refused : tuple of Refusal
    """

    counts: SplitCounts
    performance: Performance
    refused: tuple[Refusal, ...] = ()
    images: tuple[ScoredImage, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """Path of each image."""
        return tuple(image.file for image in self.images)

    @property
    def organisms(self) -> tuple[str, ...]:
        """Organism of each image."""
        return tuple(image.organism for image in self.images)

    @property
    def patients(self) -> tuple[str, ...]:
        """Patient of each image."""
        return tuple(image.patient for image in self.images)

    @property
    def labels(self) -> validation.Labels:
        """0 negative, 1 positive: ndarray of int64, shape (N,)."""
        return np.array([image.label for image in self.images], np.int64)

    @property
    def logits(self) -> validation.Values:
        """Before calibration: ndarray of float64, shape (N,)."""
        return np.array([image.logit for image in self.images], np.float64)

    @property
    def probabilities(self) -> validation.Values:
        """After calibration, 0..1: ndarray of float64, shape (N,)."""
        return np.array([image.probability for image in self.images], np.float64)

    def findings(self, operating_points: Mapping[str, float], labels: Labels) -> NDArray[np.str_]:
        """Finding of each image, one of ``labels.findings``."""
        return np.array([finding(image.probability, operating_points, labels) for image in self.images])

    def check(self, operating_points: Mapping[str, float], prevalence: float) -> None:
        """Make sure that counts and performance follow from the images, whose probabilities assume the prevalence.

        Raises
        ------
        ValueError
            When they do not.
        """
        counts = self.counts
        if not len(self.images) == counts.images - counts.refused == counts.images - len(self.refused):
            raise ValueError("the number of images is not the one stated")
        labels, probabilities = validation.of_both_classes(self.labels, self.probabilities)
        whole = weighted(labels, probabilities, np.ones((1, len(labels))))
        whole = at_observed_prevalence(whole, prevalence, float(labels.mean()))
        for metric in score_metrics():
            if metric.name in self.performance.overall:
                _compare(metric.name, self.performance.overall[metric.name], float(metric.measure(whole)[0]))
        if list(self.performance.at) != list(operating_points):
            raise ValueError("the operating points are not those of the model")
        for point, threshold in operating_points.items():
            stored, counted = self.performance.at[point], confusion_at(labels, probabilities, threshold)
            if stored.threshold != threshold or stored.confusion != counted:
                raise ValueError(f"counts at {point} do not follow from the images")
            for rate in rates_in_order():
                if rate.name in stored.rates:
                    _compare(f"{rate.name} at {point}", stored.rates[rate.name], float(rate.measure(counted.counts)))

    def measured(self, operating_points: Mapping[str, float], prevalence: float, resamples: int, seed: int) -> Self:
        """Compute the performance again from the images."""
        scores = (self.labels, self.probabilities, self.patients)
        found = evaluate_scores(*scores, operating_points, resamples, seed, prevalence=prevalence)
        return self.replace(performance=found)

    @property
    def has_every_metric(self) -> bool:
        """Whether the performance holds exactly the registered metrics, in their order."""
        points = self.performance.at.values()
        return list(self.performance.overall) == [metric.name for metric in score_metrics()] and all(
            list(point.rates) == [rate.name for rate in rates_in_order()] for point in points
        )


class Difference(Record):
    """Absolute difference over pairs of images: mean and maximum."""

    mean: float
    max: float


class Agreement(Record):
    """Readings of original files against those of their small copies.

    Attributes
    ----------
    images : int
        Pairs that were compared.
    changed_findings : int
        Pairs whose finding differs.
    logit, probability : Difference
    refused : tuple of Refusal
        Files that were not read; their pairs are left out.
    """

    images: NonNegativeInt
    changed_findings: NonNegativeInt
    logit: Difference
    probability: Difference
    refused: tuple[Refusal, ...]


class Evaluation(Record):
    """The evaluation of one model.

    Attributes
    ----------
    format : int
        Version of this schema.
    model, version, weights_sha256 : str
        Name, name with the first digits of the graph's sha256, and sha256 of the weights.
    created : date
    labels : Labels
        The class whose probability the model gives, and the other one.
    prevalence : float
        That the probabilities assume, 0..1.
    operating_points : dict of str to float
        Threshold on the probability of ``high_sensitivity``, ``balanced`` and ``high_specificity``.
    bootstrap : Bootstrap
    provenance : Provenance or None
    dataset : Dataset or None
        Of a user's own images; None for the public archive.
    splits : dict of str to SplitScores
        ``test`` and ``held_out``; of a user's own images ``test`` alone.
    agreement : Agreement or None
        Where originals were at hand.
    audits : Audits or None
    checks : CheckAudit or None
    explanations : ExplanationAudit or None
        Where they were measured for the same weights.

    Raises
    ------
    pydantic.ValidationError
        When anything is missing or unknown, or a figure does not follow from the scores.
    """

    model_config = ConfigDict(ser_json_inf_nan="strings")

    format: Literal[2] = 2
    model: str
    version: str
    weights_sha256: Sha256
    created: date
    labels: Labels
    prevalence: Share
    operating_points: dict[str, float]
    bootstrap: Bootstrap
    provenance: Provenance | None = None
    dataset: Dataset | None = None
    splits: dict[str, SplitScores]
    agreement: Agreement | None = None
    audits: Audits | None = None
    checks: CheckAudit | None = None
    explanations: ExplanationAudit | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if tuple(self.operating_points) != OPERATING_POINTS:
            raise ValueError(f"the operating points are not {', '.join(OPERATING_POINTS)}")
        if tuple(self.splits) != (SPLITS if self.dataset is None else SPLITS[:1]):
            raise ValueError("the splits are not those of such an evaluation")
        for name, split in self.splits.items():
            try:
                split.check(self.operating_points, self.prevalence)
            except (ValueError, DataError) as error:
                raise ValueError(f"{name}: {error}") from error
        return self

    @property
    def resampling(self) -> dict[str, int]:
        """``resamples`` and ``seed`` of the intervals, for figures computed again from the scores."""
        return {"resamples": self.bootstrap.resamples, "seed": self.bootstrap.seed}

    def completed(self) -> Self:
        """Compute the performance again from the scores where a metric was registered or removed since."""
        if all(split.has_every_metric for split in self.splits.values()):
            return self
        points, prevalence = self.operating_points, self.prevalence
        splits = {name: split.measured(points, prevalence, **self.resampling) for name, split in self.splits.items()}
        return self.replace(splits=splits)


def _compare(name: str, stored: Estimate, computed: float) -> None:
    if stored.value is None or math.isnan(computed):
        same = stored.value is None and math.isnan(computed)
    else:
        same = math.isclose(stored.value, computed, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
    if not same:
        raise ValueError(f"{name} does not follow from the images")
