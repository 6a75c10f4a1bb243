"""The audit of calibration follows from the stored scores, on draws whose truth is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from cxrmodel.errors import DataError
from cxrmodel.evaluation.audits.calibration import PREVALENCES, audit_calibration
from cxrmodel.metrics import bootstrap, intervals
from cxrmodel.metrics.calibration import reliability
from cxrmodel.model.calibration import probability
from cxrmodel.training.calibration import METHODS, cross_fitted

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
        logits = np.array(logits)
        return SimpleNamespace(
            patients=tuple(patients),
            labels=np.array(labels),
            logits=logits,
            probabilities=probability(logits, 1, 0.5),
        )

    def make(shift: float = 0.0, **changes):
        spec = make_spec(**changes)
        evaluation = SimpleNamespace(splits={"held_out": scores(0.0), "test": scores(shift)})
        return evaluation, spec

    return make


def test_methods_are_measured_cross_fitted(make_audited):
    """Each method has the error of its cross-fitted probabilities, with intervals."""
    evaluation, spec = make_audited(intercept=0.5, temperature=2.0)
    found = audit_calibration(evaluation, spec)
    held = evaluation.splits["held_out"]
    assert [row.name for row in found.methods] == list(METHODS.names)
    for row in found.methods:
        fitted = cross_fitted(METHODS[row.name], held.labels, held.logits, held.patients)
        assert row.ece.value == pytest.approx(
            reliability(held.labels, fitted, held.patients).ece.value, rel=1e-4, abs=1e-6
        )
        assert row.ece.low <= row.ece.value <= row.ece.high
    assert (found.temperature, found.intercept, found.prevalence) == (2.0, 0.5, 0.5)
    assert found.chosen in [method.name for method in found.methods]


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
    """Only combinations with the test's normal images err, only that class has moved, and a refit takes most of it."""
    found = audit_calibration(*make_audited(shift=2.0))
    errors = {(row.negative, row.positive): row.ece.value for row in found.by_source}
    assert max(errors["held_out", "held_out"], errors["held_out", "test"]) < 0.01
    assert min(errors["test", "test"], errors["test", "held_out"]) > 0.1
    negative, positive = found.shift
    assert (negative.label, negative.test_median - negative.held_out_median) == (0, pytest.approx(2.0))
    assert negative.test_above_held_out.value > 0.8
    assert positive.test_above_held_out.value == pytest.approx(0.5)
    assert found.test_refitted.ece.value < found.test_as_read.ece.value


def test_another_prevalence_than_assumed_is_told_apart(make_audited):
    """Read at a prevalence of 0.9 half of the images err; at their own prevalence they do not."""
    found = audit_calibration(*make_audited(prevalence=0.9))
    assert found.test_as_read.prevalence == 0.9
    assert found.test_as_read.ece.value > 0.15
    assert found.test_at_its_own_prevalence.prevalence == pytest.approx(0.5, abs=0.01)
    assert found.test_at_its_own_prevalence.ece.value < 0.02


def test_too_few_patients_are_a_sentence(make_audited):
    """One patient of a class cannot be both fitted on and measured on."""
    evaluation, spec = make_audited()
    held = evaluation.splits["held_out"]
    held.patients = tuple(f"p{label}" for label in held.labels)
    with pytest.raises(DataError):
        audit_calibration(evaluation, spec)
