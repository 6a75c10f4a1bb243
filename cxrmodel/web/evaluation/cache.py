"""Curves, intervals and tables of an evaluation, computed once and kept for all sessions. They hold no image."""

import hashlib
import weakref

import streamlit as st

from cxrmodel.evaluation.report import charts, rows, verdicts
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.messages import Message
from cxrmodel.metrics.thresholds import ThresholdTable
from cxrmodel.metrics.thresholds import threshold_table as compute_thresholds
from cxrmodel.models import DEFAULT_MODEL, MODELS


def fingerprint(evaluation: Evaluation) -> str:
    """Digest of a whole evaluation, made once for each object."""
    known = _digests.get(id(evaluation))
    if known is None or known[0]() is not evaluation:
        digest = hashlib.sha256(evaluation.model_dump_json().encode()).hexdigest()
        known = _digests[id(evaluation)] = weakref.ref(evaluation), digest
    return known[1]


_digests: dict[int, tuple[weakref.ref[Evaluation], str]] = {}
_kept = st.cache_resource(show_spinner=False, max_entries=192, hash_funcs={Evaluation: fingerprint})

curve_bands = _kept(charts.curve_bands)
net_benefit_curve = _kept(charts.net_benefit_curve)
rate_curve = _kept(charts.rate_curve)
reliability_at = _kept(charts.reliability_at)
reliability_before_after = _kept(charts.reliability_before_after)
stratum_rows = _kept(rows.stratum_rows)
three_way = _kept(rows.three_way)


@_kept
def threshold_table(evaluation: Evaluation, split: str) -> ThresholdTable:
    """Every rate at every threshold."""
    scores, points = evaluation.splits[split], list(evaluation.operating_points.values())
    return compute_thresholds(scores.labels, scores.probabilities, scores.patients, points, **evaluation.resampling)


@_kept
def calibration_verdict(evaluation: Evaluation, split: str) -> tuple[Message, ...]:
    """Whether calibration helped on these images."""
    before, after = reliability_before_after(evaluation, split)
    return verdicts.calibration_verdict(evaluation, split, before, after)


def compute_first(split: str = "test") -> None:
    """Compute what the page shows first, and what is slow on its other tabs, before anybody asks for it.

    Raises
    ------
    CxrError
        Where an evaluation cannot be used.
    """
    for model in MODELS.names:
        evaluation = load_evaluation(model)
        for compute in (rate_curve, curve_bands, threshold_table, net_benefit_curve):
            compute(evaluation, split)
    evaluation = load_evaluation(DEFAULT_MODEL)
    for compute_more in (stratum_rows, three_way, reliability_before_after, calibration_verdict):
        compute_more(evaluation, split)
