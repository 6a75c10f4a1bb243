"""The map that is shown, put to the test on its own image: on demand, with progress, as curves and words."""

import altair as alt
import streamlit as st

from cxrmodel.evaluation.explanations.results import Explained
from cxrmodel.explain.image_test import RANDOM_ORDERS, ImageTest, image_test
from cxrmodel.reading import Reader
from cxrmodel.web import engine
from cxrmodel.web.heatmap import maps
from cxrmodel.web.heatmap.methods import with_progress

__all__ = ["faithfulness"]

_NO_BREAK = "\u00a0"
_ALIKE, _UNLIKE = 0.9, 0.5
_LEAST_FALL = 0.1
"""Of the score, from the intact image to the one that is all blurred: below it no order can do much."""


def faithfulness(reader: Reader, explained: Explained) -> None:
    """Draw the test of a map, or the button that runs it.

    Parameters
    ----------
    reader : Reader
    explained : Explained
        What is shown.
    """
    reading, method = explained.reading, explained.method
    st.subheader("Does the map show what the probability rests on?")
    if not reading.heat.any():
        st.markdown("The map is empty, so there is nothing to test.")
        return
    key = (reading.radiograph.sha256, reader.spec.weights_sha256, method.name, "test")
    found = maps.peek(key)
    if found is None:
        found = _asked(reader, explained, key)
    if found is not None:
        _draw(found, explained)


def _asked(reader: Reader, explained: Explained, key: tuple[str, ...]) -> ImageTest | None:
    notice = st.empty()
    with notice.container():
        st.markdown(
            "The places that the map calls hottest are blurred away bit by bit: if the map is right, the score "
            "falls sooner than where places are blurred away at random. Then they are put back on a blurred image, and "
            f"it should rise sooner. {explained.method.title} is also drawn again under noise too small to see."
        )
        asked = st.button("Test this map on this image", icon=":material/labs:", key=f"test {explained.method.name}")
    if not asked:
        return None
    reading, explainer = explained.reading, engine.explainer(reader)

    def make(told):
        ready = reader.model_input(reading)
        return image_test(explainer, explained.method.name, ready, reading.heat, told)

    found = with_progress(f"The test of {explained.method.title}", key, make)
    if found is not None:
        notice.empty()
    return found


def _draw(found: ImageTest, explained: Explained) -> None:
    title, reading = explained.method.title, explained.reading
    if reading.probability < reading.threshold:
        st.info(
            "The model does not call this image pneumonia at the balanced threshold, so there is little to take away: "
            "these curves say little here.",
            icon=":material/info:",
        )
    if not _tells(found):
        first, last = (f"{found.own.deletion[at]:.2f}" for at in (0, -1))
        st.info(
            f"With every place blurred away the score is {last}, on the intact image {first}: blurring takes hardly "
            "anything away here, so this test cannot tell on this image whether the map is right.",
            icon=":material/info:",
        )
    deletion, insertion = st.columns(2, gap="medium")
    with deletion:
        st.altair_chart(_chart(found, "deletion", title), alt=_said(found, "deletion"))
        st.caption(_said(found, "deletion"))
    with insertion:
        st.altair_chart(_chart(found, "insertion", title), alt=_said(found, "insertion"))
        st.caption(_said(found, "insertion"))
    st.markdown(_stability(found.stability, title))
    st.caption(
        "The network's score at an even prevalence against the share of places taken away or put back; random is the "
        f"mean of {RANDOM_ORDERS} random orders. Deletion and insertion: Petsiuk et al., RISE, BMVC 2018. One image "
        "proves little either way; the Evaluation page has the means over many."
    )


def _tells(found: ImageTest) -> bool:
    return bool(found.own.deletion[0] - found.own.deletion[-1] >= _LEAST_FALL)


def _said(found: ImageTest, kind: str) -> str:
    # Compared as they are shown: a verdict must not contradict the two numbers beside it.
    own, random = (round(getattr(part, f"{kind}_auc"), 2) for part in (found.own, found.random))
    wanted = "lower" if kind == "deletion" else "higher"
    if not _tells(found):
        verdict = "this image cannot tell"
    elif own == random:
        verdict = "the map does no better than random orders on this image"
    elif (own < random) == (wanted == "lower"):
        verdict = "as it should be"
    else:
        verdict = "the map does worse than random orders on this image"
    return (
        f"{kind.capitalize()}: mean score {own:.2f} in the map's order, {random:.2f} in random order. "
        f"A faithful map's is {wanted}: {verdict}."
    )


def _stability(value: float, title: str) -> str:
    words = "holds" if value >= _ALIKE else "changes somewhat" if value >= _UNLIKE else "changes much"
    return (
        f"Under noise too small to see, the {title} map {words} (rank correlation {value:.2f}, where 1{_NO_BREAK}is "
        "the same order of places)."
    )


def _chart(found: ImageTest, kind: str, title: str) -> alt.Chart:
    rows = [
        {"order": order, "share": round(100 * float(share), 1), "score": round(100 * float(value), 2)}
        for order, part in ((title, found.own), ("random order", found.random))
        for share, value in zip(part.share, getattr(part, kind), strict=True)
    ]
    verb = "blurred away" if kind == "deletion" else "put back"
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=2.5)
        .encode(
            alt.X("share:Q", title=f"Places {verb} (%)", scale=alt.Scale(domain=[0, 100])),
            alt.Y("score:Q", title="Score (%)", scale=alt.Scale(domain=[0, 100])),
            alt.Color(
                "order:N",
                title=None,
                scale=alt.Scale(domain=[title, "random order"], range=["#7cc4d8", "#e8a85c"]),
            ),
            alt.StrokeDash(
                "order:N", title=None, scale=alt.Scale(domain=[title, "random order"], range=[[1, 0], [6, 4]])
            ),
            tooltip=["order:N", "share:Q", "score:Q"],
        )
        .properties(height=260)
        .configure_legend(orient="bottom")
    )
