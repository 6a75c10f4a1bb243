"""What the checks before a reading refuse and warn of."""

from collections.abc import Mapping

import streamlit as st

from cxrmodel.evaluation.caution import FEWEST
from cxrmodel.web.evaluation_files import offer
from cxrmodel.web.evaluation_terms import with_interval
from cxrmodel.web.text import plain

__all__ = ["gates"]

_OUTCOMES = {"read": "Read", "warned": "Warned", "refused": "Refused"}
_RULES = {"by_rule": "Refused by", "warned_by_rule": "Warned by"}
_NO_BREAK = "\u00a0"
_FIGURES = {"auc": "AUC", "average_precision": "Average precision", "brier": "Brier score"}


def gates(section: Mapping) -> None:
    """Draw how many pictures of each kind are read, warned of and refused, and what that does to the figures.

    Parameters
    ----------
    section : mapping
        The section ``gates`` of an evaluation; empty where there is none.
    """
    st.subheader("Refusals and warnings")
    sets = section.get("sets", ())
    if not sets:
        st.markdown(
            "How often the checks before a reading warn and refuse has not been measured for these weights. "
            "The command that evaluates adds it."
        )
        return
    counted = [
        {"Pictures": f"{item['name']} ({item['films']})"}
        | {said: _share(item[key], item["films"]) for key, said in _OUTCOMES.items()}
        for item in sets
    ]
    st.table(counted, hide_index=True)
    st.caption(f"No share is given of fewer than {FEWEST} pictures. Those warned of are read as well.")
    with st.expander("What the pictures are, and which rules refuse and warn", icon=":material/rule:"):
        st.markdown("\n".join(_told(item) for item in sets))
    offer("refusals", lambda: [_row(item) for item in sets])
    off, on = section.get("metrics_off"), section.get("metrics_read")
    if off and on:
        figures = [
            {"Figure": said, "All films": with_interval(off[key]), "Films read": with_interval(on[key])}
            for key, said in _FIGURES.items()
            if key in off and key in on
        ]
        st.table(figures, hide_index=True)
        st.caption("The official test films: all of them with the checks off, and those that the program reads.")
        offer("figures-with-gates", lambda: figures)


def _share(count: int, films: int) -> str:
    return str(count) if films < FEWEST else f"{count} ({100 * count / films:.1f}{_NO_BREAK}%)"


def _rules(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{rule} {count}" for rule, count in counts.items()) or "none"


def _row(item: Mapping) -> dict[str, str | int]:
    counts = {said: item[key] for key, said in _OUTCOMES.items()}
    rules = {said: _rules(item.get(key, {})) for key, said in _RULES.items()}
    return {"Pictures": item["name"], "Description": item["description"], "Films": item["films"]} | counts | rules


def _told(item: Mapping) -> str:
    rules = ". ".join(f"{said}: {_rules(item[key])}" for key, said in _RULES.items() if item.get(key))
    return f"- **{plain(item['name'])}**: {plain(item['description'])}{f'. {plain(rules)}' if rules else ''}."
