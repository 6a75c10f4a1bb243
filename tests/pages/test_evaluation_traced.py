"""Every figure on the Evaluation page comes from the stored evaluation, and none is typed by hand."""

import json
import re

import pytest
from cxrmodel.evaluation.report.view import performance

from cxrmodel.evaluation import storage as results
from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.report.charts import reliability_at, reliability_before_after, uncalibrated
from cxrmodel.evaluation.report.rows import stratum_rows
from cxrmodel.evaluation.thresholds import threshold_table
from cxrmodel.metrics.calibration import calibration_change
from cxrmodel.metrics.estimate import Estimate
from tests.support.made_up_sections import SECTIONS
from tests.support.stand_ins import SPEC, evaluation_document

pytestmark = pytest.mark.usefixtures("reader")

FIGURE = re.compile(r"(?<![\w.])\d+\.\d{2,}(?![\w/]|\.\d)")
MODELS = ("densenet121", "cnn")
PARTS = ("Discrimination", "Decision", "Calibration", "Where it fails")
ENDS = {"0.000", "1.000"}
ALIKE = {"0.490", "0.510"}
"""Ends of Wilson's interval of a group of four images that are all alike, as any evaluation has."""


def moved(part: object) -> object:
    """The same section with every figure in it another one."""
    if isinstance(part, float):
        return round(0.83 * part + 0.0231, 6)
    if isinstance(part, dict):
        return {name: moved(inner) for name, inner in part.items()}
    return [moved(inner) for inner in part] if isinstance(part, list) else part


@pytest.fixture
def store(evaluations):
    """A function that stores evaluations of given scores with given sections."""

    def put(separation: float, sections: dict) -> list:
        for model, more in zip(MODELS, (0.0, 0.4), strict=True):
            document = evaluation_document(model, separation + more) | {"sections": sections}
            for row in document["scores"]["test"]:
                row["logit"] = round(4 * separation * (row["probability"] - 0.4), 3)
            results.save_evaluation(document, evaluations)
        return [json.loads((evaluations / f"{model}.json").read_text()) for model in MODELS]

    return put


@pytest.fixture
def read_part(visit):
    """A function that gives everything a part of the page says, piece by piece, cells of tables and plots included."""

    def read(name: str) -> list[str]:
        app = visit("evaluation")
        app.session_state["evaluation part"] = name
        app.run()
        assert not app.exception
        assert not app.error
        kinds = ("markdown", "caption", "warning", "info")
        said = [element.value for kind in kinds for element in getattr(app, kind)]
        said += [line for html in app.get("html") for line in re.split(r"<[^>]+>", html.value)]
        said += [str(cell) for shown in app.table for row in shown.value.values.tolist() for cell in row]
        return [piece for piece in said if piece.strip() and not piece.startswith("Few images")]

    return read


def told_by_others() -> set[str]:
    """Figures of the published sources, as they are written."""
    numbers = [value for figure in published() for value in dict(figure).values() if isinstance(value, float)]
    return {f"{number:{form}}" for number in numbers for form in (".4g", ".3f")} | {f"{number}" for number in numbers}


def changing(pieces: list[str]) -> list[str]:
    """All but Wilson's intervals of shares that are 1 in any evaluation: other patients may be as many."""
    return [piece for piece in pieces if "every resample agrees" not in piece]


@pytest.mark.parametrize("name", PARTS)
def test_no_figure_stays_when_the_evaluation_changes(store, read_part, name):
    """With other scores and sections the page says the same with other figures, but for those that others published."""
    store(2.0, SECTIONS)
    first = [FIGURE.findall(piece) for piece in changing(read_part(name))]
    store(3.1, moved(SECTIONS))
    second = [FIGURE.findall(piece) for piece in changing(read_part(name))]
    assert len(first) == len(second)
    assert sum(map(len, first)) > 20
    pairs = [pair for pieces in zip(first, second, strict=True) for pair in zip(*pieces, strict=False)]
    assert {one for one, other in pairs if one == other} <= told_by_others() | ENDS | ALIKE


def leaves(part: object) -> list[float]:
    """Every number of a stored evaluation."""
    if isinstance(part, bool) or part is None or isinstance(part, str):
        return []
    if isinstance(part, dict):
        return [number for inner in part.values() for number in leaves(inner)]
    return [number for inner in part for number in leaves(inner)] if isinstance(part, list) else [float(part)]


def follows(evaluation) -> list[float]:
    """What the page computes from the scores of the test images."""
    scores, drawn = evaluation.scores["test"], {"resamples": 50, "seed": 0}
    raw = uncalibrated(scores.logits)
    table = threshold_table(
        scores.labels, scores.probabilities, scores.patients, list(evaluation.operating_points.values()), **drawn
    )
    diagrams = [*reliability_before_after(evaluation, "test"), reliability_at(evaluation, "test", 0.2)]
    figures = [*calibration_change(scores.labels, raw, scores.probabilities, scores.patients, **drawn)]
    figures += [figure for bins in diagrams for figure in (bins.ece, bins.brier)]
    figures += [row.estimate for row in stratum_rows(evaluation, "test")]
    measured = performance(evaluation, "test")
    figures += measured.overall.values()
    found = [abs(number) for figure in figures for number in ends(figure)]
    columns = ("mean_probability", "observed", "low", "high")
    found += [float(number) for name in columns for number in getattr(diagrams[1], name)]
    at = [table.at(threshold) for threshold in evaluation.operating_points.values()]
    found += [float(part[key][i]) for part in (table.values, table.lows, table.highs) for key in part for i in at]
    return found


def ends(figure: Estimate) -> list[float]:
    """Value and bounds."""
    return [number for number in (figure.value, figure.low, figure.high) if number is not None]


@pytest.mark.parametrize("name", PARTS)
def test_every_figure_follows_from_the_evaluation(store, read_part, evaluations, name):
    """It is stored there, or computed from the images' scores, in one of the ways in which figures are written."""
    documents = store(2.0, SECTIONS)
    kept = [{key: value for key, value in document.items() if key != "scores"} for document in documents]
    loaded = [results.load_file(evaluations / f"{model}.json", model, SPEC.replace(model=model)) for model in MODELS]
    known = leaves(kept) + [number for evaluation in loaded for number in follows(evaluation)]
    written = {f"{abs(number):{form}}" for number in known for form in (".2f", ".3f", ".4f", ".3g", ".4g")}
    said = [figure for piece in read_part(name) for figure in FIGURE.findall(piece)]
    assert len(said) > 20
    strange = [figure for figure in said if figure not in written | told_by_others() | ENDS]
    assert strange == []
