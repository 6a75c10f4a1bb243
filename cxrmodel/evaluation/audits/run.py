"""What a good figure alone does not say: whether the model reads lungs, what disturbs it, whom it serves less."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from cxrmodel.errors import DataError
from cxrmodel.evaluation import intervals
from cxrmodel.evaluation.audits.adults import adult_panel, find_adults
from cxrmodel.evaluation.audits.calibration import audit_calibration
from cxrmodel.evaluation.audits.lungs import CONDITIONS, lung_rows, perturbation_rows
from cxrmodel.evaluation.audits.perturbations import COUNT
from cxrmodel.evaluation.audits.shortcuts import original_sizes, shortcut_baselines
from cxrmodel.evaluation.audits.test_set import Panel, Step, load_panel
from cxrmodel.evaluation.sections import kept_sections, save_section
from cxrmodel.evaluation.storage import EVALUATION_FOLDER, load_evaluation
from cxrmodel.training.archive import find_images, load_masks, training_split

if TYPE_CHECKING:
    from cxrmodel.reading import Reader

__all__ = ["SECTION", "audit", "subgroups"]

SECTION = "audits"
CARRIED = ("seeds",)
"""Parts of an earlier section of the same weights that are not measured here and stay."""
QUARTILES = ("smallest", "smaller", "larger", "largest")


def audit(reader: "Reader", root: Path, out: Path = EVALUATION_FOLDER, progress: bool = True) -> dict:
    """Run every audit that the images at hand allow, and put them into the evaluation of the same weights.

    Parameters
    ----------
    reader : Reader
        A loaded model.
    root : Path
        The folder that holds ``chest_xray`` and, where there are any, ``lung_masks``, ``chest_xray.csv`` and the adult
        panel.
    out : Path
        The folder that holds the model's evaluation, and gets it back with the section ``audits``.
    progress : bool
        Whether to show a progress bar on standard error.

    Returns
    -------
    dict
        The section: ``full`` (AUC of the intact images), ``shortcuts``, ``lungs``, ``perturbations``, ``subgroups``,
        ``adult`` where there is a panel, ``calibration``, ``masks`` (whose lungs were removed and kept), ``unreadable``
        images, and ``left_out``: ``name`` and ``reason`` of whatever could not be measured.

    Raises
    ------
    DataError
        When images are missing or a table is damaged.
    EvaluationError
        When there is no whole evaluation of these weights in ``out``.
    """
    evaluation = load_evaluation(reader.spec.model, out, reader.spec)
    test, adults = find_images(root, ("test",)), find_adults(root)
    train = list(training_split(root, reader.spec.split_seed).train)
    total = len(test) * (2 + CONDITIONS + COUNT) + len(train) + len(adults)
    with tqdm(total=total, file=sys.stderr, unit="image", disable=not progress) as bar:

        def part(name: str) -> Step:
            bar.set_description(f"{reader.spec.model}, {name}")
            return bar.update

        shortcuts, left_out = shortcut_baselines(root, train, test, part("shortcuts"))
        panel, unreadable = load_panel(reader, test, part("intact images"))
        section: dict = {
            "images": len(panel.images),
            "unreadable": unreadable,
            "full": panel.auc,
            "shortcuts": shortcuts,
        }
        section |= _lungs(reader, root, panel, part("lungs"))
        step = part("perturbations")
        section["perturbations"] = perturbation_rows(reader, panel, step, lambda name: part(name.lower()))
        section["subgroups"], missing = subgroups(panel, original_sizes(root))
        left_out += missing
        if adults:
            section["adult"] = adult_panel(reader, adults, part("adults"))
        else:
            left_out.append({"name": "Adults", "reason": "there is no adult panel beside the archive"})
        bar.total = bar.n
        part("done")
    try:
        section["calibration"] = audit_calibration(evaluation, reader.spec)
    except DataError as error:
        left_out.append({"name": "Calibration", "reason": str(error)})
    section["left_out"] = left_out
    earlier = kept_sections(reader.spec.model, reader.spec.version, out).get(SECTION, {})
    section |= {name: earlier[name] for name in CARRIED if name in earlier}
    save_section(reader.spec.model, reader.spec.version, SECTION, section, out)
    return section


def _lungs(reader: "Reader", root: Path, panel: Panel, step: Step) -> dict:
    """The lungs' rows, by annotated masks where they cover most images, else all by the segmenter's."""
    annotated = load_masks(root, panel.images)
    if 2 * len(annotated) > len(panel.images):
        kept = [place for place, image in enumerate(panel.images) if annotated.get(image.name, _NONE).any()]
        part = panel.part(kept)
        masks, source = np.stack([annotated[image.name] for image in part.images]), "annotated"
    else:
        part = panel.part(np.flatnonzero(panel.lungs.any((1, 2))))
        masks, source = part.lungs, "segmenter"
    return {"masks": source, "full_of_lungs": part.auc, "lungs": lung_rows(reader, part, masks, step)}


_NONE = np.zeros(1, bool)


def subgroups(panel: Panel, sizes: Mapping[str, tuple[int, int]]) -> tuple[list[dict], list[dict]]:
    """AUC in parts of the test images.

    Parameters
    ----------
    panel : Panel
    sizes : mapping of str to (int, int)
        Width and height of the original, by image name.

    Returns
    -------
    rows : list of dict
        ``name``, ``description``, ``images``, ``positives``, ``auc``.
    left_out : list of dict
    """
    organisms = np.array([image.organism for image in panel.images], str)
    parts = [
        (name, f"{text} against all normal images", (panel.labels == 0) | (organisms == organism))
        for name, text, organism in (
            ("Bacterial", "bacterial pneumonia", "bacteria"),
            ("Viral", "viral pneumonia", "virus"),
        )
    ]
    known = np.array([image.name in sizes for image in panel.images])
    left_out = []
    if known.any():
        pixels = np.array([np.prod(sizes.get(image.name, (0, 0))) for image in panel.images], np.float64)
        quarter = np.searchsorted(np.quantile(pixels[known], (0.25, 0.5, 0.75)), pixels, side="left")
        for place, name in enumerate(QUARTILES):
            chosen = known & (quarter == place)
            if chosen.any():
                low, high = (round(float(limit) / 1e6, 2) for limit in (pixels[chosen].min(), pixels[chosen].max()))
                text = f"images whose originals have {low} to {high} million pixels"
                parts.append((f"The {name} quarter of images", text, chosen))
    else:
        left_out.append({"name": "Image size", "reason": "the sizes of the originals are not known"})
    return [
        {
            "name": name,
            "description": text,
            "images": int(chosen.sum()),
            "positives": int(panel.labels[chosen].sum()),
            "auc": intervals.auc(panel.labels[chosen], panel.logits[chosen], panel.patients[chosen]),
        }
        for name, text, chosen in parts
    ], left_out
