"""Bands hold their curves, narrow with more patients, and net benefit equals the hand calculation."""

import numpy as np
import pytest

from cxrmodel.metrics.curves import curve_bands, decision_curve, net_benefit
from cxrmodel.metrics.discrimination import precision_recall_points, roc_points


def images(patients: int, seed: int = 0, apart: float = 2.0):
    """Labels, probabilities and patients, one image each."""
    rng = np.random.default_rng(seed)
    labels = np.arange(patients) % 2
    return labels, 1 / (1 + np.exp(-rng.normal(apart * (labels - 0.5), 1.0))), [str(i) for i in range(patients)]


def test_bands_hold_the_curves():
    """The curve of the images themselves is inside the band nearly everywhere."""
    labels, probabilities, patients = images(200)
    curves = curve_bands(labels, probabilities, patients, resamples=300)
    roc = roc_points(labels, probabilities)
    sensitivity = np.interp(curves.roc.x, roc.false_positive_rate, roc.true_positive_rate)
    assert ((curves.roc.low <= sensitivity) & (sensitivity <= curves.roc.high)).mean() > 0.95
    found = precision_recall_points(labels, probabilities)
    band = curves.precision_recall
    for recall in (0.25, 0.5, 0.75, 0.95):
        precision = found.precision[found.recall >= recall - 1e-9][-1]
        place = round(recall * 100)
        assert band.low[place] - 1e-9 <= precision <= band.high[place] + 1e-9


def test_more_patients_make_a_narrower_band():
    """By about the root of their number."""
    few, many = (curve_bands(*images(n, apart=0.7), resamples=200).roc for n in (60, 960))
    width = [(band.high - band.low)[10:90].mean() for band in (few, many)]
    assert width[1] < width[0] / 2.5


def test_perfect_scores_have_a_band_of_no_width():
    """Above the first false alarm every sensitivity is 1."""
    labels, _, patients = images(40)
    curves = curve_bands(labels, labels * 0.8 + 0.1, patients, resamples=50)
    assert (curves.roc.low[1:] == 1).all()
    assert (curves.precision_recall.low == 1).all()


def test_bands_cover_the_truth():
    """Of 60 samples from normal scores, the band at a false positive rate of 0.2 holds the true sensitivity mostly."""
    truth, held = 0.8765, 0  # of scores two standard deviations apart: Phi(2 - 0.8416)
    for seed in range(60):
        labels, probabilities, patients = images(160, seed)
        band = curve_bands(labels, probabilities, patients, resamples=200).roc
        held += band.low[20] <= truth <= band.high[20]
    assert 0.85 <= held / 60 <= 1


def test_net_benefit_by_hand():
    """Of 100 images 40 true and 10 false positives, at odds of one to four: 0.4 - 0.1 / 4."""
    assert net_benefit(40, 10, 100, 0.2) == pytest.approx(0.375)
    assert net_benefit(40, 10, 100, 0) == pytest.approx(0.4)


def test_decision_curve_at_a_threshold():
    """The model's net benefit follows from its findings; that of treating all from the positive share."""
    labels, probabilities, patients = images(120)
    curve = decision_curve(labels, probabilities, patients, resamples=100)
    for place, threshold in ((9, 0.1), (49, 0.5), (79, 0.8)):
        positive = probabilities >= threshold
        odds = threshold / (1 - threshold)
        expected = (positive & (labels == 1)).mean() - odds * (positive & (labels == 0)).mean()
        assert curve.thresholds[place] == threshold
        assert curve.model[place] == pytest.approx(expected)
        assert curve.low[place] <= expected <= curve.high[place]
        assert curve.treat_all[place] == pytest.approx(0.5 - odds * 0.5)


def test_decision_curve_at_a_prevalence():
    """Sensitivity and false alarms weigh as they would among images of that prevalence."""
    labels, probabilities, patients = images(120)
    curve = decision_curve(labels, probabilities, patients, 0.2, resamples=100)
    for place, threshold in ((9, 0.1), (49, 0.5)):
        odds = threshold / (1 - threshold)
        found, alarms = ((probabilities >= threshold)[labels == label].mean() for label in (1, 0))
        assert curve.model[place] == pytest.approx(0.2 * found - 0.8 * odds * alarms)
        assert curve.treat_all[place] == pytest.approx(0.2 - 0.8 * odds)
