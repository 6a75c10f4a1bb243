"""Networks: flat, with one logit and a map of the last features."""

import keras
import numpy as np
import pytest

from cxrmodel.model.network import build, build_segmenter
from cxrmodel.models import MODELS
from cxrmodel.registry import UnknownName


@pytest.mark.parametrize(("model", "channels"), [("densenet121", 1024), ("cnn", 192)])
def test_readers_are_flat_with_one_logit(model, channels):
    """No layer is a network, the output has no activation, and the last features are those of the CAM layer."""
    network = build(model, 96)
    assert network.output_shape == (None, 1)
    assert not any(isinstance(layer, keras.Model) for layer in network.layers)
    assert network.get_layer("logit").activation is keras.activations.linear
    features = network.get_layer(MODELS[model].cam_layer).output
    assert features.shape[1:] == (96 // MODELS[model].stride, 96 // MODELS[model].stride, channels)


def test_any_size_shares_the_weights():
    """Weights trained on small images also fit a larger input."""
    free, fixed = build("cnn"), build("cnn", 64)
    fixed.set_weights(free.get_weights())
    image = np.random.default_rng(0).random((1, 64, 64, 1), np.float32)
    np.testing.assert_allclose(free(image), fixed(image), atol=1e-5)


def test_dropout_is_off_when_reading():
    """The same image gives the same logit twice."""
    network = build("cnn", 32, dropout=0.5)
    image = np.ones((1, 32, 32, 1), np.float32)
    np.testing.assert_array_equal(network(image, training=False), network(image, training=False))


def test_batch_does_not_change_an_image():
    """An image's logit does not depend on the rest of the batch."""
    network = build("cnn", 32)
    images = np.random.default_rng(0).random((4, 32, 32, 1), np.float32)
    alone = np.concatenate([network(images[i : i + 1]) for i in range(4)])
    np.testing.assert_allclose(network(images), alone, atol=1e-5)


def test_segmenter_works_at_half_the_resolution():
    """One logit for 2 x 2 pixels."""
    network = build_segmenter(64)
    assert network.output_shape == (None, 32, 32, 1)
    assert network.count_params() < 500_000


def test_unknown_model():
    """It is an error."""
    with pytest.raises(UnknownName):
        build("resnet")
