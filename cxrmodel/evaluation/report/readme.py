"""Evaluations -> the table of figures in the README, so that the words cannot drift from the measurements."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.report.small_samples import few_of, withheld_of
from cxrmodel.evaluation.storage import Evaluation
from cxrmodel.model.calibration import FINDINGS
from cxrmodel.models import model_title
from cxrmodel.paths import ROOT

__all__ = [
    "END",
    "OVERALL",
    "README",
    "START",
    "images_sentence",
    "overall",
    "readme_table",
    "scored_counts",
    "update_readme",
]

README = ROOT / "README.md"
START = "<!-- figures:start -->"
END = "<!-- figures:end -->"
OVERALL = {
    "auc": "AUC",
    "average_precision": "Average precision",
    "brier": "Brier score",
    "ece": "Expected calibration error",
}
_NAMED = 5
"""Images left out that are named in a sentence; the others are counted."""
_RANKED = ("auc", "average_precision")
_AT_BALANCED = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "precision": "Precision (positive predictive value)",
    "recall": "Sensitivity (recall)",
    "specificity": "Specificity",
    "f1": "F1",
}


def readme_table(evaluations: Sequence[Evaluation]) -> str:
    """Write the figures of the official test images as a Markdown table, a column for each model.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        At least one; all of the same images.

    Returns
    -------
    str
        A sentence about the images and the table, without a line break at the end. The same evaluations always give
        the same text.

    Raises
    ------
    EvaluationError
        When there is no evaluation, or they are of different images.
    """
    held = {tuple(sorted(evaluation.data["test"].items())) for evaluation in evaluations}
    if len(held) != 1:
        raise EvaluationError("The table needs evaluations of the same test images. Run python -m cxrmodel evaluate.")
    data, level = evaluations[0].data["test"], evaluations[0].bootstrap["level"]
    metrics = [evaluation.metrics["test"] for evaluation in evaluations]
    scored = scored_counts(evaluations[0], "test")
    left = data["refused"]
    refused = (
        "all scored, with the checks off" if not left else f"{left} more could not be decoded and {_are(left)} left out"
    )
    own = evaluations[0].dataset
    images = f"Own images, {own['name']}" if own else "Official test split"
    lines = [
        f"{images}: {scored['images']} images of {scored['patients']} patients, {scored['normal']} normal and "
        f"{scored['pneumonia']} with pneumonia; {refused}. "
        f"In brackets {level * 100:.0f} % intervals, resampled by patient. {few_of(evaluations[0], 'test')}".rstrip(),
        "",
        _row("", [model_title(evaluation.model) for evaluation in evaluations]),
        _row("---", ["---"] * len(evaluations)),
        *(_row(title, [overall(e, "test", name, _cell) for e in evaluations]) for name, title in OVERALL.items()),
        _row("Balanced threshold", [f"{m['at']['balanced']['threshold']:.3g}" for m in metrics]),
        *(_row(title, [_cell(m["at"]["balanced"][name]) for m in metrics]) for name, title in _AT_BALANCED.items()),
        _row("Findings, pneumonia / uncertain / normal", [""] * len(evaluations)),
        _row("of images with pneumonia", [_findings(evaluation, 1) for evaluation in evaluations]),
        _row("of normal images", [_findings(evaluation, 0) for evaluation in evaluations]),
    ]
    return "\n".join(lines)


def scored_counts(evaluation: Evaluation, split: str) -> dict[str, int]:
    """Count the images of a split that carry a score.

    Returns
    -------
    dict of str to int
        ``images``, ``patients``, ``normal``, ``pneumonia``, ``bacteria`` and ``virus``.
    """
    scores = evaluation.scores[split]
    organisms, sick = Counter(scores.organisms), int(scores.labels.sum())
    return {
        "images": len(scores.files),
        "patients": len(set(scores.patients)),
        "normal": len(scores.files) - sick,
        "pneumonia": sick,
        "bacteria": organisms["bacteria"],
        "virus": organisms["virus"],
    }


def images_sentence(evaluation: Evaluation, split: str) -> str:
    """Say which images were scored, and name those that were not.

    Parameters
    ----------
    evaluation : Evaluation
    split : str
    """
    counts = scored_counts(evaluation, split)
    told = [f"{counts[name]} {said}" for name, said in (("bacteria", "bacterial"), ("virus", "viral")) if counts[name]]
    kinds = f" ({', '.join(told)})" if told else ""
    images = (
        f"{counts['images']} images of {counts['patients']} patients: {counts['normal']} normal, "
        f"{counts['pneumonia']} with pneumonia{kinds}."
    )
    left = [row["file"] for row in evaluation.refused[split]]
    if not left:
        return f"{images} All were scored, with the checks off."
    names = ", ".join(left[:_NAMED]) + (f" and {len(left) - _NAMED} more" if len(left) > _NAMED else "")
    return (
        f"{images} All of these were scored, with the checks off; {len(left)} more could not be decoded as an image and "
        f"{_are(len(left))} left out: {names}."
    )


def overall(evaluation: Evaluation, split: str, name: str, say: Callable[[Mapping], str]) -> str:
    """Write a figure that needs no threshold, or why it is not given.

    Parameters
    ----------
    evaluation : Evaluation
    split, name : str
        A key of `OVERALL`.
    say : callable
        Writes a figure with its interval.
    """
    reason = withheld_of(evaluation, split) if name in _RANKED else ""
    return reason or say(evaluation.metrics[split][name])


def update_readme(path: Path, table: str, marks: tuple[str, str] = (START, END)) -> bool:
    """Put a table between the two marks of a document.

    Parameters
    ----------
    path : Path
        A Markdown file that holds both marks in their order, each once.
    table : str
        As :func:`readme_table` gives it.
    marks : tuple of str

    Returns
    -------
    bool
        Whether the file changed.

    Raises
    ------
    EvaluationError
        When a mark is missing, repeated or out of order; the file is left as it is.
    """
    text = path.read_text(encoding="utf-8")
    first, last = marks
    before, start, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not (start and end) or text.count(first) != 1 or text.count(last) != 1:
        raise EvaluationError(
            f"{path.name} must hold {first} and then {last}, each once. Put them back around the table."
        )
    updated = f"{before}{first}\n{table}\n{last}{after}"
    if updated != text:
        path.write_text(updated, encoding="utf-8")
    return updated != text


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _findings(evaluation: Evaluation, label: int) -> str:
    """Counts of what the app calls the images of one class: by the uncertain band, not by the balanced threshold."""
    scores = evaluation.scores["test"]
    called = Counter(scores.findings(evaluation.operating_points)[scores.labels == label].tolist())
    return " / ".join(str(called[name]) for name in FINDINGS)


def _row(title: str, cells: Sequence[str]) -> str:
    return f"| {' | '.join((title, *cells))} |"


def _cell(figures: Mapping[str, float | None]) -> str:
    if figures["value"] is None:
        return "undefined"
    if figures["low"] is None:
        return f"{figures['value']:.3f}"
    return f"{figures['value']:.3f} ({figures['low']:.3f}–{figures['high']:.3f})"
