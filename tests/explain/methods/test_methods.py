"""Explanation methods on one small network: definitions, raw maps, costs, texts, and a toy method."""

import dataclasses
import subprocess
import sys

import keras
import numpy as np
import pytest

from cxrmodel.cli.main import build_parser
from cxrmodel.evaluation.explanations.randomisation import NetworkEngine, explainer_of
from cxrmodel.explain.explainer import Explainer
from cxrmodel.explain.method import Method
from cxrmodel.explain.methods import METHODS, scorecam
from cxrmodel.explain.methods.gradcam_plus_plus import gradcam_plus_plus
from cxrmodel.explain.methods.keras_vis import gradcam
from cxrmodel.explain.methods.layercam import layercam
from cxrmodel.explain.methods.saliency import saliency
from cxrmodel.explain.methods.smoothgrad import smoothgrad
from cxrmodel.messages import Message
from cxrmodel.model.network import build
from cxrmodel.models import MODELS

CNN = MODELS["cnn"]


@pytest.mark.parametrize("method", METHODS.names)
def test_every_method_gives_raw_maps(method, network, spec, images):
    """Finite, zero or above, not scaled to a peak of 1, repeatable, and equal for one image and for two."""
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


def test_layercam_and_gradcam_plus_plus_at_the_last_layer(network, images):
    """There, with positive weights, they equal Grad-CAM up to scale, so they use an earlier layer."""
    last = CNN.cam_layer
    wanted = gradcam(network, last, images)
    for found in (layercam(network, last, images), gradcam_plus_plus(network, last, images)):
        ratio = found / wanted
        np.testing.assert_allclose(ratio, np.broadcast_to(ratio.mean((1, 2), keepdims=True), ratio.shape), rtol=1e-3)
    assert layercam(network, CNN.fine_layer, images).shape[1] == 4 * wanted.shape[1]


def test_layercam_by_its_definition(network, images):
    """The sum over channels of activation times positive gradient, at each position."""
    import tensorflow as tf

    layer = network.get_layer(CNN.fine_layer)
    both = keras.Model(network.input, [network.output, layer.output])
    with tf.GradientTape() as tape:
        logits, features = both(images)
        gradient = tape.gradient(logits, features)
    wanted = (np.asarray(features) * np.maximum(gradient, 0)).sum(-1)
    np.testing.assert_allclose(layercam(network, layer.name, images), wanted, rtol=1e-3, atol=1e-6)


def test_gradcam_plus_plus_does_not_grow_with_the_logit(network, images):
    """A bias of 20 does not change the map; by the published formula it would grow by a factor of 5e8."""
    lifted = keras.models.clone_model(network)
    lifted.set_weights(network.get_weights())
    kernel, bias = lifted.get_layer("logit").get_weights()
    lifted.get_layer("logit").set_weights([kernel, bias + 20])
    layer = CNN.fine_layer
    plain, high = (gradcam_plus_plus(one, layer, images) for one in (network, lifted))
    np.testing.assert_allclose(high, plain, rtol=1e-3)


@pytest.mark.parametrize("traced", [False, True])
def test_saliency_of_a_linear_network(traced):
    """The absolute weight of each pixel, also after the weights change."""
    inputs = keras.Input((4, 4, 1))
    logit = keras.layers.Dense(1, name="logit")
    model = keras.Model(inputs, logit(keras.layers.Flatten()(inputs)))
    weights = np.linspace(-2, 2, 16, dtype=np.float32)
    logit.set_weights([weights[:, None], np.zeros(1, np.float32)])
    image = np.random.default_rng(0).normal(size=(1, 4, 4, 1)).astype(np.float32)
    wanted = np.abs(weights).reshape(1, 4, 4)
    np.testing.assert_allclose(saliency(model, image, traced), wanted, atol=1e-6)
    np.testing.assert_allclose(smoothgrad(model, image, 5, traced=traced), wanted, atol=1e-5)
    logit.set_weights([3 * weights[:, None], np.zeros(1, np.float32)])
    np.testing.assert_allclose(saliency(model, image, traced), 3 * wanted, atol=1e-6)


def test_scorecam_weighs_by_the_logit(network, images):
    """A network with a constant logit gives an all-zero map; the real one does not."""
    layer = CNN.score_layer
    constant = scorecam.scorecam(network, layer, images[:1], 8, lambda inputs: np.full(len(inputs), 7.0))
    assert not constant.any()
    real = NetworkEngine(network, CNN.cam_layer)
    assert scorecam.scorecam(network, layer, images[:1], 8, lambda inputs: real.run(inputs)[0] * 3).any()


@pytest.mark.parametrize("model", MODELS.names)
def test_layers_exist_and_are_finer(model):
    """The layer of Grad-CAM++ and LayerCAM than the last features; that of Score-CAM is at least as fine."""
    made, entry = build(model, 64), MODELS[model]
    names = entry.cam_layer, entry.score_layer, entry.fine_layer
    last, score, fine = (made.get_layer(name).output.shape[1] for name in names)
    assert last == 64 // entry.stride
    assert last <= score < fine


def test_explaining_does_not_change_the_network(network, spec, images):
    """Weights and outputs are the same after every method."""
    before, logits = network.get_weights(), np.asarray(network(images))
    explainer = explainer_of(network, spec)
    for method in METHODS.names:
        explainer.crop_maps(method, images[:1])
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(np.asarray(network(images)), logits)


def test_costs_are_those_stated(network, spec, images):
    """Engine passes of the methods without gradients; the pass that computes features is not counted."""
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
    assert sum(counted) + 1 == METHODS["scorecam"].passes == 2 * scorecam.CHANNELS + 3


@pytest.mark.parametrize("method", METHODS, ids=METHODS.names)
def test_every_method_has_its_texts(method):
    """Title, paper with year, link, what it shows and cannot show, unit, legend and cost."""
    assert method.title
    assert any(str(year) in method.paper for year in range(2013, 2025))
    assert method.link.startswith("https://")
    for message in (method.shows, method.cannot, method.unit, method.legend, method.cost):
        assert str(message)
    assert method.legend.values == {"title": method.title, "unit": method.unit}


@pytest.mark.parametrize(
    ("passes", "backwards", "cost"),
    [
        (0, False, Message("explain.cost.none")),
        (3, False, Message("explain.cost.passes", passes=3)),
        (1, True, Message("explain.cost.gradients", passes=1)),
    ],
)
def test_cost(passes, backwards, cost):
    """None, passes, or passes with gradients."""
    made = METHODS["saliency"]
    assert Method("x", "X", "", "", made.shows, made.cannot, made.unit, passes, made.compute, backwards).cost == cost


@pytest.mark.parametrize("single_view", [False, True])
def test_a_registered_method_gives_its_own_map(single_view, network, spec, images):
    """The mean over both views, or the map of ``compute``; never the map of another method."""

    def left_edge(context, tensors, progress):
        maps = np.zeros((len(tensors), 4, 4), np.float32)
        maps[:, :, 0] = 2.0
        return maps

    toy = METHODS["saliency"]
    toy = Method(
        "toy", "Toy", toy.paper, toy.link, toy.shows, toy.cannot, toy.unit, 1, left_edge, single_view=single_view
    )
    with METHODS.extended(toy):
        assert METHODS.names[-1] == "toy"
        maps = explainer_of(network, spec).crop_maps("toy", images)
    wanted = [1.0, 0.0, 0.0, 1.0] if single_view else [2.0, 0.0, 0.0, 0.0]
    np.testing.assert_array_equal(maps, np.broadcast_to(np.float32(wanted), (2, 4, 4)))


def test_a_registered_method_is_a_choice_of_the_command_line():
    """The command line offers every registered method."""
    argv = ["explain", "image.png", "--out", "map.png", "--method", "toy"]
    with METHODS.extended(dataclasses.replace(METHODS["gradcam"], name="toy")):
        assert build_parser().parse_args(argv).method == "toy"


def test_importing_the_methods_loads_no_tensorflow(project):
    """The command line imports them for its help."""
    code = "import sys, cxrmodel.explain.methods; sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=project, check=False).returncode == 0
