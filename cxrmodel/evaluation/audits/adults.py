"""Another population: adults re-read by radiologists (RSNA pneumonia challenge), never trained or chosen on.

Only aggregates leave this module: no name, label, box or score of a single image.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
from cxrmodel.records import read_rows

if TYPE_CHECKING:
    from cxrmodel.reading import Reader


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


class InBoxes(NamedTuple):
    """Share of a map inside boxes, whether its peak is inside, and the boxes' share of the crop and of the lungs."""

    share: float
    peak: bool
    by_area: float
    by_lungs: float


class Outcome(NamedTuple):
    """An image with its logit, its finding (None where a check rejects it), and its map (None where it is empty)."""

    adult: Adult
    logit: float
    finding: str | None
    in_boxes: InBoxes | None


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
        rows = [
            Adult(root / row["file"], row["label"], row["patient"], parse_boxes(row["boxes_x_y_w_h"]))
            for row in read_rows(path)
        ]
        if any(row.group not in GROUPS for row in rows):
            raise ValueError("an unknown label")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError("evaluation.error.adults_table", file=str(path)) from error
    return rows


def box_mask(boxes: Boxes, height: int, width: int, side: int = IMAGE_SIDE) -> np.ndarray:
    """Boxes of an image as a mask of its canonical form.

    Parameters
    ----------
    boxes : tuple of (x, y, width, height)
        In pixels of the original image.
    height, width : int
        Of the original image.

    Returns
    -------
    ndarray of bool, shape (side, side)
        True where the centre of a pixel is in a box.
    """
    y = (np.arange(side)[:, None] + 0.5) * height / side
    x = (np.arange(side)[None, :] + 0.5) * width / side
    mask = np.zeros((side, side), bool)
    for left, top, wide, high in boxes:
        mask |= (x >= left) & (x < left + wide) & (y >= top) & (y < top + high)
    return mask


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
    rows: list[Outcome] = []
    for start in range(0, len(adults), BATCH):
        part = adults[start : start + BATCH]
        rows += _outcomes(reader, part)
        step(len(part))
    groups = np.array([row.adult.group for row in rows], str)
    patients = np.array([row.adult.patient for row in rows], str)
    logits = np.array([row.logit for row in rows])
    passed = np.array([row.finding is not None for row in rows], bool)
    subsets = [("", passed)] + ([] if passed.all() else [("_all", np.ones(len(rows), bool))])
    return Adults(
        images=len(rows),
        unreadable=len(adults) - len(rows),
        rejected=len(rows) - int(passed.sum()),
        panels=tuple(
            _panel(name + suffix, members, groups[chosen], logits[chosen], patients[chosen])
            for suffix, chosen in subsets
            for name, members in PANELS.items()
        ),
        findings=tuple(
            _counted(
                group, [row.finding for row in rows if row.finding and row.adult.group == group], reader.spec.labels
            )
            for group in GROUPS
        ),
        boxes=_summary([row for row in rows if row.adult.boxes]),
    )


def _outcomes(reader: "Reader", adults: Sequence[Adult]) -> Iterator[Outcome]:
    images = [(adult, image) for adult in adults if (image := open_image(adult.path)) is not None]
    if not images:
        return
    found = reader.unchecked(np.stack([canonical_image(image.pixels) for _, image in images]))
    scores = reader.score_many((adult.path.read_bytes(), "image") for adult, _ in images)
    points, labels = reader.spec.operating_points, reader.spec.labels
    for place, ((adult, image), score) in enumerate(zip(images, scores, strict=True)):
        name = None if isinstance(score, ImageRefused) else finding(score.probability, points, labels)
        within = box_mask(adult.boxes, *image.pixels.shape)
        in_boxes = _in_boxes(found.heat[place], found.boxes[place], found.lungs[place], within)
        yield Outcome(adult, float(found.logits[place]), name, in_boxes)


def _counted(group: Group, findings: Sequence[str], labels: Labels) -> AdultFindings:
    counts = {name: findings.count(name) for name in labels.findings}
    return AdultFindings(group=group, images=len(findings), findings=counts)


def _panel(
    name: str, members: Sequence[str], groups: np.ndarray, scores: np.ndarray, patients: np.ndarray
) -> AdultPanel:
    chosen = np.isin(groups, members)
    labels = (groups[chosen] == "opacity").astype(int)
    return AdultPanel(name=name, positives=int(labels.sum()), auc=auc(labels, scores[chosen], patients[chosen]))


def _in_boxes(
    heat: np.ndarray, crop: tuple[int, int, int, int], lungs: np.ndarray, within: np.ndarray
) -> InBoxes | None:
    """Compare a map with a mask of boxes; None where the map is empty."""
    if not heat.sum() > 0:
        return None
    top, left, bottom, right = crop
    by_lungs = within[lungs].mean() if lungs.any() else within.mean()
    share, peak = float(heat[within].sum() / heat.sum()), bool(within.ravel()[heat.argmax()])
    return InBoxes(share, peak, float(within[top:bottom, left:right].mean()), float(by_lungs))


def _summary(rows: Sequence[Outcome]) -> BoxAttribution:
    found = [(row.adult.patient, row.in_boxes) for row in rows if row.in_boxes is not None]
    patients = [patient for patient, _ in found]
    shares, peaks, by_area, by_lungs = (np.array([part[k] for _, part in found], float) for k in range(4))
    return BoxAttribution(
        images=len(found),
        empty=len(rows) - len(found),
        share=mean(shares, patients),
        peak_in_box=mean(peaks, patients),
        expected_by_area=significant(float(by_area.mean())) if found else None,
        expected_in_lungs=significant(float(by_lungs.mean())) if found else None,
    )
