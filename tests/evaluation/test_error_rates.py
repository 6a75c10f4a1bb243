"""Error rates on images unlike those that the model was made for, by hand from a made-up audit."""

import numpy as np
import pytest

from cxrmodel.checks.population import OUT_OF_DISTRIBUTION
from cxrmodel.checks.report import UNLIKE_SOMEWHAT, WARNING, CheckReport, CheckResult
from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation import error_rates
from cxrmodel.evaluation.audits.schema import AdultFindings
from cxrmodel.evaluation.error_rates import ErrorRates, count_errors, shipped_error_rates
from cxrmodel.messages import Message
from cxrmodel.report.wording import error_rates_sentence, other_reasons, reasons, unlike_reasons
from tests.support.made_up_sections import AUDITS
from tests.support.stand_ins import SPEC, fake_reading, made_up_evaluation


def _adults(**findings):
    rows = (
        AdultFindings(group=group, images=sum(counts), findings=dict(zip(SPEC.labels.findings, counts, strict=True)))
        for group, counts in findings.items()
    )
    return AUDITS.adults.replace(findings=tuple(rows))


ADULTS = _adults(normal=(3, 4, 13), abnormal_no_opacity=(9, 9, 9), opacity=(24, 4, 2))


def test_counts_by_hand():
    """Of 20 normal images 3 are false positives, of 30 with an opacity 2 are missed; the third group does not count."""
    rates = count_errors(ADULTS, SPEC.labels)
    assert rates == ErrorRates(positives=30, detected=24, negatives=20, cleared=13, uncertain=8)
    assert (rates.images, rates.wrong) == (50, 5)
    values = error_rates_sentence(rates).values
    assert (values["wrong"], values["uncertain"]) == ("10\u00a0%", "16\u00a0%")


@pytest.mark.parametrize("findings", [{}, {"opacity": (1, 1, 1)}, {"opacity": (1, 1, 1), "normal": (0, 0, 0)}])
def test_without_both_groups_there_are_no_rates(findings):
    """A rate of no images is none."""
    assert count_errors(_adults(**findings), SPEC.labels) is None


def test_rates_come_from_the_evaluation_of_the_same_weights(monkeypatch):
    """Not from another version, an evaluation without adults, or a missing file."""
    version, found = SPEC.version, made_up_evaluation(audits=AUDITS.replace(adults=ADULTS))

    def load(model):
        assert model == SPEC.model
        if found is None:
            raise EvaluationError("evaluation.error.not_json", model=model)
        return found

    monkeypatch.setattr(error_rates, "load_evaluation", load)
    assert shipped_error_rates(version).wrong == 5
    assert shipped_error_rates(f"{version[:-1]}x") is None
    found = made_up_evaluation(audits=AUDITS.replace(adults=None))
    assert shipped_error_rates(version) is None
    found = None
    assert shipped_error_rates(version) is None


def test_a_flagged_reading_carries_them(monkeypatch):
    """The message that the image is unlike the training images, the rates, then everything else."""
    unlike, other = Message(UNLIKE_SOMEWHAT, ages="1 to 5 years"), Message("reading.uncertain")
    report = CheckReport((CheckResult(OUT_OF_DISTRIBUTION.name, WARNING, unlike, 2.5, 2.0),))
    reading = fake_reading(np.zeros((9, 9)), reasons=(unlike, other), check=report)
    monkeypatch.setattr("cxrmodel.report.wording.shipped_error_rates", lambda version: None)
    assert reasons(reading) == (unlike, Message("report.error_rates.unknown"), other)
    assert (len(unlike_reasons(reading)), other_reasons(reading)) == (2, (other,))
    assert reasons(fake_reading(np.zeros((9, 9)), reasons=(other,))) == (other,)
