"""Calibration methods recover known parameters, and cross-fitting never measures on a patient it fitted on."""

import numpy as np
import pytest

from cxrmodel.errors import DataError
from cxrmodel.model.calibration import probability
from cxrmodel.training.calibration import (
    METHODS,
    choose_calibration,
    cross_fitted,
    fit_platt,
    fit_temperature,
    log_loss,
    patient_folds,
)


def drawn(count: int, temperature: float = 1.0, intercept: float = 0.0, prevalence: float = 0.6, seed: int = 0):
    """Images whose labels follow from their logits; two of each patient, who has both of one class."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(rng.random(count // 2) < prevalence, 2).astype(int)
    logits = temperature * (rng.normal(np.where(labels > 0, 2.0, -2.0), 2.0) - intercept)
    patients = np.array([f"p{number // 2}" for number in range(len(labels))])
    return labels, logits, patients


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_temperature_is_recovered(true):
    """The fit recovers the temperature at which labels were drawn."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, 20_000)
    labels = rng.random(20_000) < probability(logits, true, 0.7)
    assert fit_temperature(labels, logits, 0.7) == pytest.approx((true, 0), rel=0.05)


@pytest.mark.parametrize(("temperature", "intercept"), [(0.5, 0.0), (1.0, 1.5), (2.5, -2.0)])
def test_slope_and_intercept_are_recovered(temperature, intercept):
    """The fit recovers slope and intercept at any prevalence."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, 20_000)
    labels = rng.random(20_000) < probability(logits, temperature, 0.7, intercept)
    found = fit_platt(labels, logits, 0.7)
    assert found == pytest.approx((temperature, intercept), rel=0.06, abs=0.08)


def test_fit_stays_finite_where_likelihood_does_not():
    """Perfectly separated classes, and a class of one image: the priors keep both numbers moderate."""
    for labels, logits in (([0, 0, 1, 1], [-2.0, -1.0, 1.0, 2.0]), ([0, 1, 1, 1], [0.0, 0.0, 0.0, 0.0])):
        temperature, intercept = fit_platt(labels, logits, 0.5)
        assert 0.05 < temperature < 20
        assert abs(intercept) < 3


def test_the_ranking_is_preserved_even_where_the_logit_is_reversed():
    """The slope is never negative."""
    temperature, _ = fit_platt([1, 1, 0, 0] * 50, [-2.0, -1.0, 1.0, 2.0] * 50, 0.5)
    assert temperature > 0


def test_folds_hold_whole_patients_and_every_image_once():
    """No patient is on both sides; every fold has both classes."""
    labels, _, patients = drawn(200)
    seen = []
    for rest, part in patient_folds(labels, patients, 5):
        assert not set(patients[rest]) & set(patients[part])
        assert set(labels[part]) == {0, 1}
        seen += part.tolist()
    assert sorted(seen) == list(range(200))


def test_few_patients_make_few_folds():
    """As many folds as the smaller class has patients; one patient is an error."""
    labels, patients = np.array([0, 0, 0, 1, 1, 1, 1]), ["a", "b", "b", "c", "d", "e", "f"]
    assert len(list(patient_folds(labels, patients, 10))) == 2
    with pytest.raises(DataError) as raised:
        list(patient_folds(labels, ["a", "a", "a", "c", "d", "e", "f"]))
    assert raised.value.message.code == "training.too_few_patients_to_calibrate"


@pytest.mark.parametrize("name", METHODS.names)
def test_no_method_is_fitted_on_what_it_measures(name):
    """Each fit uses the labels and logits of all other patients and none of the patient's own."""
    labels, logits, patients = drawn(120)
    fitted = []

    def spy(*images):
        fitted.append(images)
        return METHODS[name](*images)

    cross_fitted(spy, labels, logits, patients, folds=6)
    assert len(fitted) == 6
    for (rest, part), (given, values, prevalence) in zip(patient_folds(labels, patients, 6), fitted, strict=True):
        np.testing.assert_array_equal(values, logits[rest])
        np.testing.assert_array_equal(given, labels[rest])
        assert prevalence == labels[rest].mean()
        assert not np.isin(logits[part], values).any()


def test_cross_fitting_gives_each_image_the_fit_of_the_others():
    """Shown with a method that returns the mean of the logits it was fitted on."""
    labels, logits, patients = drawn(60)

    def mean(given, values, prevalence):
        return lambda asked: np.full(len(asked), values.mean())

    found = cross_fitted(mean, labels, logits, patients, folds=3)
    for rest, part in patient_folds(labels, patients, 3):
        np.testing.assert_allclose(found[part], logits[rest].mean())


@pytest.mark.parametrize("name", METHODS.names)
def test_every_method_is_monotonic_and_strictly_between_0_and_1(name):
    """A higher logit never gets a lower probability."""
    labels, logits, _ = drawn(400)
    values = METHODS[name](labels, logits, float(labels.mean()))(np.linspace(-12, 12, 200))
    assert (np.diff(values) >= -1e-12).all()
    assert ((values > 0) & (values < 1)).all()


def test_beta_finds_two_slopes():
    """With overconfident negatives and calibrated positives, beta calibration has a lower log loss than one slope."""
    rng = np.random.default_rng(4)
    logits = rng.normal(0, 4, 8000)
    true = 1 / (1 + np.exp(-np.where(logits < 0, 0.3, 1.0) * logits))
    labels = (rng.random(8000) < true).astype(int)
    losses = {
        name: log_loss(labels, METHODS[name](labels, logits, labels.mean())(logits)).mean() for name in METHODS.names
    }
    assert losses["beta"] < losses["platt"] - 0.005


def test_log_loss_by_hand():
    """Log 2 at 0.5, log 4 at 0.25, and finite at 0."""
    np.testing.assert_allclose(log_loss([1, 1, 0], np.array([0.5, 0.25, 0.75])), np.log([2, 4, 4]))
    assert np.isfinite(log_loss([1], np.array([0.0]))).all()


@pytest.mark.parametrize(("intercept", "wanted"), [(0.0, "temperature"), (1.5, "platt")])
def test_an_intercept_is_chosen_only_where_it_lowers_the_log_loss(intercept, wanted):
    """Centred logits need none; the intercept of shifted logits is recovered."""
    labels, logits, patients = drawn(3000, 1.5, intercept, 0.5)
    name, temperature, found = choose_calibration(labels, logits, patients, 0.5)
    centred, _ = fit_temperature(*drawn(3000, 1.5, 0.0, 0.5)[:2], 0.5)
    assert temperature == pytest.approx(centred, rel=0.15)
    assert found == pytest.approx(intercept, abs=0.25)
    if intercept:
        assert name == wanted
    else:
        assert (found == 0.0) == (name == "temperature")


def test_with_one_patient_in_a_class_temperature_scaling_is_taken():
    """Cross-fitting is impossible."""
    labels, logits = np.array([0, 0, 1, 1]), np.array([-1.0, 0.5, 0.2, 2.0])
    name, temperature, intercept = choose_calibration(labels, logits, ["a", "a", "b", "b"], 0.5)
    assert (name, intercept) == ("temperature", 0.0)
    assert 0.0 <= probability(1.0, temperature, 0.5, intercept) <= 1.0
