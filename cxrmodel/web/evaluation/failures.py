"""Failures: where the model is wrong. Groups, errors, ablations, perturbations, adults, checks and explanations."""

from collections.abc import Sequence

import streamlit as st

from cxrmodel.evaluation.audits.schema import Adults, Audits
from cxrmodel.evaluation.report.figures import forest_figure
from cxrmodel.evaluation.report.rows import (
    FindingCounts,
    Row,
    adult_findings,
    adult_rows,
    confident_errors,
    findings_by_label,
    lung_rows,
    perturbation_rows,
    subgroup_rows,
)
from cxrmodel.evaluation.report.verdicts import masked_lungs_verdict
from cxrmodel.metrics import formatting
from cxrmodel.model.spec import UNCERTAIN
from cxrmodel.web.components.downloads import download_menu
from cxrmodel.web.components.forest import forest_html
from cxrmodel.web.components.terms import explain, intervals_text
from cxrmodel.web.evaluation.cache import stratum_rows
from cxrmodel.web.evaluation.checks import checks
from cxrmodel.web.evaluation.error_images import error_images
from cxrmodel.web.evaluation.explanations import explanations
from cxrmodel.web.evaluation.selection import Selection
from cxrmodel.web.text import plain, text

__all__ = ["failures"]

_CHANCE = 0.5


def failures(selection: Selection) -> None:
    """Draw the part.

    Parameters
    ----------
    selection : Selection
    """
    audits = selection.evaluation.audits
    st.subheader(text("web.failures.groups"))
    rows = list(stratum_rows(selection.evaluation, selection.split))
    if audits and selection.split == "test":
        rows += subgroup_rows(audits.subgroups, selection.labels)
    _forest(f"groups-{selection.split}", rows)
    st.caption(intervals_text(selection.evaluation))
    _findings(selection)
    _errors(selection)
    if selection.is_shipped:
        _lungs(audits)
        st.subheader(text("web.failures.perturbations"))
        st.markdown(text("web.failures.perturbations_note"))
        _audited("perturbations", perturbation_rows(audits.perturbations if audits else ()))
        _adults(selection, audits.adults if audits else None)
        checks(selection.evaluation.checks)
        explanations(selection.evaluation.explanations, intervals_text(selection.evaluation))
    _refused(selection)
    explain("auc", "sensitivity", "specificity", "operating_point", "interval", "few")


def _audited(name: str, rows: Sequence[Row]) -> None:
    if rows:
        _forest(name, rows)
    else:
        st.markdown(text("web.evaluation.not_measured"))


def _forest(name: str, rows: Sequence[Row]) -> None:
    known = [value for row in rows for value in (row.estimate.value, row.estimate.low) if value is not None]
    low = 0.0 if min(known, default=1.0) < _CHANCE else _CHANCE
    st.html(forest_html(rows, low, 1.0, _CHANCE if low < _CHANCE else None))
    axis = text("documents.chart.share_or_auc")
    download_menu(name, lambda: [row.record for row in rows], lambda: forest_figure(rows, axis, _CHANCE))


def _findings(selection: Selection) -> None:
    st.subheader(text("web.failures.findings"))
    rows = [_finding_row(group) for group in findings_by_label(selection.evaluation, selection.split)]
    st.table(rows, hide_index=True)
    st.caption(_band(selection))
    download_menu(f"findings-{selection.split}", lambda: rows)


def _finding_row(group: FindingCounts) -> dict[str, str]:
    """Count of each finding and its share of the group."""
    title = text("web.failures.findings_group", group=group.group, images=group.images)
    return {text("web.failures.findings_images"): title} | {
        text("web.failures.finding", finding=name): formatting.count_share(count, group.images)
        for name, count in group.counts.items()
    }


def _band(selection: Selection) -> str:
    """How many images lie in the uncertain band, and how many of them are positive."""
    scores = selection.scores
    findings = scores.findings(selection.evaluation.operating_points, selection.labels)
    within = scores.labels[findings == UNCERTAIN]
    if not within.size:
        return text("web.failures.band_empty")
    positives = int(within.sum())
    share = formatting.share_percent(positives / within.size, 1)
    values = {"images": int(within.size), "positives": positives, "share": share}
    return text("web.failures.band", positive=selection.labels.positive, **values)


def _errors(selection: Selection) -> None:
    st.subheader(text("web.failures.errors"))
    errors = confident_errors(selection.evaluation, selection.split)
    if not errors:
        st.markdown(text("web.failures.errors_none"))
        return
    st.markdown(text("web.failures.errors_note"))
    probability = text("web.failures.errors_probability")
    st.dataframe(
        [
            {
                probability: 100 * error.probability,
                text("web.failures.errors_label"): " ".join(filter(None, (error.label, error.stratum))),
                text("web.failures.errors_finding"): error.finding,
                text("web.failures.errors_image"): error.file,
            }
            for error in errors
        ],
        hide_index=True,
        column_config={probability: st.column_config.NumberColumn(format="%.2f %%")},
    )
    download_menu(f"confident-errors-{selection.split}", lambda: [vars(error) for error in errors])
    error_images(selection, errors)


def _lungs(audits: Audits | None) -> None:
    st.subheader(text("web.failures.lungs"))
    masked = audits.lungs if audits else ()
    verdict = (plain(message) for message in masked_lungs_verdict(masked))
    st.markdown(" ".join([text("web.failures.lungs_note"), *verdict]))
    _audited("lungs", lung_rows(masked))


def _adults(selection: Selection, adults: Adults | None) -> None:
    st.subheader(text("web.failures.adults"))
    rows = adult_rows(adults.panels) if adults else []
    if adults is None or not rows:
        st.markdown(f"{text('web.failures.adults_none')} {text('web.evaluation.not_measured')}")
        return
    st.markdown(text("web.failures.adults_note", images=adults.images, rejected=adults.rejected))
    _forest("adults", rows)
    if adults.findings:
        st.markdown(text("web.failures.adults_findings"))
        counted = [_finding_row(group) for group in adult_findings(adults.findings)]
        st.table(counted, hide_index=True)
        download_menu("adult-findings", lambda: counted)
    if boxes := adults.boxes:
        values = {"share": boxes.share, "peak": boxes.peak_in_box}
        figures = {name: formatting.estimate(figure) for name, figure in values.items()}
        expected = formatting.number(boxes.expected_by_area)
        st.markdown(text("web.failures.adults_boxes", images=boxes.images, expected=expected, **figures))


def _refused(selection: Selection) -> None:
    st.subheader(text("web.failures.refused"))
    refused, images = selection.scores.refused, selection.scores.counts.images
    if not refused:
        st.markdown(text("web.failures.refused_none", images=images))
        return
    st.markdown(text("web.failures.refused_some", refused=len(refused), images=images))
    with st.expander(text("web.failures.refused_list"), icon=":material/block:"):
        lines = [text("web.failures.refused_file", file=plain(row.file), reason=plain(row.reason)) for row in refused]
        st.markdown("\n".join(lines))
    rows = [{"file": row.file, "code": row.code, "reason": str(row.reason)} for row in refused]
    download_menu(f"refused-{selection.split}", lambda: rows)
