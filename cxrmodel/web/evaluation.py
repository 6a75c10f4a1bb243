"""The evaluation on the page: curves, figures with intervals, and what a threshold makes of them."""

from collections.abc import Mapping

import streamlit as st

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.metrics import confusion_at, rates_at
from cxrmodel.evaluation.results import Evaluation, Scores, load_evaluation
from cxrmodel.model.spec import MODELS, ModelSpec
from cxrmodel.records.wording import OPERATING_POINTS, band, threshold_percent
from cxrmodel.web.charts import roc_chart
from cxrmodel.web.figures import (
    DEFINITIONS,
    band_sentence,
    confusion_html,
    data_sentence,
    figure_rows,
    finding_rows,
    reliability_rows,
    stratum_rows,
)
from cxrmodel.web.text import plain

__all__ = ["evaluation"]

_MODELS = {"densenet121": "DenseNet-121", "cnn": "plain CNN"}
_SPLITS = {"test": "Official test films", "held_out": "Held-out training patients"}
_POINT, _SLIDER = "operating point looked at", "threshold looked at"


def evaluation(spec: ModelSpec | None) -> None:
    """Draw the whole evaluation, with a sentence for each part of it that cannot be used.

    Parameters
    ----------
    spec : ModelSpec or None
        Of the model that reads: figures of other weights under its name are refused.
    """
    found = _found(spec)
    if not found:
        return
    with st.container(horizontal=True, gap="medium"):
        split = st.segmented_control("Films", list(_SPLITS), default="test", required=True, format_func=_SPLITS.get)
        looked_at = st.segmented_control("Model", list(found), default=next(iter(found)), required=True)
    st.markdown(data_sentence(found[looked_at].data[split]))
    if split == "held_out":
        st.info(
            "Calibration and operating points were chosen on these patients, so their figures flatter. "
            "The official test films are the ones to judge by.",
            icon=":material/info:",
        )
    point, threshold = _choose_threshold(found[looked_at])
    scores = found[looked_at].scores[split]
    rates = rates_at(scores.labels, scores.probabilities, threshold)
    curve, calls = st.columns(2, gap="large")
    with curve:
        st.subheader("ROC curve")
        _curve(found, looked_at, split, rates)
    with calls:
        st.subheader(f"Calls at {threshold_percent(threshold)}")
        st.html(confusion_html(confusion_at(scores.labels, scores.probabilities, threshold)))
        st.table(stratum_rows(scores, threshold), hide_index=True)
    _findings(scores, found[looked_at].operating_points, looked_at)
    _figures(found, split, point, looked_at, rates)


def _found(spec: ModelSpec | None) -> dict[str, Evaluation]:
    found = {}
    for model in MODELS:
        try:
            found[_MODELS[model]] = load_evaluation(
                model, spec=spec if spec is not None and spec.model == model else None
            )
        except CxrError as error:
            st.warning(plain(str(error)), icon=":material/warning:")
    return found


def _choose_threshold(shown: Evaluation) -> tuple[str | None, float]:
    """Draw the operating points and a slider that follow each other; None as the point where the slider was moved."""
    points = shown.operating_points
    st.session_state.setdefault(_POINT, "balanced")
    if st.session_state[_POINT] is not None:
        st.session_state[_SLIDER] = round(100 * points[st.session_state[_POINT]], 1)
    st.segmented_control(
        "Operating point",
        list(OPERATING_POINTS),
        format_func=lambda name: f"{OPERATING_POINTS[name]} ({threshold_percent(points[name])})",
        key=_POINT,
    )
    moved = st.slider(
        "Threshold: probability from which a film is called pneumonia",
        0.0,
        100.0,
        step=0.1,
        format="%.1f %%",
        key=_SLIDER,
        on_change=lambda: st.session_state.update({_POINT: None}),
    )
    point = st.session_state[_POINT]
    return point, moved / 100 if point is None else points[point]


def _curve(found: dict[str, Evaluation], looked_at: str, split: str, rates: dict[str, float | None]) -> None:
    ordered = {looked_at: found[looked_at]} | found
    areas = "; ".join(f"{model} AUC {e.metrics[split]['auc']['value']:.3f}" for model, e in ordered.items())
    st.altair_chart(roc_chart(ordered, split, rates), alt=f"ROC curves. {areas}.")
    st.caption(
        f"{areas}. Operating points of {looked_at}: ▼ high sensitivity, ● balanced, ▲ high specificity. The ring is "
        "the threshold chosen above, the dotted line is chance."
    )


def _findings(scores: Scores, points: Mapping[str, float], looked_at: str) -> None:
    st.subheader("Findings")
    edges = band(points)
    if edges is None:
        rule = f"The outer thresholds cross, so the balanced one, {threshold_percent(points['balanced'])}, decides."
    else:
        low, high = map(threshold_percent, edges)
        rule = f"Normal below {low}, pneumonia from {high}, uncertain between. {band_sentence(scores, points)}"
    st.markdown(f"This is what the Read page calls a film with {looked_at}, whatever threshold is set above. {rule}")
    st.table(finding_rows(scores, points), hide_index=True)
    with st.expander("Is the probability right?", icon=":material/balance:"):
        st.markdown(
            "Films in order of the probability stated, in groups of equally many; a film on an edge is shared out "
            "between both groups. Were every probability right, the first two columns would agree but for chance. The "
            "expected calibration error is the mean of their differences, regardless of sign."
        )
        st.table(reliability_rows(scores), hide_index=True)


def _figures(
    found: dict[str, Evaluation], split: str, point: str | None, looked_at: str, rates: dict[str, float | None]
) -> None:
    st.subheader("All figures")
    at = f"at the {OPERATING_POINTS[point]} point of each model" if point else f"at the threshold set for {looked_at}"
    st.table(figure_rows(found, split, point, looked_at, rates), hide_index=True)
    drawn = found[looked_at].bootstrap
    st.caption(
        f"From accuracy on, {at}. In brackets {100 * drawn['level']:.0f} % intervals, from {drawn['resamples']} "
        f"resamples by {drawn['unit']}; a threshold set by hand has none. Measured: "
        f"{'; '.join(f'{e.version} on {e.created}' for e in found.values())}."
    )
    with st.expander("What each figure means", icon=":material/help:"):
        st.markdown("\n".join(f"- **{name}**: {meaning}" for name, meaning in DEFINITIONS.items()))
