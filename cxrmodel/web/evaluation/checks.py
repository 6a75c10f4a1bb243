"""Quality checks: how many pictures of each kind they reject and warn of, and the effect on the metrics."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cxrmodel.checks.registry import CHECKS
from cxrmodel.evaluation.audits.schema import CheckAudit, CheckSet
from cxrmodel.evaluation.report.small_samples import FEWEST
from cxrmodel.metrics import formatting
from cxrmodel.metrics.performance import Performance
from cxrmodel.metrics.registry import score_metrics
from cxrmodel.web.components.downloads import download_menu
from cxrmodel.web.text import plain, text

__all__ = ["checks"]

_OUTCOMES = ("read", "warned", "rejected")


def checks(section: CheckAudit | None) -> None:
    """Draw what the checks do.

    Parameters
    ----------
    section : CheckAudit or None
        None where nothing was measured.
    """
    st.subheader(text("web.checks.title"))
    if section is None or not section.sets:
        st.markdown(text("web.evaluation.not_measured"))
        return
    st.table([_counts(item) for item in section.sets], hide_index=True)
    st.caption(text("web.checks.note", fewest=FEWEST))
    with st.expander(text("web.checks.details"), icon=":material/rule:"):
        st.markdown("\n".join(_detail(item) for item in section.sets))
    download_menu("checks", lambda: [_row(item) for item in section.sets])
    _metrics(section.all_images, section.read_images)


def _counts(item: CheckSet) -> dict[str, str]:
    title = text("web.checks.set", name=str(item.title), images=item.images)
    return {text("web.checks.pictures"): title} | {
        text(f"web.checks.{outcome}"): _share(getattr(item, outcome), item.images) for outcome in _OUTCOMES
    }


def _share(count: int, images: int) -> str:
    return str(count) if images < FEWEST else formatting.count_share(count, images)


def _by_check(counts: Mapping[str, int]) -> str:
    return "; ".join(text("web.checks.count", check=_title(name), count=count) for name, count in counts.items())


def _title(name: str) -> str:
    """Title of a check; what is no check, such as a decoder's refusal, keeps its name."""
    return text(CHECKS[name].title) if name in CHECKS else name


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
    row = {"name": str(item.title), "description": str(item.description), "images": item.images}
    row |= {outcome: getattr(item, outcome) for outcome in _OUTCOMES}
    return row | {"rejected_by": _by_check(item.rejected_by), "warned_by": _by_check(item.warned_by)}


def _metrics(every: Performance, read: Performance) -> None:
    """The metrics of all images, with the checks off, and of those that the program reads."""
    rows = [
        {
            text("web.checks.metric"): str(metric.title),
            text("web.checks.all_images"): formatting.estimate(every.overall[metric.name], metric.digits),
            text("web.checks.read_images"): formatting.estimate(read.overall[metric.name], metric.digits),
        }
        for metric in score_metrics()
    ]
    st.table(rows, hide_index=True)
    st.caption(text("web.checks.metrics_note"))
    download_menu("metrics-with-checks", lambda: rows)
