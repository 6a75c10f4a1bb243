"""Figures of merit as text and tables."""

from collections.abc import Mapping

import numpy as np

from cxrmodel.evaluation.metrics import rates_at, reliability_bins
from cxrmodel.evaluation.results import Evaluation, Scores
from cxrmodel.evaluation.summary import OVERALL

__all__ = [
    "DEFINITIONS",
    "band_sentence",
    "confusion_html",
    "data_sentence",
    "figure_rows",
    "finding_rows",
    "reliability_rows",
    "stratum_rows",
    "with_interval",
]

_RATES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "recall": "Sensitivity (recall)",
    "specificity": "Specificity",
    "precision": "Precision (PPV)",
    "f1": "F1",
}
_STRATA = {"normal": "Normal", "bacteria": "Bacterial pneumonia", "virus": "Viral pneumonia"}

DEFINITIONS = {
    "AUC": "The chance that a film with pneumonia scores higher than a normal one. It needs no threshold; 0.5 is "
    "what guessing reaches.",
    "Average precision": "Mean precision over all thresholds, weighed by the gain in sensitivity.",
    "Brier score": "Mean squared distance of the probability from what was so (0 or 1). Lower is better.",
    "Expected calibration error": "Mean distance between the probability stated and the share of films with pneumonia. "
    "Lower is better; 0 is perfect.",
    "Accuracy": "Share of films called rightly. It depends on how common pneumonia is among them.",
    "Balanced accuracy": "Mean of sensitivity and specificity.",
    "Sensitivity (recall)": "Share of films with pneumonia that are called pneumonia.",
    "Specificity": "Share of normal films that are called normal.",
    "Precision (PPV)": "Share of films called pneumonia that show pneumonia. It falls where pneumonia is rarer.",
    "F1": "Harmonic mean of precision and sensitivity.",
}

_FINDINGS = ("pneumonia", "uncertain", "normal")
_NOT_DEFINED = "not defined"


def with_interval(figure: Mapping[str, float | None]) -> str:
    """Say a figure with its interval.

    Parameters
    ----------
    figure : mapping
        ``value``, ``low`` and ``high``; None where undefined.
    """
    if figure["value"] is None:
        return _NOT_DEFINED
    if figure["low"] is None or figure["high"] is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def figure_rows(
    evaluations: Mapping[str, Evaluation],
    split: str,
    point: str | None,
    looked_at: str,
    rates: Mapping[str, float | None],
) -> list[dict[str, str]]:
    """List every figure of every model.

    Parameters
    ----------
    evaluations : mapping of str to Evaluation
        By the name to show.
    split : str
        "test" or "held_out".
    point : str or None
        The operating point at which each model's rates are shown, with intervals; None where the user set a threshold.
    looked_at : str
        Name of the model whose threshold was set.
    rates : mapping of str to float or None
        That model's rates at the user's threshold.

    Returns
    -------
    list of dict
        One row a figure: ``Figure`` and a column for each model.
    """
    rows = [
        {"Figure": said, **{model: with_interval(e.metrics[split][name]) for model, e in evaluations.items()}}
        for name, said in OVERALL.items()
    ]
    for name, said in _RATES.items():
        row = {"Figure": said}
        for model, evaluation in evaluations.items():
            if point is not None:
                row[model] = with_interval(evaluation.metrics[split]["at"][point][name])
            else:
                row[model] = _number(rates[name]) if model == looked_at else ""
        rows.append(row)
    return rows


def stratum_rows(scores: Scores, threshold: float) -> list[dict[str, str]]:
    """Count right calls among normal films and among those of each organism.

    Parameters
    ----------
    scores : Scores
    threshold : float
        Probability at or above which a film is called pneumonia.

    Returns
    -------
    list of dict
        One row a group that has films: ``Films``, ``Called rightly`` and ``Rate``.
    """
    groups = np.array([organism or "normal" for organism in scores.organisms])
    rows = []
    for group, said in _STRATA.items():
        members = groups == group
        if not members.any():
            continue
        rate = rates_at(scores.labels[members], scores.probabilities[members], threshold)["accuracy"]
        films = int(members.sum())
        rows.append({"Films": said, "Called rightly": f"{round(rate * films)} of {films}", "Rate": _number(rate)})
    return rows


def finding_rows(scores: Scores, operating_points: Mapping[str, float]) -> list[dict[str, str]]:
    """Count what the program calls films, pneumonia, uncertain or normal, by what they are.

    Parameters
    ----------
    scores : Scores
    operating_points : mapping of str to float
        Thresholds on the probability.

    Returns
    -------
    list of dict
        One row a group that has films: ``Films``, and for each finding its count and its share of the group.
    """
    called, organisms = scores.findings(operating_points), np.array(scores.organisms)
    groups = {
        "Pneumonia": scores.labels == 1,
        "of these bacterial": organisms == "bacteria",
        "of these viral": organisms == "virus",
        "Normal": scores.labels == 0,
    }
    rows = []
    for said, members in groups.items():
        films = int(members.sum())
        if films:
            counts = {name: int((called[members] == name).sum()) for name in _FINDINGS}
            rows.append(
                {"Films": f"{said} ({films})"}
                | {f"Finding: {name}": f"{count} ({100 * count / films:.1f} %)" for name, count in counts.items()}
            )
    return rows


def band_sentence(scores: Scores, operating_points: Mapping[str, float]) -> str:
    """Say how many films lie in the uncertain band, and how many of them have pneumonia.

    Parameters
    ----------
    scores : Scores
    operating_points : mapping of str to float
        Thresholds on the probability.
    """
    within = scores.labels[scores.findings(operating_points) == "uncertain"]
    if not within.size:
        return "No film lies in the uncertain band."
    return (
        f"Of the {within.size} films in the uncertain band, {int(within.sum())} had pneumonia "
        f"({100 * within.mean():.1f} %)."
    )


def reliability_rows(scores: Scores) -> list[dict[str, str]]:
    """Compare the probability stated with the share of pneumonia observed, in the bins of the calibration error.

    Parameters
    ----------
    scores : Scores

    Returns
    -------
    list of dict
        One row a bin of equally many films, in order of probability.
    """
    bins = reliability_bins(scores.labels, scores.probabilities)
    return [
        {
            "Stated probability, mean": f"{100 * stated:.1f} %",
            "Pneumonia observed": f"{100 * observed:.1f} %",
            "Observed less stated": f"{100 * (observed - stated):+.1f} points",
            "Films": f"{bins.films:.4g}",
        }
        for stated, observed in zip(bins.mean_probability, bins.observed, strict=True)
    ]


def confusion_html(counts: Mapping[str, int]) -> str:
    """Draw a confusion matrix as a table, each cell with its name.

    Parameters
    ----------
    counts : mapping of str to int
        ``tn``, ``fp``, ``fn`` and ``tp``.
    """

    def cell(name: str, said: str, right: bool) -> str:
        return f'<td class="{"right" if right else "wrong"}"><b>{counts[name]}</b><span>{said}</span></td>'

    return (
        '<table class="confusion"><thead><tr><td></td><th scope="col">Called pneumonia</th>'
        '<th scope="col">Called normal</th></tr></thead><tbody>'
        f'<tr><th scope="row">Pneumonia</th>{cell("tp", "true positives", True)}{cell("fn", "missed", False)}</tr>'
        f'<tr><th scope="row">Normal</th>{cell("fp", "false alarms", False)}{cell("tn", "true negatives", True)}</tr>'
        "</tbody></table>"
    )


def data_sentence(counts: Mapping[str, int]) -> str:
    """Say what a split holds.

    Parameters
    ----------
    counts : mapping of str to int
        As in an evaluation's ``data``.
    """
    refused = f" {counts['refused']} of them were refused." if counts["refused"] else " None was refused."
    return (
        f"{counts['films']} films of {counts['patients']} patients: {counts['normal']} normal, "
        f"{counts['pneumonia']} with pneumonia ({counts['bacteria']} bacterial, {counts['virus']} viral).{refused}"
    )


def _number(value: float | None) -> str:
    return _NOT_DEFINED if value is None else f"{value:.3f}"
