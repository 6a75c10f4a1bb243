"""Calibration: reliability before and after, at another prevalence, and the audit of calibration."""

import streamlit as st

from cxrmodel.evaluation.audits.schema import (
    CalibrationAudit,
    CalibrationFigures,
    EvidenceAgreement,
    PrevalenceFigures,
    ScoreShift,
)
from cxrmodel.evaluation.report import figures, small_samples
from cxrmodel.metrics import formatting
from cxrmodel.metrics.calibration import Reliability
from cxrmodel.metrics.registry import METRICS
from cxrmodel.training.record import CalibrationChoice
from cxrmodel.web.components import chart, downloads, terms
from cxrmodel.web.evaluation.cache import calibration_verdict, reliability_at, reliability_before_after
from cxrmodel.web.evaluation.charts import reliability_chart
from cxrmodel.web.evaluation.selection import Selection
from cxrmodel.web.text import text

Measured = Reliability | CalibrationFigures | PrevalenceFigures
_PREVALENCES = (0.05, 0.1, 0.2, 0.3, 0.5)


def calibration(selection: Selection) -> None:
    """Draw the part.

    Parameters
    ----------
    selection : Selection
    """
    evaluation = selection.evaluation
    before, after = reliability_before_after(evaluation, selection.split)
    st.markdown(" ".join(map(str, calibration_verdict(evaluation, selection.split))))
    notes = {
        "before": text("web.calibration.before_note"),
        "after": text("web.calibration.after_note", prevalence=_observed(selection)),
    }
    for column, (name, note), diagram in zip(st.columns(2, gap="large"), notes.items(), (before, after), strict=True):
        with column:
            _diagram(selection, name, note, diagram)
    st.caption(_with_caveat(text("web.calibration.bins", images=after.images), after))
    _other_prevalence(selection)
    audits = evaluation.audits
    audit = audits.calibration if audits else None
    _table(selection, before, after, audit)
    if audit and selection.is_shipped:
        st.markdown(_evidence(audit.evidence))
        if audit.choice:
            st.markdown(_fitted(audit.choice))
            _choice(audit.choice)
        if selection.split == "test":
            _sources(selection, audit)
    with st.expander(text("web.calibration.groups"), icon=":material/table_rows:"):
        rows = [{name: _short(value) for name, value in row.items()} for row in _bins(after)]
        st.table(rows, hide_index=True)
    terms.explain("ece", "brier", "prevalence", "interval", "few")


def _observed(selection: Selection) -> str:
    return formatting.percent(float(selection.scores.labels.mean()))


def _diagram(selection: Selection, name: str, note: str, diagram: Reliability) -> None:
    title, label = text(f"web.calibration.{name}"), selection.labels.positive
    st.subheader(title)
    alt = text("web.calibration.alt", title=title, ece=formatting.number(diagram.corrected_ece.value))
    chart.draw(reliability_chart, alt, diagram, label)
    st.caption(f"{note} {text('web.calibration.figures', **_written(diagram))}")
    file = f"reliability-{name}-{selection.split}"
    downloads.menu(file, lambda: _bins(diagram), lambda: figures.reliability_figure({title: diagram}, label))


def _other_prevalence(selection: Selection) -> None:
    st.subheader(text("web.calibration.prevalence"))
    observed = round(float(selection.scores.labels.mean()), 4)

    def title(value: float) -> str:
        percent = formatting.percent(value)
        return text("web.calibration.prevalence_same", prevalence=percent) if value == observed else percent

    wanted = st.segmented_control(
        text("web.calibration.prevalence_choice"),
        sorted({*_PREVALENCES, observed}),
        default=0.2,
        required=True,
        format_func=title,
        key="prevalence of the calibration",
    )
    wanted = float(wanted or 0.2)
    diagram, percent = reliability_at(selection.evaluation, selection.split, wanted), formatting.percent(wanted)
    left, right = st.columns(2, gap="large")
    with left:
        label = selection.labels.positive
        chart.draw(reliability_chart, text("web.calibration.prevalence_alt", prevalence=percent), diagram, label)
        name = text("documents.calibration.adjusted", prevalence=percent)
        file = f"reliability-adjusted-{selection.split}"
        downloads.menu(file, lambda: _bins(diagram), lambda: figures.reliability_figure({name: diagram}, label))
    with right:
        st.markdown(text("web.calibration.prevalence_note", prevalence=percent, **_written(diagram)))
        st.markdown(_with_caveat(text("web.calibration.prevalence_limit"), diagram))


def _table(selection: Selection, before: Reliability, after: Reliability, audit: CalibrationAudit | None) -> None:
    st.subheader(text("web.calibration.table"))
    rows = [
        _row(text("web.calibration.before"), before),
        _row(text("web.calibration.after"), after),
        *(_audit_rows(selection, audit) if audit else []),
    ]
    downloads.table(f"calibration-{selection.split}", rows, terms.intervals_text(selection.evaluation))


def _audit_rows(selection: Selection, audit: CalibrationAudit) -> list[dict[str, str]]:
    """Figures of held-out and of test images, and of the test images at other prevalences."""
    rows = [
        _row(
            text(
                "web.calibration.split",
                split=text(f"web.calibration.split_{figures.split}"),
                prevalence=formatting.percent(figures.prevalence),
            ),
            figures,
        )
        for figures in audit.splits
    ]
    if selection.split == "test":
        rows += [
            _row(text("web.calibration.by_prevalence", prevalence=formatting.percent(figures.prevalence)), figures)
            for figures in audit.by_prevalence
        ]
    return rows


def _evidence(agreement: EvidenceAgreement) -> str:
    return text(
        "web.calibration.evidence",
        apart=agreement.apart,
        differ=formatting.estimate(agreement.differ),
        other_side=formatting.estimate(agreement.other_side),
        prevalence=formatting.percent(agreement.prevalence),
    )


def _fitted(choice: CalibrationChoice) -> str:
    if not choice.trainings:
        return text("web.calibration.fitted_held_out")
    return text("web.calibration.fitted_folds", patients=choice.patients, trainings=len(choice.trainings))


def _choice(choice: CalibrationChoice) -> None:
    """Every candidate's log loss, over all left-out kinds of perturbation and on each."""
    if not choice.candidates:
        return
    titles = {candidate.name: text(f"audits.calibration.{candidate.name}") for candidate in choice.candidates}
    with st.expander(text("web.calibration.choice"), icon=":material/rule:"):
        rows = [
            {
                text("web.calibration.choice_method"): titles[candidate.name],
                text("web.calibration.choice_loss"): f"{candidate.log_loss:.4f}",
                text("web.calibration.choice_excess"): f"{candidate.excess:.4f}",
                text("web.calibration.choice_error"): f"{candidate.standard_error:.4f}",
            }
            for candidate in choice.candidates
        ]
        st.table(rows, hide_index=True)
        st.caption(text("web.calibration.choice_note", chosen=titles[choice.chosen]))
        by_kind = [
            {text("web.calibration.choice_kind"): text(f"audits.kind.{scores[0].kind}")}
            | {title: f"{score.log_loss:.4f}" for title, score in zip(titles.values(), scores, strict=True)}
            for scores in zip(*(candidate.kinds for candidate in choice.candidates), strict=True)
        ]
        st.table(by_kind, hide_index=True)
        downloads.menu("calibration-choice", lambda: by_kind)


def _sources(selection: Selection, audit: CalibrationAudit) -> None:
    with st.expander(text("web.calibration.sources"), icon=":material/search:"):
        positive = selection.labels.positive
        columns = [text(f"web.calibration.source_{side}", positive=positive) for side in ("negative", "positive")]
        rows = [
            {
                columns[0]: text(f"web.calibration.source_{row.negative}"),
                columns[1]: text(f"web.calibration.source_{row.positive}"),
                _corrected_title(): formatting.estimate(row.corrected_ece),
            }
            for row in audit.by_source
        ]
        st.table(rows, hide_index=True)
        st.caption(text("web.calibration.source_note", prevalence=formatting.percent(audit.prevalence)))
        st.markdown("\n".join(_shift(selection, row) for row in audit.shift))
        downloads.menu("calibration-sources", lambda: rows)


def _shift(selection: Selection, row: ScoreShift) -> str:
    label = (selection.labels.negative, selection.labels.positive)[row.label]
    return text(
        "web.calibration.shift",
        label=label.capitalize(),
        test=row.test_median,
        held_out=row.held_out_median,
        above=formatting.estimate(row.test_above_held_out),
    )


def _row(title: str, measured: Measured) -> dict[str, str]:
    return {
        text("web.calibration.probability"): title,
        _corrected_title(): formatting.estimate(measured.corrected_ece),
        str(METRICS["ece"].title): formatting.estimate(measured.ece),
        str(METRICS["brier"].title): formatting.estimate(measured.brier),
    }


def _corrected_title() -> str:
    return f"{METRICS['ece'].title}, {text('web.calibration.corrected')}"


def _written(measured: Measured) -> dict[str, str]:
    return {"ece": formatting.estimate(measured.corrected_ece), "brier": formatting.estimate(measured.brier)}


def _with_caveat(sentence: str, diagram: Reliability) -> str:
    caveat = small_samples.few_in_bins(diagram)
    return f"{sentence} {caveat}" if caveat else sentence


def _bins(diagram: Reliability) -> list[dict[str, float]]:
    names = ("mean_probability", "observed", "low", "high")
    columns = zip(*(getattr(diagram, name) for name in names), strict=True)
    return [
        {name: round(float(value), 6) for name, value in zip(names, row, strict=True)} | {"images": diagram.images}
        for row in columns
    ]


def _short(value: float) -> str:
    return formatting.number(value) if value <= 1 else f"{value:.4g}"
