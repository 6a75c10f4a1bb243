"""Checks whether an image is like those that the model was made for: two measures of the network's features.

The distance from the training images notices whatever is unfamiliar. The similarity to images of adults, where such
images were learnt from, notices what the distance is too coarse for. Neither can tell age from source: the images of
children and of adults come from different hospitals. Age itself is known from DICOM alone (``cxrmodel.checks.age``).
"""

from collections.abc import Callable

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.checks.report import UNLIKE_CLEARLY, UNLIKE_SOMEWHAT, Rule
from cxrmodel.model.spec import Levels, ModelSpec


def _rule(levels: Levels) -> Rule:
    return Rule(side="above", warning=levels.somewhat, rejection=None, clear=levels.clearly, source=levels.source)


def _distance(image: CheckInput) -> float | None:
    return None if image.features is None else float(image.models.features.distances(image.features[None])[0])


def _similarity(image: CheckInput) -> float | None:
    if image.features is None or not image.models.features.knows_adults:
        return None
    return float(image.models.features.similarities(image.features[None])[0])


def _check(name: str, measure: Callable[[CheckInput], float | None], levels: Callable[[ModelSpec], Levels]) -> Check:
    return Check(
        name,
        Stage.FEATURES,
        measure,
        warning=UNLIKE_SOMEWHAT,
        clear_warning=UNLIKE_CLEARLY,
        rule=lambda spec: _rule(levels(spec)),
        values=lambda image: {"ages": str(image.models.ages)},
    )


OUT_OF_DISTRIBUTION = _check("out_of_distribution", _distance, lambda spec: spec.population.distance)
OTHER_POPULATION = _check("other_population", _similarity, lambda spec: spec.population.similarity)
