"""The key under which computed figures are kept."""

from cxrmodel.web.evaluation import cache
from tests.support.made_up_sections import AUDITS
from tests.support.stand_ins import made_up_evaluation


def test_fingerprint_differs_with_all_that_figures_follow_from(evaluation):
    """Kept figures are never those of other images, weights, thresholds, prevalence or sections."""
    changes = [{}, {"weights_sha256": "9" * 64}, {"prevalence": 0.6}, {"audits": AUDITS}]
    others = [evaluation.model_copy(update=change) for change in changes] + [made_up_evaluation("densenet121", 2.0)]
    assert len({cache.fingerprint(other) for other in others}) == len(others)
    assert cache.fingerprint(others[0]) == cache.fingerprint(evaluation)


def test_a_table_is_computed_once(evaluation):
    """Also for another object with the same content."""
    assert cache.threshold_table(evaluation, "test") is cache.threshold_table(evaluation.model_copy(), "test")
    assert cache.threshold_table(evaluation, "test") is not cache.threshold_table(evaluation, "held_out")
