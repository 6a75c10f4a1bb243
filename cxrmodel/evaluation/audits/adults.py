"""Another population: adults re-read by radiologists (RSNA pneumonia challenge), never trained or chosen on.

Only aggregates leave this module: no name, label, box or score of a single image.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cxrmodel.errors import DataError, ImageRefused
from cxrmodel.evaluation import intervals
from cxrmodel.evaluation.audits.test_set import open_image
from cxrmodel.evaluation.metrics import significant
from cxrmodel.imaging.canonical import IMAGE_SIDE, canonical_image
from cxrmodel.model.calibration import FINDINGS, finding

if TYPE_CHECKING:
    from cxrmodel.reading import Reader, Score

__all__ = ["Adult", "adult_panel", "find_adults", "heat_in_boxes", "parse_boxes"]

TABLE = "adult_rsna.csv"
GROUPS = ("normal", "abnormal_no_opacity", "opacity")
BATCH = 16

Boxes = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Adult:
    """One image of the panel: where it is, its group, whose it is, and its boxes as x, y, width, height."""

    path: Path
    group: str
    patient: str
    boxes: Boxes


def parse_boxes(text: str) -> Boxes:
    """Read ``x y w h; x y w h``; an empty text holds none.

    Raises
    ------
    ValueError
        When a box has not four numbers.
    """
    boxes = tuple(tuple(map(float, part.split())) for part in text.split(";") if part.strip())
    if any(len(box) != 4 for box in boxes):
        raise ValueError("a box has four numbers")
    return boxes


def find_adults(root: Path) -> list[Adult]:
    """List the panel that ``adult_rsna.csv`` names; empty where there is none.

    Raises
    ------
    DataError
        When the table is damaged.
    """
    path = root / TABLE
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                Adult(root / row["file"], row["label"], row["patient"], parse_boxes(row["boxes_x_y_w_h"]))
                for row in csv.DictReader(file)
            ]
        if any(row.group not in GROUPS for row in rows):
            raise ValueError("an unknown label")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path} is damaged. Restore it, or remove it to evaluate without the adult images.") from error
    return rows


def heat_in_boxes(heat: np.ndarray, boxes: Boxes, shape: tuple[int, int]) -> tuple[float, bool, np.ndarray]:
    """Compare a heatmap with boxes.

    Parameters
    ----------
    heat : ndarray of float32, shape (224, 224)
        Zero or above, not all zero.
    boxes : of (x, y, width, height)
        In pixels of the original image.
    shape : tuple of int
        Height and width of the original image.

    Returns
    -------
    share : float
        Of the heat that lies within the boxes, 0..1.
    peak : bool
        Whether the hottest place does.
    within : ndarray of bool, shape (224, 224)
        The boxes on the canonical image; a pixel belongs to a box that holds its centre.
    """
    rows, columns = (np.arange(IMAGE_SIDE) + 0.5)[:, None], (np.arange(IMAGE_SIDE) + 0.5)[None]
    within = np.zeros(heat.shape, bool)
    for x, y, width, height in boxes:
        down, right = IMAGE_SIDE / shape[0], IMAGE_SIDE / shape[1]
        inside_rows = (rows >= y * down) & (rows < (y + height) * down)
        within |= inside_rows & (columns >= x * right) & (columns < (x + width) * right)
    return float(heat[within].sum() / heat.sum()), bool(within.ravel()[heat.argmax()]), within


def adult_panel(reader: "Reader", adults: Sequence[Adult], step: Callable[[int], object] = lambda images: None) -> dict:
    """Measure the panel, and count what reading refuses.

    Parameters
    ----------
    step : callable (images)
        Told of the images that have been read.

    Returns
    -------
    dict
        ``images`` (that can be decoded), ``unreadable``, ``refused`` (by reading), ``panels``: opacity against normal
        and against everything else, of the images that are read and, where any is refused, of all, checks off;
        ``findings``, of the images that are read: for each group its ``images`` and how many get which finding; and
        ``heat_in_boxes``, checks off: of the images with boxes and heat, the mean ``share`` of heat within the boxes, how
        often the peak is (``peak_in_box``), what either would be by chance if heat lay evenly over the crop
        (``expected_by_area``) or over the lungs (``expected_in_lungs``), and the images without heat (``empty``).
    """
    kept, logits, heats = [], [], []
    for start in range(0, len(adults), BATCH):
        part = adults[start : start + BATCH]
        images = [(adult, open_image(adult.path)) for adult in part]
        read = [(adult, image) for adult, image in images if image is not None]
        if read:
            found = reader.unchecked(np.stack([canonical_image(image.pixels) for _, image in read]))
            verdicts = reader.score_many((adult.path.read_bytes(), "image") for adult, _ in read)
            findings = [_finding(reader, verdict) for verdict in verdicts]
            kept += zip((adult for adult, _ in read), findings, strict=True)
            logits += found.logits.tolist()
            for place, (adult, image) in enumerate(read):
                if adult.boxes:
                    measure = partial(_compared, found.heat[place], found.boxes[place], found.lungs[place])
                    heats.append((adult.patient, measure(adult.boxes, image.pixels.shape)))
        step(len(part))
    groups = np.array([adult.group for adult, _ in kept], str)
    patients = np.array([adult.patient for adult, _ in kept], str)
    taken, scores = np.array([said is not None for _, said in kept], bool), np.array(logits)
    refused = len(kept) - int(taken.sum())
    subsets = [("", taken)] + ([(", refused images included", np.ones(len(kept), bool))] if refused else [])
    return {
        "images": len(kept),
        "unreadable": len(adults) - len(kept),
        "refused": refused,
        "panels": [
            row for text, chosen in subsets for row in _panels(text, groups[chosen], scores[chosen], patients[chosen])
        ],
        "findings": [
            _counted(group, [said for adult, said in kept if said and adult.group == group]) for group in GROUPS
        ],
        "heat_in_boxes": _summary(heats),
    }


def _finding(reader: "Reader", verdict: "Score | ImageRefused") -> str | None:
    refused = isinstance(verdict, ImageRefused)
    return None if refused else finding(verdict.probability, reader.spec.operating_points)


def _counted(group: str, findings: Sequence[str]) -> dict:
    return {"group": group, "images": len(findings)} | {said: findings.count(said) for said in FINDINGS}


def _panels(text: str, groups: np.ndarray, scores: np.ndarray, patients: np.ndarray) -> list[dict]:
    rows = []
    for name, description, members in (
        (
            "Opacity against normal",
            "adults with an opacity against adults whose image is normal",
            ("normal", "opacity"),
        ),
        ("Opacity against all others", "adults with an opacity against all other adults", GROUPS),
    ):
        chosen = np.isin(groups, members)
        labels = (groups[chosen] == "opacity").astype(int)
        rows.append(
            {
                "name": name + text,
                "description": description + text,
                "images": len(labels),
                "positives": int(labels.sum()),
                "auc": intervals.auc(labels, scores[chosen], patients[chosen]),
            }
        )
    return rows


def _compared(heat: np.ndarray, crop: tuple, lungs: np.ndarray, boxes: Boxes, shape: tuple) -> tuple | None:
    """Share, peak, and the boxes' share of the crop and of the lungs; None where there is no heat."""
    if not heat.sum() > 0:
        return None
    share, peak, within = heat_in_boxes(heat, boxes, shape)
    top, left, bottom, right = crop
    by_lungs = within[lungs].mean() if lungs.any() else within.mean()
    return share, peak, float(within[top:bottom, left:right].mean()), float(by_lungs)


def _summary(heats: Sequence[tuple[str, tuple | None]]) -> dict:
    found = [(patient, measured) for patient, measured in heats if measured is not None]
    patients = [patient for patient, _ in found]
    share, peak, by_area, by_lungs = (np.array([measured[k] for _, measured in found], float) for k in range(4))
    return {
        "images": len(found),
        "empty": len(heats) - len(found),
        "share": intervals.mean(share, patients),
        "peak_in_box": intervals.mean(peak, patients),
        "expected_by_area": significant(float(by_area.mean())) if found else None,
        "expected_in_lungs": significant(float(by_lungs.mean())) if found else None,
    }
