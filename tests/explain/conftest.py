"""A small untrained network, its specification, and crops."""

import keras
import numpy as np
import pytest

from cxrmodel.model.network import build
from cxrmodel.model.spec import ModelSpec, load_spec

SIZE = 64


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    """The plain CNN's, for small crops."""
    return load_spec("cnn").replace(input_size=SIZE)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """An untrained plain CNN whose logit rises with its features."""
    keras.utils.set_random_seed(3)
    made = build("cnn", SIZE)
    kernel, bias = made.get_layer("logit").get_weights()
    made.get_layer("logit").set_weights([np.abs(kernel), bias])
    return made


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Two crops of noise with a bright square."""
    drawn = np.random.default_rng(0).normal(size=(2, SIZE, SIZE, 1)).astype(np.float32)
    drawn[:, 8:24, 36:56] += 3
    return drawn
