"""The choice of an explanation method, and the computation of its map with progress and a stop button."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.explanations.results import (
    Explained,
    as_explained,
    randomisation_finding,
    result_of,
    tested_explanations,
)
from cxrmodel.evaluation.explanations.schema import ExplanationAudit
from cxrmodel.explain.interpolation import CropMap
from cxrmodel.explain.methods import INSTANT, METHODS, Method
from cxrmodel.messages import Message
from cxrmodel.reading import Reader, Reading
from cxrmodel.web import engine, session
from cxrmodel.web.errors import log_failure
from cxrmodel.web.text import plain, text

_WIDGET, _CHOSEN = "method chooser", "chosen method"
Made = TypeVar("Made")
Progress = Callable[[float, Message], None]
Tested = ExplanationAudit | None


def choose_explanation(reader: Reader, reading: Reading) -> Explained:
    """Draw the chooser of methods, compute a requested map, and return the map to show.

    Parameters
    ----------
    reader : Reader
    reading : Reading

    Returns
    -------
    Explained
        Of the chosen method; of the reading's own map while the chosen one is not computed.
    """
    tested = tested_explanations(reader.spec)
    method = _chosen(tested)
    _describe(method, tested)
    default = as_explained(reading, INSTANT, None, tested)
    if method.name == INSTANT:
        return default
    found = _map(reader, reading, method)
    return default if found is None else as_explained(reading, method.name, found, tested)


def on_demand(
    kind: type[Made], what: str, key: tuple[str, ...], ask: Callable[[], bool], make: Callable[[Progress], Made]
) -> Made | None:
    """Compute something slow once the user asks for it, with a progress bar and a stop button.

    Parameters
    ----------
    kind : type
        Of the result.
    what : str
        What is computed.
    key : tuple of str
        Under which the session keeps the result.
    ask : callable
        Draws the offer; True where the user has just accepted it.
    make : callable
        Gets a function of the share done and of words, which it calls often.

    Returns
    -------
    object
        The result; None where there is none. After an error the page gives the reason.
    """
    known = session.computed(key)
    if isinstance(known, kind):
        return known
    notice = st.empty()
    with notice.container():
        if not ask():
            return None
    place = st.empty()
    with place.container():
        # Any click ends this run of the script at the next sign of progress, and nothing of it is kept.
        bar = st.progress(0.0, text=text("web.method.begin", what=plain(what)))
        st.button(text("web.method.stop"), icon=":material/stop_circle:", key=f"stop {' '.join(key[2:])}")

        def progress(share: float, words: Message) -> None:
            bar.progress(min(max(share, 0.0), 1.0), text=plain(words))

        try:
            made = session.compute(key, lambda: make(progress))
            notice.empty()
            return made
        except CxrError as error:
            trouble = plain(error)
        except Exception as error:
            trouble = text("web.method.failed", what=plain(what), reference=log_failure(error))
        finally:
            place.empty()
    st.error(trouble, icon=":material/error:")
    return None


def _chosen(tested: Tested) -> Method:
    st.session_state[_WIDGET] = st.session_state.get(_CHOSEN, INSTANT)
    name = st.selectbox(
        text("web.method.choose"),
        METHODS.names,
        format_func=lambda name: _label(name, tested),
        key=_WIDGET,
        on_change=lambda: st.session_state.update({_CHOSEN: st.session_state[_WIDGET]}),
        width=520,
        help=text("web.method.choose_help"),
    )
    return METHODS[name]


def _label(name: str, tested: Tested) -> str:
    marks = (name == INSTANT, randomisation_finding(tested, name)[0] is False)
    codes = {
        (True, False): "web.method.default",
        (False, True): "web.method.independent",
        (True, True): "web.method.independent_default",
    }
    title = METHODS[name].title
    return text(codes[marks], title=title) if marks in codes else title


def _describe(method: Method, tested: Tested) -> None:
    depends, finding = randomisation_finding(tested, method.name)
    if depends is False:
        st.warning(text("web.method.warning", title=method.title, finding=finding), icon=":material/priority_high:")
    result = result_of(tested, method.name)
    cost = text("web.method.cost", cost=method.cost)
    if result and method.passes:
        cost = text("web.method.cost_seconds", cost=method.cost, seconds=result.seconds)
    lines = [
        text("web.method.shows", shows=method.shows),
        text("web.method.cannot", cannot=method.cannot),
        cost,
        *([] if depends is False else [text("web.method.tested", finding=finding)]),
        text("web.method.paper", paper=plain(method.paper), link=method.link),
    ]
    with st.expander(text("web.method.about", title=method.title), icon=":material/help:"):
        st.markdown("\n".join(lines))


def _map(reader: Reader, reading: Reading, method: Method) -> CropMap | None:
    """The method's map, where it was computed or is asked for now."""
    key = (reading.radiograph.sha256, reader.spec.version, method.name)

    def ask() -> bool:
        code = "web.method.not_computed_tensorflow" if method.tensorflow else "web.method.not_computed"
        words = text(code, title=method.title, shown=METHODS[INSTANT].title, cost=method.cost)
        st.info(words, icon=":material/info:")
        compute = text("web.method.compute", title=method.title)
        return st.button(compute, icon=":material/play_arrow:", key=f"compute {method.name}")

    def make(progress: Progress) -> CropMap:
        return engine.explainer(reader).image_map(method.name, reader.model_input(reading), progress)

    return on_demand(CropMap, method.title, key, ask, make)
