"""Calibration: reliability before and after, at another prevalence, and the audit of calibration."""

import streamlit as st

from cxrmodel.evaluation.audits.schema import (
    CalibrationAudit,
    CalibrationFigures,
    CalibrationMethod,
    PrevalenceFigures,
    ScoreShift,
)
from cxrmodel.evaluation.report import figures, small_samples
from cxrmodel.metrics import formatting
from cxrmodel.metrics.calibration import Reliability
from cxrmodel.metrics.registry import METRICS
from cxrmodel.web.components import chart, downloads, terms
from cxrmodel.web.evaluation.cache import calibration_verdict, reliability_at, reliability_before_after
from cxrmodel.web.evaluation.charts import reliability_chart
from cxrmodel.web.evaluation.selection import Selection
from cxrmodel.web.text import text

Measured = Reliability | CalibrationFigures | CalibrationMethod | PrevalenceFigures
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
        "after": text("web.calibration.after_note", prevalence=formatting.percent(evaluation.prevalence)),
    }
    for column, (name, note), diagram in zip(st.columns(2, gap="large"), notes.items(), (before, after), strict=True):
        with column:
            _diagram(selection, name, note, diagram)
    st.caption(_with_caveat(text("web.calibration.bins", images=after.images), after))
    _other_prevalence(selection)
    audits = evaluation.audits
    audit = audits.calibration if audits else None
    _table(selection, before, after, audit)
    if selection.split == "test" and selection.is_shipped:
        st.markdown(text("web.calibration.fitted"))
        if audit and audit.by_source:
            _sources(selection, audit)
    with st.expander(text("web.calibration.groups"), icon=":material/table_rows:"):
        rows = [{name: _short(value) for name, value in row.items()} for row in _bins(after)]
        st.table(rows, hide_index=True)
    terms.explain("ece", "brier", "prevalence", "interval", "few")


def _diagram(selection: Selection, name: str, note: str, diagram: Reliability) -> None:
    title, label = text(f"web.calibration.{name}"), selection.labels.positive
    st.subheader(title)
    alt = text("web.calibration.alt", title=title, ece=formatting.number(diagram.ece.value))
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
    """Figures that were fitted and measured on different patients, and of the test images at other prevalences."""
    codes = {True: "web.calibration.method_chosen", False: "web.calibration.method"}
    rows = [
        _row(text(codes[method.name == audit.chosen], method=str(method.description)), method)
        for method in audit.methods
    ]
    if selection.split == "test":
        measured = ("test_at_its_own_prevalence", "test_refitted")
        rows += [_row(text(f"web.calibration.{name}"), getattr(audit, name)) for name in measured]
        rows += [
            _row(text("web.calibration.by_prevalence", prevalence=formatting.percent(figures.prevalence)), figures)
            for figures in audit.by_prevalence
        ]
    return rows


def _sources(selection: Selection, audit: CalibrationAudit) -> None:
    with st.expander(text("web.calibration.sources"), icon=":material/search:"):
        positive = selection.labels.positive
        columns = [text(f"web.calibration.source_{side}", positive=positive) for side in ("negative", "positive")]
        rows = [
            {
                columns[0]: text(f"web.calibration.source_{row.negative}"),
                columns[1]: text(f"web.calibration.source_{row.positive}"),
                str(METRICS["ece"].title): formatting.estimate(row.ece),
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
    figures = {str(METRICS[name].title): figure for name, figure in _written(measured).items()}
    return {text("web.calibration.probability"): title} | figures


def _written(measured: Measured) -> dict[str, str]:
    return {"ece": formatting.estimate(measured.ece), "brier": formatting.estimate(measured.brier)}


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
