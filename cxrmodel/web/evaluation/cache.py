"""Curves and intervals of an evaluation, computed from its scores once and kept for all sessions.

They are figures over many images and hold no image. They are kept under the weights' sha256 and a digest of the scores.
"""

import hashlib
import json
from collections.abc import Callable, Mapping

import altair as alt
import streamlit as st

from cxrmodel.evaluation.report import charts
from cxrmodel.evaluation.report.rows import Row, stratum_rows
from cxrmodel.evaluation.report.verdicts import calibration_verdict
from cxrmodel.evaluation.storage import Evaluation
from cxrmodel.evaluation.thresholds import ThresholdTable, threshold_table
from cxrmodel.metrics.calibration import Reliability
from cxrmodel.metrics.curves import CurveBands, DecisionCurve

__all__ = [
    "Chart",
    "bands_of",
    "benefit_of",
    "described",
    "fingerprint",
    "reliability_of",
    "strata_of",
    "table_of",
    "text_of",
    "verdict_of",
]

Chart = alt.Chart | alt.LayerChart
_KEPT = 48


def fingerprint(evaluation: Evaluation, split: str) -> str:
    """Name the scores of a split: weights, and a digest of everything that figures are computed from.

    Parameters
    ----------
    evaluation : Evaluation
    split : str
    """
    scores = evaluation.scores[split]
    digest = hashlib.sha256(scores.labels.tobytes() + scores.logits.tobytes() + scores.probabilities.tobytes())
    digest.update("\n".join(scores.patients).encode())
    kept = (sorted(evaluation.operating_points.items()), sorted(evaluation.bootstrap.items()), evaluation.prevalence)
    digest.update(repr(kept).encode())
    return f"{evaluation.weights_sha256[:16]}-{digest.hexdigest()[:16]}"


def table_of(evaluation: Evaluation, split: str) -> ThresholdTable:
    """Every figure at every threshold."""
    return _table(fingerprint(evaluation, split), evaluation, split)


def bands_of(evaluation: Evaluation, split: str) -> CurveBands:
    """Bands of ROC and precision-recall curve."""
    return _bands(fingerprint(evaluation, split), evaluation, split)


def benefit_of(evaluation: Evaluation, split: str) -> DecisionCurve:
    """Decision curve."""
    return _benefit(fingerprint(evaluation, split), evaluation, split)


def reliability_of(evaluation: Evaluation, split: str, kind: str, prevalence: float | None = None) -> Reliability:
    """Reliability diagram.

    Parameters
    ----------
    evaluation : Evaluation
    split : str
    kind : {"before", "after", "shifted"}
        Of the network's own output, of the calibrated probability, or of that under another prevalence, to which the
        images are weighed as well.
    prevalence : float or None
        The other prevalence.
    """
    return _reliability(fingerprint(evaluation, split), kind, prevalence, evaluation, split)


def verdict_of(evaluation: Evaluation, split: str) -> str:
    """Whether calibration helped on these images, in words."""
    return _verdict(fingerprint(evaluation, split), evaluation, split)


def strata_of(evaluation: Evaluation, split: str) -> list[Row]:
    """Shares of images called rightly, by organism."""
    return _strata(fingerprint(evaluation, split), evaluation, split)


def described(make: Callable[[], Chart], key: tuple) -> dict:
    """A chart in the terms of Vega-Lite.

    Parameters
    ----------
    make : callable
        Makes the chart.
    key : tuple
        Everything that the chart depends on, as plain values.
    """
    return _chart(repr(key), make)


def text_of(make: Callable[[], str], evaluations: Mapping[str, Evaluation]) -> str:
    """A text that is made of evaluations and their sections, kept until one of them changes."""
    parts = [[fingerprint(e, "test"), e.created, e.data, e.sections, e.provenance] for e in evaluations.values()]
    return _text(hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest(), make)


def _given(evaluation: Evaluation, split: str) -> tuple:
    scores = evaluation.scores[split]
    return scores.labels, scores.probabilities, scores.patients


@st.cache_data(show_spinner=False, max_entries=2 * _KEPT)
def _chart(key: str, _make: Callable[[], Chart]) -> dict:
    return _make().to_dict()


@st.cache_data(show_spinner=False, max_entries=_KEPT)
def _text(key: str, _make: Callable[[], str]) -> str:
    return _make()


@st.cache_data(show_spinner=False, max_entries=_KEPT)
def _verdict(key: str, _evaluation: Evaluation, _split: str) -> str:
    diagrams = (reliability_of(_evaluation, _split, kind) for kind in ("before", "after"))
    return " ".join(map(str, calibration_verdict(_evaluation, _split, *diagrams)))


@st.cache_data(show_spinner=False, max_entries=_KEPT)
def _strata(key: str, _evaluation: Evaluation, _split: str) -> list[Row]:
    return stratum_rows(_evaluation, _split)


@st.cache_resource(show_spinner=False, max_entries=_KEPT)
def _table(key: str, _evaluation: Evaluation, _split: str) -> ThresholdTable:
    return threshold_table(
        *_given(_evaluation, _split), list(_evaluation.operating_points.values()), **_evaluation.resampling
    )


@st.cache_resource(show_spinner=False, max_entries=_KEPT)
def _bands(key: str, _evaluation: Evaluation, _split: str) -> CurveBands:
    return charts.curve_bands(_evaluation, _split)


@st.cache_resource(show_spinner=False, max_entries=_KEPT)
def _benefit(key: str, _evaluation: Evaluation, _split: str) -> DecisionCurve:
    return charts.net_benefit_curve(_evaluation, _split)


@st.cache_resource(show_spinner=False, max_entries=4 * _KEPT)
def _reliability(key: str, kind: str, prevalence: float | None, _evaluation: Evaluation, _split: str) -> Reliability:
    if prevalence is not None:
        return charts.reliability_at(_evaluation, _split, prevalence)
    before, after = charts.reliability_before_after(_evaluation, _split)
    return before if kind == "before" else after
