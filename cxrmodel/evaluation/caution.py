"""Where an interval rests on few films, in words: a bootstrap of a handful draws the same few again and again.

References
----------
Hesterberg, What teachers should know about the bootstrap, The American Statistician 69, 2015 (percentile intervals of
small samples are too narrow).
"""

from collections.abc import Iterable, Mapping

from cxrmodel.evaluation.document import Evaluation
from cxrmodel.evaluation.reliability import wilson

__all__ = ["FEWEST", "few", "few_alike", "few_called", "few_films", "few_in_groups", "few_of", "few_rows"]

FEWEST = 30
"""Films of a class, and patients, below which an interval is told to be taken with caution."""


def few(counts: Mapping[str, float]) -> str:
    """Say that a figure rests on few.

    Parameters
    ----------
    counts : mapping of str to float
        By what is counted: "normal films", "patients".

    Returns
    -------
    str
        A sentence that names every count below `FEWEST`; empty where there is none.
    """
    told = _scarce(counts)
    return f"Rests on few ({told}): take the interval with caution." if told else ""


def few_of(evaluation: Evaluation, split: str) -> str:
    """Say of a whole split that it holds few films of a class, or few patients, or that resamples all agree."""
    told = _scarce(_classes(evaluation, split))
    sentences = [f"These are few ({told}): take every interval with caution."] if told else []
    metrics = evaluation.metrics[split]
    figures = [part for name, part in metrics.items() if name != "at"]
    figures += [part for at in metrics["at"].values() for part in at.values() if isinstance(part, Mapping)]
    if any(_without_width(part) for part in figures):
        sentences.append(
            "Where an interval has no width, all films of a kind were called alike, so that every resample agreed; the "
            "figure is not certain for that."
        )
    return " ".join(sentences)


def few_films(evaluation: Evaluation, split: str) -> str:
    """Say of one figure over a whole split that it rests on few films of a class, or on few patients."""
    return few(_classes(evaluation, split))


def few_alike(figure: Mapping[str, float | None], patients: int) -> str:
    """Say how sure a share is whose resamples all agree, as they do when all films were called alike.

    Parameters
    ----------
    figure : mapping
        ``value``, ``low`` and ``high`` of a share.
    patients : int
        Whose films they are.
    """
    if not _without_width(figure):
        return ""
    low, high = (float(bound) for bound in wilson(figure["value"], patients))
    return (
        f"All were called alike, so resamples cannot tell the chance in it; Wilson's 95 % interval is {low:.3f} to "
        f"{high:.3f}."
    )


def few_called(counts: Mapping[str, int]) -> str:
    """Say that predictive values rest on few films called so.

    Parameters
    ----------
    counts : mapping of str to int
        ``tn``, ``fp``, ``fn``, ``tp``.
    """
    called = {"called pneumonia": counts["tp"] + counts["fp"], "called normal": counts["tn"] + counts["fn"]}
    return few({f"films {said}": count for said, count in called.items()})


def few_in_groups(films: float) -> str:
    """Say that the groups of a reliability diagram are small."""
    return few({"films in each group": films})


def few_rows(rows: Iterable[Mapping]) -> str:
    """Say which rows of a forest plot rest on few films; empty where none does."""
    names = [str(item["name"]) for item in rows if item["few"]]
    return f"Few films, so an interval to be taken with caution: {'; '.join(names)}." if names else ""


def _classes(evaluation: Evaluation, split: str) -> dict[str, int]:
    scores = evaluation.scores[split]
    sick = int(scores.labels.sum())
    return {
        "normal films": len(scores.labels) - sick,
        "films with pneumonia": sick,
        "patients": len(set(scores.patients)),
    }


def _scarce(counts: Mapping[str, float]) -> str:
    return "; ".join(f"{what}: {count:.3g}" for what, count in counts.items() if count < FEWEST)


def _without_width(figure: Mapping) -> bool:
    return figure.get("low") is not None and figure["low"] == figure.get("high")
