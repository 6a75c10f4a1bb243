"""The verdict on images without lungs follows from their figures."""

import pytest

from cxrmodel.evaluation.report.lung_words import lungs_verdict


def _fill(name, value, low, high, seen=True, kind="removed"):
    auc = {"value": value, "low": low, "high": high}
    return {"name": name, "kind": kind, "seen_in_training": seen, "images": 60, "auc": auc}


GREY = _fill("grey", 0.48, 0.43, 0.5)
HULL = _fill("hull", 0.35, 0.3, 0.4)
NEW = _fill("new", 0.6, 0.55, 0.65, seen=False)
MIRRORED = _fill("mirrored", 0.53, 0.5, 0.58, seen=False)
OTHERS = [_fill("only", 0.99, 0.98, 1.0, kind="only"), _fill("swapped", 0.02, 0.01, 0.03, kind="exchange")]


@pytest.mark.parametrize(
    ("fills", "said"),
    [
        ([], ""),
        (OTHERS, ""),
        ([_fill("none", None, None, None)], ""),
        (
            [GREY, HULL, NEW, MIRRORED, *OTHERS],
            "With the lungs removed, 2 of 4 fills keep an interval that holds 0.5. Farthest from it is “hull” with an "
            "AUC of 0.350 (0.300 to 0.400). Of the fills that training never saw, the interval of “new” does not hold "
            "0.5; the interval of “mirrored” holds 0.5.",
        ),
        (
            [GREY],
            "With the lungs removed, 1 of 1 fills keep an interval that holds 0.5. Farthest from it is “grey” with an "
            "AUC of 0.480 (0.430 to 0.500). All fills were seen in training.",
        ),
        (
            [_fill("bare", 0.5, None, None, seen=False)],
            "With the lungs removed, 0 of 1 fills keep an interval that holds 0.5. Farthest from it is “bare” with an "
            "AUC of 0.500. Of the fills that training never saw, the interval of “bare” does not hold 0.5.",
        ),
    ],
)
def test_the_verdict(fills, said):
    """Below chance is as far from it as above, a bound at 0.5 holds it, and other kinds do not count."""
    assert lungs_verdict({"lungs": fills}) == said
