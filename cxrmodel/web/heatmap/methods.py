"""The choice of a way to explain a reading: what each can show, and the way to its map, with progress and a way out."""

from collections.abc import Callable, Mapping

import numpy as np
import streamlit as st

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.explanations.results import (
    Explained,
    as_explained,
    default_method,
    findings_of,
    sanity_sentence,
    tested_explanations,
)
from cxrmodel.explain.explainer import Explainer
from cxrmodel.explain.methods import INSTANT, METHODS, Method
from cxrmodel.reading import Reader, Reading
from cxrmodel.web import engine
from cxrmodel.web.errors import log_failure
from cxrmodel.web.heatmap import maps
from cxrmodel.web.text import plain

__all__ = ["choose_explanation", "with_progress"]

_WIDGET, _CHOSEN = "method chooser", "chosen method"


def choose_explanation(reader: Reader, reading: Reading) -> Explained:
    """Draw the chooser of methods, compute what is asked for, and give the map to be shown.

    Parameters
    ----------
    reader : Reader
    reading : Reading

    Returns
    -------
    Explained
        Of the chosen method; of the map that the reading brings along while the chosen one is not computed.
    """
    tested = tested_explanations(reader.spec)
    method = _chosen(tested)
    _describe(method, tested)
    own = as_explained(reading, INSTANT, reading.heat, tested)
    if method.name == INSTANT:
        return own
    key = (reading.radiograph.sha256, reader.spec.weights_sha256, method.name)
    heat = maps.peek(key)
    if heat is None:
        heat = _computed(reader, reading, method, key, tested)
    return own if heat is None else as_explained(reading, method.name, heat, tested)


def with_progress(what: str, key: tuple[str, ...], make: Callable[[Callable[[float, str], None]], object]) -> object:
    """Compute something slow, with a bar and a button that stops it; an error becomes a sentence.

    Parameters
    ----------
    what : str
        What is computed, as the subject of a sentence.
    key : tuple of str
        Under which the result is kept.
    make : callable
        Given a function of the share done and words, which it calls often.

    Returns
    -------
    object
        The result, None where there is none; the reason is then on the page.
    """
    place = st.empty()
    with place.container():
        # Any click ends the run of this script at the next sign of progress, and nothing is kept of it.
        bar = st.progress(0.0, text=f"{plain(what)}: beginning")
        st.button("Stop", icon=":material/stop_circle:", key=f"stop {' '.join(key[2:])}")
        try:
            return maps.kept(key, lambda: make(lambda share, words: _tell(bar, share, words)))
        except CxrError as error:
            trouble = plain(str(error))
        except Exception as error:
            trouble = (
                f"{plain(what)} failed because of an unexpected error, reference number {log_failure(error)}. "
                "Try it once more; if it fails again, report the number as the About page describes."
            )
        finally:
            place.empty()
    st.error(trouble, icon=":material/error:")
    return None


def _tell(bar, share: float, words: str) -> None:
    bar.progress(min(max(share, 0.0), 1.0), text=plain(words))


def _chosen(tested: Mapping) -> Method:
    favoured = default_method(tested)
    st.session_state[_WIDGET] = st.session_state.get(_CHOSEN, favoured)
    name = st.selectbox(
        "Method",
        list(METHODS),
        format_func=lambda name: _label(name, favoured, tested),
        key=_WIDGET,
        on_change=lambda: st.session_state.update({_CHOSEN: st.session_state[_WIDGET]}),
        width=520,
        help="Different ways to ask the network why. Where they disagree, none of them should be relied upon.",
    )
    return METHODS[name]


def _label(name: str, favoured: str, tested: Mapping) -> str:
    marks = [METHODS[name].title]
    if name == favoured:
        marks.append("default")
    if sanity_sentence(tested, name)[0] is False:
        marks.append("does not depend on the model")
    return " · ".join(marks)


def _describe(method: Method, tested: Mapping) -> None:
    depends, sentence = sanity_sentence(tested, method.name)
    if depends is False:
        st.warning(f"{method.title}: {sentence}", icon=":material/priority_high:")
    seconds = findings_of(tested, method.name).get("seconds")
    measured = f" Measured over many images: {seconds:.2g} s each." if seconds and method.passes else ""
    tested_as = "" if depends is False else f"- **Tested**: {sentence}\n"
    with st.expander(f"What {method.title} can show, and what it cannot", icon=":material/help:"):
        st.markdown(
            f"- **Shows**: {method.shows}\n- **Cannot show**: {method.cannot}\n"
            f"- **Cost**: {method.cost}{measured}\n{tested_as}"
            f"- **Published as**: [{plain(method.paper)}]({method.link})"
        )


def _computed(
    reader: Reader, reading: Reading, method: Method, key: tuple[str, str, str], tested: Mapping
) -> np.ndarray | None:
    notice = st.empty()
    with notice.container():
        waits = "" if not method.tensorflow else " TensorFlow is loaded first if it is not loaded yet."
        st.info(
            f"{method.title} has not been computed for this image: what is shown is {METHODS[INSTANT].title}. "
            f"{method.cost}{waits}",
            icon=":material/info:",
        )
        asked = st.button(f"Compute {method.title}", icon=":material/play_arrow:", key=f"compute {method.name}")
    if not asked:
        return None
    explainer: Explainer = engine.explainer(reader)
    heat = with_progress(
        method.title, key, lambda told: explainer.image_map(method.name, reader.model_input(reading), told)
    )
    if heat is not None:
        notice.empty()
    return heat
