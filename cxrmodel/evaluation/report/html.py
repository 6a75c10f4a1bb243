"""HTML report: everything that evaluations hold as one file, with figures as SVG, no script and no network."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from matplotlib.figure import Figure

from cxrmodel import outputs
from cxrmodel.errors import OutputRefused
from cxrmodel.evaluation.data_flow import flow, training_summaries
from cxrmodel.evaluation.published import PublishedFigure
from cxrmodel.evaluation.report import charts, figures
from cxrmodel.evaluation.report.context import Card, make_card
from cxrmodel.evaluation.report.flow_diagram import flow_svg
from cxrmodel.evaluation.report.render import render
from cxrmodel.evaluation.report.rows import Row, adult_rows, confident_errors, lung_rows, perturbation_rows
from cxrmodel.evaluation.report.small_samples import few_in_bins, few_rows
from cxrmodel.evaluation.report.verdicts import masked_lungs_verdict
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.messages import Message
from cxrmodel.metrics import formatting
from cxrmodel.model.spec import ModelSpec
from cxrmodel.models import model_title
from cxrmodel.training.record import TrainingRecord

_PREVALENCE = 0.2
"""To which one reliability diagram is adjusted."""
_SCROLLED = '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>'

Drawing = tuple[str, str]
"""A figure as SVG, and its caption."""


def write_report(text: str, path: Path, *, overwrite: bool = False) -> None:
    """Write a report.

    Raises
    ------
    OutputRefused
        When the file is not named as HTML, or exists and is not to be replaced.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise OutputRefused("documents.not_html", file=path)
    outputs.write(path, text, overwrite=overwrite)


def html_report(
    evaluations: Sequence[Evaluation],
    spec: ModelSpec,
    record: TrainingRecord | None,
    published: Sequence[PublishedFigure] = (),
) -> str:
    """Write everything that the evaluations hold as one HTML page; no image is read.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        Of the same images; the first is of the model that the report is about.
    spec : ModelSpec
        Of the first.
    record : TrainingRecord or None
        Of its training.
    published : sequence of PublishedFigure
        On the same images; empty for a user's own.

    Raises
    ------
    EvaluationError
        When there is no evaluation, or they are of different images.
    """
    card = make_card(evaluations, spec, record, published)
    first, title = card.evaluation, model_title(card.evaluation.model)
    template, heading = "model_card.md.j2", Message("documents.report.title", model=title)
    if first.dataset:
        template = "own_metrics.md.j2"
        heading = Message("documents.report.own_title", model=title, name=first.dataset.name)
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(render(template, **vars(card)))
    return render(
        "report.html.j2",
        title=str(heading),
        evaluation=first,
        figures=[*_discrimination(card), *_calibration(card), *_groups(card), *_history(record)],
        flow=flow_svg(flow(first, record), dark=False),
        errors=confident_errors(first, "test"),
        body=body.replace("<table>", _SCROLLED).replace("</table>", "</table></div>"),
    )


def _discrimination(card: Card) -> Iterator[Drawing]:
    first, audits = card.evaluation, card.evaluation.audits
    level = Message("documents.report.bands", level=formatting.share_percent(first.bootstrap.level))
    curves = [charts.rate_curve(evaluation, "test") for evaluation in card.evaluations]
    bands = [charts.curve_bands(evaluation, "test") for evaluation in card.evaluations]
    baselines = charts.baseline_curves(audits.shortcuts if audits else ())
    marks, prevalence = charts.published_marks(card.published), float(first.splits["test"].labels.mean())
    yield _drawing(figures.roc_figure(curves, [band.roc for band in bands], baselines, marks), "roc", level)
    yield _drawing(
        figures.precision_recall_figure(curves, prevalence, [band.precision_recall for band in bands], baselines),
        "precision_recall",
        level,
    )
    yield _forest(card.areas, "auc", "areas")
    for name, point in first.splits["test"].performance.at.items():
        figure = figures.confusion_figure(charts.confusion_matrix(point.confusion), first.labels)
        yield _drawing(figure, "confusion", point=Message(f"report.operating_point.{name}"))
    benefit = {model_title(item.model): charts.net_benefit_curve(item, "test") for item in card.evaluations}
    yield _drawing(figures.decision_figure(benefit), "decision", level)


def _calibration(card: Card) -> Iterator[Drawing]:
    label = card.evaluation.labels.positive
    diagrams = {str(Message(f"documents.calibration.{name}")): getattr(card, name) for name in ("before", "after")}
    yield _drawing(figures.reliability_figure(diagrams, label), "reliability", few_in_bins(card.after), *card.verdict)
    adjusted = charts.reliability_at(card.evaluation, "test", _PREVALENCE)
    percent = formatting.share_percent(_PREVALENCE)
    title = str(Message("documents.calibration.adjusted", prevalence=percent))
    figure = figures.reliability_figure({title: adjusted}, label)
    yield _drawing(figure, "adjusted", few_in_bins(adjusted), prevalence=percent)


def _groups(card: Card) -> Iterator[Drawing]:
    yield _forest(card.groups, "share_or_auc", "groups", mark=None)
    audits = card.evaluation.audits
    if audits and audits.lungs:
        yield _forest(lung_rows(audits.lungs), "auc", "lungs", *masked_lungs_verdict(audits.lungs))
    if audits and audits.perturbations:
        yield _forest(perturbation_rows(audits.perturbations), "auc", "perturbations")
    if audits and audits.adults:
        yield _forest(adult_rows(audits.adults.panels), "auc", "adults")


def _history(record: TrainingRecord | None) -> Iterator[Drawing]:
    if record and record.history:
        summaries = (
            Message("documents.report.training", number=number, summary=summary)
            for number, summary in enumerate(training_summaries(record), start=1)
        )
        yield _drawing(figures.history_figure(charts.training_history(record)), "history", *summaries)


def _forest(rows: Sequence[Row], axis: str, code: str, *sentences: Message, mark: float | None = 0.5) -> Drawing:
    figure = figures.forest_figure(rows, str(Message(f"documents.chart.{axis}")), mark)
    return _drawing(figure, code, *sentences, *few_rows(rows))


def _drawing(figure: Figure, code: str, *sentences: Message | None, **values: object) -> Drawing:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    caption = (Message(f"documents.report.{code}", **values), *sentences)
    return text[text.index("<svg") :], " ".join(str(part) for part in caption if part is not None)
