"""Rate curves as a picture: the shape of its plot, and lines that anybody can tell apart."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from cxrmodel.evaluation.report.charts import (
    PRECISION_RECALL,
    ROC,
    PublishedMark,
    RateCurve,
    curve_bands,
    rate_curve,
)
from cxrmodel.evaluation.report.curve_picture import curves_svg

SVG = "{http://www.w3.org/2000/svg}"
BASELINES = ("File size", "Aspect ratio", "Grey levels", "Lung outline")


@pytest.fixture
def drawn(make_evaluation):
    """A function that draws a view of two models and four baselines, as the root of its SVG."""
    evaluation = make_evaluation()
    curve, bands = rate_curve(evaluation, "test"), curve_bands(evaluation, "test")
    curves = [curve, replace(curve, title="Another", position=1)]
    baselines = [baseline(title, position) for position, title in enumerate(BASELINES)]

    def draw(view=ROC, order=1, published=(), **options) -> ET.Element:
        own = bands.roc if view is ROC else bands.precision_recall
        return ET.fromstring(curves_svg(view, curves[::order], [own, own], baselines, published, **options))

    return draw


def baseline(title: str, position: int) -> RateCurve:
    """A baseline of three corners."""
    columns = [0.0, 0.5, 1.0], [1.0, 0.75, 0.0], [1.0, 0.8, 0.6]
    return RateCurve(title, position, np.full(3, np.nan), *map(np.array, columns))


def lines(root: ET.Element) -> dict[str, ET.Element]:
    """The lines by name."""
    return {line.get("data-name"): line for line in root.iter(f"{SVG}path") if line.get("data-name")}


def corners(line: ET.Element) -> list[tuple[float, float]]:
    """The corners of a line in pixels."""
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", line.get("d"))]


@pytest.mark.parametrize("view", [ROC, PRECISION_RECALL], ids=lambda view: view.name)
def test_the_plot_is_a_square(drawn, view):
    """As wide as it is high, and every curve lies in it from end to end."""
    root = drawn(view)
    plot = {name: float(root.find(f".//{SVG}clipPath/{SVG}rect").get(name)) for name in ("x", "y", "width", "height")}
    assert plot["width"] == plot["height"]
    start, *_, end = corners(lines(root)["File size"])
    left, right = plot["x"], plot["x"] + plot["width"]
    bottom = plot["y"] + plot["height"]
    expected = [(left, bottom), (right, plot["y"])] if view is ROC else [(left, plot["y"]), (right, 0.4 * bottom + 6)]
    assert [start, end] == [pytest.approx(place, abs=0.2) for place in expected]


def test_every_line_has_colour_dash_and_name(drawn):
    """No two lines share a colour or a dash among their kind; each stands in the legend, baselines on the plot too."""
    root = drawn()
    looks = {name: (line.get("stroke"), line.get("stroke-dasharray")) for name, line in lines(root).items()}
    assert len({colour for colour, _ in looks.values()}) == len(looks) == 6
    assert len({looks[name][1] for name in BASELINES}) == 4
    written = [label.text for label in root.iter(f"{SVG}text")]
    assert all(written.count(name) == 2 for name in BASELINES)
    samples = {(line.get("stroke"), line.get("stroke-dasharray")) for line in root.iter(f"{SVG}line")}
    assert set(looks.values()) <= samples


def test_a_model_keeps_its_look(drawn):
    """Whichever is selected; the selected one has its operating points marked."""
    first, second = (
        {name: (line.get("stroke"), line.get("stroke-dasharray")) for name, line in lines(drawn(order=order)).items()}
        for order in (1, -1)
    )
    assert first == second
    assert [mark.text for mark in drawn().iter(f"{SVG}title")] == ["high sensitivity", "balanced", "high specificity"]


def test_published_points_and_the_enlarged_corner(drawn):
    """A published point within the corner is shown there; the names of baselines are not."""
    inside, outside = PublishedMark("Inside", 0.9, 0.9), PublishedMark("Outside", 0.5, 0.9)
    titles = [mark.text for mark in drawn(published=[inside, outside], corner=True).iter(f"{SVG}title")]
    assert "Inside" in titles
    assert "Outside" not in titles
    written = [label.text for label in drawn(corner=True).iter(f"{SVG}text")]
    assert all(written.count(name) == 1 for name in BASELINES)
    assert {"0.7", "1.0", "0.3"} <= set(written)
