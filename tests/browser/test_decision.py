"""One slider moves matrix, marker and figures in a real browser, without asking the server."""

import numpy as np
import pytest

from cxrmodel.evaluation.report.rows import three_way
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.messages import Message
from cxrmodel.metrics import formatting, rates
from cxrmodel.metrics.registry import METRICS
from cxrmodel.metrics.thresholds import STEPS
from cxrmodel.model.calibration import at_prevalence, points_at
from cxrmodel.prevalence import EVEN_ODDS, prevalence_words
from tests.support.pages import words

pytestmark = pytest.mark.browser

MOVE = """([name, value]) => {
  const find = (root) => {
    for (const node of root.querySelectorAll('*')) {
      if (node.id === name && node.type === 'range') return node;
      const inside = node.shadowRoot && find(node.shadowRoot);
      if (inside) return inside;
    }
    return null;
  };
  const slider = find(document);
  slider.value = value;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
}"""


CHOSEN = MOVE.replace("([name, value])", "(name)").replace("slider.value = value;", "").replace("'input'", "'change'")
"""Lets the slider go."""


def shown(tab, key: str) -> str:
    """A figure as it stands on the page."""
    return tab.locator(f'[data-value="{key}"]').inner_text()


def counts(tab) -> dict[str, int]:
    """The confusion matrix as it stands on the page."""
    return {name: int(tab.locator(f'[data-count="{name}"]').inner_text()) for name in ("tn", "fp", "fn", "tp")}


def test_slider_moves_everything(serve, watched):
    """At any threshold the page says what the images say; the prevalence moves thresholds and predictive values."""
    evaluation = load_evaluation("densenet121")
    scores, points = evaluation.splits["test"], evaluation.operating_points
    with serve() as address:
        tab = watched.tab
        tab.goto(f"{address}/evaluation")
        tab.get_by_role("tab", name=words("web.evaluation.part.decision"), exact=True).click()
        tab.locator('.decision[data-state="drawn"]').wait_for()
        for row in three_way(evaluation, "test"):
            for name, kind in zip(evaluation.labels.findings, ("positive", "uncertain", "negative"), strict=True):
                own = "positive" if row.group.lower() == evaluation.labels.positive else "negative"
                cell = tab.locator(f'[data-three-way="{own} {kind}"]').inner_text().split("\n")
                low, high = (formatting.share_percent(edge, 1) for edge in row.shares[name].interval)
                share = formatting.share_percent(row.counts[name] / row.images, 1)
                assert cell == [str(row.counts[name]), share, f"{low} to {high}"]
        frames: list[str] = []
        tab.on("websocket", lambda socket: frames.append("new socket"))
        marker = tab.locator(".marker").first
        places = set()
        for threshold in (0.05, 0.5, 0.93, 1.0, 0.0):
            tab.evaluate(MOVE, ["threshold", round(threshold * 1000)])
            kept = at_prevalence(threshold, EVEN_ODDS, evaluation.prevalence)
            row = max(step for step in (*np.arange(STEPS + 1) / STEPS, *points.values()) if step <= kept)
            confusion = rates.confusion_at(scores.labels, scores.probabilities, row)
            assert counts(tab) == {name: getattr(confusion, name) for name in ("tn", "fp", "fn", "tp")}
            for name in ("accuracy", "sensitivity", "specificity", "f1"):
                assert shown(tab, name) == formatting.number(float(METRICS[name].measure(confusion.counts)))
            assert shown(tab, "threshold") == formatting.threshold_percent(threshold)
            places.add((marker.get_attribute("cx"), marker.get_attribute("cy")))
        assert len(places) == 5
        tab.locator('[data-point="balanced"]').click()
        confusion = rates.confusion_at(scores.labels, scores.probabilities, points["balanced"])
        before = counts(tab)
        assert before == {name: getattr(confusion, name) for name in ("tn", "fp", "fn", "tp")}
        tab.evaluate(MOVE, ["prevalence", 10])
        ratios = (measure(confusion.counts) for measure in (rates.lr_positive, rates.lr_negative))
        expected = rates.predictive_values(*ratios, 0.1)
        for key, value in zip(("ppv_at", "npv_at"), expected, strict=True):
            assert float(shown(tab, key)) == pytest.approx(float(value), abs=6e-4)
        assert counts(tab) == before
        moved = points_at(points, evaluation.prevalence, 0.1)["balanced"]
        assert shown(tab, "threshold") == formatting.threshold_percent(moved)
        assert formatting.threshold_percent(moved) in tab.locator('[data-point="balanced"]').inner_text()
        sensitivity, false_alarms = confusion.tp / sum(scores.labels == 1), confusion.fp / sum(scores.labels == 0)
        benefit = 0.1 * sensitivity - 0.9 * false_alarms * moved / (1 - moved)
        assert formatting.number(benefit) in shown(tab, "benefit")
        assert frames == []
        tab.evaluate(CHOSEN, "prevalence")
        words_of_table = str(Message("web.decision.threshold", prevalence=prevalence_words(0.1)))
        tab.get_by_text(words_of_table).first.wait_for()
        assert shown(tab, "prevalence").replace("\u00a0", " ") == "10 %"
        assert shown(tab, "threshold") == formatting.threshold_percent(moved)
        tab.get_by_role("button", name=str(METRICS["mcc"].title)).click()
        tab.get_by_text(str(METRICS["mcc"].meaning)).wait_for()
        assert watched.troubles == []
