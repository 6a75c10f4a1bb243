"""Randomisation test: it finds the maps that do not depend on the weights."""

import keras
import numpy as np
import pytest

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.explanations import randomisation
from cxrmodel.explain.grid import blurred
from cxrmodel.model.network import build
from cxrmodel.model.spec import load_spec
from cxrmodel.models import MODELS

SIZE = 64


@pytest.fixture(scope="module")
def spec():
    """The plain CNN's, for small crops."""
    return load_spec("cnn").replace(input_size=SIZE)


@pytest.fixture(scope="module")
def network():
    """The shipped plain CNN, for small crops."""
    made = build("cnn", SIZE)
    shipped = load_spec("cnn")
    made.set_weights(keras.models.load_model(weights_of(shipped), compile=False).get_weights())
    return made


def weights_of(spec):
    """The Keras file of a model."""
    from cxrmodel.model.spec import read_weights

    return read_weights(spec)


@pytest.fixture(scope="module")
def crops(make_image):
    """Four crops of drawn images."""
    images = np.stack([make_image(seed, (SIZE, SIZE)) for seed in range(4)])[..., None]
    return ((images - images.mean()) / images.std()).astype(np.float32)


@pytest.mark.parametrize("model", MODELS.names)
def test_every_weight_belongs_to_one_stage(model):
    """From the output down to the stem, nothing left out and nothing twice."""
    owners = {
        layer.name: [stage for stage, starts in MODELS[model].stages.items() if layer.name.split("_")[0] in starts]
        for layer in build(model, 64).layers
        if layer.weights
    }
    assert owners
    assert [name for name, found in owners.items() if len(found) != 1] == []


def test_stages_change_from_the_top(network):
    """Randomising the output keeps the other layers; randomising all keeps no trained weight."""
    changed = keras.models.clone_model(network)
    changed.set_weights(network.get_weights())
    randomisation.renew(changed, MODELS["cnn"].stages["output"], 0)
    same = [np.array_equal(a, b) for a, b in zip(network.get_weights(), changed.get_weights(), strict=True)]
    assert same.count(False) == 2  # kernel and bias of the output
    for number, starts in enumerate(MODELS["cnn"].stages.values()):
        randomisation.renew(changed, starts, number)
    assert not any(np.array_equal(a, b) for a, b in zip(network.get_weights(), changed.get_weights(), strict=True))
    assert changed.get_layer("last_features_bn").get_weights()[3].tolist() == [1.0] * 192


def test_layers_of_one_shape_are_drawn_apart():
    """Each has weights of its own; the same seed draws the same again."""
    inputs = keras.Input((4,))
    twins = [keras.layers.Dense(4, name=f"twin_{number}") for number in range(2)]
    network = keras.Model(inputs, twins[1](twins[0](inputs)))

    def drawn(seed):
        randomisation.renew(network, ["twin"], seed)
        return [twin.get_weights()[0] for twin in twins]

    one, other = drawn(0)
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(drawn(0), [one, other])
    assert not np.array_equal(drawn(1)[0], one)


def test_the_whole_network_is_drawn_more_than_once(network, spec, crops):
    """One draw whose map happens to be the trained one's does not decide; each draw has weights of its own."""
    rising = np.tile(np.arange(784.0).reshape(28, 28), (len(crops), 1, 1))
    similar, seen = [True, *[False] * (len(MODELS["cnn"].stages) - 1), True, *[False] * (randomisation.DRAWS - 1)], []

    def maps(explainer, tensors):
        seen.append(explainer.logits(tensors))
        return rising if similar[len(seen) - 1] else -rising

    found = randomisation.cascade(network, spec, crops, maps)
    assert len(seen) == len(similar)
    assert len({tuple(logits) for logits in seen}) == len(seen)
    assert [stage["spearman"] for stage in found[:-1]] == pytest.approx([-1.0] * (len(found) - 1))
    assert found[-1]["spearman"] == pytest.approx((1 - (randomisation.DRAWS - 1)) / randomisation.DRAWS, abs=1e-3)


def test_a_faithful_method_changes_and_an_edge_detector_does_not(network, spec, crops):
    """Grad-CAM changes; a map of edges alone stays the same and fails."""
    before = network.get_weights()

    def gradcam(explainer, tensors):
        return explainer.crop_maps("gradcam", tensors)

    def edges(explainer, tensors):
        return np.stack([np.abs(tensor - blurred(tensor))[..., 0] for tensor in tensors])

    faithful = [stage["spearman"] for stage in randomisation.cascade(network, spec, crops, gradcam)]
    constant = [stage["spearman"] for stage in randomisation.cascade(network, spec, crops, edges)]
    assert len(faithful) == len(MODELS["cnn"].stages)
    assert faithful[-1] < randomisation.SIMILAR
    assert randomisation.depends_on_model(faithful, None)
    assert constant == pytest.approx([1.0] * len(constant))
    assert not randomisation.depends_on_model(constant, None)
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("randomised", "shuffled", "depends"),
    [
        ([0.9, 0.1], None, True),
        ([0.1, 0.5], None, False),
        ([0.9, 0.1], 0.49, True),
        ([0.9, 0.1], 0.5, False),
        ([0.2, 0.8], 0.1, False),
    ],
)
def test_what_counts(randomised, shuffled, depends):
    """The whole network randomised, and shuffled labels where they were measured."""
    assert randomisation.depends_on_model(randomised, shuffled) is depends


def test_shuffled_weights_are_optional_and_checked(spec, tmp_path):
    """Absent is no error, another network is."""
    assert randomisation.shuffled(tmp_path / "cnn.keras", spec) is None
    path = tmp_path / "cnn.keras"
    build("cnn", 32).save(path)  # another size of the same network is taken
    network, digest = randomisation.shuffled(path, spec)
    assert network.input_shape == (None, SIZE, SIZE, 1)
    assert len(digest) == 64
    path.write_bytes(b"no weights")
    with pytest.raises(EvaluationError) as caught:
        randomisation.shuffled(path, spec)
    assert caught.value.message.code == "evaluation.error.shuffled"
