"""Where an interval rests on few films, in words: a bootstrap of a handful draws the same few again and again.

References
----------
Hesterberg, What teachers should know about the bootstrap, The American Statistician 69, 2015 (percentile intervals of
small samples are too narrow).
"""

from collections.abc import Iterable, Mapping

from cxrmodel.evaluation.document import Evaluation

__all__ = ["FEWEST", "few", "few_called", "few_in_groups", "few_of", "few_rows"]

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
    told = [f"{what}: {count:.4g}" for what, count in counts.items() if count < FEWEST]
    return f"Rests on few ({'; '.join(told)}): take the interval with caution." if told else ""


def few_of(evaluation: Evaluation, split: str) -> str:
    """Say that the figures of a whole split rest on few films of a class, or on few patients."""
    scores = evaluation.scores[split]
    sick = int(scores.labels.sum())
    normal = len(scores.labels) - sick
    return few({"normal films": normal, "films with pneumonia": sick, "patients": len(set(scores.patients))})


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
