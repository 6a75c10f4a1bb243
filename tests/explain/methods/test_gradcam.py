"""Closed-form Grad-CAM: by hand, and against the library that computes gradients."""

import keras
import numpy as np
import pytest

from cxrmodel.explain.methods.gradcam import contributions
from cxrmodel.explain.methods.keras_vis import gradcam
from cxrmodel.model.keras_engine import KerasEngine
from cxrmodel.model.network import build, with_contributions
from cxrmodel.model.spec import load_spec
from cxrmodel.models import MODELS


def test_toy_by_hand():
    """Two channels on a 2 x 2 grid, weights 4 and -8: each position is (4 a - 8 b) / 4."""
    first, second = [[1, 2], [3, 4]], [[0, 1], [1, 3]]
    features = np.stack([first, second], axis=-1)[None].astype(np.float32)
    np.testing.assert_allclose(contributions(features, np.array([4.0, -8.0])), [[[1, 0], [1, -2]]])


def test_positions_sum_to_the_logit():
    """With any weights they sum to the logit minus the bias."""
    rng = np.random.default_rng(0)
    features, weights = rng.random((3, 5, 4, 7)), rng.normal(size=7)
    logits = features.mean((1, 2)) @ weights
    np.testing.assert_allclose(contributions(features, weights).sum((1, 2)), logits, rtol=1e-5)


@pytest.mark.parametrize("model", MODELS.names)
def test_the_graph_gives_the_closed_form_and_the_map_of_the_library(model):
    """For an untrained network of each model."""
    keras.utils.set_random_seed(1)
    network = build(model, 64)
    images = np.random.default_rng(0).normal(size=(3, 64, 64, 1)).astype(np.float32)
    features = keras.Model(network.input, network.get_layer(MODELS[model].cam_layer).output)(images)
    ours = contributions(np.asarray(features), np.asarray(network.get_layer("logit").kernel)[:, 0])
    logits, graph = with_contributions(network, MODELS[model].cam_layer)(images)
    np.testing.assert_allclose(graph[..., 0], ours, atol=1e-6)
    np.testing.assert_allclose(logits, network(images), atol=1e-5)
    np.testing.assert_allclose(gradcam(network, MODELS[model].cam_layer, images), np.maximum(ours, 0), atol=1e-6)


@pytest.mark.parametrize("model", MODELS.names)
def test_trained_weights_agree_with_the_library(model, make_image):
    """Of one view, the contributions above zero are the map of tf-keras-vis, within 1e-4 of its range."""
    spec = load_spec(model)
    network = KerasEngine(spec).network
    rng = np.random.default_rng(0)
    images = rng.normal(size=(4, spec.input_size, spec.input_size, 1)).astype(np.float32)
    maps = np.maximum(with_contributions(network, spec.cam_layer)(images)[1][..., 0], 0)
    wanted = gradcam(network, spec.cam_layer, images)
    assert wanted.shape == maps.shape
    np.testing.assert_allclose(maps, wanted, atol=1e-4 * max(float(np.ptp(wanted)), 1e-3))
