"""An evaluation as a file: ``assets/evaluation/<model>.json`` <-> Evaluation.

The file belongs to one set of weights. One that is missing, damaged, or of other weights is refused by name, never
drawn.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxrmodel.errors import DataError, EvaluationError
from cxrmodel.evaluation.checks import both_classes
from cxrmodel.evaluation.metrics import confusion_at
from cxrmodel.model.calibration import finding
from cxrmodel.model.spec import ModelSpec, load_spec

__all__ = [
    "EVALUATION_FOLDER",
    "FORMAT",
    "SPLITS",
    "Evaluation",
    "Scores",
    "load_evaluation",
    "model_title",
    "save_evaluation",
]

EVALUATION_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "evaluation"
FORMAT = 1
SPLITS = ("test", "held_out")
_COUNTS = ("films", "patients", "normal", "pneumonia", "bacteria", "virus", "refused")
_OVERALL = ("auc", "average_precision", "brier", "ece")
_RATES = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1")
_POINTS = ("high_sensitivity", "balanced", "high_specificity")
_TITLES = {"densenet121": "DenseNet-121", "cnn": "Plain CNN"}
_REMEDY = "Run python -m cxrmodel evaluate to write it anew."


@dataclass(frozen=True, eq=False)
class Scores:
    """The films of one split that were read, in the order of their names.

    Attributes
    ----------
    files, organisms, patients : tuple of str, length N
        Path inside the archive; ``bacteria``, ``virus`` or empty; grouping key.
    labels : ndarray of int64, shape (N,)
        0 normal, 1 pneumonia.
    logits, probabilities : ndarray of float64, shape (N,)
        Before and after calibration; probabilities in 0..1.
    """

    files: tuple[str, ...]
    organisms: tuple[str, ...]
    patients: tuple[str, ...]
    labels: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray

    def findings(self, operating_points: Mapping[str, float]) -> np.ndarray:
        """What the program calls each film: array of str, ``pneumonia``, ``uncertain`` or ``normal``."""
        return np.array([finding(float(value), operating_points) for value in self.probabilities])


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One model's evaluation; ``test`` and ``held_out`` are the keys of every mapping by split.

    Attributes
    ----------
    model, version, weights_sha256, created : str
        Name, name with the first digits of the weights' sha256, that sha256, and the day (ISO 8601).
    prevalence : float
        That the probabilities assume, 0..1.
    operating_points : mapping of str to float
        Threshold on the probability of ``high_sensitivity``, ``balanced`` and ``high_specificity``.
    data : mapping of str to mapping of str to int
        Counts of each split, refused films included.
    scores : mapping of str to Scores
    refused : mapping of str to list of dict
        ``file`` and ``reason`` of each film that was not read.
    metrics : mapping of str to dict
        As :func:`cxrmodel.evaluation.metrics.evaluate_scores` gives them.
    bootstrap : mapping
        ``resamples``, ``seed``, ``level`` and ``unit`` of the intervals.
    agreement : mapping or None
        Of original files with their small copies, where originals were at hand.
    sections : mapping of str to mapping
        What further evaluations of the same weights wrote, by name (see `cxrmodel.evaluation.sections`).
    """

    model: str
    version: str
    weights_sha256: str
    created: str
    prevalence: float
    operating_points: Mapping[str, float]
    data: Mapping[str, Mapping[str, int]]
    scores: Mapping[str, Scores]
    refused: Mapping[str, list[dict[str, str]]]
    metrics: Mapping[str, dict]
    bootstrap: Mapping[str, int | float | str]
    agreement: Mapping | None
    sections: Mapping[str, Mapping]


def model_title(model: str) -> str:
    """Name a model for readers: ``densenet121`` is DenseNet-121; a model of another name keeps it."""
    return _TITLES.get(model, model)


def load_evaluation(model: str, folder: Path = EVALUATION_FOLDER, spec: ModelSpec | None = None) -> Evaluation:
    """Read a model's evaluation and check that it is whole and belongs to the model's weights.

    Parameters
    ----------
    model : str
        Name of the model, for example ``densenet121``.
    folder : Path
        Where the evaluations lie.
    spec : ModelSpec or None
        Whose weights and operating points it must have; None takes those of the shipped model.

    Raises
    ------
    EvaluationError
        When the file is missing, damaged, of another format, or of other weights or operating points.
    ModelError
        When ``spec`` is None and the model itself cannot be used.
    """
    spec = load_spec(model) if spec is None else spec
    path = Path(folder) / f"{model}.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except FileNotFoundError as error:
        raise EvaluationError(f"There is no evaluation of {model} in {folder}. {_REMEDY}") from error
    except (OSError, ValueError) as error:
        raise EvaluationError(
            f"The evaluation of {model} cannot be read: it is no whole JSON file. {_REMEDY}"
        ) from error
    evaluation = _checked(document, model)
    if evaluation.weights_sha256 != spec.weights_sha256:
        raise EvaluationError(
            f"The evaluation of {model} is outdated: it belongs to other weights ({evaluation.weights_sha256[:12]}, "
            f"where the model has {spec.weights_sha256[:12]}). {_REMEDY}"
        )
    if dict(evaluation.operating_points) != dict(spec.operating_points) or evaluation.prevalence != spec.prevalence:
        raise EvaluationError(
            f"The evaluation of {model} is outdated: the model has other operating points or another prevalence "
            f"since. {_REMEDY}"
        )
    return evaluation


def save_evaluation(document: Mapping, folder: Path = EVALUATION_FOLDER) -> Path:
    """Write an evaluation as ``<model>.json``, one film a line; the same document always gives the same bytes.

    Returns
    -------
    Path
        The file, which is replaced only once the new one is whole.

    Raises
    ------
    EvaluationError
        When the document is not a whole evaluation, or the file cannot be written.
    """
    model = str(document.get("model"))
    _checked(document, model)
    path = Path(folder) / f"{model}.json"
    draft = path.with_suffix(".json.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(_text(document) + "\n", encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        raise EvaluationError(
            f"The evaluation of {model} cannot be written to {folder} ({error.strerror}). Choose another folder."
        ) from error
    return path


def _checked(document: object, model: str) -> Evaluation:
    if not isinstance(document, Mapping):
        raise EvaluationError(f"The evaluation of {model} is damaged: it is no JSON object. {_REMEDY}")
    if document.get("format") != FORMAT:
        raise EvaluationError(
            f"The evaluation of {model} has format {document.get('format')}, and this program reads {FORMAT}. {_REMEDY}"
        )
    if document.get("model") != model:
        raise EvaluationError(f"The evaluation of {model} is one of {document.get('model')}. {_REMEDY}")
    try:
        return _parsed(document)
    except KeyError as error:
        raise EvaluationError(f"The evaluation of {model} is damaged: {error} is missing. {_REMEDY}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise EvaluationError(
            f"The evaluation of {model} is damaged: a part of it is not of the kind that belongs there. {_REMEDY}"
        ) from error
    except DataError as error:
        raise EvaluationError(f"The evaluation of {model} is damaged. {error} {_REMEDY}") from error


def _parsed(document: Mapping) -> Evaluation:
    evaluation = Evaluation(
        **{name: str(document[name]) for name in ("model", "version", "weights_sha256", "created")},
        prevalence=float(document["prevalence"]),
        operating_points={name: float(document["operating_points"][name]) for name in _POINTS},
        data={split: {name: int(document["data"][split][name]) for name in _COUNTS} for split in SPLITS},
        scores={split: _scores(document["scores"][split]) for split in SPLITS},
        refused={
            split: [{k: row[k] for k in ("file", "reason")} for row in document["refused"][split]] for split in SPLITS
        },
        metrics={split: document["metrics"][split] for split in SPLITS},
        bootstrap={name: document["bootstrap"][name] for name in ("resamples", "seed", "level", "unit")},
        agreement=_agreement(document.get("agreement")),
        sections={name: dict(section) for name, section in document.get("sections", {}).items()},
    )
    for split in SPLITS:
        _compare(evaluation, split)
    return evaluation


def _scores(rows: list[Mapping]) -> Scores:
    texts = {name: tuple(str(row[name]) for row in rows) for name in ("file", "organism", "patient")}
    labels = np.array([int(row["label"]) for row in rows], np.int64)
    logits, probabilities = (np.array([row[name] for row in rows], np.float64) for name in ("logit", "probability"))
    for array in (labels, logits, probabilities):
        array.flags.writeable = False
    return Scores(texts["file"], texts["organism"], texts["patient"], labels, logits, probabilities)


def _agreement(stated: Mapping | None) -> dict | None:
    if stated is None:
        return None
    differences = {
        name: {key: float(stated[name][key]) for key in ("mean_difference", "max_difference")}
        for name in ("logit", "probability")
    }
    counts = {name: int(stated[name]) for name in ("films", "flipped_findings")}
    return {**counts, **differences, "refused": list(stated["refused"])}


def _compare(evaluation: Evaluation, split: str) -> None:
    counts, scores, metrics = evaluation.data[split], evaluation.scores[split], evaluation.metrics[split]
    if not len(scores.files) == counts["films"] - counts["refused"] == counts["films"] - len(evaluation.refused[split]):
        raise DataError(f"The {split} split does not hold as many films as it says.")
    both_classes(scores.labels, scores.probabilities)
    for name in _OVERALL:
        _figure(metrics[name])
        float(metrics[name]["value"])
    for point, threshold in evaluation.operating_points.items():
        stated = metrics["at"][point]
        for name in _RATES:
            _figure(stated[name])
        counted = confusion_at(scores.labels, scores.probabilities, threshold)
        if stated["threshold"] != threshold or stated["confusion"] != counted:
            raise DataError(f"The figures of the {split} split do not follow from its films.")


def _figure(stated: Mapping) -> None:
    for name in ("value", "low", "high"):
        if stated[name] is not None:
            float(stated[name])


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _text(value: object, indent: str = "") -> str:
    """JSON with every innermost object or list on a line of its own."""
    nested = isinstance(value, Mapping | list) and any(
        isinstance(part, Mapping | list) for part in (value.values() if isinstance(value, Mapping) else value)
    )
    if not nested:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    deeper = indent + " "
    if isinstance(value, Mapping):
        parts = [f"{deeper}{json.dumps(name)}: {_text(part, deeper)}" for name, part in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + _text(part, deeper) for part in value) + f"\n{indent}]"
