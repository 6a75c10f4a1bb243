"""How right the probabilities are on patients that nothing was fitted on, and why they are less so on the test."""

import numpy as np

from cxrmodel.evaluation import intervals
from cxrmodel.evaluation.metrics import CALIBRATION_BINS, significant
from cxrmodel.evaluation.storage import SPLITS, Evaluation, Scores
from cxrmodel.model.calibration import probability
from cxrmodel.model.spec import ModelSpec
from cxrmodel.training.calibration import FOLDS, METHODS, choose_calibration, cross_fitted, log_loss

__all__ = ["PREVALENCES", "audit_calibration"]

PREVALENCES = (0.05, 0.1, 0.25, 0.5, 0.75)
DESCRIPTIONS = {
    "temperature": "temperature scaling: one slope",
    "platt": "Platt scaling: slope and intercept",
    "beta": "beta calibration: a slope for each end of the scale, and an intercept",
    "isotonic": "isotonic regression: any rising staircase",
}


def audit_calibration(evaluation: Evaluation, spec: ModelSpec) -> dict:
    """Compare ways to calibrate by cross-fitting on the held-out patients, and measure the shipped one on the test.

    Parameters
    ----------
    evaluation : Evaluation
        Whose logits are used.
    spec : ModelSpec
        With the shipped calibration.

    Returns
    -------
    dict
        ``folds``, ``bins``, ``images``; ``temperature``, ``intercept`` and ``prevalence`` of the specification;
        ``chosen``: what cross-fitted log loss on the held-out patients chooses between temperature and Platt;
        ``methods``: for each of them and others ``log_loss``, ``brier`` and ``ece``, cross-fitted, and
        ``held_out_cross_fitted``, the same of the chosen one; ``test_as_read`` (at the assumed prevalence),
        ``test_at_its_own_prevalence`` and ``test_refitted`` (cross-fitted on the test itself: never used, only to tell
        what is left when slope and centre fit), each with ``prevalence`` too; ``by_prevalence``: the test images
        weighted to each prevalence, which the probability is told; ``by_source``: ``ece`` at the assumed prevalence
        when normal and pneumonia images come from either split; ``shift``: where the logits of each class lie in either
        split, and how often one from the test is above one held out.

    Raises
    ------
    DataError
        When the held-out images are of fewer than two patients of a class.
    """
    held, test = evaluation.scores["held_out"], evaluation.scores["test"]
    own = float(test.labels.mean())
    chosen = choose_calibration(held.labels, held.logits, held.patients, float(held.labels.mean()))[0]
    methods = [_method(name, held) for name in METHODS.names]
    best = next(row for row in methods if row["name"] == chosen)
    refitted = cross_fitted(METHODS["platt"], test.labels, test.logits, test.patients)
    return {
        "folds": FOLDS,
        "bins": CALIBRATION_BINS,
        "images": {"held_out": len(held.files), "test": len(test.files)},
        "temperature": significant(spec.temperature),
        "intercept": significant(spec.intercept),
        "prevalence": spec.prevalence,
        "chosen": chosen,
        "methods": methods,
        "held_out_cross_fitted": {name: best[name] for name in ("log_loss", "ece", "brier")},
        "test_as_read": _measured(test, _probabilities(test, spec, spec.prevalence), spec.prevalence),
        "test_at_its_own_prevalence": _measured(test, _probabilities(test, spec, own), own),
        "test_refitted": _measured(test, refitted, own),
        "by_prevalence": [
            {"prevalence": share}
            | intervals.calibration(test.labels, _probabilities(test, spec, share), test.patients, share)
            for share in sorted({*PREVALENCES, spec.prevalence})
        ],
        "by_source": [
            {"normal": normal, "pneumonia": sick, "ece": _mixed(evaluation, spec, normal, sick)}
            for normal in SPLITS
            for sick in SPLITS
        ],
        "shift": [_shift(name, label, held, test) for label, name in enumerate(("normal", "pneumonia"))],
    }


def _probabilities(scores: Scores, spec: ModelSpec, prevalence: float) -> np.ndarray:
    return probability(scores.logits, spec.temperature, prevalence, spec.intercept)


def _measured(scores: Scores, probabilities: np.ndarray, prevalence: float) -> dict:
    found = intervals.calibration(scores.labels, probabilities, scores.patients)
    losses = intervals.mean(log_loss(scores.labels, probabilities), scores.patients)
    return {"prevalence": significant(prevalence), "log_loss": losses} | found


def _method(name: str, held: Scores) -> dict:
    fitted = cross_fitted(METHODS[name], held.labels, held.logits, held.patients)
    losses = intervals.mean(log_loss(held.labels, fitted), held.patients)
    found = intervals.calibration(held.labels, fitted, held.patients)
    return {"name": name, "description": DESCRIPTIONS[name], "log_loss": losses} | found


def _mixed(evaluation: Evaluation, spec: ModelSpec, normal: str, sick: str) -> intervals.Interval:
    parts = [(evaluation.scores[split], label) for label, split in ((0, normal), (1, sick))]
    labels, values, patients = [], [], []
    for scores, label in parts:
        chosen = scores.labels == label
        labels.append(scores.labels[chosen])
        values.append(_probabilities(scores, spec, spec.prevalence)[chosen])
        patients.append(np.array(scores.patients, str)[chosen])
    mixed = [np.concatenate(part) for part in (labels, values, patients)]
    return intervals.calibration(*mixed, spec.prevalence)["ece"]


def _shift(name: str, label: int, held: Scores, test: Scores) -> dict:
    before, after = (scores.logits[scores.labels == label] for scores in (held, test))
    patients = [
        f"{split} {patient}"
        for split, scores in (("held out", held), ("test", test))
        for patient in np.array(scores.patients, str)[scores.labels == label]
    ]
    source = np.r_[np.zeros(len(before), int), np.ones(len(after), int)]
    return {
        "class": name,
        "held_out_median": significant(float(np.median(before))),
        "test_median": significant(float(np.median(after))),
        "test_above_held_out": intervals.auc(source, np.r_[before, after], patients),
    }
