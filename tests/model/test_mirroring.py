"""Both views of an image have equal weight, and the map of the mirrored view is mirrored back."""

import keras
import numpy as np
import pytest

from cxrmodel.model.mirroring import mean_of_views, mirrored
from cxrmodel.model.network import build, for_reading, with_contributions
from cxrmodel.models import MODELS


def test_left_and_right_by_hand():
    """Columns are reversed; rows, images and channels are not."""
    images = np.arange(12).reshape(2, 2, 3, 1)
    assert mirrored(images)[..., 0].tolist() == [[[2, 1, 0], [5, 4, 3]], [[8, 7, 6], [11, 10, 9]]]


def test_mean_of_both_views_by_hand():
    """A map of the left column only becomes half left, half right."""

    def left(views: np.ndarray) -> np.ndarray:
        seen = np.zeros(views.shape[:3])
        seen[:, :, 0] = views[:, :, 0, 0]
        return seen

    image = np.float32([[[2], [5], [4]]])[None]
    assert mean_of_views(left(image), left(mirrored(image))).tolist() == [[[1.0, 0.0, 2.0]]]


@pytest.mark.parametrize("model", MODELS.names)
def test_a_reading_is_the_mean_of_both_views(model):
    """Logit, map and features of an untrained network, against its outputs for each view."""
    keras.utils.set_random_seed(2)
    network = build(model, 64)
    images = np.random.default_rng(0).normal(size=(3, 64, 64, 1)).astype(np.float32)
    logits, maps, features = (np.asarray(part) for part in for_reading(network, model)(images))
    one_way = with_contributions(network, MODELS[model].cam_layer)
    pools = keras.Model(network.input, [network.get_layer(name).output for name in MODELS[model].feature_layers])
    answers = [one_way(view) for view in (images, images[:, :, ::-1])]
    pooled = [np.concatenate([np.asarray(a).mean((1, 2)) for a in pools(v)], 1) for v in (images, images[:, :, ::-1])]
    np.testing.assert_allclose(logits, (answers[0][0] + answers[1][0]) / 2, atol=1e-5)
    np.testing.assert_allclose(maps, (answers[0][1] + np.asarray(answers[1][1])[:, :, ::-1]) / 2, atol=1e-6)
    np.testing.assert_allclose(features, (pooled[0] + pooled[1]) / 2, rtol=1e-4, atol=1e-5)
