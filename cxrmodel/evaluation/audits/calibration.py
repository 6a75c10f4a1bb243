"""Audit of calibration: cross-fitted on held-out patients, and the shift between held-out and test images."""

from typing import Literal

import numpy as np

from cxrmodel.evaluation.audits.schema import (
    CalibrationAudit,
    CalibrationFigures,
    CalibrationMethod,
    PrevalenceFigures,
    ScoreShift,
    SourceFigures,
    Split,
)
from cxrmodel.evaluation.schema import SPLITS, Evaluation, SplitScores
from cxrmodel.metrics.calibration import BINS, reliability
from cxrmodel.metrics.discrimination import auc
from cxrmodel.metrics.estimate import Estimate, significant
from cxrmodel.metrics.intervals import mean
from cxrmodel.metrics.validation import Values
from cxrmodel.model.calibration import probability
from cxrmodel.model.spec import ModelSpec
from cxrmodel.training.calibration import FOLDS, METHODS, choose_calibration, cross_fitted, log_loss

PREVALENCES = (0.05, 0.1, 0.25, 0.5, 0.75)


def audit_calibration(evaluation: Evaluation, spec: ModelSpec) -> CalibrationAudit:
    """Compare ways to calibrate by cross-fitting on the held-out patients, and measure the shipped one on the test.

    Parameters
    ----------
    evaluation : Evaluation
        Whose logits are used.
    spec : ModelSpec
        With the shipped calibration.

    Raises
    ------
    DataError
        When the held-out images are of fewer than two patients of a class.
    """
    held, test = evaluation.splits["held_out"], evaluation.splits["test"]
    prevalence = float(test.labels.mean())
    refitted = cross_fitted(METHODS["platt"], test.labels, test.logits, test.patients)
    return CalibrationAudit(
        folds=FOLDS,
        bins=BINS,
        temperature=significant(spec.temperature),
        intercept=significant(spec.intercept),
        prevalence=spec.prevalence,
        chosen=choose_calibration(held.labels, held.logits, held.patients, float(held.labels.mean()))[0],
        methods=tuple(
            CalibrationMethod(
                name=method.name, **_figures(held, cross_fitted(method, held.labels, held.logits, held.patients))
            )
            for method in METHODS
        ),
        test_as_read=_measured(test, _probabilities(test, spec, spec.prevalence), spec.prevalence),
        test_at_its_own_prevalence=_measured(test, _probabilities(test, spec, prevalence), prevalence),
        test_refitted=_measured(test, refitted, prevalence),
        by_prevalence=tuple(_at_prevalence(test, spec, share) for share in sorted({*PREVALENCES, spec.prevalence})),
        by_source=tuple(_mixed(evaluation, spec, negative, positive) for negative in SPLITS for positive in SPLITS),
        shift=(_shift(0, held, test), _shift(1, held, test)),
    )


def _probabilities(scores: SplitScores, spec: ModelSpec, prevalence: float) -> Values:
    return np.asarray(probability(scores.logits, spec.temperature, prevalence, spec.intercept))


def _figures(scores: SplitScores, probabilities: Values) -> dict[str, Estimate]:
    found = reliability(scores.labels, probabilities, scores.patients)
    losses = mean(log_loss(scores.labels, probabilities), scores.patients)
    return {"log_loss": losses, "ece": found.ece, "brier": found.brier}


def _measured(scores: SplitScores, probabilities: Values, prevalence: float) -> CalibrationFigures:
    return CalibrationFigures(prevalence=significant(prevalence), **_figures(scores, probabilities))


def _at_prevalence(test: SplitScores, spec: ModelSpec, share: float) -> PrevalenceFigures:
    found = reliability(test.labels, _probabilities(test, spec, share), test.patients, share)
    return PrevalenceFigures(prevalence=share, ece=found.ece, brier=found.brier)


def _mixed(evaluation: Evaluation, spec: ModelSpec, negative: Split, positive: Split) -> SourceFigures:
    splits = [evaluation.splits[split] for split in (negative, positive)]
    parts = [(scores, scores.labels == label) for label, scores in enumerate(splits)]
    found = reliability(
        np.concatenate([scores.labels[chosen] for scores, chosen in parts]),
        np.concatenate([_probabilities(scores, spec, spec.prevalence)[chosen] for scores, chosen in parts]),
        np.concatenate([np.array(scores.patients, str)[chosen] for scores, chosen in parts]),
        spec.prevalence,
    )
    return SourceFigures(negative=negative, positive=positive, ece=found.ece)


def _shift(label: Literal[0, 1], held: SplitScores, test: SplitScores) -> ScoreShift:
    before, after = (scores.logits[scores.labels == label] for scores in (held, test))
    patients = [
        f"{split} {patient}"
        for split, scores in (("held out", held), ("test", test))
        for patient in np.array(scores.patients, str)[scores.labels == label]
    ]
    source = np.r_[np.zeros(len(before), int), np.ones(len(after), int)]
    return ScoreShift(
        label=label,
        held_out_median=significant(float(np.median(before))),
        test_median=significant(float(np.median(after))),
        test_above_held_out=auc(source, np.r_[before, after], patients),
    )
