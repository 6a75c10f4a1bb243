"""Performance: every registered metric of a set of images, with confidence intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from cxrmodel.metrics.bootstrap import RESAMPLES, SEED, resampled
from cxrmodel.metrics.calibration import at_observed_prevalence
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.intervals import estimate
from cxrmodel.metrics.rates import Confusion
from cxrmodel.metrics.registry import score_metrics
from cxrmodel.metrics.thresholds import rates_at
from cxrmodel.metrics.validation import checked_patients, checked_threshold, of_both_classes


@dataclass(frozen=True, config=ConfigDict(extra="forbid", ser_json_inf_nan="strings"))
class OperatingPoint:
    """Performance at a threshold.

    Attributes
    ----------
    threshold : float
        Probability at or above which an image is positive.
    confusion : Confusion
    rates : dict of str to Estimate
        By the name of each registered metric that needs a threshold.
    """

    threshold: float
    confusion: Confusion
    rates: dict[str, Estimate]


@dataclass(frozen=True, config=ConfigDict(extra="forbid", ser_json_inf_nan="strings"))
class Performance:
    """Every registered metric of a set of images.

    Attributes
    ----------
    overall : dict of str to Estimate
        By the name of each metric that needs no threshold.
    at : dict of str to OperatingPoint
        By the name of each operating point.
    """

    overall: dict[str, Estimate]
    at: dict[str, OperatingPoint]


def evaluate_scores(
    labels: ArrayLike,
    probabilities: ArrayLike,
    patients: Sequence[str] | NDArray[np.str_],
    operating_points: Mapping[str, float],
    resamples: int = RESAMPLES,
    seed: int = SEED,
    *,
    prevalence: float | None = None,
) -> Performance:
    """Compute every registered metric, with 95 % intervals.

    The intervals are percentiles over resampled patients with all their images. A resample in which a metric is
    undefined (for example without a negative image) is left out; where more than half are, there is no interval.
    Where all resamples of a share agree, its interval is Wilson's over the patients.

    Parameters
    ----------
    labels : array-like of int, shape (N,)
        0 negative, 1 positive; both must occur.
    probabilities : array-like of float, shape (N,)
        0..1.
    patients : sequence of str, length N
    operating_points : mapping of str to float
        Name to threshold on the probability.
    resamples, seed : int
        Of the bootstrap.
    prevalence : float or None
        That the probabilities assume. Calibration error and Brier score are of the probabilities adjusted to the
        prevalence of the images; None takes them as they are.

    Raises
    ------
    DataError
        When the arrays differ in length, are empty, hold anything else, or hold one class only.
    """
    found, values = of_both_classes(labels, probabilities)
    people = checked_patients(patients, len(found))
    samples = resampled(found, values, people, resamples, seed)
    thresholds = [checked_threshold(point) for point in operating_points.values()]
    table = rates_at(found, values, people, samples, np.array(thresholds))
    if prevalence is not None:
        samples = at_observed_prevalence(samples, prevalence, float(found.mean()))
    return Performance(
        {metric.name: estimate(metric.measure(samples), len(found)) for metric in score_metrics()},
        {
            name: OperatingPoint(
                thresholds[row], table.confusion(row), {rate: table.estimate(rate, row) for rate in table.values}
            )
            for row, name in enumerate(operating_points)
        },
    )
