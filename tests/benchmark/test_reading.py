"""The benchmark measures what it says; how fast anything is, is not for a test to judge."""

import json
import math

import pytest

from cxrmodel.benchmark.reading import bench, in_words, multiplications
from cxrmodel.model.spec import load_spec


@pytest.fixture(scope="module")
def found():
    """A short run on the smaller network."""
    return bench("cnn", repeats=2, images=104)


def test_every_stage_and_its_rivals_are_measured(found):
    """All figures are positive numbers, and JSON holds them."""
    assert set(found["stages"]) == {
        "decode",
        "resize",
        "lungs",
        "checks",
        "crop",
        "network and map",
        "overlay",
        "whole reading",
    }
    times = [value for part in ("stages", "naive") for figures in found[part].values() for value in figures.values()]
    times += [*found["cold"].values(), *found["ratios"].values(), *found["memory"].values()]
    assert all(math.isfinite(value) and value > 0 for value in times)
    assert json.loads(json.dumps(found)) == found


def test_ratios_follow_from_the_figures_beside_them(found):
    """Nothing is measured twice or taken from elsewhere."""
    ours = found["stages"]["crop"]["median"] + found["stages"]["network and map"]["median"]
    naive = sum(part["median"] for part in found["naive"].values())
    assert found["ratios"]["naive over ours"] == pytest.approx(naive / ours)
    assert found["ratios"]["cold keras over cold onnx"] == pytest.approx(found["cold"]["keras"] / found["cold"]["onnx"])


def test_words_name_machine_and_every_figure(found):
    """One line a figure."""
    words = in_words(found)
    assert f"{found['machine']['cores']} cores" in words
    for name in [*found["stages"], *found["naive"], *found["ratios"]]:
        assert name in words


def test_multiplications_of_the_shipped_graph():
    """Twice those of a DenseNet-121 by hand (Huang et al. 2017, table 1) whose transitions average before they mix."""
    side = load_spec("densenet121").input_size
    known, channels = (side // 2) ** 2 * 7 * 7 * 64, 64
    for layers, shrunk in ((6, 4), (12, 8), (24, 16), (16, 32)):
        pixels = (side // shrunk) ** 2
        for _ in range(layers):
            known += pixels * (channels * 128 + 3 * 3 * 128 * 32)
            channels += 32
        if shrunk < 32:
            known += pixels // 4 * channels * channels // 2
            channels //= 2
    assert multiplications(load_spec("densenet121")) == 2 * (known + pixels * channels)
