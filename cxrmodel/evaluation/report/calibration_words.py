"""Whether the calibrated probability is the better one on some images, in words that follow from the figures."""

from collections.abc import Mapping

from cxrmodel.evaluation.reliability import Reliability, calibration_change, uncalibrated
from cxrmodel.evaluation.report.rows import signed
from cxrmodel.evaluation.schema import Evaluation

__all__ = ["calibration_sentence", "calibration_verdict"]

_MEASURES = {"ece": "calibration error", "brier": "Brier score"}


def calibration_sentence(evaluation: Evaluation, split: str, before: Reliability, after: Reliability) -> str:
    """Say what calibration did to the probabilities of a split, and of which prevalence they speak.

    Parameters
    ----------
    evaluation : Evaluation
    split : str
    before, after : Reliability
        Of the network's own probability and of the calibrated one.
    """
    scores = evaluation.scores[split]
    change = calibration_change(
        scores.labels,
        uncalibrated(scores.logits),
        scores.probabilities,
        scores.patients,
        **evaluation.resampling,
    )
    return (
        f"{calibration_verdict(before, after, change)} The calibrated probability assumes that "
        f"{100 * evaluation.prevalence:.1f} % of images show pneumonia; {100 * scores.labels.mean():.1f} % of these do."
    )


def calibration_verdict(before: Reliability, after: Reliability, change: Mapping[str, Mapping]) -> str:
    """Say by each measure whether the calibrated probability is worse, better, or neither beyond chance.

    Parameters
    ----------
    before, after : Reliability
    change : mapping
        As :func:`cxrmodel.evaluation.reliability.calibration_change` gives it.
    """
    verdicts = {name: _verdict(change[name]) for name in _MEASURES}
    if len(set(verdicts.values())) == 1:
        said = verdicts["ece"]
    else:
        said = ", and ".join(f"{verdict} by its {_MEASURES[name]}" for name, verdict in verdicts.items())
    figures = "; ".join(
        f"{words} {getattr(after, name)['value']:.3f} after calibration against {getattr(before, name)['value']:.3f} "
        f"before, a change of {_written(change[name])}"
        for name, words in _MEASURES.items()
    )
    return (
        f"On these images the calibrated probability is {said} when held against the network's own: {figures}. Of both, "
        "lower is better."
    )


def _verdict(change: Mapping[str, float | None]) -> str:
    low, high = change["low"], change["high"]
    if low is None or high is None or low <= 0 <= high:
        return "neither better nor worse beyond chance"
    return "worse" if low > 0 else "better"


def _written(change: Mapping[str, float | None]) -> str:
    if change["low"] is None or change["high"] is None:
        return signed(change["value"])
    return f"{signed(change['value'])} ({signed(change['low'])} to {signed(change['high'])})"
