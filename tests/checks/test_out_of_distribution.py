"""The feature distribution and the check that it serves."""

import hashlib

import numpy as np
import pytest

from cxrmodel.checks.feature_distribution import (
    FeatureDistribution,
    fit_feature_distribution,
    load_feature_distribution,
)
from cxrmodel.checks.out_of_distribution import OUT_OF_DISTRIBUTION
from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.model.spec import load_spec
from cxrmodel.models import MODELS


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    """300 images of 12 features: three vary much and together, one is constant."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(300, 3)) * [5, 3, 2]
    features = hidden @ rng.normal(size=(3, 12)) + rng.normal(0, 0.1, (300, 12)) + 7
    features[:, 4] = 1
    return features.astype(np.float32)


def test_scores_by_hand():
    """Along a component: squares over the variance; off it: squares; each over its mean, and the mean of both."""
    distribution = FeatureDistribution(
        np.zeros(3, np.float32),
        np.float32([1, 2, 1]),
        np.float32([[1, 0, 0]]),
        np.float32([4.0]),
        mean_within=2.0,
        mean_residual=0.5,
    )
    scores = distribution.scores(np.float32([[4, 0, 0], [0, 4, 0], [0, 0, 0]]))
    assert scores == pytest.approx([(16 / 4 / 2 + 0) / 2, (0 + 4 / 0.5) / 2, 0])


def test_training_images_score_one_on_average(features):
    """By construction, whatever their scale."""
    assert fit_feature_distribution(features, 3).scores(features).mean() == pytest.approx(1, rel=1e-3)


def test_images_out_of_distribution_score_more(features):
    """Far along a component, and a little off all of them; a constant feature is ignored."""
    distribution = fit_feature_distribution(features, 3)
    largest = distribution.scores(features).max()
    far = features[:1] + 6 * (features[1:2] - features[:1])
    assert distribution.scores(features.mean(0, keepdims=True) * 0)[0] > largest
    off = features[:1].copy()
    off[0, 0] += 3
    assert distribution.scores(off)[0] > largest
    constant = features[:1].copy()
    constant[0, 4] = 1e6
    assert distribution.scores(constant) == pytest.approx(distribution.scores(features[:1]))
    assert distribution.scores(far)[0] > distribution.scores(features[:1])[0]


def test_few_images_are_enough_to_fit():
    """Fewer images than components leave fewer components, and finite scores."""
    features = np.random.default_rng(0).normal(size=(10, 40)).astype(np.float32)
    distribution = fit_feature_distribution(features, 64)
    assert distribution.components.shape == (8, 40)
    assert np.isfinite(distribution.scores(features)).all()


def test_round_trip_through_bytes(features):
    """Scores stay the same to the last bit."""
    distribution = fit_feature_distribution(features, 3)
    again = FeatureDistribution.from_bytes(distribution.to_bytes())
    np.testing.assert_array_equal(again.scores(features), distribution.scores(features))


@pytest.mark.parametrize("model", MODELS.names)
def test_shipped_distributions_load(model):
    """Each shipped model has its own; the rejection threshold is at least the warning threshold."""
    spec = load_spec(model)
    load_feature_distribution(spec)
    rule = OUT_OF_DISTRIBUTION.rule(spec)
    assert 1 < rule.warning <= rule.rejection
    assert rule.source


def test_another_file_is_refused(tmp_path, features):
    """The specification names the file by its sha256; another one is refused."""
    spec, data = load_spec("cnn"), fit_feature_distribution(features, 3).to_bytes()
    own = spec.out_of_distribution.replace(sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(MissingWeights):
        load_feature_distribution(spec.replace(out_of_distribution=own), tmp_path)
    (tmp_path / "cnn.features.npz").write_bytes(data)
    load_feature_distribution(spec.replace(out_of_distribution=own), tmp_path)
    with pytest.raises(AlteredWeights):
        load_feature_distribution(spec, tmp_path)
