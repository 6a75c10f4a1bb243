"""The figures that sum up an evaluation, as a strip of cards above all parts."""

from html import escape

import streamlit as st

from cxrmodel.evaluation.report import context
from cxrmodel.messages import Message
from cxrmodel.metrics import formatting
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.registry import METRICS
from cxrmodel.web.evaluation.selection import Selection
from cxrmodel.web.text import text

_POINT = "balanced"
_SCORE, _RATES, _ERROR = "auc", ("sensitivity", "specificity"), "ece"


def headline(selection: Selection) -> None:
    """Draw AUC, sensitivity and specificity at the balanced threshold, and calibration error, with intervals.

    Parameters
    ----------
    selection : Selection
    """
    at = selection.scores.performance.at[_POINT].rates
    point = text("web.headline.point", point=text(f"report.operating_point.{_POINT}"))
    cards = [
        (_SCORE, "", context.overall_figure(selection.evaluation, selection.split, _SCORE)),
        *((name, point, at[name]) for name in _RATES),
        (_ERROR, "", context.overall_figure(selection.evaluation, selection.split, _ERROR)),
    ]
    st.html(f'<dl class="headline">{"".join(_card(*card) for card in cards)}</dl>')


def _card(name: str, note: str, figure: Estimate | Message) -> str:
    digits, title = METRICS[name].digits, str(METRICS[name].title)
    value, interval = str(figure), ""
    if isinstance(figure, Estimate):
        value = formatting.number(figure.value, digits)
        if figure.interval is not None:
            low, high = (formatting.number(edge, digits) for edge in figure.interval)
            interval = text("web.headline.interval", low=low, high=high)
    small = f" <small>{escape(note)}</small>" if note else ""
    return f"<div><dt>{escape(title)}{small}</dt><dd><b>{escape(value)}</b> <span>{escape(interval)}</span></dd></div>"
