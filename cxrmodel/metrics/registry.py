"""Metrics that are reported: one entry each. A new one needs an entry here and its texts in ``metrics.toml``.

Evaluation, page, documents and tables go through `METRICS` in its order.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrmodel.messages import Message
from cxrmodel.metrics import rates
from cxrmodel.metrics.bootstrap import WeightedSamples
from cxrmodel.metrics.calibration import brier, calibration_error
from cxrmodel.metrics.discrimination import average_precision, roc_auc
from cxrmodel.metrics.rates import Counts
from cxrmodel.metrics.validation import Values
from cxrmodel.registry import Registry

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Metric:
    """A reported metric.

    Attributes
    ----------
    name : str
        Its key in the evaluation JSON, and in the texts of ``metrics.toml`` (``title`` and ``meaning``).
    higher_is_better : bool
    digits : int
        Decimals with which it is written.
    """

    name: str
    higher_is_better: bool = True
    digits: int = 3

    @property
    def title(self) -> Message:
        """Its name for readers."""
        return Message(f"metrics.title.{self.name}")

    @property
    def meaning(self) -> Message:
        """Its meaning, in a sentence or two."""
        return Message(f"metrics.meaning.{self.name}")


@dataclass(frozen=True, kw_only=True)
class ScoreMetric(Metric):
    """A metric of scores, without a threshold.

    Attributes
    ----------
    measure : callable (WeightedSamples) -> ndarray of float64, shape (B,)
        NaN where undefined. The first sample is the data, the others are its resamples.
    ranks : bool
        Whether it ranks images of one class against the other, and is unreliable with few images of either.
    """

    measure: Callable[[WeightedSamples], Values]
    ranks: bool = False


@dataclass(frozen=True, kw_only=True)
class Rate(Metric):
    """A metric that follows from a threshold.

    Attributes
    ----------
    measure : callable (Counts) -> ndarray of float64
        Of the shape of the counts; NaN where undefined.
    denominator : callable (positive label, positive finding) -> ndarray of bool, or None
        Of a share of images: marks the images in its denominator. None for a metric that is not a share.
    """

    measure: Callable[[Counts], Values]
    denominator: Callable[[Mask, Mask], Mask] | None = None


METRICS: Registry[Metric] = Registry(
    "metric",
    ScoreMetric("auc", measure=roc_auc, ranks=True),
    ScoreMetric("average_precision", measure=average_precision, ranks=True),
    ScoreMetric("brier", higher_is_better=False, measure=brier),
    ScoreMetric("ece", higher_is_better=False, measure=calibration_error),
    Rate("accuracy", measure=rates.accuracy, denominator=lambda label, finding: np.ones(len(label), bool)),
    Rate("balanced_accuracy", measure=rates.balanced_accuracy),
    Rate("sensitivity", measure=rates.sensitivity, denominator=lambda label, finding: label),
    Rate("specificity", measure=rates.specificity, denominator=lambda label, finding: ~label),
    Rate("ppv", measure=rates.ppv, denominator=lambda label, finding: finding),
    Rate("npv", measure=rates.npv, denominator=lambda label, finding: ~finding),
    Rate("f1", measure=rates.f1),
    Rate("mcc", measure=rates.mcc),
    Rate("lr_positive", measure=rates.lr_positive, digits=2),
    Rate("lr_negative", higher_is_better=False, measure=rates.lr_negative),
)
"""Metrics in the order in which they are reported."""


def score_metrics() -> list[ScoreMetric]:
    """List the metrics that need no threshold."""
    return [metric for metric in METRICS if isinstance(metric, ScoreMetric)]


def rates_in_order() -> list[Rate]:
    """List the metrics that follow from a threshold."""
    return [metric for metric in METRICS if isinstance(metric, Rate)]
