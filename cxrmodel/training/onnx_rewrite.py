"""Rewriting of an exported ONNX graph: the same function in operators that ONNX Runtime runs faster.

ONNX Runtime keeps the channels of a convolutional network in blocks as wide as a vector register, but only between
operators that support this layout. Around every other operator it reorders the data. TensorFlow's exporter writes a
batch normalisation that cannot be folded into a convolution as ``Mul`` and ``Add``, padding as ``Pad``, and
upsampling as dozens of operators. None of these supports the layout.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.utils import Extractor

_Replacement = tuple[list[onnx.NodeProto], list[onnx.TensorProto], onnx.NodeProto]
"""New nodes, the constants that they need, and the last of the nodes that they replace."""
_DATA_MOVEMENT = {"Cast", "Concat", "Gather", "Reshape", "Shape", "Slice", "Tile", "Transpose", "Unsqueeze"}
"""Operators that move values without changing them."""


def rewrite_graph(graph: bytes) -> bytes:
    """Rewrite a graph in operators that the runtime computes faster.

    - Per-channel ``Mul`` and ``Add`` become one ``BatchNormalization``.
    - Zero padding between a ``Relu`` and a ``MaxPool`` becomes the padding of the ``MaxPool``: no value is below zero.
    - A 1 x 1 ``Conv`` before an ``AveragePool`` moves behind it, where there are fewer pixels: both are linear.
    - Nodes that together repeat every row and column become one ``Resize``.

    Parameters
    ----------
    graph : bytes
        ONNX, channels before rows and columns.

    Returns
    -------
    bytes
        ONNX with the same inputs and outputs, and the same values up to rounding.
    """
    model = onnx.load_model_from_string(graph)
    for rule in (_fuse_batch_normalisation, _fold_padding, _pool_first, _fuse_upsampling):
        _apply(rule, model)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def shapes(model: onnx.ModelProto) -> dict[str, list[int]]:
    """Shapes of the values that a model computes; 0 for a dimension that does not follow from those of its inputs."""
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    computed = (*graph.value_info, *graph.output)
    return {item.name: [side.dim_value for side in item.type.tensor_type.shape.dim] for item in computed}


class _Graph:
    """A model's values: their producers, consumers, shapes and constants."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model, graph = model, model.graph
        self._constants = {item.name: item for item in graph.initializer}
        self._producers = {name: node for node in graph.node for name in node.output}
        self._consumers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        self._outputs = {item.name for item in graph.output}
        for node in graph.node:
            for name in node.input:
                self._consumers[name].append(node)

    @cached_property
    def shapes(self) -> dict[str, list[int]]:
        """As :func:`shapes` gives them."""
        return shapes(self._model)

    @cached_property
    def extractor(self) -> Extractor:
        """Extracts parts of the model."""
        return Extractor(onnx.shape_inference.infer_shapes(self._model))

    def only_consumer(self, node: onnx.NodeProto, operator: str) -> onnx.NodeProto | None:
        """The one node, of the given operator, that consumes a node's output; None where it is not the only one."""
        (output,) = node.output
        consumers = self._consumers[output]
        is_only = output not in self._outputs and [consumer.op_type for consumer in consumers] == [operator]
        return consumers[0] if is_only else None

    def is_output_of(self, value: str, operator: str) -> bool:
        """Whether a node of an operator produces a value."""
        return value in self._producers and self._producers[value].op_type == operator

    def sources(self, node: onnx.NodeProto, operators: set[str]) -> set[str]:
        """Values that reach a node through nodes of some operators only, constants excluded."""
        found, waiting = set(), [*node.input]
        while waiting:
            name = waiting.pop()
            producer = self._producers.get(name)
            if producer is not None and producer.op_type in operators:
                waiting += producer.input
            elif name and name not in self._constants:
                found.add(name)
        return found

    def per_channel(self, node: onnx.NodeProto) -> tuple[str, NDArray[Any]] | None:
        """The value that a node of two inputs combines with one constant per channel, and these constants."""
        for value, constant in (node.input, reversed(node.input)):
            numbers = self.constant(constant)
            if numbers is not None and numbers.ndim == 4 and numbers.shape[1] == numbers.size > 1:
                return value, numbers.reshape(-1)
        return None

    def constant(self, name: str) -> NDArray[Any] | None:
        """A constant; None for a value that is computed or an input."""
        return numpy_helper.to_array(self._constants[name]) if name in self._constants else None


def _apply(rule: Callable[[_Graph, onnx.NodeProto], _Replacement | None], model: onnx.ModelProto) -> None:
    """Replace nodes wherever a rule gives a replacement, at the position of the last of them."""
    graph, known = model.graph, _Graph(model)
    replaced: set[str] = set()
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.output[0] in replaced:
            continue
        replacement = rule(known, node)
        if replacement is None:
            nodes.append(node)
            continue
        new, constants, last = replacement
        nodes += new
        graph.initializer.extend(constants)
        replaced.add(last.output[0])
    del graph.node[:]
    graph.node.extend(nodes)
    _drop_unused(graph)


def _fuse_batch_normalisation(graph: _Graph, node: onnx.NodeProto) -> _Replacement | None:
    following = graph.only_consumer(node, "Add") if node.op_type == "Mul" else None
    if following is None:
        return None
    scaled, shifted = graph.per_channel(node), graph.per_channel(following)
    if scaled is None or shifted is None or scaled[1].size != shifted[1].size:
        return None
    output = following.output[0]
    values = {"scale": scaled[1], "shift": shifted[1], "mean": 0 * shifted[1], "variance": 1 + 0 * shifted[1]}
    constants = [numpy_helper.from_array(numbers, f"{output}/{name}") for name, numbers in values.items()]
    names = [constant.name for constant in constants]
    fused = helper.make_node("BatchNormalization", [scaled[0], *names], [output], epsilon=0.0)
    return [fused], constants, following


def _fold_padding(graph: _Graph, node: onnx.NodeProto) -> _Replacement | None:
    following = graph.only_consumer(node, "MaxPool") if node.op_type == "Pad" else None
    if following is None or len(following.output) > 1 or not graph.is_output_of(node.input[0], "Relu"):
        return None
    options, added = _attributes(following), _zero_padding(graph, node)
    sides = np.array(options["kernel_shape"])
    if added is None or added.size != 4 + 2 * sides.size or "auto_pad" in options:
        return None
    outer, inner = np.split(added.reshape(2, -1), [2], axis=1)
    pads = inner + np.reshape(options.get("pads", 0 * inner), inner.shape)
    if outer.any() or (inner < 0).any() or (pads >= sides).any():
        return None
    pooled = helper.make_node("MaxPool", [node.input[0]], following.output)
    pooled.attribute.extend(item for item in following.attribute if item.name != "pads")
    pooled.attribute.append(helper.make_attribute("pads", pads.reshape(-1).tolist()))
    return [pooled], [], following


def _zero_padding(graph: _Graph, node: onnx.NodeProto) -> NDArray[Any] | None:
    """Widths of a ``Pad`` node, before and after along every axis; None where it does not pad with zeros."""
    added, fill = [graph.constant(name) for name in (*node.input[1:], "")][:2]
    constant = _attributes(node).get("mode", b"constant") == b"constant" and len(node.input) <= 3
    return added if constant and (len(node.input) == 2 or (fill is not None and not fill.any())) else None


def _pool_first(graph: _Graph, node: onnx.NodeProto) -> _Replacement | None:
    following = graph.only_consumer(node, "AveragePool") if node.op_type == "Conv" else None
    if following is None or not _is_pointwise(_attributes(node)) or _is_padded(_attributes(following)):
        return None
    between = f"{node.output[0]}/averaged"
    pool, convolution = onnx.NodeProto(), onnx.NodeProto()
    pool.CopyFrom(following)
    convolution.CopyFrom(node)
    pool.input[0], pool.output[0] = node.input[0], between
    convolution.input[0], convolution.output[0] = between, following.output[0]
    return [pool, convolution], [], following


def _is_pointwise(convolution: Mapping[str, Any]) -> bool:
    sides = (*convolution["kernel_shape"], *convolution.get("strides", ()))
    return set(sides) == {1} and not _is_padded(convolution)


def _is_padded(attributes: Mapping[str, Any]) -> bool:
    return any(attributes.get("pads", ())) or attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID")


def _fuse_upsampling(graph: _Graph, node: onnx.NodeProto) -> _Replacement | None:
    if node.op_type != "Transpose":
        return None
    sources, (output,) = [*graph.sources(node, _DATA_MOVEMENT)], node.output
    if len(sources) != 1 or len(graph.shapes.get(sources[0], [])) != 4:
        return None
    factors = _upsampling_factors(graph, sources[0], output)
    if factors is None:
        return None
    scales = numpy_helper.from_array(np.array([1, 1, *factors], np.float32), f"{output}/scales")
    options = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return [helper.make_node("Resize", [sources[0], "", scales.name], [output], **options)], [scales], node


def _upsampling_factors(graph: _Graph, source: str, output: str) -> tuple[int, int] | None:
    """How often the nodes between two values repeat rows and columns, by running them; None if they do more."""
    sides = (2, *graph.shapes[source][1:])
    values = np.arange(np.prod(sides), dtype=np.float32).reshape(sides)
    part = ReferenceEvaluator(graph.extractor.extract_model([source], [output]))
    (found,) = cast("list[NDArray[Any]]", part.run(None, {source: values}))
    if found.ndim != 4 or any(long % short for long, short in zip(found.shape, sides, strict=True)):
        return None
    rows, columns = (found.shape[axis] // sides[axis] for axis in (2, 3))
    same = rows * columns > 1 and np.array_equal(found, values.repeat(rows, 2).repeat(columns, 3))
    return (rows, columns) if same else None


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Remove nodes and constants that no output depends on."""
    needed = {item.name for item in graph.output}
    nodes: list[onnx.NodeProto] = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            nodes.append(node)
            needed |= set(node.input)
    constants = [item for item in graph.initializer if item.name in needed]
    del graph.node[:]
    graph.node.extend(reversed(nodes))
    del graph.initializer[:]
    graph.initializer.extend(constants)


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}
