"""Shares of the evidence: by hand, and what holds for every map and mask."""

from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cxrmodel.explain.faithfulness import heat_in_lungs
from cxrmodel.explain.shares import EvidenceShares, evidence_shares

MAPS = arrays.arrays(np.float32, (7, 9), elements=st.integers(0, 9).map(float))
MASKS = arrays.arrays(bool, (7, 9))
TWO = np.zeros((12, 12), bool)
TWO[0:6, 1:4] = TWO[3:12, 8:11] = True
"""A right lung 6 rows high and a left one 9 rows high."""
ONE = np.zeros((12, 12), bool)
ONE[3:9, 2:9] = True
"""Lungs that touch, 7 columns wide: the middle column is the sixth."""


def at(*places: tuple[int, int, float]) -> np.ndarray:
    """A map of single values: row, column, value."""
    heat = np.zeros((12, 12), np.float32)
    for row, column, value in places:
        heat[row, column] = value
    return heat


@pytest.mark.parametrize(
    ("mask", "heat", "wanted"),
    [
        (TWO, at((0, 1, 1), (1, 2, 2), (4, 3, 1)), EvidenceShares(1, 0, 0.75, 0, 0.25, 0)),
        (TWO, at((3, 8, 1), (3, 1, 1)), EvidenceShares(0.5, 0.5, 0.5, 0.5, 0, 0)),  # each lung has its own zones
        (TWO, at((11, 10, 3), (0, 6, 1)), EvidenceShares(0, 0.75, 0, 0, 0.75, 0.25)),
        (ONE, at((3, 4, 1), (5, 5, 2), (8, 6, 1)), EvidenceShares(0.5, 0.5, 0.25, 0.5, 0.25, 0)),
        (TWO[:, :6].repeat(2, axis=1), np.ones((12, 12)), EvidenceShares(0.125, 0.125, *[0.25 / 3] * 3, 0.75)),
        (np.zeros_like(TWO), at((5, 5, 2)), EvidenceShares(0, 0, 0, 0, 0, 1)),
        (np.eye(12, dtype=bool)[5:6].repeat(12, axis=0), at((0, 5, 1)), EvidenceShares(0.5, 0.5, 1, 0, 0, 0)),
    ],
)
def test_shares_by_hand(mask, heat, wanted):
    """Two lungs of unequal height, lungs that touch, one lung, no lungs, and a lung of one column."""
    assert astuple(evidence_shares(heat, mask)) == pytest.approx(astuple(wanted))


def test_small_regions_belong_to_the_side_on_which_they_lie():
    """What is under a tenth of the mask makes no third lung; two regions above each other are no two lungs."""
    speck = TWO.copy()
    speck[11, 0] = True
    assert evidence_shares(at((11, 0, 1)), speck).right == 1
    stacked = np.zeros((12, 12), bool)
    stacked[0:4, 2:10] = stacked[6:12, 2:10] = True
    assert evidence_shares(stacked.astype(np.float32), stacked).right == 0.5


def test_an_empty_map_has_no_shares():
    """Whatever the mask."""
    assert evidence_shares(np.zeros((12, 12), np.float32), TWO) is None


@settings(max_examples=30)
@given(MAPS, MASKS)
def test_both_sums_are_whole(heat, mask):
    """Before and after rounding, at every step; a rounded share differs by less than a step."""
    found = evidence_shares(heat, mask)
    assume(found is not None)
    assert 1 - found.outside == pytest.approx(heat_in_lungs(heat, mask), abs=1e-6)
    for steps in (100, 3, 10_000, 1_000_000):
        rounded = found.rounded(steps)
        numbers = [round(steps * share) for share in astuple(rounded)]
        right, left, upper, middle, lower, outside = numbers
        assert right + left + outside == upper + middle + lower + outside == steps
        assert [number / steps for number in numbers] == list(astuple(rounded))
        for share, exact in zip(numbers, astuple(found), strict=True):
            assert share >= 0
            assert abs(share - steps * exact) <= 1 + 1e-6
    assert sum(astuple(found)[:2]) + found.outside == pytest.approx(1, abs=1e-12)
    assert sum(astuple(found)[2:]) == pytest.approx(1, abs=1e-12)


@settings(max_examples=30)
@given(MAPS, MASKS)
def test_the_mirror_image_exchanges_the_lungs(heat, mask):
    """And changes nothing else."""
    found, other = evidence_shares(heat, mask), evidence_shares(heat[:, ::-1], mask[:, ::-1])
    assume(found is not None)
    assert astuple(other) == pytest.approx(astuple(replace(found, right=found.left, left=found.right)), abs=1e-12)


@settings(max_examples=30)
@given(MAPS, MASKS, st.sampled_from([0.25, 2.0, 1024.0]))
def test_the_scale_of_the_map_changes_nothing(heat, mask, scale):
    """Only its distribution counts."""
    found = evidence_shares(heat, mask)
    assume(found is not None)
    assert evidence_shares(heat * np.float32(scale), mask) == found


@pytest.mark.parametrize(
    ("shares", "percents"),
    [
        (EvidenceShares(0.415, 0.415, 0.2, 0.3, 0.33, 0.17), (42, 41, 20, 30, 33, 17)),
        (EvidenceShares(0.3, 0.1996, 0.1665, 0.1665, 0.1666, 0.5004), (30, 19, 16, 16, 17, 51)),
        (EvidenceShares(0.29, 0.71, 0.29, 0.57, 0.14, 0.0), (29, 71, 29, 57, 14, 0)),
    ],
)
def test_percents_by_hand(shares, percents):
    """Less than half inside the lungs never reads as half, and products such as 100 * 0.29 lose nothing."""
    assert tuple(round(100 * share) for share in astuple(shares.rounded())) == percents
