"""``assets/checks/spec.json``: thresholds of the checks, checksums of their files, and how both were made."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from cxrmodel.checks.report import Rule
from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.paths import CHECK_FOLDER
from cxrmodel.records import Record, Sha256


class FittedOn(Record):
    """Images behind the network and the thresholds."""

    training_images: Annotated[int, Field(ge=1)]
    validation_images: Annotated[int, Field(ge=1)]
    split_seed: Annotated[int, Field(ge=0, lt=2**32)]


class ProjectionTraining(Record):
    """How the projection network was trained: recipe, accuracy on disturbed validation images, history by epoch."""

    recipe: dict[str, Any]
    validation: dict[str, float]
    history: list[dict[str, float]]


class CheckSpec(Record):
    """Everything that belongs to one set of checks.

    Attributes
    ----------
    format : 3
    projection_sha256, lungs_sha256 : str
        Of ``projection.onnx``, and of the lung segmenter that the thresholds were chosen with.
    rules : dict of str to Rule
        By the name of the check.
    fitted_on : FittedOn
    projection : ProjectionTraining
    """

    format: Literal[3] = 3
    projection_sha256: Sha256
    lungs_sha256: Sha256
    rules: dict[str, Rule]
    fitted_on: FittedOn
    projection: ProjectionTraining


def load_check_spec(folder: Path = CHECK_FOLDER) -> CheckSpec:
    """Read the specification of the checks.

    Raises
    ------
    MissingWeights, AlteredWeights
        When it is absent, damaged, or of another format.
    """
    missing, damaged = (MissingWeights, "checks.missing_file"), (AlteredWeights, "checks.damaged_spec")
    return CheckSpec.load(folder / "spec.json", missing, damaged)
