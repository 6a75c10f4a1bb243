"""Closed-form Grad-CAM: by hand, and against the library that computes gradients."""

import keras
import numpy as np
import pytest

from cxrmodel.explain.methods.gradcam import closed_form
from cxrmodel.explain.methods.keras_vis import gradcam
from cxrmodel.model.keras_engine import KerasEngine
from cxrmodel.model.mirroring import mean_of_views, mirrored
from cxrmodel.model.network import build, with_map
from cxrmodel.model.spec import load_spec
from cxrmodel.models import MODELS


def test_toy_by_hand():
    """Two channels on a 2 x 2 grid, weights 4 and -8: each position is max(0, (4 a - 8 b) / 4)."""
    first, second = [[1, 2], [3, 4]], [[0, 1], [1, 3]]
    features = np.stack([first, second], axis=-1)[None].astype(np.float32)
    np.testing.assert_allclose(closed_form(features, np.array([4.0, -8.0])), [[[1, 0], [1, 0]]])


def test_positions_sum_to_the_logit_where_none_is_negative():
    """With positive weights and features the map sums to the logit minus the bias."""
    rng = np.random.default_rng(0)
    features, weights = rng.random((3, 5, 4, 7)), rng.random(7)
    logits = features.mean((1, 2)) @ weights
    np.testing.assert_allclose(closed_form(features, weights).sum((1, 2)), logits, rtol=1e-5)


@pytest.mark.parametrize("model", MODELS.names)
def test_graph_with_map_is_the_closed_form_and_the_library(model):
    """For an untrained network of each model, all three maps are equal."""
    keras.utils.set_random_seed(1)
    network = build(model, 64)
    images = np.random.default_rng(0).normal(size=(3, 64, 64, 1)).astype(np.float32)
    features = keras.Model(network.input, network.get_layer(MODELS[model].cam_layer).output)(images)
    ours = closed_form(np.asarray(features), np.asarray(network.get_layer("logit").kernel)[:, 0])
    logits, graph = with_map(network, MODELS[model].cam_layer)(images)
    np.testing.assert_allclose(graph[..., 0], ours, atol=1e-6)
    np.testing.assert_allclose(logits, network(images), atol=1e-5)
    np.testing.assert_allclose(gradcam(network, MODELS[model].cam_layer, images), ours, atol=1e-6)


@pytest.mark.parametrize("model", MODELS.names)
def test_trained_weights_agree_with_the_library(model, make_image):
    """The shipped map is the mean of the maps of tf-keras-vis over both views, within 1e-4 of its range."""
    spec = load_spec(model)
    engine = KerasEngine(spec)
    rng = np.random.default_rng(0)
    images = rng.normal(size=(4, spec.input_size, spec.input_size, 1)).astype(np.float32)
    _, maps = engine.run(images)
    wanted = mean_of_views(*(gradcam(engine.network, spec.cam_layer, views) for views in (images, mirrored(images))))
    assert wanted.shape == maps.shape
    np.testing.assert_allclose(maps, wanted, atol=1e-4 * max(float(np.ptp(wanted)), 1e-3))
