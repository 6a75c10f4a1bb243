"""Registry of models: a new model needs one entry."""

import keras
import numpy as np
import pytest
from keras import layers

from cxrmodel.model.network import build, for_reading
from cxrmodel.model.spec import load_spec
from cxrmodel.models import DEFAULT_MODEL, MODELS, ModelEntry, model_title


def toy_body(size, init):
    """Two convolutions."""
    inputs = layers.Input((size, size, 1))
    x = layers.Conv2D(2, 3, strides=2, padding="same", activation="relu", name="first")(inputs)
    return inputs, layers.Conv2D(3, 3, strides=2, padding="same", activation="relu", name="second")(x)


TOY = ModelEntry("toy", "Toy", toy_body, "second", ("first",), "first", "first", {"all": ("first", "second", "logit")})


@pytest.mark.parametrize(("model", "title"), [("densenet121", "DenseNet-121"), ("cnn", "Plain CNN"), ("x", "x")])
def test_titles(model, title):
    """Registered models have a title; any other keeps its name."""
    assert model_title(model) == title


def test_the_first_model_is_the_default():
    """The order of the registry decides."""
    assert DEFAULT_MODEL == MODELS.names[0] == "densenet121"


@pytest.mark.parametrize("model", MODELS.names)
def test_specification_agrees_with_the_table(model):
    """The spec of the weights names the entry's CAM layer, and the recipe is shipped."""
    assert load_spec(model).cam_layer == MODELS[model].cam_layer
    assert MODELS[model].recipe_file.is_file()


def test_a_registered_model_is_built_and_read():
    """A toy model gives logit, map and features through the same code."""
    with MODELS.extended(TOY):
        assert model_title("toy") == "Toy"
        network = build("toy", 16)
        logits, maps, features = for_reading(network, "toy")(np.zeros((2, 16, 16, 1), np.float32))
    assert isinstance(network, keras.Model)
    assert (logits.shape, maps.shape, features.shape) == ((2, 1), (2, 4, 4, 1), (2, 2))
    assert "toy" not in MODELS
