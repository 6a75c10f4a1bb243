"""Every figure on the Evaluation page comes from the stored evaluation, and none is typed by hand."""

import math
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import pytest
from pydantic import BaseModel

from cxrmodel.evaluation import storage
from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.report.charts import before_after, reliability_at, reliability_before_after
from cxrmodel.evaluation.report.rows import stratum_rows
from cxrmodel.metrics.calibration import calibration_change
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.thresholds import threshold_table
from cxrmodel.web.evaluation.page import TAB
from tests.support.made_up_sections import SECTIONS
from tests.support.pages import words
from tests.support.stand_ins import made_up_evaluation

pytestmark = pytest.mark.usefixtures("reader")

FIGURE = re.compile(r"(?<![\w.])\d+\.\d{2,}(?![\w/]|\.\d)")
MODELS = ("densenet121", "cnn")
PARTS = ("discrimination", "decision", "calibration", "failures")
CONSTANTS = {"0.000", "1.000", "0.00", "1.00"}
SAME_FINDING = {"0.490", "0.510", "0.896"}
"""Ends of Wilson's interval of shares of 0 and 1: of a bin of four images, and of all patients with the disease."""


def moved(part: object) -> object:
    """The same section with every figure in it another one."""
    if isinstance(part, Estimate):
        ends = (None if end is None else moved(end) for end in (part.value, part.low, part.high))
        return Estimate(*ends, part.n)
    if isinstance(part, BaseModel):
        return type(part).model_construct(**{name: moved(value) for name, value in part})
    if is_dataclass(part):
        return type(part)(**{field.name: moved(getattr(part, field.name)) for field in fields(part)})
    if isinstance(part, float):
        return round(0.83 * part + 0.0231, 6)
    if isinstance(part, dict):
        return {name: moved(inner) for name, inner in part.items()}
    return type(part)(moved(inner) for inner in part) if isinstance(part, list | tuple) else part


@pytest.fixture
def store(evaluations):
    """A function that stores evaluations of given scores with given sections, and gives them."""

    def put(separation: float, sections: dict) -> list:
        for model, more in zip(MODELS, (0.0, 0.4), strict=True):
            evaluation = made_up_evaluation(model, separation + more)
            images = tuple(
                image.model_copy(update={"logit": round(4 * separation * (image.probability - 0.4), 3)})
                for image in evaluation.splits["test"].images
            )
            test = evaluation.splits["test"].model_copy(update={"images": images})
            splits = evaluation.splits | {"test": test}
            storage.save_evaluation(evaluation.model_copy(update={"splits": splits} | sections), evaluations)
        return [storage.parse_evaluation((evaluations / f"{model}.json").read_bytes(), model) for model in MODELS]

    return put


@pytest.fixture
def read_part(visit):
    """A function that gives every text of a part of the page, piece by piece, cells of tables and plots included."""

    def read(name: str) -> list[str]:
        app = visit("evaluation")
        app.session_state[TAB] = words(f"web.evaluation.part.{name}")
        app.run()
        assert not app.exception
        assert not app.error
        kinds = ("markdown", "caption", "warning", "info")
        pieces = [element.value for kind in kinds for element in getattr(app, kind)]
        pieces += [line for html in app.get("html") for line in re.split(r"<[^>]+>", html.value)]
        pieces += [str(cell) for shown in app.table for row in shown.value.values.tolist() for cell in row]
        return [piece for piece in pieces if piece.strip()]

    return read


def figures_of_others() -> set[str]:
    """Figures of the published sources, as they are written."""
    numbers = [value for figure in published() for value in figure.model_dump().values() if isinstance(value, float)]
    return {written for number in numbers for written in (f"{number:.4g}", f"{number:.3f}", f"{number}")}


@pytest.mark.parametrize("name", PARTS)
def test_no_figure_stays_when_the_evaluation_changes(store, read_part, name):
    """With other scores and sections all figures differ, but for those that others published."""
    store(2.0, SECTIONS)
    first = [FIGURE.findall(piece) for piece in read_part(name)]
    store(3.4, {section: moved(part) for section, part in SECTIONS.items()})
    second = [FIGURE.findall(piece) for piece in read_part(name)]
    assert len(first) == len(second)
    assert sum(map(len, first)) > 20
    pairs = [pair for pieces in zip(first, second, strict=True) for pair in zip(*pieces, strict=False)]
    assert {one for one, other in pairs if one == other} <= figures_of_others() | CONSTANTS | SAME_FINDING


def leaves(part: object) -> Iterator[float]:
    """Every number of a stored evaluation."""
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list | tuple):
        for inner in part:
            yield from leaves(inner)
    elif isinstance(part, int | float) and not isinstance(part, bool):
        yield float(part)


def figures(estimate: Estimate) -> list[float]:
    """The numbers of an estimate."""
    return [value for value in (estimate.value, estimate.low, estimate.high) if value is not None]


def computed(evaluation) -> Iterator[float]:
    """What the page computes from the scores of the test images."""
    scores, drawn = evaluation.splits["test"], evaluation.resampling
    points = list(evaluation.operating_points.values())
    table = threshold_table(scores.labels, scores.probabilities, scores.patients, points, **drawn)
    for point in points:
        for part in (table.values, table.lows, table.highs):
            yield from (float(values[table.at(point)]) for values in part.values())
    for diagram in (*reliability_before_after(evaluation, "test"), reliability_at(evaluation, "test", 0.2)):
        yield from figures(diagram.ece) + figures(diagram.corrected_ece) + figures(diagram.brier)
        for column in (diagram.mean_probability, diagram.observed, diagram.low, diagram.high):
            yield from map(float, column)
    change = calibration_change(scores.labels, *before_after(evaluation, "test"), scores.patients, **drawn)
    yield from figures(change.ece) + figures(change.brier)
    for row in stratum_rows(evaluation, "test"):
        yield from figures(row.estimate)


@pytest.mark.parametrize("name", PARTS)
def test_every_figure_follows_from_the_evaluation(store, read_part, name):
    """It is stored there, or computed from the images' scores, in one of the ways in which figures are written."""
    evaluations = store(2.0, SECTIONS)
    known = [number for evaluation in evaluations for number in leaves(evaluation.model_dump(mode="python"))]
    known += [number for evaluation in evaluations for number in computed(evaluation)]
    finite = [abs(number) for number in known if math.isfinite(number)]
    written = {f"{number:{form}}" for number in finite for form in (".2f", ".3f", ".4f", ".3g", ".4g")}
    shown = [figure for piece in read_part(name) for figure in FIGURE.findall(piece)]
    assert len(shown) > 20
    assert [figure for figure in shown if figure not in written | figures_of_others() | CONSTANTS] == []
