"""An exported graph, rewritten without changing what it computes, so that ONNX Runtime need not undo its own layout.

ONNX Runtime keeps the channels of a convolutional network in blocks as wide as a vector register, but only between
nodes that it knows in that layout; around every other node it unpacks and packs them again. TensorFlow's exporter
writes a batch normalisation that cannot be folded into a convolution as a multiplication and an addition, and padding
as a node of its own: neither is such a node. Nor are the dozens that it needs to repeat rows and columns.
"""

from collections import defaultdict
from collections.abc import Callable
from functools import cached_property

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.utils import Extractor

__all__ = ["rewritten", "shapes"]

_Found = tuple[list[onnx.NodeProto], list[onnx.TensorProto], onnx.NodeProto]
"""What stands for nodes, constants that it needs, and the last of those nodes."""
_MOVES = {"Cast", "Concat", "Gather", "Reshape", "Shape", "Slice", "Tile", "Transpose", "Unsqueeze"}
"""Nodes that move values without changing them."""


def rewritten(graph: bytes) -> bytes:
    """Write a graph in the nodes that the runtime is fast at.

    - Per-channel multiplication and addition become one ``BatchNormalization``.
    - Zero padding between a rectifier and a maximum becomes the latter's own: nothing lies below the zeros.
    - A 1 x 1 convolution before an average over patches comes after it, on a fraction of the pixels: both are linear,
      and neither looks where the other does.
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
    for rule in (_normalise, _pad_within, _average_first, _repeated):
        _rewrite(model, rule)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def shapes(model: onnx.ModelProto) -> dict[str, list[int]]:
    """Shapes of the values that a model computes, 0 for a side that does not follow from those of its inputs."""
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    computed = (*graph.value_info, *graph.output)
    return {item.name: [side.dim_value for side in item.type.tensor_type.shape.dim] for item in computed}


class _Nodes:
    """Who makes a value, who takes it, and what shape it has."""

    def __init__(self, model: onnx.ModelProto):
        self._model, graph = model, model.graph
        self._constants = {item.name: item for item in graph.initializer}
        self._makers = {name: node for node in graph.node for name in node.output}
        self._takers, self._given = defaultdict(list), {item.name for item in graph.output}
        for node in graph.node:
            for name in node.input:
                self._takers[name].append(node)

    @cached_property
    def shapes(self) -> dict[str, list[int]]:
        """As :func:`shapes` gives them."""
        return shapes(self._model)

    @cached_property
    def parts(self) -> Extractor:
        """Takes parts out of the model."""
        return Extractor(onnx.shape_inference.infer_shapes(self._model))

    def only_taker(self, node: onnx.NodeProto, kind: str) -> onnx.NodeProto | None:
        """The node of a kind that alone takes what this one makes."""
        (made,) = node.output
        takers = self._takers[made]
        return takers[0] if made not in self._given and [taker.op_type for taker in takers] == [kind] else None

    def made_by(self, value: str, kind: str) -> bool:
        """Whether a node of a kind makes this value."""
        return value in self._makers and self._makers[value].op_type == kind

    def sources(self, node: onnx.NodeProto, kinds: set[str]) -> set[str]:
        """What enters the nodes of some kinds that lead to this one, constants left out."""
        found, waiting = set(), [*node.input]
        while waiting:
            name = waiting.pop()
            maker = self._makers.get(name)
            if maker is not None and maker.op_type in kinds:
                waiting += maker.input
            elif name and name not in self._constants:
                found.add(name)
        return found

    def per_channel(self, node: onnx.NodeProto) -> tuple[str, np.ndarray] | None:
        """What a node of two inputs combines with one constant a channel, and these constants."""
        for value, constant in (node.input, reversed(node.input)):
            numbers = self.constant(constant)
            if numbers is not None and numbers.ndim == 4 and numbers.shape[1] == numbers.size > 1:
                return value, numbers.reshape(-1)
        return None

    def constant(self, name: str) -> np.ndarray | None:
        """A constant; None for what is computed or given."""
        return numpy_helper.to_array(self._constants[name]) if name in self._constants else None


def _rewrite(model: onnx.ModelProto, rule: Callable[[_Nodes, onnx.NodeProto], _Found | None]) -> None:
    """Put what a rule makes of nodes in the place of the last of them, where it makes anything."""
    graph, known, gone, kept = model.graph, _Nodes(model), set(), []
    for node in graph.node:
        if node.output[0] in gone:
            continue
        found = rule(known, node)
        if found is None:
            kept.append(node)
            continue
        replacing, constants, last = found
        kept += replacing
        graph.initializer.extend(constants)
        gone.add(last.output[0])
    del graph.node[:]
    graph.node.extend(kept)
    _drop_unused(graph)


def _normalise(known: _Nodes, node: onnx.NodeProto) -> _Found | None:
    following = known.only_taker(node, "Add") if node.op_type == "Mul" else None
    scaled = known.per_channel(node) if following is not None else None
    shifted = known.per_channel(following) if scaled is not None else None
    if shifted is None or scaled[1].size != shifted[1].size:
        return None
    made = following.output[0]
    values = {"scale": scaled[1], "shift": shifted[1], "mean": 0 * shifted[1], "variance": 1 + 0 * shifted[1]}
    constants = [numpy_helper.from_array(numbers, f"{made}/{name}") for name, numbers in values.items()]
    names = [constant.name for constant in constants]
    return [helper.make_node("BatchNormalization", [scaled[0], *names], [made], epsilon=0.0)], constants, following


def _pad_within(known: _Nodes, node: onnx.NodeProto) -> _Found | None:
    following = known.only_taker(node, "MaxPool") if node.op_type == "Pad" else None
    if following is None or len(following.output) > 1 or not known.made_by(node.input[0], "Relu"):
        return None
    options, added = _options(following), _zeros_added(known, node)
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


def _zeros_added(known: _Nodes, node: onnx.NodeProto) -> np.ndarray | None:
    """How many zeros a node pads with, before and after along every axis; None where it does anything else."""
    added, filling = [known.constant(name) for name in (*node.input[1:], "")][:2]
    plain = _options(node).get("mode", b"constant") == b"constant" and len(node.input) <= 3
    return added if plain and (len(node.input) == 2 or (filling is not None and not filling.any())) else None


def _average_first(known: _Nodes, node: onnx.NodeProto) -> _Found | None:
    following = known.only_taker(node, "AveragePool") if node.op_type == "Conv" else None
    if following is None or not _pixel_by_pixel(_options(node)) or _padded(_options(following)):
        return None
    between = f"{node.output[0]}/averaged"
    averaged, convolved = onnx.NodeProto(), onnx.NodeProto()
    averaged.CopyFrom(following)
    convolved.CopyFrom(node)
    averaged.input[0], averaged.output[0] = node.input[0], between
    convolved.input[0], convolved.output[0] = between, following.output[0]
    return [averaged, convolved], [], following


def _pixel_by_pixel(convolution: dict) -> bool:
    ones = (*convolution["kernel_shape"], *convolution.get("strides", ()))
    return set(ones) == {1} and not _padded(convolution)


def _padded(options: dict) -> bool:
    return any(options.get("pads", ())) or options.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID")


def _repeated(known: _Nodes, node: onnx.NodeProto) -> _Found | None:
    if node.op_type != "Transpose":
        return None
    sources, (made,) = known.sources(node, _MOVES), node.output
    if len(sources) != 1 or len(known.shapes.get(*sources, ())) != 4:
        return None
    (source,) = sources
    times = _times_repeated(known, source, made)
    if times is None:
        return None
    scales = numpy_helper.from_array(np.float32([1, 1, *times]), f"{made}/scales")
    options = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return [helper.make_node("Resize", [source, "", scales.name], [made], **options)], [scales], node


def _times_repeated(known: _Nodes, source: str, made: str) -> tuple[int, int] | None:
    """How often nodes between two values repeat rows and columns, found by running them; None if they do not."""
    sides = (2, *known.shapes[source][1:])
    values = np.arange(np.prod(sides), dtype=np.float32).reshape(sides)
    (found,) = ReferenceEvaluator(known.parts.extract_model([source], [made])).run(None, {source: values})
    if found.ndim != 4 or any(long % short for long, short in zip(found.shape, sides, strict=True)):
        return None
    rows, columns = (found.shape[axis] // sides[axis] for axis in (2, 3))
    same = rows * columns > 1 and np.array_equal(found, values.repeat(rows, 2).repeat(columns, 3))
    return (rows, columns) if same else None


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Remove nodes and constants that nothing follows from."""
    needed, kept = {item.name for item in graph.output}, []
    for node in reversed(graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(node.input)
    constants = [item for item in graph.initializer if item.name in needed]
    for part, left in ((graph.node, kept[::-1]), (graph.initializer, constants)):
        del part[:]
        part.extend(left)


def _options(node: onnx.NodeProto) -> dict:
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}
