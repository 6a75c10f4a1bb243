"""``assets/lungs/spec.json``: what belongs to the weights of the lung segmenter."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.paths import LUNGS_FOLDER
from cxrmodel.records import Record, Sha256


class LungBounds(Record):
    """Smallest values of two plausible lungs; see ``cxrmodel.imaging.lungs.plausibility``."""

    area: float = Field(ge=0, le=1)
    balance: float = Field(ge=0, le=1)
    contrast: float = Field(ge=0, le=127.5)


class LungScores(Record):
    """Agreement of the segmenter with the annotated masks.

    Attributes
    ----------
    images : int
    dice_mean, dice_median, dice_5th_percentile : float
        Dice coefficient over the images, 0..1.
    least : LungBounds
        Lowest value of each measure of plausibility among the images.
    """

    images: int = Field(ge=1)
    dice_mean: float = Field(ge=0, le=1)
    dice_median: float = Field(ge=0, le=1)
    dice_5th_percentile: float = Field(ge=0, le=1)
    least: LungBounds


class LungSpec(Record):
    """Everything that belongs to one set of segmenter weights.

    Attributes
    ----------
    format : 2
    input_size : int
        Side of the network's input in pixels.
    minimum : LungBounds
    weights_sha256 : str
        Of ``lungs.onnx``.
    parameters : int
        Of the network.
    held_out, test : LungScores
        On validation and test images.
    recipe, history : dict, list of dict
        How the network was trained.
    """

    format: Literal[2] = 2
    input_size: int = Field(ge=8, le=1024)
    minimum: LungBounds
    weights_sha256: Sha256
    parameters: int = Field(ge=1)
    held_out: LungScores
    test: LungScores
    recipe: dict[str, Any]
    history: list[dict[str, float]]


def load_lung_spec(folder: Path = LUNGS_FOLDER) -> LungSpec:
    """Read the specification of the segmenter.

    Raises
    ------
    MissingWeights, AlteredWeights
        When it is absent, damaged, or of another format.
    """
    missing, damaged = (MissingWeights, "imaging.missing_lungs"), (AlteredWeights, "imaging.damaged_lungs")
    return LungSpec.load(folder / "spec.json", missing, damaged)
