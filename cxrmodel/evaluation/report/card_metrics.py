"""Evaluations -> the figures of the model card and of reports, in Markdown."""

from collections.abc import Mapping, Sequence

from cxrmodel.evaluation.published import Published
from cxrmodel.evaluation.reliability import reliability, uncalibrated
from cxrmodel.evaluation.report import card_words as words
from cxrmodel.evaluation.report.calibration_words import calibration_sentence
from cxrmodel.evaluation.report.readme import readme_table
from cxrmodel.evaluation.report.rows import auc_rows
from cxrmodel.evaluation.report.small_samples import few_at, few_in_groups
from cxrmodel.evaluation.report.tables import figure_cell, forest_table, interval_cell, table
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.evaluation.thresholds import RATES, ThresholdTable, threshold_table
from cxrmodel.models import model_title

__all__ = ["POINTS", "metrics_section"]

POINTS = {"high_sensitivity": "High sensitivity", "balanced": "Balanced", "high_specificity": "High specificity"}


def metrics_section(evaluations: Sequence[Evaluation], audits: Mapping, others: Sequence[Published]) -> str:
    """Write every figure that the model is judged by.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        Of the same images.
    audits : mapping
        The section of that name; may be empty.
    others : sequence of Published
    """
    first = evaluations[0]
    scores = first.scores["test"]
    figures = threshold_table(
        scores.labels,
        scores.probabilities,
        scores.patients,
        list(first.operating_points.values()),
        **first.resampling,
    )
    named = {model_title(evaluation.model): evaluation for evaluation in evaluations}
    areas = forest_table(auc_rows(named, "test", audits, others), "AUC")
    shortcuts = "" if audits.get("shortcuts") else f"\n\nShortcuts: {words.NOT_MEASURED}"
    before, after = (
        reliability(scores.labels, values, scores.patients, **first.resampling)
        for values in (uncalibrated(scores.logits), scores.probabilities)
    )
    calibrated = [
        (said, *(figure_cell(figure) for figure in (bins.ece, bins.brier)))
        for said, bins in (("Before calibration", before), ("After calibration", after))
    ]
    parts = [
        readme_table(evaluations),
        f"At the three thresholds of {model_title(first.model)}:",
        _at_points(first, figures),
        f"Calibration of {model_title(first.model)}:",
        table(["Probability", "Expected calibration error", "Brier score"], calibrated),
        f"{calibration_sentence(first, 'test', before, after)} {few_in_groups(after.images)}".rstrip(),
        f"Beside shortcuts and published figures of the same images:\n\n{areas}{shortcuts}",
        "\n".join(f"- {citation} doi:{doi}" for citation, doi in _sources(others)),
    ]
    return "\n\n".join(part for part in parts if part)


def _at_points(evaluation: Evaluation, figures: ThresholdTable) -> str:
    rows = [("Threshold", *(f"{evaluation.operating_points[name]:.3f}" for name in POINTS))]
    places = [figures.at(evaluation.operating_points[name]) for name in POINTS]
    for name, title in RATES.items():
        columns = (figures.values[name], figures.lows[name], figures.highs[name])
        form = ".3g" if name.startswith("lr_") else ".3f"
        rows.append((title, *(interval_cell(*(float(column[i]) for column in columns), form) for i in places)))
    for name, title in (("tp", "True positives"), ("fn", "Missed"), ("fp", "False alarms"), ("tn", "True negatives")):
        rows.append((title, *(str(figures.counts[name][i]) for i in places)))
    scarce = [
        f"{said}. {sentence}"
        for (name, said), i in zip(POINTS.items(), places, strict=True)
        if (sentence := few_at(evaluation, "test", figures, i))
    ]
    return "\n\n".join([table(["Figure", *POINTS.values()], rows), *scarce])


def _sources(others: Sequence[Published]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((str(row["citation"]), str(row["doi"])) for row in others))
