"""The faithfulness test of a map on its own image: its curves, and what they say in sentences."""

from typing import Any, Literal

from cxrmodel.explain.image_test import RANDOM_ORDERS, ImageTest
from cxrmodel.explain.methods import METHODS
from cxrmodel.messages import Message
from cxrmodel.reading import Reading

Kind = Literal["deletion", "insertion"]
_STABLE, _UNSTABLE = 0.9, 0.5
_LEAST_FALL = 0.1
"""Fall of the score from the intact to the wholly blurred image below which no order can do much."""


def is_decisive(result: ImageTest) -> bool:
    """Whether blurring everything lowers the score enough to compare orders."""
    return bool(result.own.deletion[0] - result.own.deletion[-1] >= _LEAST_FALL)


def verdict(result: ImageTest, kind: Kind) -> Message:
    """Compare the map's order with random orders, as the rounded numbers beside it show them.

    Parameters
    ----------
    result : ImageTest
    kind : {"deletion", "insertion"}
    """
    ordered, random = (round(float(getattr(part, f"{kind}_auc")), 2) for part in (result.own, result.random))
    if not is_decisive(result):
        return Message("web.faithfulness.verdict_undecided")
    if ordered == random:
        return Message("web.faithfulness.verdict_equal")
    if (ordered < random) == (kind == "deletion"):
        return Message("web.faithfulness.verdict_better")
    return Message("web.faithfulness.verdict_worse")


def described(result: ImageTest, reading: Reading, method: str) -> dict[str, Any]:
    """Describe a test for the browser.

    Parameters
    ----------
    result : ImageTest
    reading : Reading
        Of the image.
    method : str
        Of the map.

    Returns
    -------
    dict
        ``notices``, ``curves`` (axis, sentence, and shares of the score in the map's and in random order at each share
        of the places) and ``sentences``.
    """
    notices = [Message("web.faithfulness.negative")] if reading.probability < reading.threshold else []
    if not is_decisive(result):
        first, last = (float(result.own.deletion[at]) for at in (0, -1))
        notices.append(Message("web.faithfulness.no_fall", first=first, last=last))
    title = METHODS[method].title
    sentences = [_stability(result.stability, title), Message("web.faithfulness.note", orders=RANDOM_ORDERS)]
    return {
        "notices": [str(notice) for notice in notices],
        "curves": [_curve(result, kind) for kind in ("deletion", "insertion")],
        "sentences": [str(sentence) for sentence in sentences],
    }


def _curve(result: ImageTest, kind: Kind) -> dict[str, Any]:
    means = {"map": getattr(result.own, f"{kind}_auc"), "random": getattr(result.random, f"{kind}_auc")}
    return {
        "axis": str(Message(f"web.faithfulness.{kind}_axis")),
        "words": str(Message(f"web.faithfulness.{kind}", verdict=verdict(result, kind), **means)),
        "share": [round(float(share), 4) for share in result.own.share],
        "map": [round(float(score), 4) for score in getattr(result.own, kind)],
        "random": [round(float(score), 4) for score in getattr(result.random, kind)],
    }


def _stability(value: float, title: str) -> Message:
    outcome = "holds" if value >= _STABLE else "changes" if value >= _UNSTABLE else "lost"
    return Message(f"web.faithfulness.stability_{outcome}", title=title, value=value)
