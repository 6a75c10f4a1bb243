"""Specification of a set of weights, ``assets/model/NAME.spec.json``: whatever must match them, in one place."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, TypedDict

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from cxrmodel.artefacts import read_checked
from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.messages import Message
from cxrmodel.model.manifest import load_manifest
from cxrmodel.paths import MODEL_FOLDER
from cxrmodel.records import Record, Sha256, Share

FORMAT: Final = 3

UNCERTAIN = "uncertain"
"""The finding between the outer thresholds."""


Distance = Annotated[float, Field(gt=0, le=1e6)]
"""How far an image is from the training images, see ``cxrmodel.checks.feature_distribution``."""


class Preparation(TypedDict):
    """Keyword arguments of ``cxrmodel.model.preprocess.prepare``."""

    margin: float
    size: int
    mean: float
    std: float


class Labels(Record):
    """Names of the two classes, as findings and file formats use them: ``pneumonia`` and ``normal``."""

    positive: Annotated[str, Field(pattern=r"^[a-z][a-z _-]*$")]
    negative: Annotated[str, Field(pattern=r"^[a-z][a-z _-]*$")]

    @property
    def findings(self) -> tuple[str, str, str]:
        """Every finding, from positive to negative."""
        return self.positive, UNCERTAIN, self.negative

    @model_validator(mode="after")
    def _distinct(self) -> "Labels":
        if len(set(self.findings)) < 3:
            raise ValueError("the two labels differ from each other and from 'uncertain'")
        return self


class AgeRange(Record):
    """Ages of the training patients in completed years, both included. ``str`` gives the words."""

    low: Annotated[int, Field(ge=0, le=120)]
    high: Annotated[int, Field(ge=0, le=120)]

    @model_validator(mode="after")
    def _ordered(self) -> "AgeRange":
        if self.low > self.high:
            raise ValueError("low is at most high")
        return self

    def contains(self, age_years: float) -> bool:
        """Whether an age in years lies in the range: 5.9 is an age of 5 completed years."""
        return self.low <= age_years < self.high + 1

    def __str__(self) -> str:
        return str(Message("model.ages", low=self.low, high=self.high))


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid", allow_inf_nan=False))
class OperatingPoints(Mapping[str, float]):
    """Thresholds on the calibrated probability, by name; a mapping too.

    Should the outer thresholds cross, no probability is uncertain and ``balanced`` decides.
    """

    high_sensitivity: Share
    balanced: Share
    high_specificity: Share

    def __getitem__(self, name: str) -> float:
        if name not in OPERATING_POINTS:
            raise KeyError(name)
        return float(getattr(self, name))

    def __iter__(self) -> Iterator[str]:
        return iter(OPERATING_POINTS)

    def __len__(self) -> int:
        return len(OPERATING_POINTS)


OPERATING_POINTS = ("high_sensitivity", "balanced", "high_specificity")
"""Names of the operating points, from the lowest threshold to the highest."""


class Levels(Record):
    """Thresholds of a measure that warns in two levels; a value at a threshold does not exceed it.

    Attributes
    ----------
    somewhat, clearly : float
    source : str
        How they were chosen.
    """

    somewhat: Distance
    clearly: Distance
    source: str

    @model_validator(mode="after")
    def _ordered(self) -> "Levels":
        if self.somewhat > self.clearly:
            raise ValueError("somewhat is at most clearly")
        return self


class Population(Record):
    """The checks whether an image is like the training images, on the network's features.

    Attributes
    ----------
    distance : Levels
        Of the distance from the training images.
    similarity : Levels
        Of the similarity to images of adults.
    adult_images : int
        Images of adults that the similarity was learnt from; 0 where it is not measured.
    sha256 : str
        Of ``NAME.features.npz``, the distribution of the features of training images.
    """

    distance: Levels
    similarity: Levels
    adult_images: Annotated[int, Field(ge=0)]
    sha256: Sha256


class ModelSpec(Record):
    """What belongs to one set of weights.

    Attributes
    ----------
    format : int
        Version of this schema.
    model : str
        Name in ``cxrmodel.models.MODELS``.
    labels : Labels
        The class whose probability the model gives, and the other one.
    ages : AgeRange
        Of the training patients.
    trained_on : str
        Name of the data, for readers.
    weights_sha256, graph_sha256, lungs_sha256 : str
        Of the Keras file, of the ONNX graph exported from it, and of the lung segmenter that the model was fixed with.
    input_size : int
        Side of the input in pixels.
    mean, std : float
        Of the grey levels of the training crops, 0..1.
    margin : float
        Share by which the lung box is widened on each side.
    cam_layer : str
        Layer that Grad-CAM weights.
    bias : float
        Of the logit: with the contributions of all places it sums to the logit.
    temperature, intercept : float
        Of the calibration: log-odds = logit / temperature + intercept, at even prevalence.
    prevalence : float
        Prevalence of the positive class that the probability assumes, 0..1.
    operating_points : OperatingPoints
    heat_range : float
        Top of the colour range of every Grad-CAM map, in units of the logit; the bottom is 0.
    heat_percentile : float
        Percentile of the maps of positive held-out images that ``heat_range`` is.
    population : Population
    split_seed : int
        Of the split by patient into training and held-out images.
    held_out_patients : tuple of str
        On whom calibration, thresholds and ranges were fixed.
    version : str
        That of the manifest, not stored in the file; empty before ``load_spec`` or an export has set it.
    """

    format: Literal[3]
    model: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
    labels: Labels
    ages: AgeRange
    trained_on: Annotated[str, Field(min_length=1)]
    weights_sha256: Sha256
    graph_sha256: Sha256
    lungs_sha256: Sha256
    input_size: Annotated[int, Field(ge=8, le=2048)]
    mean: Share
    std: Share
    margin: Annotated[float, Field(ge=0, le=1)]
    cam_layer: Annotated[str, Field(min_length=1)]
    bias: Annotated[float, Field(ge=-100, le=100)]
    temperature: Annotated[float, Field(ge=0.05, le=20)]
    intercept: Annotated[float, Field(ge=-20, le=20)]
    prevalence: Share
    operating_points: OperatingPoints
    heat_range: Annotated[float, Field(gt=0, le=1000)]
    heat_percentile: Annotated[float, Field(gt=0, le=100)]
    population: Population
    split_seed: Annotated[int, Field(ge=0, lt=2**32)]
    held_out_patients: tuple[str, ...]
    version: Annotated[str, Field(exclude=True)] = ""

    @property
    def preparation(self) -> Preparation:
        """Keyword arguments of ``cxrmodel.model.preprocess.prepare``."""
        return {"margin": self.margin, "size": self.input_size, "mean": self.mean, "std": self.std}

    @property
    def calibration(self) -> dict[str, float]:
        """Keyword arguments of ``cxrmodel.model.calibration.probability``."""
        return {"temperature": self.temperature, "prevalence": self.prevalence, "intercept": self.intercept}


def load_spec(model: str, folder: Path = MODEL_FOLDER) -> ModelSpec:
    """Read a model's specification, with the version that its manifest gives it.

    Raises
    ------
    MissingWeights
        When there is none, or no manifest.
    AlteredWeights
        When it is not the one that the manifest names, or is damaged, incomplete or of another format; the message
        names the file and the field.
    """
    manifest, path = load_manifest(model, folder), folder / f"{model}.spec.json"
    read_checked(path, manifest.spec_sha256)
    missing, damaged = (MissingWeights, "model.missing_spec"), (AlteredWeights, "model.damaged_spec")
    return ModelSpec.load(path, missing, damaged, model=model).replace(version=manifest.version)


def read_features(spec: ModelSpec, folder: Path = MODEL_FOLDER) -> bytes:
    """Read the distribution of training features (``NAME.features.npz``) that a specification names.

    Raises
    ------
    MissingWeights, AlteredWeights
    """
    return read_checked(folder / f"{spec.model}.features.npz", spec.population.sha256)


def read_weights(spec: ModelSpec, folder: Path = MODEL_FOLDER) -> Path:
    """Check the Keras file (``NAME.keras``) that a specification names, and return its path.

    Raises
    ------
    MissingWeights, AlteredWeights
    """
    path = folder / f"{spec.model}.keras"
    read_checked(path, spec.weights_sha256)
    return path


def read_graph(spec: ModelSpec, folder: Path = MODEL_FOLDER) -> bytes:
    """Read the ONNX graph (``NAME.onnx``) that a specification names.

    Raises
    ------
    MissingWeights, AlteredWeights
    """
    return read_checked(folder / f"{spec.model}.onnx", spec.graph_sha256)
