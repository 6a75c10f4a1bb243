"""Recipe of a training: everything that it depends on except the images. ``recipes/`` holds the shipped ones."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from cxrmodel.errors import TrainingError
from cxrmodel.messages import Message
from cxrmodel.records import Positive, Record, first_problem, read_document

Count = Annotated[int, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Part = Annotated[float, Field(ge=0, le=1)]
"""A share from 0 to 1."""

OptionsRecord = TypeVar("OptionsRecord", bound=Record)


class ClassifierOptions(Record):
    """Preprocessing and augmentation of a classifier's training images.

    Attributes
    ----------
    margin : float
        Share by which the lung box is widened on each side.
    degrees : float
        Largest rotation in either direction.
    jitter : float
        Largest move of each side of the crop, as a share of its extent.
    surroundings : float
        Share of samples whose background is replaced.
    covered : float
        Share of samples whose lungs are masked; their target is one half.
    histogram : float
        Share of samples whose histogram is matched to another image's.
    outside : float
        Weight of the penalty on evidence for the positive class that lies outside the lungs of positive images.
    shuffle_labels : bool
        Permute the labels, for a network that has not learnt the disease.
    """

    margin: Part
    degrees: NotNegative
    jitter: Part
    surroundings: Part
    covered: Part
    histogram: Part = 0.0
    outside: NotNegative = 0.0
    shuffle_labels: bool = False


class SegmenterOptions(Record):
    """Augmentation of the lung segmenter's training images: ``degrees`` and ``jitter`` as in `ClassifierOptions`."""

    degrees: NotNegative
    jitter: Part


class ProjectionOptions(Record):
    """Samples of the projection network.

    Attributes
    ----------
    samples : int
        In an epoch.
    other : float
        Share of synthetic negatives.
    kinds : float
        Share of real images of each other kind.
    adults : float
        Share of adults among the chest radiographs.
    """

    samples: Count
    other: Part
    kinds: Part
    adults: Part


class Recipe(Record):
    """Everything that a training depends on except the images.

    Attributes
    ----------
    model : str
        Name of the network.
    stages : tuple of (int, int)
        Image side in pixels and number of epochs, in order.
    seed, batch : int
        Of split, weights and samples; images in a batch.
    peak_rate, weight_decay : float
        Of AdamW; the learning rate rises over ``warmup_epochs`` and falls along a cosine to a hundredth.
    average : float
        Momentum of the averaged weights, updated every four steps.
    precision : str
        Keras dtype policy during training; the weights themselves are float32.
    dropout : float
        Share of pooled features dropped.
    mixup : float
        Parameter of the Beta distribution of mixup; 0 mixes no images.
    smoothing : float
        Label smoothing (Szegedy et al., CVPR 2016): moves each target by half of it towards one half.
    options : dict
        Of the augmentation; each training reads them with :meth:`read_options`.
    """

    model: str
    stages: Annotated[tuple[tuple[Count, Count], ...], Field(min_length=1)]
    seed: Annotated[int, Field(ge=0)] = 0
    batch: Count = 32
    peak_rate: Positive = 1e-3
    weight_decay: NotNegative = 0.01
    warmup_epochs: NotNegative = 1.0
    average: Part = 0.99
    precision: str = "float32"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    mixup: NotNegative = 0.0
    smoothing: Part = 0.0
    options: dict[str, int | float | bool] = Field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Epochs over all stages."""
        return sum(epochs for _, epochs in self.stages)

    @property
    def final_size(self) -> int:
        """Image side of the last stage in pixels."""
        return self.stages[-1][0]

    @property
    def schedule(self) -> Message:
        """Image sizes and epochs, and whether images were mixed."""
        stages = ", ".join(str(Message("training.stage", size=size, epochs=epochs)) for size, epochs in self.stages)
        return Message("training.schedule_with_mixup" if self.mixup else "training.schedule", stages=stages)

    def size_at(self, epoch: int) -> int:
        """Image side in pixels in an epoch, counted from 0."""
        for size, epochs in self.stages:
            if epoch < epochs:
                return size
            epoch -= epochs
        return self.final_size

    def read_options(self, kind: type[OptionsRecord]) -> OptionsRecord:
        """Check the options against the record that a training defines for them.

        Raises
        ------
        TrainingError
            When an option is missing, unknown or out of range.
        """
        try:
            return kind.model_validate(self.options)
        except ValidationError as error:
            raise TrainingError("training.bad_options", model=self.model, problem=first_problem(error)) from error


def load_recipe(path: Path) -> Recipe:
    """Read a recipe file.

    Raises
    ------
    TrainingError
        When the file is missing or is not TOML, or a setting is missing, unknown or out of range.
    """
    try:
        return Recipe.model_validate_json(json.dumps(tomllib.loads(read_document(path).decode())))
    except OSError as error:
        raise TrainingError("training.unreadable", path=str(path), reason=str(error.strerror)) from error
    except Exception as error:  # not valid, not UTF-8, not TOML, nested too deeply, or a date, which JSON lacks
        raise TrainingError("training.bad_recipe", path=str(path), problem=first_problem(error)) from error
