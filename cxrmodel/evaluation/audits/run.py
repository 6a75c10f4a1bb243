"""Audits: interventions on the lungs, shortcuts, perturbations, subgroups, adults and calibration."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from tqdm import tqdm

from cxrmodel.errors import DataError
from cxrmodel.evaluation.audits.adults import adult_panel, find_adults
from cxrmodel.evaluation.audits.calibration import audit_calibration
from cxrmodel.evaluation.audits.lungs import CONDITIONS, lung_rows, perturbation_rows
from cxrmodel.evaluation.audits.schema import Audits, LungMasking, NotMeasured, Subgroup
from cxrmodel.evaluation.audits.shortcuts import original_sizes, shortcut_baselines
from cxrmodel.evaluation.audits.test_set import Panel, Step, load_panel
from cxrmodel.evaluation.storage import EVALUATION_FOLDER, load_evaluation, save_evaluation
from cxrmodel.imaging.perturbations import COUNT
from cxrmodel.metrics.discrimination import auc
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.training.archive import find_images, load_masks, training_split
from cxrmodel.training.record import shipped_training_record

if TYPE_CHECKING:
    from cxrmodel.reading import Reader


QUARTILES = ("smallest", "smaller", "larger", "largest")


def audit(reader: "Reader", root: Path, out: Path = EVALUATION_FOLDER, progress: bool = True) -> Audits:
    """Run every audit that the images at hand allow, and put them into the evaluation of the same weights.

    Parameters
    ----------
    reader : Reader
        A loaded model.
    root : Path
        The folder that holds ``chest_xray`` and, where there are any, ``lung_masks``, ``chest_xray.csv`` and the adult
        panel.
    out : Path
        The folder that holds the model's evaluation, and gets it back with its audits.
    progress : bool
        Whether to show a progress bar on standard error.

    Raises
    ------
    DataError
        When images are missing or a table is damaged.
    EvaluationError
        When there is no evaluation of these weights in ``out``.
    """
    evaluation = load_evaluation(reader.spec.model, out, reader.spec)
    test, adult_images = find_images(root, ("test",)), find_adults(root)
    train = list(training_split(root, reader.spec.split_seed).train)
    total = len(test) * (2 + CONDITIONS + COUNT) + len(train) + len(adult_images)
    with tqdm(total=total, file=sys.stderr, unit="image", disable=not progress) as bar:

        def part(name: str) -> Step:
            bar.set_description(f"{reader.spec.model}, {name}")
            return bar.update

        shortcuts, missing = shortcut_baselines(root, train, test, part("shortcuts"))
        panel, unreadable = load_panel(reader, test, part("intact images"))
        source, with_masks, lungs = _lungs(reader, root, panel, part("lungs"))
        perturbed = perturbation_rows(reader, panel, part("perturbations"), part)
        groups, ungrouped = subgroups(panel, original_sizes(root))
        adults = adult_panel(reader, adult_images, part("adults")) if adult_images else None
        bar.total = bar.n
        part("done")
    if adults is None:
        ungrouped.append(NotMeasured(name="adults", reason="audits.reason.no_adults"))
    try:
        record = shipped_training_record(reader.spec.model)
        calibration = audit_calibration(evaluation, reader.spec, record.calibration if record else None)
    except DataError:
        calibration = None
        ungrouped.append(NotMeasured(name="calibration", reason="audits.reason.too_few"))
    audits = Audits(
        unreadable=unreadable,
        auc=panel.auc,
        shortcuts=tuple(shortcuts),
        masks=source,
        auc_with_masks=with_masks,
        lungs=tuple(lungs),
        perturbations=tuple(perturbed),
        subgroups=tuple(groups),
        adults=adults,
        calibration=calibration,
        not_measured=(*missing, *ungrouped),
    )
    save_evaluation(evaluation.replace(audits=audits), out)
    return audits


def _lungs(
    reader: "Reader", root: Path, panel: Panel, step: Step
) -> tuple[Literal["annotated", "segmenter"], Estimate, list[LungMasking]]:
    """Use annotated masks where they cover most images, else the segmenter's for all."""
    annotated = load_masks(root, panel.images)
    if 2 * len(annotated) > len(panel.images):
        kept = [place for place, image in enumerate(panel.images) if annotated.get(image.name, _NONE).any()]
        part = panel.part(kept)
        masks = np.stack([annotated[image.name] for image in part.images])
        return "annotated", part.auc, lung_rows(reader, part, masks, step)
    part = panel.part(np.flatnonzero(panel.lungs.any((1, 2))))
    return "segmenter", part.auc, lung_rows(reader, part, part.lungs, step)


_NONE = np.zeros(1, bool)


def subgroups(panel: Panel, sizes: Mapping[str, tuple[int, int]]) -> tuple[list[Subgroup], list[NotMeasured]]:
    """Measure the AUC in parts of the test images: by organism, and by size of the original.

    Parameters
    ----------
    panel : Panel
    sizes : mapping of str to (int, int)
        Width and height of the original, by image name.
    """
    organisms = np.array([image.organism for image in panel.images], str)
    rows = [
        _subgroup(panel, organism, (panel.labels == 0) | (organisms == organism)) for organism in ("bacteria", "virus")
    ]
    known = np.array([image.name in sizes for image in panel.images])
    if not known.any():
        return rows, [NotMeasured(name="image_size", reason="audits.reason.no_sizes")]
    pixels = np.array([np.prod(sizes.get(image.name, (0, 0))) for image in panel.images], np.float64)
    quarter = np.searchsorted(np.quantile(pixels[known], (0.25, 0.5, 0.75)), pixels, side="left")
    for place, name in enumerate(QUARTILES):
        chosen = known & (quarter == place)
        if chosen.any():
            low, high = (round(float(limit) / 1e6, 2) for limit in (pixels[chosen].min(), pixels[chosen].max()))
            rows.append(_subgroup(panel, name, chosen, (low, high)))
    return rows, []


def _subgroup(panel: Panel, name: str, chosen: np.ndarray, megapixels: tuple[float, float] | None = None) -> Subgroup:
    labels = panel.labels[chosen]
    found = auc(labels, panel.logits[chosen], panel.patients[chosen])
    return Subgroup(name=name, positives=int(labels.sum()), auc=found, megapixels=megapixels)
