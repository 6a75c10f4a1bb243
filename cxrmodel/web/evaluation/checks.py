"""What the checks before a reading refuse and warn of."""

from collections.abc import Mapping

import streamlit as st

from cxrmodel.evaluation.report.small_samples import FEWEST
from cxrmodel.web.components.downloads import download_menu
from cxrmodel.web.components.terms import with_interval
from cxrmodel.web.text import plain

__all__ = ["checks"]

_OUTCOMES = {"read": "Read", "warned": "Warned", "refused": "Refused"}
_RULES = {"by_rule": "Refused by", "warned_by_rule": "Warned by"}
_NO_BREAK = "\u00a0"
_FIGURES = {"auc": "AUC", "average_precision": "Average precision", "brier": "Brier score"}


def checks(section: Mapping) -> None:
    """Draw how many pictures of each kind are read, warned of and refused, and what that does to the figures.

    Parameters
    ----------
    section : mapping
        The section ``checks`` of an evaluation; empty where there is none.
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
        {"Pictures": f"{item['name']} ({item['images']})"}
        | {said: _share(item[key], item["images"]) for key, said in _OUTCOMES.items()}
        for item in sets
    ]
    st.table(counted, hide_index=True)
    st.caption(f"No share is given of fewer than {FEWEST} pictures. Those warned of are read as well.")
    with st.expander("What the pictures are, and which rules refuse and warn", icon=":material/rule:"):
        st.markdown("\n".join(_told(item) for item in sets))
    download_menu("refusals", lambda: [_row(item) for item in sets])
    off, on = section.get("metrics_off"), section.get("metrics_read")
    if off and on:
        figures = [
            {"Figure": said, "All images": with_interval(off[key]), "Images read": with_interval(on[key])}
            for key, said in _FIGURES.items()
            if key in off and key in on
        ]
        st.table(figures, hide_index=True)
        st.caption("The official test images: all of them with the checks off, and those that the program reads.")
        download_menu("figures-with-checks", lambda: figures)


def _share(count: int, images: int) -> str:
    return str(count) if images < FEWEST else f"{count} ({100 * count / images:.1f}{_NO_BREAK}%)"


def _rules(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{rule} {count}" for rule, count in counts.items()) or "none"


def _row(item: Mapping) -> dict[str, str | int]:
    counts = {said: item[key] for key, said in _OUTCOMES.items()}
    rules = {said: _rules(item.get(key, {})) for key, said in _RULES.items()}
    return {"Pictures": item["name"], "Description": item["description"], "Images": item["images"]} | counts | rules


def _told(item: Mapping) -> str:
    rules = ". ".join(f"{said}: {_rules(item[key])}" for key, said in _RULES.items() if item.get(key))
    return f"- **{plain(item['name'])}**: {plain(item['description'])}{f'. {plain(rules)}' if rules else ''}."
