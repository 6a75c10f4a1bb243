"""Where an interval rests on few images, in words: a bootstrap of a handful draws the same few again and again.

References
----------
Hesterberg, What teachers should know about the bootstrap, The American Statistician 69, 2015 (percentile intervals of
small samples are too narrow).
"""

from collections.abc import Iterable, Mapping

import numpy as np

from cxrmodel.evaluation.reliability import wilson
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.evaluation.thresholds import RATES, ThresholdTable

__all__ = [
    "FEWEST",
    "SCARCEST",
    "few",
    "few_alike",
    "few_at",
    "few_called",
    "few_images",
    "few_in_groups",
    "few_of",
    "few_rows",
    "withheld",
    "withheld_of",
]

FEWEST = 30
"""Images of a class, and patients, below which an interval is told to be taken with caution."""
SCARCEST = 10
"""Images of a class below which no area under a curve is given, as it would rank all others by a handful."""

_SHARES = {
    "accuracy": lambda sick, called: np.ones(len(sick), bool),
    "recall": lambda sick, called: sick,
    "specificity": lambda sick, called: ~sick,
    "precision": lambda sick, called: called,
    "npv": lambda sick, called: ~called,
}
_KINDS = ("normal images", "images with pneumonia")


def few(counts: Mapping[str, float]) -> str:
    """Say that a figure rests on few.

    Parameters
    ----------
    counts : mapping of str to float
        By what is counted: "normal images", "patients".

    Returns
    -------
    str
        A sentence that names every count below `FEWEST`; empty where there is none.
    """
    told = _scarce(counts)
    return f"Rests on few ({told}): take the interval with caution." if told else ""


def withheld(counts: Mapping[str, int]) -> str:
    """Say why an area under a curve is not given.

    Parameters
    ----------
    counts : mapping of str to int
        Images of each class by what they are called, as in "normal images".

    Returns
    -------
    str
        Without a full stop; empty where every class has `SCARCEST` images or more.
    """
    told = [
        f"{count} {what.replace('images', 'image', 1) if count == 1 else what}"
        for what, count in counts.items()
        if count < SCARCEST
    ]
    return f"not given: {', '.join(told)}" if told else ""


def withheld_of(evaluation: Evaluation, split: str) -> str:
    """Say why areas under the curves of a whole split are not given; empty where they are."""
    classes = _classes(evaluation, split)
    return withheld({what: classes[what] for what in _KINDS})


def few_of(evaluation: Evaluation, split: str) -> str:
    """Say of a whole split that it holds few images of a class, or few patients, or that resamples all agree."""
    told = _scarce(_classes(evaluation, split))
    sentences = [f"These are few ({told}): take every interval with caution."] if told else []
    metrics = evaluation.metrics[split]
    figures = [part for name, part in metrics.items() if name != "at"]
    figures += [part for at in metrics["at"].values() for part in at.values() if isinstance(part, Mapping)]
    if any(_without_width(part) for part in figures):
        sentences.append(
            "Where an interval has no width, all images of a kind were called alike, so that every resample agreed; the "
            "figure is not certain for that."
        )
    return " ".join(sentences)


def few_images(evaluation: Evaluation, split: str) -> str:
    """Say of one figure over a whole split that it rests on few images of a class, or on few patients."""
    return few(_classes(evaluation, split))


def few_alike(figure: Mapping[str, float | None], patients: int) -> str:
    """Say how sure a share is whose resamples all agree, as they do when all images were called alike.

    Parameters
    ----------
    figure : mapping
        ``value``, ``low`` and ``high`` of a share.
    patients : int
        Whose images they are.
    """
    if not _without_width(figure):
        return ""
    return (
        "All were called alike, so resamples cannot tell the chance in it; Wilson's 95 % interval is "
        f"{_wilson(figure['value'], patients)}."
    )


def few_called(counts: Mapping[str, int]) -> str:
    """Say that predictive values rest on few images called so.

    Parameters
    ----------
    counts : mapping of str to int
        ``tn``, ``fp``, ``fn``, ``tp``.
    """
    called = {"called pneumonia": counts["tp"] + counts["fp"], "called normal": counts["tn"] + counts["fn"]}
    return few({f"images {said}": count for said, count in called.items()})


def few_at(evaluation: Evaluation, split: str, table: ThresholdTable, place: int) -> str:
    """Say what the figures at a threshold rest on: few calls, or resamples that all agree.

    Parameters
    ----------
    evaluation : Evaluation
    split : str
    table : ThresholdTable
        Of these images.
    place : int
        Row of the table.

    Returns
    -------
    str
        Empty where there is nothing to say. Where an interval has no width, Wilson's, over the patients whose images the
        share is of.
    """
    sentences = [few_called({name: int(values[place]) for name, values in table.counts.items()})]
    narrow = [name for name in _SHARES if table.lows[name][place] == table.highs[name][place]]
    if narrow:
        scores = evaluation.scores[split]
        called = scores.probabilities >= table.thresholds[place]
        patients = np.asarray(scores.patients, str)
        for name in narrow:
            people = len(set(patients[_SHARES[name](scores.labels == 1, called)].tolist()))
            sentences.append(
                f"{RATES[name]}: every resample agrees, so its interval has no width and tells nothing of chance; "
                f"Wilson's 95 % interval over {people} patients is {_wilson(table.values[name][place], people)}."
            )
    return " ".join(filter(None, sentences))


def few_in_groups(images: float) -> str:
    """Say that the groups of a reliability diagram are small."""
    return few({"images in each group": images})


def few_rows(rows: Iterable[Mapping]) -> str:
    """Say which rows of a forest plot rest on few images, and which are withheld for that; empty where none is."""
    rows = [item for item in rows if item["few"]]
    names = [str(item["name"]) for item in rows if item["value"] is not None]
    sentences = [f"Few images, so an interval to be taken with caution: {'; '.join(names)}."] if names else []
    sentences += [f"{item['name']}, {item['few']}." for item in rows if item["value"] is None]
    return " ".join(sentences)


def _classes(evaluation: Evaluation, split: str) -> dict[str, int]:
    scores = evaluation.scores[split]
    sick = int(scores.labels.sum())
    return {
        **dict(zip(_KINDS, (len(scores.labels) - sick, sick), strict=True)),
        "patients": len(set(scores.patients)),
    }


def _scarce(counts: Mapping[str, float]) -> str:
    return "; ".join(f"{what}: {count:.3g}" for what, count in counts.items() if count < FEWEST)


def _wilson(share: float, patients: int) -> str:
    low, high = wilson(share, patients)
    return f"{low:.3f} to {high:.3f}"


def _without_width(figure: Mapping) -> bool:
    return figure.get("low") is not None and figure["low"] == figure.get("high")
