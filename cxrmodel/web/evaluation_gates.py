"""What the checks before a reading refuse and warn of."""

from collections.abc import Mapping

import streamlit as st

from cxrmodel.web.evaluation_files import offer
from cxrmodel.web.evaluation_terms import with_interval
from cxrmodel.web.text import plain

__all__ = ["gates"]

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
    rows = [
        {
            "Pictures": item["name"],
            "Films": item["films"],
            "Read": _share(item["read"], item["films"]),
            "Warned": _share(item["warned"], item["films"]),
            "Refused": _share(item["refused"], item["films"]),
            "By rule": "; ".join(f"{rule} {count}" for rule, count in item.get("by_rule", {}).items()),
        }
        for item in sets
    ]
    st.table(rows, hide_index=True)
    described = [f"**{plain(item['name'])}**: {plain(item['description'])}" for item in sets if item.get("description")]
    if described:
        st.caption(" · ".join(described))
    offer("refusals", lambda: rows)
    off, on = section.get("metrics_off"), section.get("metrics_read")
    if off and on:
        st.table(
            [
                {"Figure": said, "All films": with_interval(off[key]), "Films read": with_interval(on[key])}
                for key, said in _FIGURES.items()
                if key in off and key in on
            ],
            hide_index=True,
        )


def _share(count: int, films: int) -> str:
    return f"{count} ({100 * count / films:.1f} %)" if films else str(count)
