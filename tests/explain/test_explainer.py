"""Every method over one small network: shapes, likeness to its definition, progress, turns, refusals."""

import threading

import keras
import numpy as np
import pytest

from cxrmodel.evaluation.explanations.randomisation import NetworkEngine, explainer_of
from cxrmodel.explain import explainer as explaining
from cxrmodel.explain import gradients
from cxrmodel.explain.explainer import Explainer
from cxrmodel.explain.methods import INSTANT, METHODS, SCORECAM_CHANNELS
from cxrmodel.model.network import build
from cxrmodel.model.preprocess import ModelInput
from cxrmodel.model.spec import load_spec
from cxrmodel.models import MODELS

CNN = MODELS["cnn"]
SIZE = 64


@pytest.fixture(scope="module")
def spec():
    """The plain CNN's, for small crops."""
    return load_spec("cnn").replace(input_size=SIZE)


@pytest.fixture(scope="module")
def network():
    """An untrained plain CNN whose logit rises with its features."""
    keras.utils.set_random_seed(3)
    made = build("cnn", SIZE)
    kernel, bias = made.get_layer("logit").get_weights()
    made.get_layer("logit").set_weights([np.abs(kernel), bias])
    return made


@pytest.fixture(scope="module")
def images():
    """Two crops of noise with a bright square."""
    drawn = np.random.default_rng(0).normal(size=(2, SIZE, SIZE, 1)).astype(np.float32)
    drawn[:, 8:24, 36:56] += 3
    return drawn


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_raw_maps(method, network, spec, images):
    """Zero or above, finite, not empty, not stretched to one, and the same again; of one image as of two."""
    explainer = explainer_of(network, spec)
    maps = explainer.crop_maps(method, images)
    assert maps.dtype == np.float32
    assert len(maps) == 2
    assert np.isfinite(maps).all()
    assert maps.min() >= 0
    assert (maps.max((1, 2)) > 0).all()
    assert not np.allclose(maps.max((1, 2)), 1.0)
    if method != "smoothgrad":
        np.testing.assert_allclose(explainer.crop_maps(method, images[:1])[0], maps[0], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(explainer.crop_maps(method, images), maps, rtol=1e-4, atol=1e-6)


def test_layercam_and_its_kin_at_the_last_layer(network, images):
    """There, with weights above zero, they are Grad-CAM up to scale, which is why they look at an earlier layer."""
    last = CNN.cam_layer
    wanted = gradients.gradcam(network, last, images)
    for found in (gradients.layercam(network, last, images), gradients.gradcam_plus_plus(network, last, images)):
        ratio = found / wanted
        np.testing.assert_allclose(ratio, np.broadcast_to(ratio.mean((1, 2), keepdims=True), ratio.shape), rtol=1e-3)
    assert gradients.layercam(network, CNN.fine_layer, images).shape[1] == 4 * wanted.shape[1]


def test_layercam_by_its_definition(network, images):
    """At each place the activations times their gradients above zero, summed over channels."""
    import tensorflow as tf

    layer = network.get_layer(CNN.fine_layer)
    both = keras.Model(network.input, [network.output, layer.output])
    with tf.GradientTape() as tape:
        logits, features = both(images)
        gradient = tape.gradient(logits, features)
    wanted = (np.asarray(features) * np.maximum(gradient, 0)).sum(-1)
    np.testing.assert_allclose(gradients.layercam(network, layer.name, images), wanted, rtol=1e-3, atol=1e-6)


def test_gradcam_plus_plus_does_not_grow_with_the_logit(network, images):
    """A bias of 20 leaves the map, which as published would grow by a factor of half a billion."""
    lifted = keras.models.clone_model(network)
    lifted.set_weights(network.get_weights())
    kernel, bias = lifted.get_layer("logit").get_weights()
    lifted.get_layer("logit").set_weights([kernel, bias + 20])
    layer = CNN.fine_layer
    plain, high = (gradients.gradcam_plus_plus(one, layer, images) for one in (network, lifted))
    np.testing.assert_allclose(high, plain, rtol=1e-3)


@pytest.mark.parametrize("traced", [False, True])
def test_saliency_of_a_linear_network(traced):
    """The absolute weight of each pixel; also of those weights that the network is given later."""
    inputs = keras.Input((4, 4, 1))
    logit = keras.layers.Dense(1, name="logit")
    model = keras.Model(inputs, logit(keras.layers.Flatten()(inputs)))
    weights = np.linspace(-2, 2, 16, dtype=np.float32)
    logit.set_weights([weights[:, None], np.zeros(1, np.float32)])
    image = np.random.default_rng(0).normal(size=(1, 4, 4, 1)).astype(np.float32)
    wanted = np.abs(weights).reshape(1, 4, 4)
    np.testing.assert_allclose(gradients.saliency(model, image, traced), wanted, atol=1e-6)
    np.testing.assert_allclose(gradients.smoothgrad(model, image, 5, 0.1, 0, traced=traced), wanted, atol=1e-5)
    logit.set_weights([3 * weights[:, None], np.zeros(1, np.float32)])
    np.testing.assert_allclose(gradients.saliency(model, image, traced), 3 * wanted, atol=1e-6)


def test_scorecam_weighs_by_the_logit(network, images):
    """Channels that the network answers to decide; a network that answers alike to all gives an empty map."""
    layer = CNN.score_layer
    deaf = gradients.scorecam(network, layer, images[:1], 8, lambda inputs: np.full(len(inputs), 7.0))
    assert not deaf.any()
    real = NetworkEngine(network, CNN.cam_layer)
    assert gradients.scorecam(network, layer, images[:1], 8, lambda inputs: real.run(inputs)[0] * 3).any()


@pytest.mark.parametrize("model", MODELS.names)
def test_layers_exist_and_are_finer(model):
    """In both networks, four times and twice as fine as the last features."""
    made = build(model, 64)
    last = made.get_layer(MODELS[model].cam_layer).output.shape[1]
    assert made.get_layer(MODELS[model].fine_layer).output.shape[1] == 4 * last
    assert made.get_layer(MODELS[model].score_layer).output.shape[1] == 2 * last


def test_looking_does_not_change_the_network(network, spec, images):
    """Weights and answers are the same after every method."""
    before, said = network.get_weights(), np.asarray(network(images))
    explainer = explainer_of(network, spec)
    for method in METHODS:
        explainer.crop_maps(method, images[:1])
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(np.asarray(network(images)), said)


def test_map_on_the_image_is_zero_beyond_the_crop(network, spec, images):
    """And covers it within."""
    found = explainer_of(network, spec).image_map("occlusion", ModelInput(images[0], (40, 60, 200, 180)))
    assert found.shape == (224, 224)
    assert found[40:200, 60:180].any()
    found[40:200, 60:180] = 0
    assert not found.any()


@pytest.mark.parametrize("method", ["scorecam", "smoothgrad", "occlusion"])
def test_slow_methods_tell_their_progress_and_can_be_stopped(method, network, spec, images):
    """The share rises from 0; what the callback raises comes through, and the next image can be explained."""
    explainer, told = explainer_of(network, spec), []
    explainer.crop_maps(method, images[:1], lambda share, words: told.append((share, words)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert len(set(shares)) >= 4
    assert METHODS[method].title in told[-1][1]

    def stop(share, words):
        if share > 0.2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        explainer.crop_maps(method, images[:1], stop)
    assert explainer.crop_maps(INSTANT, images[:1]).any()


def test_only_what_needs_it_loads_the_network(spec, network, images):
    """Once, and it is said before."""
    loads, told = [], []

    def load():
        loads.append(1)
        return network

    explainer = Explainer(spec, NetworkEngine(network, spec.cam_layer), load)
    for method, known in METHODS.items():
        if not known.tensorflow:
            explainer.crop_maps(method, images[:1], lambda share, words: told.append(words))
    assert not loads
    assert not any("TensorFlow" in words for words in told)
    for _ in range(2):
        explainer.crop_maps("saliency", images[:1], lambda share, words: told.append(words))
    assert len(loads) == 1
    assert sum("Loading TensorFlow" in words for words in told) == 1


def test_one_image_at_a_time(network, spec, images, monkeypatch):
    """Who must wait is told so, and may leave."""
    monkeypatch.setattr(explaining, "_WAIT", 0.01)
    explainer, inside, leave = explainer_of(network, spec), threading.Event(), threading.Event()

    def hold(share, words):
        inside.set()
        leave.wait(20)

    first = threading.Thread(target=explainer.crop_maps, args=("occlusion", images[:1], hold))
    first.start()
    assert inside.wait(20)

    def wait(share, words):
        assert "waiting for another image" in words
        raise InterruptedError

    try:
        with pytest.raises(InterruptedError):
            explainer.crop_maps("occlusion", images[:1], wait)
    finally:
        leave.set()
        first.join()
    assert explainer.crop_maps("occlusion", images[:1]).any()


def test_unknown_method(network, spec, images):
    """A name that is not there is not guessed."""
    with pytest.raises(ValueError, match="dream"):
        explainer_of(network, spec).crop_maps("dream", images)


def test_costs_are_those_stated(network, spec, images):
    """Passes of the engine that methods without gradients take, the features' own pass left out."""
    engine, counted = NetworkEngine(network, spec.cam_layer), []

    class Counting:
        def run(self, inputs):
            counted.append(len(inputs))
            return engine.run(inputs)

    explainer = Explainer(spec, Counting(), lambda: network)
    explainer.crop_maps("occlusion", images[:1])
    assert sum(counted) == METHODS["occlusion"].passes
    counted.clear()
    explainer.crop_maps("scorecam", images[:1])
    assert sum(counted) + 1 == METHODS["scorecam"].passes == 2 * SCORECAM_CHANNELS + 3


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_every_method_says_what_it_is(method):
    """Title, paper with its year, address, what it shows and cannot, unit and cost."""
    assert method.title
    assert any(str(year) in method.paper for year in range(2013, 2025))
    assert method.link.startswith("https://")
    assert method.shows.endswith(".")
    assert method.cannot.endswith(".")
    assert method.unit
    assert method.cost.endswith(".")
