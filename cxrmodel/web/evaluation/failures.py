"""Failures: where the model is wrong. Groups, errors, ablations, perturbations, adults, checks and explanations."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import streamlit as st

from cxrmodel.evaluation.audits.schema import Audits
from cxrmodel.evaluation.report import figures, rows, verdicts
from cxrmodel.metrics import formatting
from cxrmodel.model.calibration import at_prevalence
from cxrmodel.model.spec import UNCERTAIN
from cxrmodel.prevalence import prevalence_words
from cxrmodel.sinks import label, table_cell
from cxrmodel.web import session
from cxrmodel.web.components import downloads, forest, terms
from cxrmodel.web.evaluation.cache import stratum_rows
from cxrmodel.web.evaluation.checks import checks
from cxrmodel.web.evaluation.error_images import error_images
from cxrmodel.web.evaluation.explanations import explanations
from cxrmodel.web.evaluation.selection import Selection
from cxrmodel.web.text import named, plain, text

_CHANCE = 0.5


def failures(selection: Selection) -> None:
    """Draw the part.

    Parameters
    ----------
    selection : Selection
    """
    evaluation = selection.evaluation
    parts: dict[str, Callable[[], None]] = {
        "web.failures.groups": lambda: _groups(selection),
        "web.failures.findings": lambda: _findings(selection),
        "web.failures.errors": lambda: _errors(selection),
    }
    if selection.is_shipped:
        parts |= {
            "web.failures.lungs": lambda: _lungs(evaluation.audits),
            "web.failures.perturbations": lambda: _perturbations(evaluation.audits),
            "web.failures.adults": lambda: _adults(evaluation.audits),
            "web.checks.title": lambda: checks(evaluation.checks),
            "web.explanations.title": lambda: explanations(evaluation.explanations, terms.intervals_text(evaluation)),
        }
    parts["web.failures.refused"] = lambda: _refused(selection)
    for title, part in parts.items():
        st.subheader(text(title))
        part()
    terms.explain("auc", "sensitivity", "specificity", "operating_point", "interval", "few")


def _forest(name: str, figured: Sequence[rows.Row]) -> None:
    if not figured:
        st.markdown(text("web.evaluation.not_measured"))
        return
    known = [value for row in figured for value in (row.estimate.value, row.estimate.low) if value is not None]
    low = 0.0 if min(known, default=1.0) < _CHANCE else _CHANCE
    st.html(forest.forest_html(figured, low, 1.0, _CHANCE if low < _CHANCE else None))
    axis = text("documents.chart.share_or_auc")
    downloads.menu(name, lambda: [row.record for row in figured], lambda: figures.forest_figure(figured, axis, _CHANCE))


def _groups(selection: Selection) -> None:
    audits = selection.evaluation.audits if selection.split == "test" else None
    subgroups = rows.subgroup_rows(audits.subgroups, selection.labels) if audits else []
    _forest(f"groups-{selection.split}", [*stratum_rows(selection.evaluation, selection.split), *subgroups])
    st.caption(terms.intervals_text(selection.evaluation))


def _findings(selection: Selection) -> None:
    groups = rows.findings_by_label(selection.evaluation, selection.split)
    downloads.table(f"findings-{selection.split}", _counts(groups), _band(selection))


def _counts(groups: Iterable[rows.FindingCounts]) -> list[dict[str, str]]:
    """Count of each finding and its share of the group."""
    return [
        {text("web.failures.findings_images"): text("web.failures.findings_group", group=row.group, images=row.images)}
        | {
            text("web.failures.finding", finding=name): formatting.count_share(count, row.images)
            for name, count in row.counts.items()
        }
        for row in groups
    ]


def _band(selection: Selection) -> str:
    """Number of images in the uncertain band, and of positive ones among them."""
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
    wanted = session.prevalence()
    errors = [
        replace(error, probability=at_prevalence(error.probability, selection.evaluation.prevalence, wanted))
        for error in rows.confident_errors(selection.evaluation, selection.split)
    ]
    if not errors:
        st.markdown(text("web.failures.errors_none"))
        return
    st.markdown(text("web.failures.errors_note"))
    probability = text("web.failures.errors_probability", prevalence=prevalence_words(wanted))
    st.dataframe(
        [
            {
                probability: 100 * error.probability,
                text("web.failures.errors_label"): " ".join(filter(None, (error.label, error.stratum))),
                text("web.failures.errors_finding"): error.finding,
                text("web.failures.errors_image"): table_cell(label(error.file)),
            }
            for error in errors
        ],
        hide_index=True,
        column_config={probability: st.column_config.NumberColumn(format="%.2f %%")},
    )
    downloads.menu(f"confident-errors-{selection.split}", lambda: [vars(error) for error in errors])
    error_images(selection, errors)


def _lungs(audits: Audits | None) -> None:
    masked = audits.lungs if audits else ()
    verdict = (plain(message) for message in verdicts.masked_lungs_verdict(masked))
    st.markdown(" ".join([text("web.failures.lungs_note"), *verdict]))
    _forest("lungs", rows.lung_rows(masked))


def _perturbations(audits: Audits | None) -> None:
    st.markdown(text("web.failures.perturbations_note"))
    _forest("perturbations", rows.perturbation_rows(audits.perturbations if audits else ()))


def _adults(audits: Audits | None) -> None:
    adults = audits.adults if audits else None
    if adults is None or not adults.panels:
        st.markdown(f"{text('web.failures.adults_none')} {text('web.evaluation.not_measured')}")
        return
    st.markdown(text("web.failures.adults_note", images=adults.images, rejected=adults.rejected))
    _forest("adults", rows.adult_rows(adults.panels))
    if adults.findings:
        st.markdown(text("web.failures.adults_findings"))
        downloads.table("adult-findings", _counts(rows.adult_findings(adults.findings)))
    if boxes := adults.boxes:
        shares = {"share": formatting.estimate(boxes.share), "peak": formatting.estimate(boxes.peak_in_box)}
        expected = formatting.number(boxes.expected_by_area)
        st.markdown(text("web.failures.adults_boxes", images=boxes.images, expected=expected, **shares))


def _refused(selection: Selection) -> None:
    refused, images = selection.scores.refused, selection.scores.counts.images
    if not refused:
        st.markdown(text("web.failures.refused_none", images=images))
        return
    st.markdown(text("web.failures.refused_some", refused=len(refused), images=images))
    with st.expander(text("web.failures.refused_list"), icon=":material/block:"):
        lines = [text("web.failures.refused_file", file=named(row.file), reason=plain(row.reason)) for row in refused]
        st.markdown("\n".join(lines))
    listed = [{"file": row.file, "code": row.code, "reason": str(row.reason)} for row in refused]
    downloads.menu(f"refused-{selection.split}", lambda: listed)
