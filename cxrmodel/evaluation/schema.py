"""What an evaluation holds, and the check that a document is a whole one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from cxrmodel.errors import DataError, EvaluationError
from cxrmodel.evaluation import bootstrap
from cxrmodel.evaluation.checks import both_classes
from cxrmodel.evaluation.metrics import CALIBRATION_BINS, confusion_at
from cxrmodel.model.calibration import finding

__all__ = ["FORMAT", "REMEDY", "SPLITS", "Evaluation", "Scores", "checked_document"]

FORMAT = 1
SPLITS = ("test", "held_out")
REMEDY = "Run python -m cxrmodel evaluate to write it anew."
_COUNTS = ("images", "patients", "normal", "pneumonia", "bacteria", "virus", "refused")
_OVERALL = {
    "auc": bootstrap.roc_auc,
    "average_precision": bootstrap.average_precision,
    "brier": bootstrap.brier,
    "ece": partial(bootstrap.calibration_error, bins=CALIBRATION_BINS),
}
_RATES = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1")
_ROUNDING = 1e-4
"""What a stated figure may differ by from what its images give, as both are stored rounded."""
_DATASET = ("name", "layout", "patients")
_POINTS = ("high_sensitivity", "balanced", "high_specificity")


@dataclass(frozen=True, eq=False)
class Scores:
    """The images of one split that were read, in the order of their names.

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
        """What the program calls each image: array of str, ``pneumonia``, ``uncertain`` or ``normal``."""
        return np.array([finding(float(value), operating_points) for value in self.probabilities])


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One model's evaluation; ``test`` and ``held_out`` are the keys of every mapping by split.

    An evaluation on a user's own images has ``test`` alone.

    Attributes
    ----------
    model, version, weights_sha256, created : str
        Name, name with the first digits of the graph's sha256, the weights' sha256, and the day (ISO 8601).
    prevalence : float
        That the probabilities assume, 0..1.
    operating_points : mapping of str to float
        Threshold on the probability of ``high_sensitivity``, ``balanced`` and ``high_specificity``.
    data : mapping of str to mapping of str to int
        Counts of each split, refused images included.
    scores : mapping of str to Scores
    refused : mapping of str to list of dict
        ``file`` and ``reason`` of each image that was not read.
    metrics : mapping of str to dict
        As :func:`cxrmodel.evaluation.metrics.evaluate_scores` gives them.
    bootstrap : mapping
        ``resamples``, ``seed``, ``level`` and ``unit`` of the intervals.
    agreement : mapping or None
        Of original files with their small copies, where originals were at hand.
    sections : mapping of str to mapping
        What further evaluations of the same weights wrote, by name (see `cxrmodel.evaluation.sections`).
    dataset : mapping or None
        Of a user's own images: their ``name``, how ``patients`` were told apart, and more in words; None for ours.
    provenance : mapping or None
        Hashes of the code and of the images (see `cxrmodel.evaluation.provenance`), where they were written.
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
    dataset: Mapping[str, str] | None = None
    provenance: Mapping | None = None

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that it holds."""
        return tuple(self.scores)

    @property
    def resampling(self) -> dict[str, int]:
        """``resamples`` and ``seed`` of the intervals, for whatever is computed anew from the scores."""
        return {name: int(self.bootstrap[name]) for name in ("resamples", "seed")}


def checked_document(document: object, model: str) -> Evaluation:
    """Check that a document is a whole evaluation of a model, and parse it.

    Raises
    ------
    EvaluationError
        When it is of another format or model, lacks a part, or its figures do not follow from its images.
    """
    if not isinstance(document, Mapping):
        raise EvaluationError(f"The evaluation of {model} is damaged: it is no JSON object. {REMEDY}")
    if document.get("format") != FORMAT:
        raise EvaluationError(
            f"The evaluation of {model} has format {document.get('format')}, and this program reads {FORMAT}. {REMEDY}"
        )
    if document.get("model") != model:
        raise EvaluationError(f"The evaluation of {model} is one of {document.get('model')}. {REMEDY}")
    try:
        return _parsed(document)
    except KeyError as error:
        raise EvaluationError(f"The evaluation of {model} is damaged: {error} is missing. {REMEDY}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise EvaluationError(
            f"The evaluation of {model} is damaged: a part of it is not of the kind that belongs there. {REMEDY}"
        ) from error
    except DataError as error:
        raise EvaluationError(f"The evaluation of {model} is damaged. {error} {REMEDY}") from error


def _parsed(document: Mapping) -> Evaluation:
    dataset = document.get("dataset")
    splits = SPLITS if dataset is None else SPLITS[:1]
    evaluation = Evaluation(
        **{name: str(document[name]) for name in ("model", "version", "weights_sha256", "created")},
        prevalence=float(document["prevalence"]),
        operating_points={name: float(document["operating_points"][name]) for name in _POINTS},
        data={split: {name: int(document["data"][split][name]) for name in _COUNTS} for split in splits},
        scores={split: _scores(document["scores"][split]) for split in splits},
        refused={
            split: [{k: row[k] for k in ("file", "reason")} for row in document["refused"][split]] for split in splits
        },
        metrics={split: document["metrics"][split] for split in splits},
        bootstrap={name: document["bootstrap"][name] for name in ("resamples", "seed", "level", "unit")},
        agreement=_agreement(document.get("agreement")),
        sections={name: dict(section) for name, section in document.get("sections", {}).items()},
        dataset=None if dataset is None else {name: str(dataset[name]) for name in _DATASET},
        provenance=document.get("provenance"),
    )
    for split in splits:
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
    counts = {name: int(stated[name]) for name in ("images", "flipped_findings")}
    return {**counts, **differences, "refused": list(stated["refused"])}


def _compare(evaluation: Evaluation, split: str) -> None:
    counts, scores, metrics = evaluation.data[split], evaluation.scores[split], evaluation.metrics[split]
    if (
        not len(scores.files)
        == counts["images"] - counts["refused"]
        == counts["images"] - len(evaluation.refused[split])
    ):
        raise DataError(f"The {split} split does not hold as many images as it says.")
    labels, probabilities = both_classes(scores.labels, scores.probabilities)
    images = bootstrap.tally(labels, probabilities, np.ones((1, len(labels))))
    for name, measure in _OVERALL.items():
        _figure(metrics[name])
        if abs(float(metrics[name]["value"]) - float(measure(images)[0])) > _ROUNDING:
            raise DataError(f"The figures of the {split} split do not follow from its images.")
    for point, threshold in evaluation.operating_points.items():
        stated = metrics["at"][point]
        for name in _RATES:
            _figure(stated[name])
        counted = confusion_at(scores.labels, scores.probabilities, threshold)
        rates = bootstrap.rates(**{cell: np.array([count]) for cell, count in counted.items()})
        if (
            stated["threshold"] != threshold
            or stated["confusion"] != counted
            or any(_differ(stated[name]["value"], float(rates[name][0])) for name in _RATES)
        ):
            raise DataError(f"The figures of the {split} split do not follow from its images.")


def _differ(stated: float | None, counted: float) -> bool:
    return not np.isnan(counted) if stated is None else not abs(stated - counted) <= _ROUNDING


def _figure(stated: Mapping) -> None:
    for name in ("value", "low", "high"):
        if stated[name] is not None:
            float(stated[name])
    if stated["low"] is not None and stated["high"] is not None and stated["low"] > stated["high"]:
        raise DataError("An interval ends below where it begins.")
