"""Meanings of terms behind a button."""

import streamlit as st

from cxrmodel.evaluation.report.small_samples import FEWEST, SCARCEST
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.metrics import formatting
from cxrmodel.metrics.registry import METRICS
from cxrmodel.web.text import text


def explain(*names: str) -> None:
    """Draw a button that opens the meanings of some terms.

    Parameters
    ----------
    *names : str
        Of metrics in the registry, or keys of the catalogue's table ``web.term``.
    """
    with st.popover(text("web.term.button"), icon=":material/help:", type="tertiary"):
        st.markdown(
            "\n".join(text("web.term.line", title=term_title(name), meaning=term_meaning(name)) for name in names)
        )


def term_title(name: str) -> str:
    """Give the title of a term."""
    return str(METRICS[name].title) if name in METRICS else text(f"web.term.{name}")


def term_meaning(name: str) -> str:
    """Give the meaning of a term, in a sentence or two."""
    if name == "few":
        return text("web.term.few_meaning", fewest=FEWEST, scarcest=SCARCEST)
    return text(f"metrics.meaning.{name}")


def intervals_text(evaluation: Evaluation) -> str:
    """Say how the confidence intervals were made."""
    drawn = evaluation.bootstrap
    level = formatting.share_percent(drawn.level)
    return text("web.evaluation.intervals", level=level, resamples=drawn.resamples, seed=drawn.seed)
