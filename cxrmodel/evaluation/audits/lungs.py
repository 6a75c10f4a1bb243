"""Interventions on the test images: lungs masked, alone or exchanged, and perturbations of the whole image.

Checks are off. With lungs masked, alone or exchanged an image is cropped where the intact one is, so that nothing but
its pixels differs. A perturbed image is segmented and cropped again, as a reading would do.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np

from cxrmodel.evaluation.audits.lung_masking import (
    FILLS_OUTSIDE,
    FILLS_WITHIN,
    Fill,
    exchange_lungs,
    only_lungs,
    remove_lungs,
)
from cxrmodel.evaluation.audits.schema import LungMasking, Perturbation
from cxrmodel.evaluation.audits.test_set import Panel, Step, score
from cxrmodel.imaging.perturbations import Change, perturbations
from cxrmodel.metrics.discrimination import auc, auc_change
from cxrmodel.metrics.estimate import significant
from cxrmodel.model.calibration import probability

if TYPE_CHECKING:
    from cxrmodel.reading import Reader


SEED = 0
Masking = Callable[[np.ndarray, np.ndarray, Fill, np.random.Generator], np.ndarray]
EXCHANGES = (
    ("exchanged_between_classes", True, False),
    ("exchanged_between_classes_matched", True, True),
    ("exchanged_within_class", False, False),
)
"""Name, whether lungs come from the other class, and whether their grey levels are matched."""
CONDITIONS = len(FILLS_WITHIN) + len(FILLS_OUTSIDE) + len(EXCHANGES)
"""How often ``lung_rows`` runs the network over all images."""


def donors(labels: np.ndarray, patients: np.ndarray, across: bool, seed: int = SEED) -> np.ndarray:
    """Choose for each image the image whose lungs it gets.

    Parameters
    ----------
    labels : ndarray of {0, 1}, shape (N,)
        Both occur.
    patients : ndarray of str, shape (N,)
    across : bool
        From the other class, all of whose images serve before one serves again; else from another patient of the same.

    Returns
    -------
    ndarray of int, shape (N,)
        Places. Within a class of one patient an image gets lungs of that patient.
    """
    rng = np.random.default_rng(seed)
    chosen = np.empty(len(labels), np.intp)
    for label in (0, 1):
        takers, givers = np.flatnonzero(labels == label), np.flatnonzero(labels == (1 - label if across else label))
        if across:
            chosen[takers] = np.resize(rng.permutation(givers), len(takers))
            continue
        people = rng.permutation(np.unique(patients[givers]))
        rank = {person: place for place, person in enumerate(people)}
        ordered = np.array(sorted(givers, key=lambda place: rank[patients[place]]))
        chosen[ordered] = np.roll(ordered, len(ordered) // 2)
    return chosen


def lung_rows(reader: "Reader", panel: Panel, masks: np.ndarray, step: Step) -> list[LungMasking]:
    """Measure images with lungs masked, alone and exchanged.

    Patients who gave the lungs are resampled.

    Parameters
    ----------
    panel : Panel
        Images whose lungs are known.
    masks : ndarray of bool, shape (N, 224, 224)
        Their lungs, which are masked, kept or exchanged.
    """

    def masked(kind: Literal["removed", "only"], fill: Fill, change: Masking) -> LungMasking:
        def make(place: int) -> np.ndarray:
            return change(panel.pixels[place], masks[place], fill, np.random.default_rng((SEED, place)))

        logits, _ = score(reader, make, len(panel.images), step, panel.lungs)
        found = auc(panel.labels, logits, panel.patients)
        return LungMasking(name=fill.name, kind=kind, seen_in_training=fill.seen_in_training, auc=found)

    def exchanged(name: str, across: bool, match: bool) -> LungMasking:
        chosen = donors(panel.labels, panel.patients, across)

        def make(place: int) -> np.ndarray:
            donor = chosen[place]
            return exchange_lungs(panel.pixels[place], masks[place], panel.pixels[donor], masks[donor], match)

        logits, _ = score(reader, make, len(panel.images), step, panel.lungs)
        givers = panel.patients[chosen]
        found, surroundings = auc(panel.labels[chosen], logits, givers), auc(panel.labels, logits, givers)
        return LungMasking(
            name=name, kind="exchange", seen_in_training=False, auc=found, auc_of_surroundings=surroundings
        )

    return [
        *(masked("removed", fill, remove_lungs) for fill in FILLS_WITHIN),
        *(masked("only", fill, only_lungs) for fill in FILLS_OUTSIDE),
        *(exchanged(*exchange) for exchange in EXCHANGES),
    ]


def perturbation_rows(
    reader: "Reader", panel: Panel, step: Step, showing: Callable[[str], object] = lambda name: None
) -> list[Perturbation]:
    """Measure every perturbation against the intact images.

    Parameters
    ----------
    showing : callable (name)
        Gets the name of each perturbation before it is measured.
    """
    before = probability(panel.logits, **reader.spec.calibration)

    def perturbed(name: str, change: Change) -> Perturbation:
        showing(name)
        changed = np.zeros(len(panel.images), bool)

        def make(place: int) -> np.ndarray:
            image = panel.pixels[place]
            made = change(image, panel.lungs[place], np.random.default_rng((SEED, place)))
            changed[place] = (made != image).any()
            return made

        logits, plausible = score(reader, make, len(panel.images), step)
        after = probability(logits, **reader.spec.calibration)
        return Perturbation(
            name=name,
            changed=int(changed.sum()),
            without_lungs=int((~plausible).sum()),
            auc=auc(panel.labels, logits, panel.patients),
            auc_change=auc_change(panel.labels, panel.logits, logits, panel.patients),
            mean_probability_change=significant(float(np.abs(after - before).mean())),
        )

    return [perturbed(name, change) for name, change in perturbations(panel.pixels).items()]
