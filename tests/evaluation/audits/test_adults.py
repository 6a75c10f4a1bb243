"""The adult panel: boxes on the canonical image, attribution inside them, rejections counted, only aggregates kept."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cxrmodel.errors import DataError, NoLungsFound
from cxrmodel.evaluation.audits.adults import adult_panel, box_mask, find_adults, parse_boxes
from cxrmodel.imaging.canonical import canonical_image
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.pipeline import Unchecked
from cxrmodel.reading import Score
from tests.support.stand_ins import SPEC

COLUMNS = "file,label,boxes_x_y_w_h,patient\n"


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ("", ()),
        ("1 2 3 4", ((1.0, 2.0, 3.0, 4.0),)),
        ("1 2 3 4;5 6 7 8.5", ((1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.0, 8.5))),
        ("1 2 3 4; ", ((1.0, 2.0, 3.0, 4.0),)),
    ],
)
def test_boxes_as_text(text, boxes):
    """Four numbers each, joined by semicolons."""
    assert parse_boxes(text) == boxes


@pytest.mark.parametrize("text", ["1 2 3", "a b c d", "1,2,3,4"])
def test_half_a_box_is_none(text):
    """It is not guessed."""
    with pytest.raises(ValueError, match=r"values to unpack|could not convert"):
        parse_boxes(text)


def test_boxes_as_a_mask():
    """A quarter of a 512 pixel image is a quarter of the canonical one; overlapping boxes count once."""
    assert box_mask(((0, 0, 256, 256), (0, 0, 128, 128)), 512, 512).sum() == 112**2


def test_boxes_follow_the_shape_of_the_image():
    """Height and width are scaled each by its own factor."""
    within = box_mask(((100, 0, 100, 50),), 100, 400)
    assert within[:112, 56:112].all()
    assert within.sum() == 112 * 56


class Judge:
    """Scores an image by the grey of its first pixel; rejects images that start black; map as a test sets it."""

    def __init__(self, heat):
        self.heat = heat
        points = {"high_sensitivity": 0.45, "balanced": 0.6, "high_specificity": 0.72}
        self.spec = SimpleNamespace(operating_points=points, labels=SPEC.labels)

    def unchecked(self, images, lungs=None):
        """Lungs are the upper half, the crop is the left half."""
        lungs = np.zeros(images.shape, bool)
        lungs[:, :112] = True
        heat = np.repeat(self.heat[None], len(images), axis=0)
        logits = images[:, 0, 0].astype(np.float64)
        return Unchecked(lungs, np.ones(len(images), bool), [(0, 0, 224, 112)] * len(images), logits, heat)

    def score_many(self, items, checked=True):
        """In order."""
        for data, name in items:
            first = canonical_image(read_radiograph(data, name).pixels)[0, 0]
            yield NoLungsFound("No lungs.") if first < 5 else Score(float(first), first / 255)


@pytest.fixture
def panel(tmp_path, png) -> Path:
    """Five of each group, greys rising with the group; one opacity starts black, one file is broken."""
    rows = []
    for number in range(15):
        group, grey = ("normal", "abnormal_no_opacity", "opacity")[number // 5], 0.2 + 0.05 * number
        image = np.full((64, 64), 0.5)
        image[:8, :8] = 0.0 if number == 14 else grey
        path = tmp_path / f"{number}.png"
        path.write_bytes(b"broken" if number == 0 else png(image))
        rows.append(f"{number}.png,{group},{'0 0 32 64' if group == 'opacity' else ''},p{number // 2}\n")
    (tmp_path / "adult_rsna.csv").write_text(COLUMNS + "".join(rows))
    return tmp_path


def test_panel_by_hand(panel):
    """Rejected images are left out of the first pair of rows and scored for the second; boxes give the expectations."""
    heat = np.zeros((224, 224), np.float32)
    heat[:, :112], heat[0, 200], heat[:, 150] = 1.0, 2.0, 0.5
    steps = []
    found = adult_panel(Judge(heat), find_adults(panel), steps.append)
    assert (found.images, found.unreadable, found.rejected) == (14, 1, 1)
    assert sum(steps) == 15
    assert [(row.auc.n, row.positives) for row in found.panels] == [(8, 4), (13, 4), (9, 5), (14, 5)]
    assert [row.name for row in found.panels] == ["normal", "others", "normal_all", "others_all"]
    assert [row.auc.value for row in found.panels] == pytest.approx([1.0, 1.0, 0.8, 0.8])
    assert [(row.group, row.images, *row.findings.values()) for row in found.findings] == [
        ("normal", 4, 0, 0, 4),
        ("abnormal_no_opacity", 5, 0, 5, 0),
        ("opacity", 4, 3, 1, 0),
    ]
    assert (found.boxes.images, found.boxes.empty) == (5, 0)
    assert found.boxes.share.value == pytest.approx(224 * 112 / (224 * 112.5 + 2), rel=1e-5)
    assert found.boxes.peak_in_box == Estimate(0.0, 0.0, 0.0, 5)
    assert (found.boxes.expected_by_area, found.boxes.expected_in_lungs) == (1.0, 0.5)


def test_empty_maps_are_counted_apart(panel):
    """There is nothing to share out."""
    found = adult_panel(Judge(np.zeros((224, 224), np.float32)), find_adults(panel)).boxes
    assert (found.images, found.empty) == (0, 5)
    assert found.share.value is None
    assert found.expected_by_area is None


def test_no_panel_is_no_error(tmp_path):
    """The public archive comes without."""
    assert find_adults(tmp_path) == []


@pytest.mark.parametrize(
    "text", ["file,label\nx,normal\n", COLUMNS + "x.png,unknown,,p\n", COLUMNS + "x.png,opacity,1 2,p\n"]
)
def test_a_damaged_table_is_a_sentence(tmp_path, text):
    """Missing columns, unknown groups and half boxes."""
    (tmp_path / "adult_rsna.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        find_adults(tmp_path)
    assert caught.value.message.code == "evaluation.error.adults_table"
