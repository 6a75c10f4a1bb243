"""The feature distribution, the checks that it serves, and the one message of these."""

import hashlib

import numpy as np
import pytest

from cxrmodel.checks.age import AGE
from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.feature_distribution import FeatureDistribution, load_feature_distribution
from cxrmodel.checks.image.clipping import CLIPPING
from cxrmodel.checks.population import OTHER_POPULATION, OUT_OF_DISTRIBUTION
from cxrmodel.checks.report import (
    PASSED,
    UNLIKE_AGE,
    UNLIKE_CLEARLY,
    UNLIKE_SOMEWHAT,
    WARNING,
    CheckReport,
    CheckResult,
    Rule,
)
from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.messages import Message
from cxrmodel.model.spec import load_spec
from cxrmodel.models import MODELS

DISTRIBUTION = FeatureDistribution(
    np.zeros(3, np.float32),
    np.float32([1, 2, 1]),
    np.float32([[1, 0, 0]]),
    np.float32([4.0]),
    mean_within=2.0,
    mean_residual=0.5,
    adult_weights=np.float32([0.5, 1.0, 0.0]),
    adult_offset=-0.25,
)
LEVELS = {"rule": Rule(side="above", warning=0.3, rejection=None, clear=0.5, source="made up")}


def test_distances_by_hand():
    """Along a component: squares over the variance; off it: squares; each over its mean, and the mean of both."""
    distances = DISTRIBUTION.distances(np.float32([[4, 0, 0], [0, 4, 0], [0, 0, 0]]))
    assert distances == pytest.approx([(16 / 4 / 2 + 0) / 2, (0 + 4 / 0.5) / 2, 0])


def test_similarities_by_hand():
    """Scaled features times the weights, and the constant."""
    similarities = DISTRIBUTION.similarities(np.float32([[2, 0, 0], [0, 4, 9], [0, 0, 0]]))
    assert similarities == pytest.approx([0.75, 1.75, -0.25])


def test_round_trip_through_bytes():
    """Distances and similarities stay the same to the last bit."""
    features = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    again = FeatureDistribution.from_bytes(DISTRIBUTION.to_bytes())
    np.testing.assert_array_equal(again.distances(features), DISTRIBUTION.distances(features))
    np.testing.assert_array_equal(again.similarities(features), DISTRIBUTION.similarities(features))


@pytest.mark.parametrize(
    ("value", "outcome", "code"),
    [
        (0.3, PASSED, None),
        (np.nextafter(0.3, 1), WARNING, UNLIKE_SOMEWHAT),
        (0.5, WARNING, UNLIKE_SOMEWHAT),
        (np.nextafter(0.5, 1), WARNING, UNLIKE_CLEARLY),
        (float("nan"), WARNING, UNLIKE_CLEARLY),
    ],
)
def test_levels(value, outcome, code):
    """A value at a threshold does not exceed it; no value is a refusal."""
    check = Check("rule", Stage.FEATURES, lambda image: value, warning=UNLIKE_SOMEWHAT, clear_warning=UNLIKE_CLEARLY)
    found = check.result(None, LEVELS)
    assert (found.outcome, found.message and found.message.code) == (outcome, code)


@pytest.mark.parametrize("changes", [{"clear": 0.2}, {"warning": None, "rejection": 0.3}, {"clear": -1.0}])
def test_a_damaged_level_is_noticed(changes):
    """Clear below the warning, without a warning, or out of range."""
    with pytest.raises(ValueError, match="clear"):
        Rule.model_validate({**LEVELS["rule"].model_dump(), **changes})


def _warned(check: Check, code: str) -> CheckResult:
    return CheckResult(check.name, WARNING, Message(code, ages="1 to 5 years"), 1.0, 0.5)


CLIPPED = _warned(CLIPPING, "checks.clipping.warning")
SOMEWHAT, CLEARLY = _warned(OUT_OF_DISTRIBUTION, UNLIKE_SOMEWHAT), _warned(OTHER_POPULATION, UNLIKE_CLEARLY)
AGED = _warned(AGE, UNLIKE_AGE)


@pytest.mark.parametrize(
    ("results", "codes"),
    [
        ((CLIPPED,), ["checks.clipping.warning"]),
        ((CLIPPED, SOMEWHAT), [UNLIKE_SOMEWHAT, "checks.clipping.warning"]),
        ((CLIPPED, SOMEWHAT, CLEARLY), [UNLIKE_CLEARLY, "checks.clipping.warning"]),
        ((CLEARLY, SOMEWHAT), [UNLIKE_CLEARLY]),
        ((AGED, CLIPPED, CLEARLY), [UNLIKE_AGE, "checks.clipping.warning"]),
    ],
)
def test_one_message_is_said_first(results, codes):
    """The age that the file states before what the features say, and the clear level before the other."""
    report = CheckReport(results)
    assert [message.code for message in report.warnings] == codes
    assert report.unlike == (report.warnings[0] if codes[0].startswith("checks.unlike.") else None)


@pytest.mark.parametrize("model", MODELS.names)
def test_shipped_distributions_load(model):
    """Each shipped model has its own; whether adults were learnt from is as its specification says."""
    spec = load_spec(model)
    assert load_feature_distribution(spec).knows_adults == (spec.population.adult_images > 0)
    assert OUT_OF_DISTRIBUTION.rule(spec).warning > 1
    assert OTHER_POPULATION.rule(spec).rejection is None


def test_another_file_is_refused(tmp_path):
    """The specification names the file by its sha256; another one is refused."""
    spec, data = load_spec("cnn"), DISTRIBUTION.to_bytes()
    own = spec.replace(population=spec.population.replace(sha256=hashlib.sha256(data).hexdigest()))
    with pytest.raises(MissingWeights):
        load_feature_distribution(own, tmp_path)
    (tmp_path / "cnn.features.npz").write_bytes(data)
    load_feature_distribution(own, tmp_path)
    with pytest.raises(AlteredWeights):
        load_feature_distribution(spec, tmp_path)
