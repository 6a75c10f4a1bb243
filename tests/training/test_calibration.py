"""Calibrations recover known parameters, and the rule chooses what was left out of the fit."""

from dataclasses import replace

import numpy as np
import pytest

from cxrmodel.errors import DataError
from cxrmodel.training.calibration import (
    CANDIDATES,
    Candidate,
    Scores,
    choose_calibration,
    fit_platt,
    fit_temperature,
    intact_scores,
    left_out_losses,
)


def drawn(count: int, temperature: float = 1.0, intercept: float = 0.0, prevalence: float = 0.5, seed: int = 0):
    """Labels and logits whose log-odds at even odds are ``logit / temperature + intercept``; two of each patient."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(rng.random(count // 2) < prevalence, 2).astype(int)
    return labels, temperature * (rng.normal(np.where(labels > 0, 2.0, -2.0), 2.0) - intercept)


def scores_of(kinds: dict[str, tuple[float, float]], count: int = 400) -> Scores:
    """Scores of kinds with their own temperature and intercept, of the same patients, in two folds."""
    parts = [drawn(count, *truth) for truth in kinds.values()]
    number = np.arange(count)
    return Scores(
        labels=np.concatenate([labels for labels, _ in parts]),
        logits=np.concatenate([logits for _, logits in parts]),
        files=np.tile([f"{place}.jpeg" for place in number], len(kinds)),
        patients=np.tile([f"p{place // 2}" for place in number], len(kinds)),
        kinds=np.repeat(list(kinds), count),
        folds=np.tile(number // 2 % 2, len(kinds)),
    )


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_temperature_is_recovered(true):
    """The fit recovers the temperature with which labels were drawn."""
    assert fit_temperature(*drawn(8000, true)) == pytest.approx((true, 0), rel=0.05)


@pytest.mark.parametrize("prevalence", [0.2, 0.74])
@pytest.mark.parametrize(("temperature", "intercept"), [(0.5, 0.0), (1.0, 1.5), (2.5, -2.0)])
def test_slope_and_intercept_are_recovered_at_any_prevalence(temperature, intercept, prevalence):
    """Both classes weigh the same: the prevalence of the images has no effect."""
    found = fit_platt(*drawn(8000, temperature, intercept, prevalence))
    assert found == pytest.approx((temperature, intercept), rel=0.08, abs=0.12)


def test_copies_of_one_class_change_nothing():
    """Four times as many positive images have the same total weight; Platt's priors matter little less."""
    labels, logits = drawn(2000)
    copies = np.where(labels > 0, 4, 1)
    more = labels.repeat(copies), logits.repeat(copies)
    assert fit_temperature(*more) == pytest.approx(fit_temperature(labels, logits), rel=1e-3)
    assert fit_platt(*more) == pytest.approx(fit_platt(labels, logits), abs=0.01)


def test_symmetric_scores_have_no_intercept():
    """As likely wrong on either side."""
    logits = np.random.default_rng(0).normal(1.0, 2.0, 200)
    temperature, intercept = fit_platt(np.repeat([1, 0], 200), np.concatenate([logits, -logits]))
    assert intercept == pytest.approx(0, abs=1e-4)
    assert temperature != pytest.approx(1, abs=0.05)


def test_fit_stays_finite_where_likelihood_does_not():
    """Perfectly separated classes, and a class of one image: the priors keep both numbers moderate."""
    for labels, logits in (([0, 0, 1, 1], [-2.0, -1.0, 1.0, 2.0]), ([0, 1, 1, 1], [0.0, 0.0, 0.0, 0.0])):
        temperature, intercept = fit_platt(labels, logits)
        assert 0.05 < temperature < 20
        assert abs(intercept) < 3


def test_the_ranking_is_preserved_even_where_the_logit_is_reversed():
    """The slope is never negative."""
    assert fit_platt([1, 1, 0, 0] * 50, [-2.0, -1.0, 1.0, 2.0] * 50)[0] > 0


@pytest.mark.parametrize("fit", [fit_temperature, fit_platt])
def test_one_class_cannot_be_fitted(fit):
    """An error instead of a weight without bounds."""
    with pytest.raises(DataError) as raised:
        fit([1, 1], [0.5, 2.0])
    assert raised.value.message.code == "training.too_few_patients_to_calibrate"


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        ({"intact": (1.0, 0.0), "blur": (1.0, 0.0), "noise": (1.0, 0.0)}, "raw"),
        ({"intact": (2.0, 0.0), "blur": (2.0, 0.0), "noise": (2.0, 0.0)}, "temperature"),
        ({"intact": (1.5, 1.5), "blur": (1.5, 1.5), "noise": (1.5, 1.5)}, "platt"),
        ({"intact": (0.4, 0.0), "blur": (2.5, 0.0)}, "raw"),
        ({"intact": (1.0, 1.5), "blur": (1.0, -1.5)}, "temperature"),
        ({"intact": (1.0, 1.5)}, "platt"),
    ],
    ids=["right", "too sure", "shifted", "too sure on one kind", "shifted on one kind", "one kind"],
)
def test_the_simplest_that_carries_over_is_chosen(kinds, wanted):
    """What helps one kind and harms another is not chosen; what is chosen is fitted on all scores."""
    scores = scores_of(kinds)
    choice, temperature, intercept = choose_calibration(scores)
    assert choice.chosen == wanted
    assert (temperature, intercept) == CANDIDATES[wanted].fit(scores.labels, scores.logits)
    assert [candidate.name for candidate in choice.candidates] == ["raw", "temperature", "platt"]
    best = min(candidate.log_loss for candidate in choice.candidates)
    for candidate in choice.candidates:
        assert candidate.excess == pytest.approx(candidate.log_loss - best, abs=1e-5)
        assert candidate.log_loss == pytest.approx(np.mean([score.log_loss for score in candidate.kinds]), rel=1e-4)
        assert [score.kind for score in candidate.kinds] == sorted(kinds)
    assert (choice.scores, choice.images, choice.patients) == (400 * len(kinds), 400, 200)


def test_losses_by_hand():
    """Each class counts half in a kind, and each kind the same."""
    log = np.log
    scores = Scores(
        labels=np.array([1, 1, 0, 1, 0, 1, 1, 0, 0]),
        logits=np.array([0.0, log(3), -log(3), 0.0, 0.0, log(4), 0.0, 0.0, 0.0]),
        files=np.array(list("abcdeabce")),
        patients=np.array(list("abcdeabce")),
        kinds=np.array(list("xxxxxyyyy")),
        folds=np.array([0, 1, 1, 1, 0, 0, 1, 1, 0]),
    )
    raw = choose_calibration(scores)[0].candidates[0]
    x = (np.mean([log(2), log(4 / 3), log(2)]) + np.mean([log(4 / 3), log(2)])) / 2
    y = (np.mean([log(5 / 4), log(2)]) + log(2)) / 2
    assert [score.log_loss for score in raw.kinds] == pytest.approx([x, y], rel=1e-5)
    assert raw.log_loss == pytest.approx((x + y) / 2, rel=1e-5)


def test_nothing_is_fitted_on_what_it_measures():
    """Each fit gets all scores of the other kinds of the other folds' patients, and no other."""
    scores = scores_of({"intact": (1.0, 0.0), "blur": (1.0, 0.0), "noise": (1.0, 0.0)}, count=40)
    fitted = []

    def spy(labels, logits):
        fitted.append((labels, logits))
        return 1.0, float(len(fitted))

    losses = left_out_losses(scores, Candidate("spy", spy))
    assert len(fitted) == 6
    for number, (kind, fold) in enumerate((kind, fold) for kind in ("blur", "intact", "noise") for fold in (0, 1)):
        rest = (scores.kinds != kind) & (scores.folds != fold)
        np.testing.assert_array_equal(fitted[number][1], scores.logits[rest])
        np.testing.assert_array_equal(fitted[number][0], scores.labels[rest])
        part = (scores.kinds == kind) & (scores.folds == fold)
        signs = np.where(scores.labels[part] > 0, -1, 1)
        np.testing.assert_allclose(losses[part], np.logaddexp(0, signs * (scores.logits[part] + number + 1)))


def test_the_order_of_the_images_has_no_effect():
    """Neither on the choice nor, but for rounding, on its numbers."""
    scores = scores_of({"intact": (1.5, 0.4), "blur": (2.0, 0.1)}, count=300)
    order = np.random.default_rng(1).permutation(len(scores.labels))
    mixed = replace(scores, **{name: values[order] for name, values in vars(scores).items()})
    (first, *numbers), (second, *others) = choose_calibration(scores), choose_calibration(mixed)
    assert first.chosen == second.chosen
    assert numbers == pytest.approx(others, rel=1e-3)
    for one, other in zip(first.candidates, second.candidates, strict=True):
        assert (one.log_loss, one.standard_error) == pytest.approx((other.log_loss, other.standard_error), rel=1e-3)


def test_intact_images_are_divided_by_patient():
    """Both classes in every fold, no patient in two, and as many folds as the smaller class has patients."""
    labels, logits = drawn(200)
    patients = [f"p{place // 2}" for place in range(200)]
    files = [f"{place:03}" for place in range(200)]
    scores = intact_scores(labels, logits, files, patients)
    assert len(set(scores.folds)) == 10
    for fold in set(scores.folds):
        part = scores.folds == fold
        assert set(scores.labels[part]) == {0, 1}
        assert not set(scores.patients[part]) & set(scores.patients[~part])
    mixed = intact_scores(labels[::-1], logits[::-1], files[::-1], patients[::-1])
    np.testing.assert_array_equal(mixed.folds, scores.folds)
    few = intact_scores([0, 0, 0, 1, 1, 1, 1], np.zeros(7), list("abcdefg"), ["a", "b", "b", "c", "d", "e", "f"])
    assert len(set(few.folds)) == 2


def test_with_one_patient_in_a_class_the_raw_output_is_taken():
    """Nothing can be compared."""
    scores = intact_scores([0, 0, 1, 1], [-1.0, 0.5, 0.2, 2.0], list("abcd"), ["a", "a", "b", "c"])
    choice, temperature, intercept = choose_calibration(scores)
    assert (choice.chosen, choice.candidates, temperature, intercept) == ("raw", (), 1.0, 0.0)


def test_a_kind_of_one_class_is_an_error():
    """Its loss at even odds is undefined."""
    scores = scores_of({"intact": (1.0, 0.0), "blur": (1.0, 0.0)}, count=40)
    kinds = np.where(scores.labels > 0, "intact", scores.kinds)
    with pytest.raises(DataError) as raised:
        choose_calibration(replace(scores, kinds=kinds))
    assert raised.value.message.code == "training.too_few_patients_to_calibrate"
