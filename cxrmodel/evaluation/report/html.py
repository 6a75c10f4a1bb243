"""Evaluations -> one HTML file that needs nothing else: figures as SVG inside it, no script, no network."""

import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt
from matplotlib.figure import Figure

from cxrmodel.errors import OutputRefused
from cxrmodel.evaluation.bands import decision_curve, discrimination_bands
from cxrmodel.evaluation.data_flow import flow
from cxrmodel.evaluation.published import Published
from cxrmodel.evaluation.reliability import reliability, shifted, uncalibrated
from cxrmodel.evaluation.report.calibration_words import calibration_sentence
from cxrmodel.evaluation.report.canvas import LIGHT
from cxrmodel.evaluation.report.card import model_card
from cxrmodel.evaluation.report.card_metrics import metrics_section
from cxrmodel.evaluation.report.figures import confusion_figure, precision_recall_figure, roc_figure
from cxrmodel.evaluation.report.flow_diagram import flow_svg
from cxrmodel.evaluation.report.lung_words import lungs_verdict
from cxrmodel.evaluation.report.plots import decision_figure, forest_figure, history_figure, intervals_figure
from cxrmodel.evaluation.report.readme import images_sentence
from cxrmodel.evaluation.report.rows import (
    DISTURBED_CHECKS,
    adult_rows,
    auc_rows,
    confident_errors,
    lung_rows,
    perturbation_rows,
    stratum_rows,
    subgroup_rows,
)
from cxrmodel.evaluation.report.small_samples import few_in_groups, few_of, few_rows
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.evaluation.sections import whole_sections
from cxrmodel.model.spec import ModelSpec
from cxrmodel.models import model_title

__all__ = ["html_report", "write_report"]

_PREVALENCE = 0.2
_SCROLLED = '<div class="scroll" tabindex="0" role="region" aria-label="Table">'
_HINT = "Tables that are wider than the screen scroll sideways; a shadow at their edge marks where more lies."
_CARD_ELSEWHERE = (
    "The model card is of the shipped evaluation, not of these images. It stands in `MODEL_CARD.md` and on the "
    "Evaluation page under *Model card*."
)
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
table { border-collapse: collapse; }
.scroll { overflow-x: auto; margin: 1rem 0; background:
  linear-gradient(to right, #fff 30%, #fff0) left / 3rem 100% local,
  linear-gradient(to left, #fff 30%, #fff0) right / 3rem 100% local,
  linear-gradient(to right, #0005, #0000) left / 1rem 100% scroll,
  linear-gradient(to left, #0005, #0000) right / 1rem 100% scroll; background-repeat: no-repeat; }
.hint { display: none; color: #555; } @media (max-width: 50rem) { .hint { display: block; } }
th, td { min-width: 5.5rem; border: 1px solid #c8ced4; padding: 0.3rem 0.6rem; text-align: left; vertical-align: top; }
figure { margin: 1.5rem 0; } figcaption { color: #555; font-size: 0.9rem; }
svg { max-width: 100%; height: auto; } code { overflow-wrap: anywhere; }
.warning { border: 2px solid #d55e00; padding: 0.6rem 1rem; font-weight: 600; }
"""


def write_report(text: str, path: Path) -> None:
    """Write a report.

    Raises
    ------
    OutputRefused
        When the file is not named as HTML.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise OutputRefused(f"{path} does not end in .html, which is what is written. Name it so.")
    path.write_text(text, encoding="utf-8")


def html_report(
    evaluations: Sequence[Evaluation], spec: ModelSpec, record: Mapping, others: Sequence[Published] = ()
) -> str:
    """Write everything that the evaluations hold as one HTML page; no image is needed.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        Of the same images; the first is the model that the report is about.
    spec : ModelSpec
        Of the first.
    record : mapping
        Of its training.
    others : sequence of Published
        Figures of the same images; empty for a user's own.

    Returns
    -------
    str
        The same evaluations always give the same text.

    Raises
    ------
    EvaluationError
        When there is no evaluation, they are of different images, or a section is damaged.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    first = evaluations[0]
    with whole_sections(first.model):
        tables = markdown.render(_tables(evaluations, spec, record, others)).replace("<table>", f"{_SCROLLED}<table>")
        figures = _figures(evaluations, record, others)
    tables = tables.replace("</table>", "</table></div>")
    title = f"Evaluation of {model_title(first.model)}"
    if first.dataset:
        title += f" on own images: {first.dataset['name']}"
    drawings = "".join(
        f"<figure>{_svg(figure)}<figcaption>{escape(said)}</figcaption></figure>" for said, figure in figures.items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1><p class='warning'>Not for diagnosis; research use only. {escape(first.version)}, "
        f"measured on {escape(first.created)}.</p>{_images(first)}"
        f"<p class='hint'>{_HINT}</p><h2>Figures</h2>{drawings}<h2>From images to figures</h2>"
        f"{flow_svg(flow(first, dict(record)), dark=False)}<h2>The surest errors</h2>{_errors(first)}{tables}"
        "</body></html>\n"
    )


def _figures(evaluations: Sequence[Evaluation], record: Mapping, others: Sequence[Published]) -> dict[str, Figure]:
    first, named = evaluations[0], {model_title(e.model): e for e in evaluations}
    audits = first.sections.get("audits", {})
    bands = [discrimination_bands(*_given(e), **e.resampling) for e in evaluations]
    points = [row for row in others if "sensitivity" in row and "specificity" in row]
    level = f"Bands and lines: {100 * first.bootstrap['level']:.0f} % intervals over patients."
    scores = first.scores["test"]
    diagrams = {
        "Before calibration": reliability(
            scores.labels, uncalibrated(scores.logits), scores.patients, **first.resampling
        ),
        "After calibration": reliability(*_given(first), **first.resampling),
    }
    moved = shifted(scores.probabilities, first.prevalence, _PREVALENCE)
    rare = reliability(scores.labels, moved, scores.patients, _PREVALENCE, **first.resampling)
    areas, groups = auc_rows(named, "test", audits, others), stratum_rows(first, "test") + subgroup_rows(audits)
    beside = {"style": LIGHT, "shortcuts": audits.get("shortcuts", ())}
    figures = {
        f"ROC curves. {level}": roc_figure(evaluations, bands=[b.roc for b in bands], published=points, **beside),
        f"Precision and recall. {level}": precision_recall_figure(
            evaluations, bands=[b.precision_recall for b in bands], **beside
        ),
        _said("Areas under the ROC curve; diamonds have no interval.", few_rows(areas)): forest_figure(
            areas, "AUC", 0.5
        ),
        **{
            f"Calls at the {name.replace('_', ' ')} threshold.": confusion_figure(at["confusion"], style=LIGHT)
            for name, at in first.metrics["test"]["at"].items()
        },
        f"Decision curve. {level}": decision_figure(
            {name: decision_curve(*_given(e), **e.resampling) for name, e in named.items()}
        ),
        _said(
            "Reliability before and after calibration; Wilson's 95 % intervals.",
            few_in_groups(diagrams["After calibration"].images),
            calibration_sentence(first, "test", *diagrams.values()),
        ): intervals_figure(diagrams),
        _said(
            f"Reliability shifted to a prevalence of {100 * _PREVALENCE:.0f} %, images weighed to it.",
            few_in_groups(rare.images),
        ): intervals_figure({"Shifted": rare}),
        _said("Groups of images.", few_rows(groups)): forest_figure(groups, "Share or AUC"),
    }
    for said, rows in {
        _said("Lungs removed, alone and exchanged.", lungs_verdict(audits)): lung_rows(audits),
        f"Disturbed images; diamonds have no interval. {DISTURBED_CHECKS}": perturbation_rows(audits),
        "Adults.": adult_rows(audits),
    }.items():
        if rows:
            figures[_said(said, few_rows(rows))] = forest_figure(rows, "AUC", 0.5)
    if record.get("history"):
        trainings = record.get("trainings", ())
        told = [f"Training {place}: {part['words']}." for place, part in enumerate(trainings, start=1)]
        figures[_said("Training, epoch by epoch.", *told)] = history_figure(record["history"], trainings)
    return figures


def _said(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _given(evaluation: Evaluation) -> tuple:
    scores = evaluation.scores["test"]
    return scores.labels, scores.probabilities, scores.patients


def _tables(evaluations: Sequence[Evaluation], spec: ModelSpec, record: Mapping, others: Sequence[Published]) -> str:
    """The card, or of own images their figures alone: the card is of the shipped evaluation."""
    if not evaluations[0].dataset:
        return model_card(evaluations, spec, record, others)
    audits = evaluations[0].sections.get("audits", {})
    return (
        f"## Figures in numbers\n\n{metrics_section(evaluations, audits, others)}\n\n## Model card\n\n{_CARD_ELSEWHERE}"
    )


def _images(evaluation: Evaluation) -> str:
    which = "" if evaluation.dataset else "Official test images. "
    told = f"<p>{which}{escape(images_sentence(evaluation, 'test'))} {escape(few_of(evaluation, 'test'))}</p>"
    if not evaluation.dataset:
        return told
    return f"{told}<p>Own images, {escape(evaluation.dataset['layout'])}. {escape(evaluation.dataset['patients'])}</p>"


def _errors(evaluation: Evaluation) -> str:
    rows = "".join(
        f"<tr><td>{escape(row['file'])}</td><td>{row['label']}</td><td>{100 * row['probability']:.2f} %</td>"
        f"<td>{row['finding']}</td></tr>"
        for row in confident_errors(evaluation, "test")
    )
    if not rows:
        return "<p>At the balanced point no image is called wrongly.</p>"
    head = "<tr><th>Image</th><th>Label</th><th>Probability</th><th>Finding</th></tr>"
    return f"{_SCROLLED}<table>{head}{rows}</table></div>"


def _svg(figure: Figure) -> str:
    coded = io.StringIO()
    figure.savefig(coded, format="svg", metadata={"Date": None})
    return coded.getvalue()[coded.getvalue().index("<svg") :]
