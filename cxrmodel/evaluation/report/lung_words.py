"""Whether the score falls to chance where the lungs are gone, in words."""

from collections.abc import Mapping

__all__ = ["lungs_verdict"]

_CHANCE = 0.5


def lungs_verdict(audits: Mapping) -> str:
    """Say how the images without lungs of the section ``audits`` score against chance.

    Parameters
    ----------
    audits : mapping

    Returns
    -------
    str
        How many fills keep an interval that holds 0.5, which is farthest from it, and how the fills do that training
        never saw; empty where none was measured.
    """
    fills = [item for item in audits.get("lungs", ()) if item["kind"] == "removed" and item["auc"]["value"] is not None]
    if not fills:
        return ""
    at_chance = [item for item in fills if _holds_chance(item)]
    farthest = max(fills, key=lambda item: abs(item["auc"]["value"] - _CHANCE))
    low, high = farthest["auc"]["low"], farthest["auc"]["high"]
    bounds = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
    return (
        f"With the lungs removed, {len(at_chance)} of {len(fills)} fills keep an interval that holds {_CHANCE:g}. "
        f"Farthest from it is “{farthest['name']}” with an AUC of {farthest['auc']['value']:.3f}{bounds}. "
        f"{_unseen(fills)}"
    )


def _unseen(fills: list[Mapping]) -> str:
    unseen = [item for item in fills if not item.get("seen_in_training")]
    if not unseen:
        return "All fills were seen in training."
    told = [
        f"the interval of “{item['name']}” {'holds' if _holds_chance(item) else 'does not hold'} {_CHANCE:g}"
        for item in unseen
    ]
    return f"Of the fills that training never saw, {'; '.join(told)}."


def _holds_chance(item: Mapping) -> bool:
    low, high = item["auc"]["low"], item["auc"]["high"]
    return low is not None and high is not None and low <= _CHANCE <= high
