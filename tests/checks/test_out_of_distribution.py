"""How like the training images an image is to the network."""

import hashlib

import numpy as np
import pytest

from cxrmodel.checks.out_of_distribution import Familiarity, FamiliarityCheck, fit_familiarity, load_familiarity
from cxrmodel.checks.report import ACCEPT, REFUSE, WARN, Rule
from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.model.spec import load_spec
from cxrmodel.models import MODELS


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    """300 images of 12 features: three vary much and together, one is dead."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(300, 3)) * [5, 3, 2]
    features = hidden @ rng.normal(size=(3, 12)) + rng.normal(0, 0.1, (300, 12)) + 7
    features[:, 4] = 1
    return features.astype(np.float32)


def test_scores_by_hand():
    """Along an axis: squares over the variance; beyond: squares; each over its mean, and the mean of both."""
    familiarity = Familiarity(
        np.zeros(3, np.float32),
        np.float32([1, 2, 1]),
        np.float32([[1, 0, 0]]),
        np.float32([4.0]),
        within=2.0,
        beyond=0.5,
    )
    scores = familiarity.scores(np.float32([[4, 0, 0], [0, 4, 0], [0, 0, 0]]))
    assert scores == pytest.approx([(16 / 4 / 2 + 0) / 2, (0 + 4 / 0.5) / 2, 0])


def test_training_images_score_one_on_average(features):
    """By construction, whatever their scale."""
    assert fit_familiarity(features, 3).scores(features).mean() == pytest.approx(1, rel=1e-3)


def test_strangers_score_more(features):
    """Far along an axis, and a little beyond all of them; a dead feature says nothing."""
    familiarity = fit_familiarity(features, 3)
    usual = familiarity.scores(features).max()
    far = features[:1] + 6 * (features[1:2] - features[:1])
    assert familiarity.scores(features.mean(0, keepdims=True) * 0)[0] > usual
    off = features[:1].copy()
    off[0, 0] += 3
    assert familiarity.scores(off)[0] > usual
    dead = features[:1].copy()
    dead[0, 4] = 1e6
    assert familiarity.scores(dead) == pytest.approx(familiarity.scores(features[:1]))
    assert familiarity.scores(far)[0] > familiarity.scores(features[:1])[0]


def test_few_images_are_enough_to_fit():
    """Fewer images than axes leave fewer axes, and finite scores."""
    features = np.random.default_rng(0).normal(size=(10, 40)).astype(np.float32)
    familiarity = fit_familiarity(features, 64)
    assert familiarity.axes.shape == (8, 40)
    assert np.isfinite(familiarity.scores(features)).all()


def test_what_is_written_is_read(features):
    """Round trip through bytes."""
    familiarity = fit_familiarity(features, 3)
    again = Familiarity.from_bytes(familiarity.to_bytes())
    np.testing.assert_array_equal(again.scores(features), familiarity.scores(features))


def test_the_check_has_three_outcomes(features):
    """By the rule's thresholds."""
    familiarity = fit_familiarity(features, 3)
    scores = np.sort(familiarity.scores(features))
    check = FamiliarityCheck(familiarity, Rule("familiarity", "above", scores[200], scores[290], ""))
    outcomes = [found.outcome for found in check.examine(features)]
    assert [outcomes.count(name) for name in (ACCEPT, WARN, REFUSE)] == [201, 90, 9]


@pytest.mark.parametrize("model", MODELS.names)
def test_shipped_checks_load(model):
    """Each shipped model has its own, whose refusal lies beyond its warning."""
    spec = load_spec(model)
    check = load_familiarity(spec)
    assert 1 < check.rule.warn <= check.rule.refuse
    assert check.rule.source


def test_another_file_is_refused(tmp_path, features):
    """The specification names the file by its sha256; without a name there is no check, and no reader."""
    spec, data = load_spec("cnn"), fit_familiarity(features, 3).to_bytes()
    own = spec.out_of_distribution.replace(sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(MissingWeights):
        load_familiarity(spec.replace(out_of_distribution=own), tmp_path)
    (tmp_path / "cnn.features.npz").write_bytes(data)
    load_familiarity(spec.replace(out_of_distribution=own), tmp_path)
    with pytest.raises(AlteredWeights):
        load_familiarity(spec, tmp_path)
