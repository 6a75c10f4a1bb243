"""HTML report: everything that evaluations hold as one file, with figures as SVG, no script and no network."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from matplotlib.figure import Figure

from cxrmodel.errors import OutputRefused
from cxrmodel.evaluation.published import PublishedFigure
from cxrmodel.evaluation.report import charts, figures
from cxrmodel.evaluation.report.context import CardContext, card_context
from cxrmodel.evaluation.report.flow_diagram import flow_svg
from cxrmodel.evaluation.report.render import render
from cxrmodel.evaluation.report.rows import ConfidentError, Row, confident_errors
from cxrmodel.evaluation.report.small_samples import few_in_bins, few_rows
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.evaluation.training_record import TrainingRecord
from cxrmodel.messages import Message
from cxrmodel.metrics import formatting
from cxrmodel.model.spec import ModelSpec

__all__ = ["Drawing", "ReportContext", "html_report", "write_report"]

_PREVALENCE = 0.2
"""To which one reliability diagram is adjusted."""
_SCROLLED = '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>'


@dataclass(frozen=True)
class Drawing:
    """A figure as SVG with its caption."""

    svg: str
    caption: str


@dataclass(frozen=True)
class ReportContext:
    """Values of the HTML report.

    Attributes
    ----------
    title : str
    evaluation : Evaluation
        Of the first model.
    images : tuple of Message
    caveat : Message or None
    figures : tuple of Drawing
    flow : str
        Diagram of the data flow.
    errors : tuple of ConfidentError
    body : str
        Model card, or the figures on a user's own images, as HTML.
    """

    title: str
    evaluation: Evaluation
    images: tuple[Message, ...]
    caveat: Message | None
    figures: tuple[Drawing, ...]
    flow: str
    errors: tuple[ConfidentError, ...]
    body: str


def write_report(text: str, path: Path) -> None:
    """Write a report.

    Raises
    ------
    OutputRefused
        When the file is not named as HTML.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise OutputRefused("documents.not_html", file=path)
    path.write_text(text, encoding="utf-8")


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

    Returns
    -------
    str
        The same evaluations always give the same text.

    Raises
    ------
    EvaluationError
        When there is no evaluation, or they are of different images.
    """
    card = card_context(evaluations, spec, record, published)
    first = evaluations[0]
    template, title = "model_card.md.j2", Message("documents.report.title", model=card.title)
    if first.dataset:
        template = "own_metrics.md.j2"
        title = Message("documents.report.own_title", model=card.title, name=first.dataset.name)
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(render(template, card))
    return render(
        "report.html.j2",
        ReportContext(
            title=str(title),
            evaluation=first,
            images=card.performance.images,
            caveat=card.performance.caveat,
            figures=tuple(_drawings(evaluations, card, record, published)),
            flow=flow_svg(card.stations, dark=False),
            errors=tuple(confident_errors(first, "test")),
            body=body.replace("<table>", _SCROLLED).replace("</table>", "</table></div>"),
        ),
    )


def _drawings(
    evaluations: Sequence[Evaluation],
    card: CardContext,
    record: TrainingRecord | None,
    published: Sequence[PublishedFigure],
) -> Iterator[Drawing]:
    yield from _discrimination(evaluations, card, published)
    yield from _calibration(evaluations[0], card)
    yield from _groups(card)
    if record is not None and record.history:
        summaries = (
            Message("documents.report.training", number=number, summary=summary)
            for number, summary in enumerate(card.trainings, start=1)
        )
        yield _drawing(figures.history_figure(charts.training_history(record)), "history", *summaries)


def _discrimination(
    evaluations: Sequence[Evaluation], card: CardContext, published: Sequence[PublishedFigure]
) -> Iterator[Drawing]:
    first, table = evaluations[0], card.performance
    level = Message("documents.report.bands", level=formatting.share_percent(table.level))
    audits = first.audits
    curves = [charts.rate_curve(evaluation, "test") for evaluation in evaluations]
    bands = [charts.curve_bands(evaluation, "test") for evaluation in evaluations]
    baselines = charts.baseline_curves(audits.shortcuts if audits else ())
    marks = charts.published_marks(published)
    prevalence = float(first.splits["test"].labels.mean())
    yield _drawing(figures.roc_figure(curves, [band.roc for band in bands], baselines, marks), "roc", level)
    yield _drawing(
        figures.precision_recall_figure(curves, prevalence, [band.precision_recall for band in bands], baselines),
        "precision_recall",
        level,
    )
    yield _forest(card.areas, "auc", "areas")
    for point in card.points:
        figure = figures.confusion_figure(charts.confusion_matrix(point.confusion), card.labels)
        yield _drawing(figure, "confusion", point=point.title)
    benefit = {title: charts.net_benefit_curve(e, "test") for title, e in zip(table.titles, evaluations, strict=True)}
    yield _drawing(figures.decision_figure(benefit), "decision", level)


def _calibration(evaluation: Evaluation, card: CardContext) -> Iterator[Drawing]:
    diagrams = {str(Message(f"documents.calibration.{name}")): getattr(card, name) for name in ("before", "after")}
    yield _drawing(
        figures.reliability_figure(diagrams, card.labels.positive), "reliability", card.bin_caveat, *card.verdict
    )
    adjusted = charts.reliability_at(evaluation, "test", _PREVALENCE)
    percent = formatting.share_percent(_PREVALENCE)
    title = str(Message("documents.calibration.adjusted", prevalence=percent))
    figure = figures.reliability_figure({title: adjusted}, card.labels.positive)
    yield _drawing(figure, "adjusted", few_in_bins(adjusted), prevalence=percent)


def _groups(card: CardContext) -> Iterator[Drawing]:
    yield _forest(card.group_rows, "share_or_auc", "groups", mark=None)
    if card.lung_rows:
        yield _forest(card.lung_rows, "auc", "lungs", *card.lungs_verdict)
    if card.perturbation_rows:
        yield _forest(card.perturbation_rows, "auc", "perturbations")
    if card.adult_rows:
        yield _forest(card.adult_rows, "auc", "adults")


def _forest(rows: Sequence[Row], axis: str, code: str, *sentences: Message, mark: float | None = 0.5) -> Drawing:
    figure = figures.forest_figure(rows, str(Message(f"documents.chart.{axis}")), mark)
    return _drawing(figure, code, *sentences, *few_rows(rows))


def _drawing(figure: Figure, code: str, *sentences: Message | None, **values: object) -> Drawing:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    caption = (Message(f"documents.report.{code}", **values), *sentences)
    return Drawing(text[text.index("<svg") :], " ".join(str(part) for part in caption if part is not None))
