"""Quality checks: how many pictures of each kind they reject and warn of, and the effect on the metrics."""

import re
from collections.abc import Mapping
from typing import Any

import streamlit as st

from cxrmodel.checks.registry import CHECKS
from cxrmodel.evaluation.audits.schema import CheckAudit, CheckSet
from cxrmodel.evaluation.report.small_samples import FEWEST
from cxrmodel.metrics import formatting
from cxrmodel.metrics.registry import score_metrics
from cxrmodel.web.components.downloads import menu, table
from cxrmodel.web.text import plain, text

_OUTCOMES = ("read", "warned", "rejected")


def checks(section: CheckAudit | None) -> None:
    """Draw the outcomes of the checks.

    Parameters
    ----------
    section : CheckAudit or None
        None where nothing was measured.
    """
    if section is None or not section.sets:
        st.markdown(text("web.evaluation.not_measured"))
        return
    counts = [
        {text("web.checks.pictures"): text("web.checks.set", name=str(item.title), images=item.images)}
        | {text(f"web.checks.{outcome}"): _share(getattr(item, outcome), item.images) for outcome in _OUTCOMES}
        for item in section.sets
    ]
    st.table(counts, hide_index=True)
    st.caption(text("web.checks.note", fewest=FEWEST))
    with st.expander(text("web.checks.details"), icon=":material/rule:"):
        st.markdown("\n".join(_detail(item) for item in section.sets))
    menu("checks", lambda: [_row(item) for item in section.sets])
    # With the checks off, and of the images that the program reads.
    table(
        "metrics-with-checks",
        [
            {
                text("web.checks.metric"): str(metric.title),
                text("web.checks.all_images"): formatting.estimate(section.all_images.overall[name], metric.digits),
                text("web.checks.read_images"): formatting.estimate(section.read_images.overall[name], metric.digits),
            }
            for name, metric in ((metric.name, metric) for metric in score_metrics())
            if name in section.all_images.overall and name in section.read_images.overall
        ],
        text("web.checks.metrics_note"),
    )


def _share(count: int, images: int) -> str:
    return str(count) if images < FEWEST else formatting.count_share(count, images)


def _by_check(counts: Mapping[str, int]) -> str:
    # What is no check, such as a decoder's refusal, keeps its name.
    titles = {name: text(CHECKS[name].title) if name in CHECKS else _words(name) for name in counts}
    return "; ".join(text("web.checks.count", check=titles[name], count=count) for name, count in counts.items())


def _words(error: str) -> str:
    """Name a refusal before the checks in words: ``WrongBodyPart`` is "Wrong body part"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", error).capitalize()


def _detail(item: CheckSet) -> str:
    rejected, warned = plain(_by_check(item.rejected_by)), plain(_by_check(item.warned_by))
    code = {
        (False, False): "web.checks.detail",
        (True, False): "web.checks.detail_rejected",
        (False, True): "web.checks.detail_warned",
        (True, True): "web.checks.detail_both",
    }[bool(rejected), bool(warned)]
    values = {"name": plain(item.title), "description": plain(item.description)}
    return text(code, rejected=rejected, warned=warned, **values)


def _row(item: CheckSet) -> dict[str, Any]:
    return {
        "name": str(item.title),
        "description": str(item.description),
        "images": item.images,
        **{outcome: getattr(item, outcome) for outcome in _OUTCOMES},
        "changed_without_warning": item.silent,
        "rejected_by": _by_check(item.rejected_by),
        "warned_by": _by_check(item.warned_by),
    }
