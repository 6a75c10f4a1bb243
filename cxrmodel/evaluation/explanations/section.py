"""From measurements, image by image, to the stored audit of explanations: means and agreement."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cxrmodel.evaluation.explanations.measures import mean_of
from cxrmodel.evaluation.explanations.randomisation import SIMILAR, depends_on_model
from cxrmodel.evaluation.explanations.schema import (
    AdultAttribution,
    AdultExplanations,
    ExplainedImages,
    ExplanationAudit,
    ExplanationSettings,
    MethodResult,
    Randomisation,
    ShuffledLabels,
    Similarity,
)
from cxrmodel.explain.methods import INSTANT
from cxrmodel.explain.similarity import spearman
from cxrmodel.metrics.estimate import significant

Measured = Mapping[str, Any]
"""Plain JSON of the working folder."""


def audit_of(
    run: Mapping[str, Any],
    measured: Mapping[str, Measured],
    random: Measured,
    randomised: Mapping[str, Measured],
    shuffled: ShuffledLabels | None,
) -> ExplanationAudit:
    """Put the measurements together.

    Parameters
    ----------
    run : mapping
        Images, their patients and labels, settings, and the colour range of the map of every reading.
    measured : mapping of str to mapping
        By method, image by image.
    random : mapping
        Curves of random orders.
    randomised : mapping of str to mapping
        By method, similarity to maps of randomised weights.
    shuffled : ShuffledLabels or None
    """
    similarity = shuffled.similarity if shuffled else {}
    rows = {
        name: _result(run, name, part, random, randomised[name], similarity.get(name))
        for name, part in measured.items()
    }
    stages = tuple(stage["stage"] for stage in randomised[INSTANT]["stages"])
    return ExplanationAudit(
        images=ExplainedImages(
            seed=run["seed"], test=run["test"], sample=tuple(run["sample"]), positive=len(run["positive"])
        ),
        settings=ExplanationSettings(**run["settings"], stages=stages),
        methods=tuple(rows.values()),
        agreement=_agreement(measured),
        similar_from=SIMILAR,
        shuffled=shuffled,
        adults=_adults(run, measured),
    )


def _result(
    run: Mapping[str, Any],
    name: str,
    part: Measured,
    random: Measured,
    randomised: Measured,
    shuffled: Similarity | None,
) -> MethodResult:
    patients, labels = run["patients"], run["labels"]
    people = [patients[image] for image in part["images"]]
    positive = [patients[image] for image in part["positive"]]
    places = [random["positive"].index(image) for image in part["positive"]]
    spearmans = tuple(stage["spearman"] for stage in randomised["stages"])
    against = None if shuffled is None else shuffled.spearman

    def by_chance(kind: str) -> float:
        return significant(float(np.mean([random["curves"][kind][place] for place in places])), 4)

    return MethodResult(
        name=name,
        images=len(part["images"]),
        empty=sum(value is None for value in part["in_lungs"]),
        deletion_auc=mean_of(part["curves"]["deletion"], positive),
        insertion_auc=mean_of(part["curves"]["insertion"], positive),
        random_deletion_auc=by_chance("deletion"),
        random_insertion_auc=by_chance("insertion"),
        in_lungs=mean_of(part["in_lungs"], people),
        in_lungs_positive=mean_of(
            [share if labels[image] else None for image, share in zip(part["images"], part["in_lungs"], strict=True)],
            people,
        ),
        stability=mean_of(part["stability"], people[: len(part["stability"])]),
        map_range=significant(run["heat_range"] if name == INSTANT else part["map_range"], 4),
        range_images=part["range_images"],
        seconds=significant(float(np.median(part["seconds"])), 2),
        randomisation=Randomisation(
            images=randomised["images"],
            spearman=spearmans,
            ssim=tuple(stage["ssim"] for stage in randomised["stages"]),
            shuffled_labels=against,
            depends_on_model=depends_on_model(spearmans, against),
        ),
    )


def _agreement(measured: Mapping[str, Measured]) -> tuple[tuple[float | None, ...], ...]:
    """Mean rank correlation of every two methods on the images that both have; None of a method with itself."""
    return tuple(
        tuple(None if one == other else _correlation(measured[one], measured[other]) for other in measured)
        for one in measured
    )


def _correlation(first: Measured, second: Measured) -> float:
    one, other = (dict(zip(part["images"], part["grids"], strict=False)) for part in (first, second))
    images = [image for image in one if image in other]
    pairs = [(np.array(one[image], np.float32), np.array(other[image], np.float32)) for image in images]
    return round(float(np.mean([spearman(*pair) for pair in pairs])), 4)


def _adults(run: Mapping[str, Any], measured: Mapping[str, Measured]) -> AdultExplanations | None:
    """Aggregates alone: nothing of a single image may be kept."""
    if not run["adult_patients"]:
        return None

    def attribution(name: str, part: Measured) -> AdultAttribution:
        people = run["adult_patients"][: len(part["adults"]["peak"])]
        return AdultAttribution(
            name=name,
            peak_in_box=mean_of(part["adults"]["peak"], people),
            share=mean_of(part["adults"]["share"], people),
        )

    return AdultExplanations(
        images=len(run["adult_patients"]),
        without_lungs=run["adults_without_lungs"],
        expected_by_area=significant(float(np.mean(run["box_area"])), 4),
        methods=tuple(attribution(name, part) for name, part in measured.items()),
    )
