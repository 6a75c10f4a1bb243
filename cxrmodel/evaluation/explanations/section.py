"""Measurements of maps, image by image -> the section ``explanations``: means, agreement, the default method."""

from collections.abc import Mapping, Sequence

import numpy as np

from cxrmodel.evaluation.explanations.measures import mean_with_interval
from cxrmodel.evaluation.explanations.randomisation import ALIKE, depends_on_model
from cxrmodel.evaluation.metrics import significant
from cxrmodel.explain.methods import INSTANT, METHODS
from cxrmodel.explain.similarity import spearman
from cxrmodel.model.spec import ModelSpec

__all__ = ["HOW", "NOT_RERUN", "RULE", "favoured", "section_of"]

NOT_RERUN = "not rerun"
HOW = (
    "The closed-form map is drawn of every official test image that is read. The other methods are compared on a "
    "sample, stratified by normal, bacterial and viral images and seeded; where a costly method needs more maps for a "
    "figure, on the sample's first images, which are stratified too. Deletion and insertion are measured where the "
    "model calls pneumonia at the balanced threshold."
)
RULE = (
    "Images are explained by Grad-CAM, which every reading brings along, unless another method of at most one pass of "
    "the network depends on the model, does not have clearly less of its heat in the lungs (by intervals) and, on the "
    "same images, exceeds it in insertion less deletion area by a mean whose interval lies above zero. Of several such, "
    "the one with the highest mean. Should Grad-CAM not depend on the model, any other of these that does comes before "
    "it."
)


def section_of(
    spec: ModelSpec,
    run: Mapping,
    measured: Mapping[str, Mapping],
    random: Mapping,
    changed: Mapping[str, Mapping],
    shuffled: Mapping,
) -> dict:
    """Put the section together.

    Parameters
    ----------
    spec : ModelSpec
    run : mapping
        Images, patients and settings.
    measured : mapping of str to mapping
        By method, image by image.
    random : mapping
        Curves of random orders.
    changed : mapping of str to mapping
        By method, likeness to maps of weights drawn anew.
    shuffled : mapping
        Likeness to maps of weights of shuffled labels, with those weights' sha256; empty where that was never measured.

    Returns
    -------
    dict
        Plain JSON.
    """
    patients = run["patients"]
    rows = {
        name: _row(name, part, random, changed[name], shuffled.get("likeness", {}).get(name), patients)
        for name, part in measured.items()
    }
    return {
        "images": {
            "how": HOW,
            "seed": run["seed"],
            "test": run["test"],
            "sample": len(run["sample"]),
            "called": len(run["called"]),
            "names": run["sample"],
        },
        "settings": run["settings"] | {"stages": [stage["stage"] for stage in changed[INSTANT]["stages"]]},
        "methods": list(rows.values()),
        "agreement": _agreement(measured),
        "sanity_rule": {"alike_from": ALIKE},
        "shuffled": dict(shuffled),
        "adults": _adults(run, measured),
        "default": favoured(measured, rows, patients),
        "default_rule": RULE,
    }


def favoured(measured: Mapping[str, Mapping], rows: Mapping[str, Mapping], patients: Mapping[str, str]) -> str:
    """Name the default method by ``RULE``.

    Parameters
    ----------
    measured : mapping of str to mapping
        By method: ``called`` images, and ``curves`` with ``deletion`` and ``insertion`` of each.
    rows : mapping of str to mapping
        By method: ``sanity`` and ``heat_in_lungs``.
    patients : mapping of str to str
        By image.
    """
    stays = rows[INSTANT]["sanity"]["depends_on_model"]
    best, ahead = INSTANT, 0.0 if stays else -np.inf
    own, in_lungs = _differences(measured[INSTANT]), rows[INSTANT]["heat_in_lungs"]
    for name, part in measured.items():
        if name == INSTANT or METHODS[name].passes > 1 or not rows[name]["sanity"]["depends_on_model"]:
            continue
        if _below(rows[name]["heat_in_lungs"], in_lungs):
            continue
        other = _differences(part)
        images = [image for image in other if image in own]
        gain = mean_with_interval(
            [other[image] - own[image] for image in images], [patients[image] for image in images]
        )
        clear = gain["low"] is not None and gain["low"] > 0
        if gain["value"] is not None and gain["value"] > ahead and (clear or not stays):
            best, ahead = name, gain["value"]
    return best


def _below(figure: Mapping, other: Mapping) -> bool:
    """Whether one interval lies below another."""
    return None not in (figure["high"], other["low"]) and figure["high"] < other["low"]


def _differences(part: Mapping) -> dict[str, float]:
    areas = zip(part["called"], part["curves"]["insertion"], part["curves"]["deletion"], strict=True)
    return {image: insertion - deletion for image, insertion, deletion in areas}


def _row(
    name: str,
    part: Mapping,
    random: Mapping,
    changed: Mapping,
    shuffled: Mapping | None,
    patients: Mapping[str, str],
) -> dict:
    own = [patients[image] for image in part["images"]]
    called = [patients[image] for image in part["called"]]
    places = [random["called"].index(image) for image in part["called"]]
    randomised = [stage["spearman"] for stage in changed["stages"]]
    against = NOT_RERUN if shuffled is None else float(shuffled["spearman"])
    return {
        "name": name,
        "title": METHODS[name].title,
        "images": len(part["images"]),
        "curve_images": len(part["called"]),
        "empty": sum(value is None for value in part["in_lungs"]),
        "deletion_auc": mean_with_interval(part["curves"]["deletion"], called),
        "insertion_auc": mean_with_interval(part["curves"]["insertion"], called),
        **{
            f"random_{kind}_auc": significant(float(np.mean([random["curves"][kind][place] for place in places])), 4)
            for kind in ("deletion", "insertion")
        },
        "heat_in_lungs": mean_with_interval(part["in_lungs"], own),
        "stability": mean_with_interval(part["stability"], own[: len(part["stability"])]),
        "stability_images": len(part["stability"]),
        "heat_range": significant(part["heat_range"], 4),
        "range_images": part["range_images"],
        "seconds": significant(float(np.median(part["seconds"])), 2),
        "sanity": {
            "images": changed["images"],
            "randomised": randomised,
            "randomised_ssim": [stage["ssim"] for stage in changed["stages"]],
            "shuffled_labels": against,
            "depends_on_model": depends_on_model(randomised, against),
        },
    }


def _agreement(measured: Mapping[str, Mapping]) -> list[list[float | None]]:
    """Mean rank correlation of every two methods on the images that both have; None of a method with itself."""
    names = list(measured)
    return [[None if one == other else _likeness(measured[one], measured[other]) for other in names] for one in names]


def _likeness(first: Mapping, second: Mapping) -> float:
    one, other = (dict(zip(part["images"], part["grids"], strict=False)) for part in (first, second))
    images = [image for image in one if image in other]
    pairs = [(np.array(one[image], np.float32), np.array(other[image], np.float32)) for image in images]
    return round(float(np.mean([spearman(*pair) for pair in pairs])), 4)


def _adults(run: Mapping, measured: Mapping[str, Mapping]) -> dict | None:
    """Aggregates alone: nothing of a single image may be kept."""
    if not run["adult_patients"]:
        return None
    return {
        "images": len(run["adult_patients"]),
        "without_lungs": run["adults_without_lungs"],
        "expected_by_area": significant(float(np.mean(run["box_area"])), 4),
        "methods": [
            {
                "name": name,
                "images": len(part["adults"]["peak"]),
                "peak_in_box": mean_with_interval(part["adults"]["peak"], _first(run, part)),
                "share": mean_with_interval(part["adults"]["share"], _first(run, part)),
            }
            for name, part in measured.items()
        ],
    }


def _first(run: Mapping, part: Mapping) -> Sequence[str]:
    return run["adult_patients"][: len(part["adults"]["peak"])]
