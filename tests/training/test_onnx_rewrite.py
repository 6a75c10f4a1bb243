"""Rewriting exported graphs: faster operators, the same values, and no change to graphs that only look similar."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from cxrmodel.artefacts import open_graph
from cxrmodel.training.onnx_rewrite import rewrite_graph

CHANNELS = 3


def graph(nodes, constants=(), outputs=("out",)) -> bytes:
    """A graph over (N, 3, 8, 8) pixels, ``x``."""
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", CHANNELS, 8, 8])]
    values_out = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", "C", "H", "W"]) for name in outputs]
    initializers = [numpy_helper.from_array(np.asarray(value), name) for name, value in dict(constants).items()]
    model = helper.make_model(
        helper.make_graph(nodes, "toy", inputs, values_out, initializers),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    return model.SerializeToString()


def node(kind, *inputs, out="out", **options):
    return helper.make_node(kind, list(inputs), [out], **options)


def kinds(data: bytes) -> list[str]:
    return [item.op_type for item in onnx.load_model_from_string(data).graph.node]


def values(data: bytes, pixels: np.ndarray) -> list[np.ndarray]:
    return open_graph(data).run(None, {"x": pixels})


def channels(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32).reshape(1, -1, 1, 1)


SCALE, SHIFT = channels(2, -1, 0.5), channels(0.1, 0, -3)
PADS = np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)
ZERO = np.float32(0)
KERNEL = np.random.default_rng(0).normal(size=(5, CHANNELS, 1, 1)).astype(np.float32)
POOL = {"kernel_shape": [3, 3], "strides": [2, 2]}
HALVED = {"kernel_shape": [2, 2], "strides": [2, 2]}
TWICE = {
    "row": np.int64([3]),
    "rows": np.int64([1, 1, 1, 2, 1]),
    "tall": np.int64([-1, CHANNELS, 16, 8]),
    "column": np.int64([4]),
    "columns": np.int64([1, 1, 1, 1, 3]),
    "wide": np.int64([-1, CHANNELS, 16, 24]),
}


def repeated(perm=(0, 1, 2, 3)) -> list:
    """Every row twice, every column three times, in the exporter's steps."""
    return [
        node("Relu", "x", out="r"),
        node("Unsqueeze", "r", "row", out="r1"),
        node("Tile", "r1", "rows", out="r2"),
        node("Reshape", "r2", "tall", out="r3"),
        node("Unsqueeze", "r3", "column", out="c1"),
        node("Tile", "c1", "columns", out="c2"),
        node("Reshape", "c2", "wide", out="c3"),
        node("Transpose", "c3", perm=perm),
    ]


REWRITTEN = {
    "scale and shift": (
        [node("Mul", "x", "a", out="m"), node("Add", "m", "b")],
        {"a": SCALE, "b": SHIFT},
        ["BatchNormalization"],
    ),
    "constants first": (
        [node("Mul", "a", "x", out="m"), node("Add", "b", "m")],
        {"a": SCALE, "b": SHIFT},
        ["BatchNormalization"],
    ),
    "zero padding before MaxPool": (
        [node("Relu", "x", out="r"), node("Pad", "r", "p", "z", out="w"), node("MaxPool", "w", **POOL)],
        {"p": PADS, "z": ZERO},
        ["Relu", "MaxPool"],
    ),
    "zero padding before padded MaxPool": (
        [node("Relu", "x", out="r"), node("Pad", "r", "p", out="w"), node("MaxPool", "w", **POOL, pads=[1, 0, 0, 1])],
        {"p": PADS},
        ["Relu", "MaxPool"],
    ),
    "average after a 1 x 1 convolution": (
        [node("Conv", "x", "k", "b", kernel_shape=[1, 1], out="c"), node("AveragePool", "c", **HALVED)],
        {"k": KERNEL, "b": np.arange(5, dtype=np.float32)},
        ["AveragePool", "Conv"],
    ),
    "rows and columns repeated": (repeated(), TWICE, ["Relu", "Resize"]),
}
UNCHANGED = {
    "rows and columns swapped": ([node("Relu", "x", out="r"), node("Transpose", "r", perm=[0, 1, 3, 2])], {}),
    "repeated and swapped": (repeated((0, 1, 3, 2)), TWICE),
    "whole image tiled": (
        [node("Relu", "x", out="r"), node("Tile", "r", "t", out="w"), node("Transpose", "w", perm=[0, 1, 2, 3])],
        {"t": np.int64([1, 1, 2, 2])},
    ),
    "two values joined": (
        [
            node("Relu", "x", out="r"),
            node("Neg", "x", out="n"),
            node("Concat", "r", "n", axis=2, out="w"),
            node("Transpose", "w", perm=[0, 1, 2, 3]),
        ],
        {},
    ),
    "slice": (
        [
            node("Relu", "x", out="r"),
            node("Slice", "r", "from", "to", "along", out="w"),
            node("Transpose", "w", perm=[0, 1, 2, 3]),
        ],
        {"from": np.int64([0]), "to": np.int64([3]), "along": np.int64([2])},
    ),
    "scale alone": ([node("Mul", "x", "a")], {"a": SCALE}),
    "scale used twice": (
        [node("Mul", "x", "a", out="m"), node("Add", "m", "b", out="s"), node("Add", "s", "m")],
        {"a": SCALE, "b": SHIFT},
    ),
    "scale by pixel": (
        [node("Mul", "x", "a", out="m"), node("Add", "m", "b")],
        {"a": np.full((1, 1, 8, 8), 2, np.float32), "b": SHIFT},
    ),
    "one scale for all channels": (
        [node("Mul", "x", "a", out="m"), node("Add", "m", "b")],
        {"a": np.full((1, 1, 1, 1), 2, np.float32), "b": SHIFT},
    ),
    "computed shift": ([node("Mul", "x", "a", out="m"), node("Add", "m", "x")], {"a": SCALE}),
    "zero padding of negative values": (
        [node("Pad", "x", "p", "z", out="w"), node("MaxPool", "w", **POOL)],
        {"p": PADS, "z": ZERO},
    ),
    "padding with ones": (
        [node("Relu", "x", out="r"), node("Pad", "r", "p", "z", out="w"), node("MaxPool", "w", **POOL)],
        {"p": PADS, "z": np.float32(1)},
    ),
    "edge padding": (
        [node("Relu", "x", out="r"), node("Pad", "r", "p", out="w", mode="edge"), node("MaxPool", "w", **POOL)],
        {"p": PADS},
    ),
    "negative padding": (
        [node("Relu", "x", out="r"), node("Pad", "r", "p", out="w"), node("MaxPool", "w", **POOL)],
        {"p": -PADS},
    ),
    "padded channels": (
        [node("Relu", "x", out="r"), node("Pad", "r", "p", out="w"), node("MaxPool", "w", **POOL)],
        {"p": np.array([0, 1, 1, 1, 0, 0, 1, 1], np.int64)},
    ),
    "padding wider than the kernel": (
        [node("Relu", "x", out="r"), node("Pad", "r", "p", out="w"), node("MaxPool", "w", **POOL)],
        {"p": 3 * PADS},
    ),
    "3 x 3 convolution before the average": (
        [node("Conv", "x", "k", kernel_shape=[3, 3], out="c"), node("AveragePool", "c", **HALVED)],
        {"k": np.ones((2, CHANNELS, 3, 3), np.float32)},
    ),
    "strided convolution before the average": (
        [node("Conv", "x", "k", kernel_shape=[1, 1], strides=[2, 2], out="c"), node("AveragePool", "c", **HALVED)],
        {"k": KERNEL},
    ),
    "padded average": (
        [node("Conv", "x", "k", kernel_shape=[1, 1], out="c"), node("AveragePool", "c", **HALVED, pads=[1, 1, 1, 1])],
        {"k": KERNEL},
    ),
}


@pytest.fixture
def pixels():
    return np.random.default_rng(1).normal(size=(2, CHANNELS, 8, 8)).astype(np.float32)


@pytest.mark.parametrize(("nodes", "constants", "expected"), REWRITTEN.values(), ids=REWRITTEN)
def test_rewritten(nodes, constants, expected, pixels):
    """Other operators, the same values, and no unused constant."""
    before = graph(nodes, constants)
    after = rewrite_graph(before)
    assert kinds(after) == expected
    (found,), (wanted,) = values(after, pixels), values(before, pixels)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    model = onnx.load_model_from_string(after).graph
    assert {item.name for item in model.initializer} <= {name for item in model.node for name in item.input}


@pytest.mark.parametrize(("nodes", "constants"), UNCHANGED.values(), ids=UNCHANGED)
def test_unchanged(nodes, constants, pixels):
    """Graphs that only look similar stay unchanged."""
    before = graph(nodes, constants)
    assert kinds(rewrite_graph(before)) == kinds(before)
    np.testing.assert_array_equal(values(rewrite_graph(before), pixels)[0], values(before, pixels)[0])


def test_output_in_the_middle_is_kept(pixels):
    """An output is not optimised away."""
    before = graph([node("Mul", "x", "a", out="m"), node("Add", "m", "b")], {"a": SCALE, "b": SHIFT}, ("m", "out"))
    for found, wanted in zip(values(rewrite_graph(before), pixels), values(before, pixels), strict=True):
        np.testing.assert_array_equal(found, wanted)


@given(
    side=st.integers(1, 4),
    pads=st.lists(st.integers(0, 3), min_size=4, max_size=4),
    step=st.integers(1, 3),
    seed=st.integers(0, 9),
)
def test_padding_of_any_width(side, pads, step, seed):
    """Padding within or before the maximum gives the same, whatever the widths."""
    top, left, bottom, right = pads
    nodes = [
        node("Relu", "x", out="r"),
        node("Pad", "r", "p", out="w"),
        node("MaxPool", "w", kernel_shape=[side, side], strides=[step, step]),
    ]
    before = graph(nodes, {"p": np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)})
    shown = np.random.default_rng(seed).normal(size=(1, CHANNELS, 8, 8)).astype(np.float32)
    np.testing.assert_array_equal(values(rewrite_graph(before), shown)[0], values(before, shown)[0])
