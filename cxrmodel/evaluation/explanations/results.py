"""A method's map as it is offered: its colour range and what the evaluation found of it, for page and command line."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.explain.faithfulness import heat_in_lungs
from cxrmodel.explain.methods import INSTANT, METHODS, Method
from cxrmodel.model.spec import ModelSpec
from cxrmodel.reading import Reading

__all__ = [
    "FIXED_RANGE",
    "OWN_RANGE",
    "Explained",
    "as_explained",
    "default_method",
    "findings_of",
    "sanity_sentence",
    "tested_explanations",
]

FIXED_RANGE = "The range is the same for every image."
OWN_RANGE = (
    "No range has been fixed for these weights, so the top colour is this image's own peak: "
    "colours cannot be compared between images."
)


@dataclass(frozen=True, eq=False)
class Explained:
    """A reading with the map of a chosen method.

    Attributes
    ----------
    method : Method
    reading : Reading
        With this method's ``heat``, ``heat_range`` and ``heat_in_lungs``.
    legend : str
        For the colour bar: the method and the unit of its values.
    range_note : str
        Whether colours can be compared between images.
    """

    method: Method
    reading: Reading
    legend: str
    range_note: str


def tested_explanations(spec: ModelSpec) -> Mapping:
    """What ``evaluate --explanations`` found of these weights; empty where it has not been run for them."""
    try:
        return load_evaluation(spec.model, spec=spec).sections.get("explanations", {})
    except CxrError:
        return {}


def findings_of(tested: Mapping, method: str) -> Mapping:
    """The row of one method; empty where it was not tested."""
    return next((row for row in tested.get("methods", ()) if row["name"] == method), {})


def default_method(tested: Mapping) -> str:
    """The method that the evaluation favours; the one that a reading brings along where there is none."""
    name = tested.get("default", INSTANT)
    return name if name in METHODS else INSTANT


def as_explained(reading: Reading, method: str, heat: np.ndarray, tested: Mapping) -> Explained:
    """Put a method's map into a reading.

    Parameters
    ----------
    reading : Reading
    method : str
    heat : ndarray of float32, shape (224, 224)
        The map on the canonical image.
    tested : mapping
        As of ``tested_explanations``.
    """
    known = METHODS[method]
    legend, fixed = f"{known.title}: {known.unit}", findings_of(tested, method).get("heat_range")
    if method == INSTANT:
        return Explained(known, reading, legend, FIXED_RANGE)
    share = heat_in_lungs(heat, reading.lungs.mask)
    top = fixed or float(heat.max()) or 1.0
    changed = replace(reading, heat=heat, heat_range=top, heat_in_lungs=share)
    return Explained(known, changed, legend, FIXED_RANGE if fixed else OWN_RANGE)


def sanity_sentence(tested: Mapping, method: str) -> tuple[bool | None, str]:
    """Say whether a method's map depends on what the network has learnt.

    Returns
    -------
    depends : bool or None
        None where that was not tested for these weights.
    sentence : str
    """
    sanity = findings_of(tested, method).get("sanity")
    if not sanity:
        return None, "Whether its map depends on the model has not been tested for these weights."
    images = f"on {sanity['images']} test images"
    if sanity["depends_on_model"]:
        return True, f"Its map changes when the network's weights are drawn anew ({images}), as it must."
    return False, (
        f"Its map hardly changes when nothing that the network has learnt is left ({images}): "
        "it shows the image, not the model. Do not take it for an explanation."
    )
