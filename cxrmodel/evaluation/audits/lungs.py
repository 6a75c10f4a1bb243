"""Does the score follow the lungs? Lungs removed, lungs alone, lungs exchanged; and what disturbs it besides.

Checks are off. With lungs removed, alone or exchanged, an image is cropped where the intact one is, so that nothing but
its pixels differs; a perturbed image is segmented and cropped anew, as it would be on its way through the app.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from cxrmodel.evaluation import intervals
from cxrmodel.evaluation.audits.lung_masking import (
    FILLS_OUTSIDE,
    FILLS_WITHIN,
    exchange_lungs,
    only_lungs,
    remove_lungs,
)
from cxrmodel.evaluation.audits.perturbations import perturbations
from cxrmodel.evaluation.audits.test_set import Panel, Step, score
from cxrmodel.evaluation.metrics import significant
from cxrmodel.model.calibration import probability

if TYPE_CHECKING:
    from cxrmodel.reading import Reader

__all__ = ["CONDITIONS", "donors", "lung_rows", "perturbation_rows"]

SEED = 0
EXCHANGES = (
    (
        "Exchanged between classes",
        "the lungs of an image of the other class, aligned by the masks and blended at the border",
        True,
        False,
    ),
    (
        "Exchanged between classes, greys matched",
        "the same, the lungs' greys moved to those of their new surroundings",
        True,
        True,
    ),
    (
        "Exchanged within a class",
        "the lungs of another patient's image of the same class: what the exchange itself costs",
        False,
        False,
    ),
)
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


def lung_rows(reader: "Reader", panel: Panel, masks: np.ndarray, step: Step) -> list[dict]:
    """Measure images without lungs, lungs without image, and exchanged lungs.

    Parameters
    ----------
    panel : Panel
        Images whose lungs are known.
    masks : ndarray of bool, shape (N, 224, 224)
        Their lungs, as they are removed, kept or exchanged.

    Returns
    -------
    list of dict
        ``name``, ``description``, ``kind`` (removed, only or exchange), ``seen_in_training``, ``images``, ``auc``, and
        of an exchange ``auc_of_surroundings``: the AUC against the label of the image that the lungs were put into,
        where ``auc`` is against that of the image they come from. Patients who gave the lungs are resampled.
    """
    rows = []
    for kind, fills, change in (("removed", FILLS_WITHIN, remove_lungs), ("only", FILLS_OUTSIDE, only_lungs)):
        for fill in fills:

            def make(place: int, fill=fill, change=change) -> np.ndarray:
                return change(panel.pixels[place], masks[place], fill, np.random.default_rng((SEED, place)))

            logits, _ = score(reader, make, len(panel.images), step, panel.lungs)
            rows.append(
                {
                    "name": fill.name,
                    "description": fill.description,
                    "kind": kind,
                    "seen_in_training": fill.seen_in_training,
                    "images": len(logits),
                    "auc": intervals.auc(panel.labels, logits, panel.patients),
                }
            )
    return rows + [_exchange(reader, panel, masks, step, *exchange) for exchange in EXCHANGES]


def _exchange(
    reader: "Reader", panel: Panel, masks: np.ndarray, step: Step, name: str, text: str, across: bool, match: bool
) -> dict:
    chosen = donors(panel.labels, panel.patients, across)

    def make(place: int) -> np.ndarray:
        donor = chosen[place]
        return exchange_lungs(panel.pixels[place], masks[place], panel.pixels[donor], masks[donor], match)

    logits, _ = score(reader, make, len(panel.images), step, panel.lungs)
    givers = panel.patients[chosen]
    return {
        "name": name,
        "description": text,
        "kind": "exchange",
        "seen_in_training": False,
        "images": len(logits),
        "auc": intervals.auc(panel.labels[chosen], logits, givers),
        "auc_of_surroundings": intervals.auc(panel.labels, logits, givers),
    }


def perturbation_rows(
    reader: "Reader", panel: Panel, step: Step, showing: Callable[[str], object] = lambda name: None
) -> list[dict]:
    """Measure every perturbation against the intact images.

    Parameters
    ----------
    showing : callable (name)
        Told of each perturbation before it is measured.

    Returns
    -------
    list of dict
        ``name``, ``description``, ``images``, ``auc``, ``auc_change`` (negative is worse), ``auc_change_interval``,
        ``mean_probability_change`` (absolute), ``changed`` (images that are not as they were), and ``refused``: images on
        which lungs are no longer found, which the app would refuse and which are measured here all the same.
    """
    before = probability(panel.logits, **reader.spec.calibration)
    rows = []
    for name, description, change in perturbations(panel.pixels):
        showing(name)
        changed = np.zeros(len(panel.images), bool)

        def make(place: int, change=change, changed=changed) -> np.ndarray:
            image = panel.pixels[place]
            made = change(image, panel.lungs[place], np.random.default_rng((SEED, place)))
            changed[place] = (made != image).any()
            return made

        logits, plausible = score(reader, make, len(panel.images), step)
        moved = intervals.auc_change(panel.labels, panel.logits, logits, panel.patients)
        after = probability(logits, **reader.spec.calibration)
        rows.append(
            {
                "name": name,
                "description": description,
                "images": len(logits),
                "changed": int(changed.sum()),
                "refused": int((~plausible).sum()),
                "auc": intervals.auc(panel.labels, logits, panel.patients)["value"],
                "auc_change": moved["value"],
                "auc_change_interval": moved,
                "mean_probability_change": significant(float(np.abs(after - before).mean())),
            }
        )
    return rows
