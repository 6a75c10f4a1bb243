"""Another population: adults re-read by radiologists (RSNA pneumonia challenge), never trained or chosen on.

Only aggregates leave this module: no name, label, box or score of a single image.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from cxrmodel.errors import DataError, ImageRefused
from cxrmodel.evaluation.audits.schema import AdultFindings, AdultPanel, Adults, BoxAttribution
from cxrmodel.evaluation.audits.test_set import open_image
from cxrmodel.imaging.canonical import IMAGE_SIDE, canonical_image
from cxrmodel.metrics.discrimination import auc
from cxrmodel.metrics.estimate import significant
from cxrmodel.metrics.intervals import mean
from cxrmodel.model.calibration import finding
from cxrmodel.model.spec import Labels

if TYPE_CHECKING:
    from cxrmodel.reading import Reader, Score

__all__ = ["Adult", "adult_panel", "attribution_in_boxes", "find_adults", "parse_boxes"]

TABLE = "adult_rsna.csv"
Group = Literal["normal", "abnormal_no_opacity", "opacity"]
GROUPS: tuple[Group, ...] = ("normal", "abnormal_no_opacity", "opacity")
PANELS = {"normal": ("normal", "opacity"), "others": GROUPS}
"""Groups of each comparison of opacity against the rest."""
BATCH = 16

Boxes = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Adult:
    """One image of the panel: file, group, patient, and boxes as x, y, width, height."""

    path: Path
    group: str
    patient: str
    boxes: Boxes


class Compared(NamedTuple):
    """Share of a map inside boxes, whether its peak is, and the boxes' share of the crop and of the lungs."""

    share: float
    peak: bool
    by_area: float
    by_lungs: float


def parse_boxes(text: str) -> Boxes:
    """Read ``x y w h; x y w h``; an empty text holds none.

    Raises
    ------
    ValueError
        When a box has not four numbers.
    """
    boxes = []
    for part in filter(str.strip, text.split(";")):
        left, top, width, height = map(float, part.split())
        boxes.append((left, top, width, height))
    return tuple(boxes)


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
        raise DataError("evaluation.error.adults_table", file=str(path)) from error
    return rows


def attribution_in_boxes(heat: np.ndarray, boxes: Boxes, shape: tuple[int, int]) -> tuple[float, bool, np.ndarray]:
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
        Of the attribution inside the boxes, 0..1.
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


def adult_panel(
    reader: "Reader", adults: Sequence[Adult], step: Callable[[int], object] = lambda images: None
) -> Adults:
    """Measure the panel, and count what the checks reject.

    Discrimination is measured on the images that are read and, where any is rejected, on all of them, checks off.
    Attribution is measured with checks off.

    Parameters
    ----------
    step : callable (images)
        Gets the number of images read since the last call.
    """
    kept: list[tuple[Adult, str | None]] = []
    logits: list[float] = []
    maps: list[tuple[str, Compared | None]] = []
    for start in range(0, len(adults), BATCH):
        part = adults[start : start + BATCH]
        images = [(adult, open_image(adult.path)) for adult in part]
        read = [(adult, image) for adult, image in images if image is not None]
        if read:
            found = reader.unchecked(np.stack([canonical_image(image.pixels) for _, image in read]))
            scores = reader.score_many((adult.path.read_bytes(), "image") for adult, _ in read)
            kept += zip((adult for adult, _ in read), (_finding(reader, score) for score in scores), strict=True)
            logits += found.logits.tolist()
            for place, (adult, image) in enumerate(read):
                if adult.boxes:
                    measure = partial(_compared, found.heat[place], found.boxes[place], found.lungs[place])
                    maps.append((adult.patient, measure(adult.boxes, image.pixels.shape)))
        step(len(part))
    groups = np.array([adult.group for adult, _ in kept], str)
    patients = np.array([adult.patient for adult, _ in kept], str)
    passed = np.array([name is not None for _, name in kept], bool)
    subsets = [("", passed)] + ([] if passed.all() else [("_all", np.ones(len(kept), bool))])
    return Adults(
        images=len(kept),
        unreadable=len(adults) - len(kept),
        rejected=len(kept) - int(passed.sum()),
        panels=tuple(
            _panel(name + suffix, members, groups[chosen], np.array(logits)[chosen], patients[chosen])
            for suffix, chosen in subsets
            for name, members in PANELS.items()
        ),
        findings=tuple(
            _counted(group, [name for adult, name in kept if name and adult.group == group], reader.spec.labels)
            for group in GROUPS
        ),
        boxes=_summary(maps),
    )


def _finding(reader: "Reader", verdict: "Score | ImageRefused") -> str | None:
    if isinstance(verdict, ImageRefused):
        return None
    return finding(verdict.probability, reader.spec.operating_points, reader.spec.labels)


def _counted(group: Group, findings: Sequence[str], labels: Labels) -> AdultFindings:
    counts = {name: findings.count(name) for name in labels.findings}
    return AdultFindings(group=group, images=len(findings), findings=counts)


def _panel(
    name: str, members: Sequence[str], groups: np.ndarray, scores: np.ndarray, patients: np.ndarray
) -> AdultPanel:
    chosen = np.isin(groups, members)
    labels = (groups[chosen] == "opacity").astype(int)
    return AdultPanel(name=name, positives=int(labels.sum()), auc=auc(labels, scores[chosen], patients[chosen]))


def _compared(
    heat: np.ndarray, crop: tuple[int, int, int, int], lungs: np.ndarray, boxes: Boxes, shape: tuple[int, int]
) -> Compared | None:
    """Compare a map with boxes; None where the map is empty."""
    if not heat.sum() > 0:
        return None
    share, peak, within = attribution_in_boxes(heat, boxes, shape)
    top, left, bottom, right = crop
    by_lungs = within[lungs].mean() if lungs.any() else within.mean()
    return Compared(share, peak, float(within[top:bottom, left:right].mean()), float(by_lungs))


def _summary(maps: Sequence[tuple[str, Compared | None]]) -> BoxAttribution:
    found = [(patient, compared) for patient, compared in maps if compared is not None]
    patients = [patient for patient, _ in found]
    shares, peaks, by_area, by_lungs = (np.array([compared[k] for _, compared in found], float) for k in range(4))
    return BoxAttribution(
        images=len(found),
        empty=len(maps) - len(found),
        share=mean(shares, patients),
        peak_in_box=mean(peaks, patients),
        expected_by_area=significant(float(by_area.mean())) if found else None,
        expected_in_lungs=significant(float(by_lungs.mean())) if found else None,
    )
