"""The browser's numbers are Python's, digit for digit."""

import math

import numpy as np
import pytest

from cxrmodel.evaluation.nearest import NEAREST, evidence
from cxrmodel.metrics.formatting import percent, percentages, share_percent, threshold_percent
from cxrmodel.model.calibration import with_thresholds
from cxrmodel.model.spec import OperatingPoints
from cxrmodel.paths import ASSETS
from cxrmodel.prevalence import prevalence_percent

pytestmark = pytest.mark.browser

NUMBERS = ASSETS / "room" / "numbers.js"
RUN = f"""(cases) => {{
  {NUMBERS.read_text(encoding="utf-8")}
  return cases.map(([name, given]) => TABLE[name](...given));
}}"""
TABLE = """{
  move: cxrNumbers.withThresholds,
  write: (value, points) => cxrNumbers.percentages(value, points),
  percent: cxrNumbers.percent,
  threshold: cxrNumbers.thresholdPercent,
  share: cxrNumbers.sharePercent,
  prevalence: cxrNumbers.prevalencePercent,
  evidence: (counts, prevalence) => {
    const share = cxrNumbers.evidenceShare(counts, prevalence);
    return [share, cxrNumbers.ofHundred(share)];
  },
}"""
EXTREMES = (0.0, 5e-324, 1e-300, 1e-17, 1e-9, 0.005, 0.01, 0.5, 0.99, 0.995, 1 - 1e-9, math.nextafter(1, 0), 1.0)
TIES = tuple(odd / 2**bits for bits in range(1, 12) for odd in (1, 3, 5, 7, 2**bits - 1) if odd < 2**bits)
"""Exact in binary, so that their percentages lie half-way between two decimals."""
RNG = np.random.default_rng(17)


def values() -> list[float]:
    """Probabilities, the extreme ones among them, and many near 0 and 1."""
    drawn = RNG.uniform(0, 1, 300)
    small = 10.0 ** RNG.uniform(-16, 0, 200)
    near = [math.nextafter(tie / 100, side) for tie in (0.5, 1.5, 12.5, 50.5, 99.5) for side in (0, 1)]
    return [*EXTREMES, *TIES, *near, *drawn.tolist(), *small.tolist(), *(1 - small).tolist()]


def points_of(edges) -> OperatingPoints:
    """Operating points in this order, which may cross."""
    return OperatingPoints(**dict(zip(("high_sensitivity", "balanced", "high_specificity"), edges, strict=True)))


def moves() -> list[tuple[float, OperatingPoints, float, float]]:
    """Probabilities among thresholds, on them and beside them, at two prevalences."""
    cases = []
    for value in values():
        edges = sorted(RNG.uniform(0.001, 0.999, 3).tolist())
        assumed, wanted = RNG.uniform(0.001, 0.999, 2).tolist()
        beside = [value, edges[1], math.nextafter(edges[0], 0), math.nextafter(edges[2], 1)]
        cases += [(near, points_of(edges), assumed, wanted) for near in beside]
        cases += [(value, points_of(edges[::-1]), 0.5, 0.001), (value, points_of(edges), wanted, wanted)]
    return cases


@pytest.fixture(scope="module")
def tab(browser):
    """An empty page."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def compared(tab, name: str, given: list, expected: list) -> None:
    """Every answer of the browser is Python's."""
    found = tab.evaluate(RUN.replace("TABLE", f"({TABLE})"), [[name, case] for case in given])
    wrong = [(case, one, other) for case, one, other in zip(given, found, expected, strict=True) if one != other]
    assert not wrong, f"{len(wrong)} of {len(given)}: {wrong[:3]}"


def test_probability_and_thresholds_move_as_in_python(tab):
    """To the last bit, so that no finding can differ; and they are written alike."""
    cases, moved = moves(), []
    for value, points, assumed, wanted in cases:
        there, edges = with_thresholds(value, points, assumed, wanted)
        moved.append((there, dict(edges)))
    compared(tab, "move", [(v, dict(p), a, w) for v, p, a, w in cases], [list(pair) for pair in moved])
    shown = [percentages(value, edges) for value, edges in moved]
    expected = [{"probability": text, "thresholds": dict(edges)} for text, edges in shown]
    compared(tab, "write", [list(pair) for pair in moved], expected)
    assert len(cases) > 4000


def test_percentages_are_written_as_in_python(tab):
    """Ties go to the even digit."""
    shares = values()
    compared(tab, "percent", [[share] for share in shares], [percent(share) for share in shares])
    compared(tab, "threshold", [[share] for share in shares], [threshold_percent(share) for share in shares])
    digits = [(share, decimals) for share in shares for decimals in range(4)]
    compared(tab, "share", digits, [share_percent(*case) for case in digits])
    inside = [share for share in shares if 0.001 <= share <= 0.999] + [k / 1000 for k in range(1, 1000)]
    compared(tab, "prevalence", [[share] for share in inside], [prevalence_percent(share) for share in inside])


def test_evidence_is_weighted_as_in_python(tab):
    """For any number of positive ones among the nearest, at any prevalence."""
    given, expected = [], []
    for positives in range(NEAREST + 1):
        far = int(RNG.integers(1, 400))
        labels = np.array([1] * positives + [0] * (NEAREST - positives) + [1] * far + [0] * 234)
        logits = np.array([0.0] * NEAREST + [9.0] * (far + 234))
        for prevalence in (0.001, 0.5, 0.74, 0.999, *RNG.uniform(0.001, 0.999, 20).tolist()):
            found = evidence(labels, logits, 0.0, prevalence)
            counts = {"images": found.images, "positives": found.positives, "testShare": float(labels.mean())}
            given.append((counts, prevalence))
            expected.append([found.share, min(max(round(100 * found.share), 1), 99)])
    compared(tab, "evidence", given, expected)
