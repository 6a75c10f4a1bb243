"""The images on which explanations are tested: chosen, opened, and cut to what the network sees."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from cxrmodel.errors import DataError
from cxrmodel.evaluation.audits.adults import box_mask, find_adults
from cxrmodel.imaging.canonical import IMAGE_SIDE, canonical_image
from cxrmodel.imaging.lungs import LungFields, LungSegmenter
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.model.preprocess import ModelInput, prepare
from cxrmodel.reading import Reader
from cxrmodel.training.archive import Image, load_images

BATCH = 8
WHOLE = (0, 0, IMAGE_SIDE, IMAGE_SIDE)


@dataclass(frozen=True, eq=False)
class Case:
    """One image that holds lungs.

    Attributes
    ----------
    name, patient : str
    label : int
        1 for the positive class, else 0.
    ready : ModelInput
    lungs : ndarray of bool, shape (224, 224)
    probability : float
    boxes : ndarray of bool, shape (224, 224)
        Opacities that radiologists marked; all False where there are none.
    """

    name: str
    patient: str
    label: int
    ready: ModelInput
    lungs: np.ndarray
    probability: float
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((IMAGE_SIDE, IMAGE_SIDE), bool))


def stratified(images: Sequence[Image], seed: int) -> list[Image]:
    """Put images in an order of which every beginning has each stratum in its share, as nearly as may be.

    Parameters
    ----------
    images : sequence of Image
    seed : int
        Decides which image of a stratum comes first.

    Returns
    -------
    list of Image
    """
    rng, places = np.random.default_rng(seed), []
    for stratum in sorted({image.stratum for image in images}):
        members = [image for image in images if image.stratum == stratum]
        order = rng.permutation(len(members))
        places += [((place + 0.5) / len(members), members[index]) for place, index in enumerate(order)]
    return [image for _, image in sorted(places, key=lambda item: (item[0], item[1].name))]


def cases(reader: Reader, images: Sequence[Image]) -> list[Case]:
    """Open images of the archive and find their lungs; those on which none are found are left out.

    Raises
    ------
    DataError
        When a file cannot be used, or no image is left.
    """
    found = _cases(reader, load_images(images), [(image.name, image.patient, image.label) for image in images])
    kept = [case for case in found if case is not None]
    if not kept:
        raise DataError("evaluation.error.no_lungs")
    return kept


def adult_images(reader: Reader, root: Path) -> tuple[list[Case], int]:
    """Open the images of ``adult_rsna`` on which radiologists drew boxes. No check runs, as checks expect children.

    Returns
    -------
    cases : list of Case
        Empty where there is no such folder. Names are left empty.
    without_lungs : int
        Images on which no lungs are found, left out.
    """
    boxed = [adult for adult in find_adults(root) if adult.boxes]
    if not boxed:
        return [], 0
    images = [read_radiograph(adult.path.read_bytes(), "").pixels for adult in boxed]
    pixels = np.stack([canonical_image(image) for image in images])
    found = _cases(reader, pixels, [("", adult.patient, 1) for adult in boxed])
    marked = [
        replace(case, boxes=box_mask(adult.boxes, *image.shape))
        for adult, image, case in zip(boxed, images, found, strict=True)
        if case is not None
    ]
    return marked, len(boxed) - len(marked)


def _cases(reader: Reader, pixels: np.ndarray, names: Sequence[tuple[str, str, int]]) -> list[Case | None]:
    segmenter, found = LungSegmenter.load(), []
    for start in range(0, len(pixels), BATCH):
        part = pixels[start : start + BATCH]
        masks = segmenter.masks(part)
        boxes = [LungFields(mask).box if mask.any() else WHOLE for mask in masks]
        ready = [prepare(image, box, **reader.spec.preparation) for image, box in zip(part, boxes, strict=True)]
        chances = reader.probabilities(np.stack([item.tensor for item in ready]))
        for place, (image, mask) in enumerate(zip(part, masks, strict=True)):
            case = Case(*names[start + place], ready[place], mask, float(chances[place]))
            found.append(case if segmenter.plausible(image, mask) else None)
    return found
