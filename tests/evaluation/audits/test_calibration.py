"""The audit of calibration follows from the stored scores, on draws whose truth is known."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import log_loss

from cxrmodel.errors import DataError
from cxrmodel.evaluation.audits.calibration import PREVALENCES, audit_calibration
from cxrmodel.metrics import bootstrap, intervals
from cxrmodel.metrics.calibration import reliability
from cxrmodel.model.calibration import probability

PATIENTS = 150


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch):
    draw = bootstrap.patient_weights
    for module in (bootstrap, intervals):
        monkeypatch.setattr(module, "patient_weights", lambda patients, *given: draw(patients, 50))


@pytest.fixture
def make_audited(make_spec):
    """A function (shift, **spec) -> evaluation and specification: logits that are log-odds at even prevalence.

    Both classes are drawn at four logits with that logit as their likelihood ratio; ``shift`` is added to the normal
    images of the test.
    """

    def scores(shift: float) -> SimpleNamespace:
        labels, logits, patients = [], [], []
        person = 0
        for logit in (-3.0, -1.0, 1.0, 3.0):
            positive = round(PATIENTS / (1 + np.exp(-logit)))
            for label, count in ((0, PATIENTS - positive), (1, positive)):
                labels += [label] * count
                logits += [logit + shift * (label == 0)] * count
                patients += [f"p{person + i}" for i in range(count)]
                person += count
        order = np.random.default_rng(0).permutation(person)
        logits = np.array(logits)[order]
        return SimpleNamespace(
            patients=tuple(np.array(patients)[order]),
            labels=np.array(labels)[order],
            logits=logits,
            probabilities=probability(logits, 1, 0.5),
        )

    def make(shift: float = 0.0, **changes):
        spec = make_spec(**changes)
        evaluation = SimpleNamespace(splits={"held_out": scores(0.0), "test": scores(shift)})
        return evaluation, spec

    return make


def test_each_set_is_measured_at_its_own_prevalence(make_audited):
    """With the errors of the probabilities shifted there; the corrected one is the lower, and no interval misses it."""
    evaluation, spec = make_audited(intercept=0.5, temperature=2.0, prevalence=0.9)
    found = audit_calibration(evaluation, spec)
    assert [figures.split for figures in found.splits] == ["held_out", "test"]
    for figures in found.splits:
        scores = evaluation.splits[figures.split]
        prevalence = scores.labels.mean()
        assert figures.prevalence == pytest.approx(prevalence)
        shifted = probability(scores.logits, 2.0, prevalence, 0.5)
        diagram = reliability(scores.labels, shifted, scores.patients)
        assert figures.ece == diagram.ece
        assert figures.corrected_ece == diagram.corrected_ece
        assert figures.corrected_ece.low <= figures.corrected_ece.value < figures.ece.value
        assert figures.log_loss.value == pytest.approx(log_loss(scores.labels, shifted), rel=1e-4)
    assert (found.temperature, found.intercept, found.prevalence, found.choice) == (2.0, 0.5, 0.9, None)


@pytest.mark.parametrize("prevalence", [0.2, 0.5])
def test_right_probabilities_agree_with_the_evidence(make_audited, prevalence):
    """At any prevalence, as both are moved to it; an intercept moves the probability alone."""
    agreed = audit_calibration(*make_audited(prevalence=prevalence)).evidence
    assert (agreed.prevalence, agreed.differ.value, agreed.other_side.value) == (prevalence, 0, 0)
    moved = audit_calibration(*make_audited(prevalence=prevalence, intercept=1.5)).evidence
    assert moved.differ.value > 0.2
    assert moved.other_side.value > 0.2


def test_right_probabilities_are_right_at_every_prevalence(make_audited):
    """Log-odds that are true stay so under another prior; a wrong intercept errs less at a low prevalence."""
    right = audit_calibration(*make_audited())
    wrong = audit_calibration(*make_audited(intercept=2.0))
    assert [row.prevalence for row in right.by_prevalence] == sorted(PREVALENCES)
    assert all(row.ece.value < 0.01 for row in right.by_prevalence)
    errors = {row.prevalence: row.ece.value for row in wrong.by_prevalence}
    assert errors[0.5] > 0.15
    assert errors[0.05] < errors[0.25]


def test_a_shift_of_normal_images_is_found_where_it_is(make_audited):
    """Only combinations with the test's normal images err, and only that class has moved."""
    found = audit_calibration(*make_audited(shift=2.0))
    errors = {(row.negative, row.positive): row.corrected_ece.value for row in found.by_source}
    assert max(errors["held_out", "held_out"], errors["held_out", "test"]) < 0.01
    assert min(errors["test", "test"], errors["test", "held_out"]) > 0.1
    negative, positive = found.shift
    assert (negative.label, negative.test_median - negative.held_out_median) == (0, pytest.approx(2.0))
    assert negative.test_above_held_out.value > 0.8
    assert positive.test_above_held_out.value == pytest.approx(0.5)


def test_one_class_is_an_error(make_audited):
    """Nothing can be measured."""
    evaluation, spec = make_audited()
    evaluation.splits["held_out"].labels[:] = 1
    with pytest.raises(DataError):
        audit_calibration(evaluation, spec)
