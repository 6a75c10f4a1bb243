"""The benchmark of a reading: every stage is measured; no test depends on speed."""

import json
import math

import pytest

from cxrmodel.benchmark.reading import bench, multiplications
from cxrmodel.messages import Message
from cxrmodel.model.spec import load_spec


@pytest.fixture(scope="module")
def found():
    """A short run on the smaller network."""
    return bench("cnn", repeats=2, images=104)


def test_every_stage_is_measured(found):
    """With the naive implementation; all values are positive numbers, and JSON holds them."""
    assert [*found.stages] == ["decode", "resize", "lungs", "checks", "crop", "network", "overlay", "reading"]
    record = found.model_dump()
    times = [value for part in ("stages", "naive") for times in record[part].values() for value in times.values()]
    times += [value for part in ("cold", "ratios", "memory") for value in record[part].values()]
    assert all(math.isfinite(value) and value > 0 for value in times)
    assert json.loads(found.model_dump_json()) == record


def test_ratios_follow_from_the_figures_beside_them(found):
    """They follow from the stored medians."""
    network = found.stages["crop"].median + found.stages["network"].median
    naive = sum(part.median for part in found.naive.values())
    assert found.ratios["naive_to_network"] == pytest.approx(naive / network)
    assert found.ratios["cold_keras_to_onnx"] == pytest.approx(found.cold["keras"] / found.cold["onnx"])


def test_every_result_is_printed(found):
    """One line each, with the model and the value."""
    messages = found.messages()
    lines = [str(message) for message in messages]
    assert found.model in lines[0]
    times = found.stages | found.naive
    assert [line for line, message in zip(lines, messages, strict=True) if message.code == "benchmark.time"] == [
        f"{Message(f'benchmark.stage.{name}')}: {part.median:.1f} ms (95th percentile {part.percentile_95:.1f} ms)"
        for name, part in times.items()
    ]
    assert sum(message.code == "benchmark.ratio" for message in messages) == len(found.ratios) == 5


def test_multiplications_of_the_shipped_graph():
    """Twice those of DenseNet-121 (Huang et al. 2017, table 1), with pooling before a transition's convolution.

    The last transition does not pool, so the last block works on as many pixels as the one before it.
    """
    side = load_spec("densenet121").input_size
    known, channels = (side // 2) ** 2 * 7 * 7 * 64, 64
    for layers, shrunk, pooled in ((6, 4, 4), (12, 8, 4), (24, 16, 1), (16, 16, 0)):
        pixels = (side // shrunk) ** 2
        for _ in range(layers):
            known += pixels * (channels * 128 + 3 * 3 * 128 * 32)
            channels += 32
        if pooled:
            known += pixels // pooled * channels * channels // 2
            channels //= 2
    assert multiplications(load_spec("densenet121")) == 2 * (known + pixels * channels)
