"""Audit of calibration: its error on held-out and test images, agreement with the evidence, shift between the sets."""

import math
from typing import Literal

import numpy as np

from cxrmodel.evaluation.audits.schema import (
    CalibrationAudit,
    CalibrationFigures,
    EvidenceAgreement,
    PrevalenceFigures,
    ScoreShift,
    SourceFigures,
    Split,
)
from cxrmodel.evaluation.nearest import evidence
from cxrmodel.evaluation.schema import SPLITS, Evaluation, SplitScores
from cxrmodel.metrics.calibration import BINS, reliability
from cxrmodel.metrics.discrimination import auc
from cxrmodel.metrics.estimate import significant
from cxrmodel.metrics.intervals import mean
from cxrmodel.metrics.validation import Values, of_both_classes
from cxrmodel.model.calibration import probability
from cxrmodel.model.spec import ModelSpec
from cxrmodel.training.record import CalibrationChoice

PREVALENCES = (0.05, 0.1, 0.25, 0.5, 0.75)
APART = 0.2
"""Difference of probability and evidence beyond which they disagree."""


def audit_calibration(
    evaluation: Evaluation, spec: ModelSpec, choice: CalibrationChoice | None = None
) -> CalibrationAudit:
    """Measure the shipped calibration on the images of an evaluation.

    Parameters
    ----------
    evaluation : Evaluation
        Whose logits are used.
    spec : ModelSpec
        With the shipped calibration.
    choice : CalibrationChoice or None
        How it was chosen, from the training record.

    Raises
    ------
    DataError
        When a split has images of one class only.
    """
    held, test = evaluation.splits["held_out"], evaluation.splits["test"]
    return CalibrationAudit(
        bins=BINS,
        temperature=significant(spec.temperature),
        intercept=significant(spec.intercept),
        prevalence=spec.prevalence,
        choice=choice,
        splits=(_figures("held_out", held, spec), _figures("test", test, spec)),
        evidence=_agreement(test, spec),
        by_prevalence=tuple(_at_prevalence(test, spec, share) for share in sorted({*PREVALENCES, spec.prevalence})),
        by_source=tuple(_mixed(evaluation, spec, negative, positive) for negative in SPLITS for positive in SPLITS),
        shift=(_shift(0, held, test), _shift(1, held, test)),
    )


def _probabilities(scores: SplitScores, spec: ModelSpec, prevalence: float) -> Values:
    return np.asarray(probability(scores.logits, spec.temperature, prevalence, spec.intercept))


def _figures(split: Split, scores: SplitScores, spec: ModelSpec) -> CalibrationFigures:
    labels, prevalence = scores.labels, float(scores.labels.mean())
    of_both_classes(labels, scores.probabilities)
    found = reliability(labels, _probabilities(scores, spec, prevalence), scores.patients)
    log_odds = scores.logits / spec.temperature + spec.intercept + math.log(prevalence / (1 - prevalence))
    losses = np.logaddexp(0.0, np.where(labels > 0, -log_odds, log_odds))
    return CalibrationFigures(
        split=split,
        prevalence=significant(prevalence),
        log_loss=mean(losses, scores.patients),
        ece=found.ece,
        corrected_ece=found.corrected_ece,
        brier=found.brier,
    )


def _agreement(test: SplitScores, spec: ModelSpec) -> EvidenceAgreement:
    labels, logits = test.labels, test.logits
    numbers = _probabilities(test, spec, spec.prevalence)
    shares = np.array(
        [evidence(labels, logits, value, spec.prevalence, place).share for place, value in enumerate(logits)]
    )
    middle = (spec.operating_points.high_sensitivity + spec.operating_points.high_specificity) / 2
    return EvidenceAgreement(
        prevalence=spec.prevalence,
        apart=APART,
        differ=mean(np.abs(numbers - shares) > APART, test.patients),
        other_side=mean((numbers >= middle) != (shares >= middle), test.patients),
    )


def _at_prevalence(test: SplitScores, spec: ModelSpec, share: float) -> PrevalenceFigures:
    found = reliability(test.labels, _probabilities(test, spec, share), test.patients, share)
    return PrevalenceFigures(prevalence=share, ece=found.ece, corrected_ece=found.corrected_ece, brier=found.brier)


def _mixed(evaluation: Evaluation, spec: ModelSpec, negative: Split, positive: Split) -> SourceFigures:
    splits = [evaluation.splits[split] for split in (negative, positive)]
    parts = [(scores, scores.labels == label) for label, scores in enumerate(splits)]
    found = reliability(
        np.concatenate([scores.labels[chosen] for scores, chosen in parts]),
        np.concatenate([_probabilities(scores, spec, spec.prevalence)[chosen] for scores, chosen in parts]),
        np.concatenate([np.array(scores.patients, str)[chosen] for scores, chosen in parts]),
        spec.prevalence,
    )
    return SourceFigures(negative=negative, positive=positive, corrected_ece=found.corrected_ece)


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
