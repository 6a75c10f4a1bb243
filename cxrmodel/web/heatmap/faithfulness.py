"""The faithfulness test of a map on its own image: on demand, with progress, as curves and sentences."""

from typing import Literal

import altair as alt
import streamlit as st

from cxrmodel.evaluation.explanations.results import Explained
from cxrmodel.explain.image_test import RANDOM_ORDERS, ImageTest, image_test
from cxrmodel.messages import Message
from cxrmodel.reading import Reader
from cxrmodel.web import engine
from cxrmodel.web.heatmap.methods import Progress, on_demand
from cxrmodel.web.text import text

Kind = Literal["deletion", "insertion"]
_STABLE, _UNSTABLE = 0.9, 0.5
_LEAST_FALL = 0.1
"""Fall of the score from the intact to the wholly blurred image below which no order can do much."""


def faithfulness(reader: Reader, explained: Explained) -> None:
    """Draw the test of a map, or the button that runs it.

    Parameters
    ----------
    reader : Reader
    explained : Explained
        The map shown.
    """
    st.subheader(text("web.faithfulness.title"))
    if not explained.reading.heat.any():
        st.markdown(text("web.faithfulness.empty"))
        return
    if result := _result(reader, explained):
        _draw(result, explained)


def is_decisive(result: ImageTest) -> bool:
    """Whether blurring everything lowers the score enough to compare orders."""
    return bool(result.own.deletion[0] - result.own.deletion[-1] >= _LEAST_FALL)


def verdict(result: ImageTest, kind: Kind) -> Message:
    """Compare the map's order with random orders, as the rounded numbers beside it show them.

    Parameters
    ----------
    result : ImageTest
    kind : {"deletion", "insertion"}
    """
    ordered, random = (round(float(getattr(part, f"{kind}_auc")), 2) for part in (result.own, result.random))
    if not is_decisive(result):
        return Message("web.faithfulness.verdict_undecided")
    if ordered == random:
        return Message("web.faithfulness.verdict_equal")
    if (ordered < random) == (kind == "deletion"):
        return Message("web.faithfulness.verdict_better")
    return Message("web.faithfulness.verdict_worse")


def curves_chart(result: ImageTest, kind: Kind, title: str) -> alt.Chart:
    """Draw the score over the share of places blurred or restored, in the map's order and in random order.

    Parameters
    ----------
    result : ImageTest
    kind : {"deletion", "insertion"}
    title : str
        Of the method.
    """
    orders = {title: result.own, text("web.faithfulness.random"): result.random}
    rows = [
        {"order": order, "share": round(100 * float(share), 1), "score": round(100 * float(value), 2)}
        for order, part in orders.items()
        for share, value in zip(part.share, getattr(part, kind), strict=True)
    ]
    names, whole = list(orders), alt.Scale(domain=[0, 100])
    colour = alt.Color("order:N", title=None, scale=alt.Scale(domain=names, range=["#7cc4d8", "#e8a85c"]))
    dash = alt.StrokeDash("order:N", title=None, scale=alt.Scale(domain=names, range=[[1, 0], [6, 4]]))
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=2.5)
        .encode(
            alt.X("share:Q", title=text(f"web.faithfulness.{kind}_axis"), scale=whole),
            alt.Y("score:Q", title=text("web.faithfulness.score_axis"), scale=whole),
            colour,
            dash,
            tooltip=["order:N", "share:Q", "score:Q"],
        )
        .properties(height=260)
        .configure_legend(orient="bottom")
    )
    return chart


def _result(reader: Reader, explained: Explained) -> ImageTest | None:
    """The test's result, where it was run or is asked for now."""
    reading, method = explained.reading, explained.method
    key = (reading.radiograph.sha256, reader.spec.version, method.name, "test")

    def ask() -> bool:
        st.markdown(text("web.faithfulness.about", title=method.title))
        return st.button(text("web.faithfulness.test"), icon=":material/labs:", key=f"test {method.name}")

    def make(progress: Progress) -> ImageTest:
        explainer = engine.explainer(reader)
        return image_test(explainer, method.name, reader.model_input(reading), reading.heat, progress)

    return on_demand(ImageTest, text("web.faithfulness.what", title=method.title), key, ask, make)


def _draw(result: ImageTest, explained: Explained) -> None:
    title, reading = explained.method.title, explained.reading
    if reading.probability < reading.threshold:
        st.info(text("web.faithfulness.negative"), icon=":material/info:")
    if not is_decisive(result):
        first, last = (float(result.own.deletion[at]) for at in (0, -1))
        st.info(text("web.faithfulness.no_fall", first=first, last=last), icon=":material/info:")
    kinds: tuple[Kind, ...] = ("deletion", "insertion")
    for column, kind in zip(st.columns(2, gap="medium"), kinds, strict=True):
        means = {"map": getattr(result.own, f"{kind}_auc"), "random": getattr(result.random, f"{kind}_auc")}
        words = text(f"web.faithfulness.{kind}", verdict=verdict(result, kind), **means)
        with column:
            st.altair_chart(curves_chart(result, kind, title), alt=words)
            st.caption(words)
    st.markdown(_stability(result.stability, title))
    st.caption(text("web.faithfulness.note", orders=RANDOM_ORDERS))


def _stability(value: float, title: str) -> str:
    outcome = "holds" if value >= _STABLE else "changes" if value >= _UNSTABLE else "lost"
    return text(f"web.faithfulness.stability_{outcome}", title=title, value=value)
