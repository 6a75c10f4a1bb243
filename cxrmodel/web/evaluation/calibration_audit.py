"""What the audit of calibration found: other ways to calibrate, other prevalences, and where the error comes from."""

from collections.abc import Mapping

import streamlit as st

from cxrmodel.metrics.formatting import percent
from cxrmodel.web.components.downloads import download_menu
from cxrmodel.web.components.terms import with_interval

__all__ = ["audited_rows", "why"]

_TEST = {
    "test_at_its_own_prevalence": "test images, told their own prevalence",
    "test_refitted": "test images, fitted anew on themselves and cross-fitted, which is never used",
}
_SOURCES = {"test": "official test", "held_out": "held out"}


def audited_rows(audited: Mapping, split: str) -> list[dict[str, str]]:
    """Calibration figures that were fitted and measured on different patients, and at other prevalences.

    Parameters
    ----------
    audited : mapping
        The part ``calibration`` of the section ``audits``; may be empty.
    split : str
        Those of the test images stand beside the test images alone.
    """
    parts = [
        (f"held-out patients, cross-fitted: {part['description']}{_used(part, audited)}", part)
        for part in audited.get("methods", ())
    ]
    if split == "test":
        parts += [(said, audited[name]) for name, said in _TEST.items() if name in audited]
        parts += [
            (f"test images weighed to {percent(part['prevalence'])}, and told so", part)
            for part in audited.get("by_prevalence", ())
        ]
    return [
        {
            "Probability": said,
            "Expected calibration error": with_interval(part["ece"]),
            "Brier score": with_interval(part["brier"]),
        }
        for said, part in parts
    ]


def why(audited: Mapping) -> None:
    """Draw where the error on the test images comes from, or nothing where that was not measured.

    Parameters
    ----------
    audited : mapping
    """
    if not audited.get("by_source"):
        return
    with st.expander("Where the error on the test images comes from", icon=":material/search:"):
        rows = [
            {
                "Normal images": _SOURCES[row["normal"]],
                "Images with pneumonia": _SOURCES[row["pneumonia"]],
                "Expected calibration error": with_interval(row["ece"]),
            }
            for row in audited["by_source"]
        ]
        st.table(rows, hide_index=True)
        st.caption(f"Images of either source, weighed to a prevalence of {percent(audited['prevalence'])}.")
        st.markdown("\n".join(_shift(row) for row in audited["shift"]))
        download_menu("calibration-sources", lambda: rows)


def _used(part: Mapping, audited: Mapping) -> str:
    return " (the kind in use)" if part["name"] == audited.get("chosen") else ""


def _shift(row: Mapping) -> str:
    return (
        f"- Of {row['class']} images the median logit is {row['test_median']:.2f} on the test and "
        f"{row['held_out_median']:.2f} held out; one from the test lies above one held out in "
        f"{with_interval(row['test_above_held_out'])} of all pairs, where 0.5 would be no shift."
    )
