"""assets/model/NAME.spec.json <-> ModelSpec: whatever must match the weights lives here, nowhere else."""

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cxrmodel.artefacts import read_checked
from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.paths import ASSETS

__all__ = [
    "MODELS",
    "MODEL_FOLDER",
    "ModelSpec",
    "load_spec",
    "read_familiarity",
    "read_graph",
    "read_weights",
    "save_spec",
]

MODEL_FOLDER = ASSETS / "model"
MODELS = ("densenet121", "cnn")
OPERATING_POINTS = ("high_sensitivity", "balanced", "high_specificity")


@dataclass(frozen=True)
class ModelSpec:
    """What belongs to one set of weights.

    Attributes
    ----------
    model : str
        ``densenet121`` or ``cnn``.
    weights_sha256, graph_sha256, lungs_sha256 : str
        Of the Keras file, of the ONNX graph exported from it, and of the lung segmenter that the model was
        fixed with.
    input_size : int
        Side of the crop in pixels.
    mean, std : float
        Of the training crops, 0..1.
    margin : float
        Share by which the lung box is widened.
    cam_layer : str
        Layer whose activations the heatmap weighs.
    temperature : float
        By which the logit is divided.
    prevalence : float
        Share of pneumonia that the probability assumes, 0..1.
    operating_points : dict of str to float
        Thresholds on the calibrated probability.
    heat_range : float
        Top of the colour range of every heatmap; the bottom is 0.
    heat_percentile : float
        Of the maps of held-out pneumonia images, which ``heat_range`` is.
    ages, trained_on : str
        Words for the reader of a probability.
    split_seed : int
    held_out_patients : tuple of str
        On whom everything above was chosen.
    intercept : float
        What is added to the log-odds after the temperature; 0 in specifications that name none.
    familiarity : dict
        ``sha256`` of the features' spread over training images, the ``warn`` and ``refuse`` thresholds of an image's
        distance from them, and ``source``, where these come from. Empty, it reads nothing.
    """

    model: str
    weights_sha256: str
    graph_sha256: str
    lungs_sha256: str
    input_size: int
    mean: float
    std: float
    margin: float
    cam_layer: str
    temperature: float
    prevalence: float
    operating_points: dict
    heat_range: float
    heat_percentile: float
    ages: str
    trained_on: str
    split_seed: int
    held_out_patients: tuple[str, ...]
    intercept: float = 0.0
    familiarity: dict = field(default_factory=dict)

    def __post_init__(self):
        missing = [name for name in OPERATING_POINTS if not 0.0 < self.operating_points.get(name, 0.0) < 1.0]
        if missing:
            raise ValueError(f"operating points missing or out of range: {', '.join(missing)}")
        if not (self.std > 0 and self.temperature > 0 and self.heat_range > 0 and 0 < self.prevalence < 1):
            raise ValueError("std, temperature, heat range or prevalence out of range")
        if not math.isfinite(self.intercept):
            raise ValueError("intercept out of range")
        if self.familiarity and not 0 < self.familiarity["warn"] <= self.familiarity["refuse"]:
            raise ValueError("thresholds of familiarity out of order")

    @property
    def preparation(self) -> dict[str, float]:
        """What ``cxrmodel.model.preprocess.prepare`` is told, by its keywords."""
        return {"margin": self.margin, "size": self.input_size, "mean": self.mean, "std": self.std}

    @property
    def calibration(self) -> dict[str, float]:
        """What ``cxrmodel.model.calibration.probability`` is told beside the logit, by its keywords."""
        return {"temperature": self.temperature, "prevalence": self.prevalence, "intercept": self.intercept}

    @property
    def version(self) -> str:
        """Name and first 12 digits of the graph's sha256: another way of reading with the same weights differs."""
        return f"{self.model} {self.graph_sha256[:12]}"


def load_spec(model: str, folder: Path = MODEL_FOLDER) -> ModelSpec:
    """Read a model's specification.

    Raises
    ------
    MissingWeights
        When there is none.
    AlteredWeights
        When it is damaged or incomplete.
    """
    path = folder / f"{model}.spec.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return ModelSpec(**values | {"held_out_patients": tuple(values["held_out_patients"])})
    except OSError as error:
        raise MissingWeights(
            f"There is no trained model {model}: {path} cannot be read. Install the program again, or train it."
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise AlteredWeights(f"The specification {path} is damaged. Install the program again.") from error


def save_spec(spec: ModelSpec, folder: Path = MODEL_FOLDER) -> None:
    """Write a model's specification beside its weights."""
    text = json.dumps(asdict(spec), indent=1)
    (folder / f"{spec.model}.spec.json").write_text(text + "\n", encoding="utf-8")


def read_familiarity(spec: ModelSpec, folder: Path = MODEL_FOLDER) -> bytes:
    """Read the spread of training images that a specification names, and check that it is that one.

    Raises
    ------
    MissingWeights, AlteredWeights
    """
    return read_checked(folder / f"{spec.model}.familiarity.npz", spec.familiarity["sha256"])


def read_weights(spec: ModelSpec, folder: Path = MODEL_FOLDER) -> Path:
    """Find the Keras file that a specification names, and check that it is that one.

    Raises
    ------
    MissingWeights, AlteredWeights
    """
    path = folder / f"{spec.model}.keras"
    read_checked(path, spec.weights_sha256)
    return path


def read_graph(spec: ModelSpec, folder: Path = MODEL_FOLDER) -> bytes:
    """Read the ONNX graph that a specification names, and check that it is that one.

    Raises
    ------
    MissingWeights, AlteredWeights
    """
    return read_checked(folder / f"{spec.model}.onnx", spec.graph_sha256)
