"""Figures of merit in words: what each means, and how figures are written."""

from collections.abc import Mapping

import streamlit as st

from cxrmodel.evaluation.report.small_samples import FEWEST, SCARCEST
from cxrmodel.evaluation.storage import Evaluation

__all__ = ["MEANINGS", "explain", "intervals_sentence", "number", "with_interval"]

MEANINGS = {
    "AUC": "The chance that an image with pneumonia scores higher than a normal one. It needs no threshold; 0.5 is "
    "what guessing reaches.",
    "Average precision": "Mean precision over all thresholds, weighed by the gain in sensitivity. Guessing reaches the "
    "share of pneumonia among the images.",
    "Brier score": "Mean squared distance of the probability from what was so (0 or 1). Lower is better.",
    "Expected calibration error": "Mean distance between the probability stated and the share of images with pneumonia, "
    "over 15 groups of equally many images. Lower is better; a perfect model still has a little, by chance.",
    "Accuracy": "Share of images called rightly. It depends on how common pneumonia is among them.",
    "Balanced accuracy": "Mean of sensitivity and specificity.",
    "Sensitivity (recall)": "Share of images with pneumonia that are called pneumonia.",
    "Specificity": "Share of normal images that are called normal.",
    "Precision (PPV)": "Positive predictive value: share of images called pneumonia that show pneumonia. It falls where "
    "pneumonia is rarer.",
    "Negative predictive value": "Share of images called normal that are normal. It falls where pneumonia is commoner.",
    "F1": "Harmonic mean of precision and sensitivity.",
    "Matthews correlation (MCC)": "Correlation of call and truth, from -1 over 0 (guessing) to 1. It is high only when "
    "all four cells of the matrix are good.",
    "Likelihood ratio, positive": "How many times likelier the call pneumonia is on an image with pneumonia than on a "
    "normal one. It multiplies the odds; above 10 is strong evidence.",
    "Likelihood ratio, negative": "How many times likelier the call normal is on an image with pneumonia than on a "
    "normal one. It multiplies the odds; below 0.1 is strong evidence against pneumonia.",
    "Net benefit": "True positives less false alarms, these weighed by the odds of the threshold, per image. The model "
    "is worth using at a threshold where its line lies above calling every image and above calling none.",
    "95 % interval": "Patients were drawn anew with replacement, each with all their images, and the figure computed "
    "again each time; the interval holds the middle 95 % of the results.",
    "Few images": f"A figure is marked that rests on fewer than {FEWEST} images of a class, or on fewer than {FEWEST} "
    "patients: resamples of so few draw the same ones again and again, and the interval comes out too narrow. Of "
    f"fewer than {SCARCEST} images of a class no area under a curve is given.",
    "Band": "The same, at each place of the curve.",
    "Operating point": "A threshold that was fixed beforehand, on training patients who were held out.",
    "Prevalence": "Share of images with pneumonia among all images that are read.",
}
"""What each term means, in a sentence or two."""


def explain(*names: str) -> None:
    """Draw a button that opens the meanings of some terms.

    Parameters
    ----------
    *names : str
        Keys of `MEANINGS`.
    """
    with st.popover("What do these mean?", icon=":material/help:", type="tertiary"):
        st.markdown("\n".join(f"- **{name}**: {MEANINGS[name]}" for name in names))


def intervals_sentence(evaluation: Evaluation) -> str:
    """Say what the intervals are."""
    drawn = evaluation.bootstrap
    return (
        f"{100 * drawn['level']:.0f} % intervals from {drawn['resamples']} resamples by {drawn['unit']}, "
        f"seed {drawn['seed']}."
    )


def number(value: float | None) -> str:
    """Write a figure with three decimals."""
    return "not defined" if value is None else f"{value:.3f}"


def with_interval(figure: Mapping[str, float | None]) -> str:
    """Write a figure with its interval.

    Parameters
    ----------
    figure : mapping
        ``value``, ``low`` and ``high``; None where undefined.
    """
    if figure["value"] is None or figure.get("low") is None or figure.get("high") is None:
        return "not defined" if figure["value"] is None else f"{figure['value']:.4g}"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
