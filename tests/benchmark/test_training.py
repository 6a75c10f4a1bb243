"""The benchmark of training: every kind is measured; no test depends on speed."""

import json
import math

import pytest

from cxrmodel.benchmark.training import bench_training
from cxrmodel.cli.main import main
from cxrmodel.errors import DataError


@pytest.fixture(scope="module")
def found(make_archive, tmp_path_factory):
    """One batch of the smaller network on a drawn archive."""
    return bench_training(make_archive(tmp_path_factory.mktemp("archive"), patients=12), "cnn", size=32, batches=1)


def test_every_way_is_measured(found):
    """Positive rates, which JSON holds, and ratios that follow from them."""
    rates = found.images_per_second
    assert all(math.isfinite(rate) and rate > 0 for _, rate in rates)
    assert found.ratios["training_to_naive"] == pytest.approx(rates.training / rates.naive)
    assert found.ratios["feed_to_network"] == pytest.approx(rates.feed / rates.network)
    assert (found.model, found.size, found.batches) == ("cnn", 32, 1)
    assert json.loads(found.model_dump_json()) == found.model_dump()


def test_every_result_is_printed(found):
    """One line each."""
    codes = [message.code for message in found.messages()]
    assert codes == ["benchmark.training"] + ["benchmark.rate"] * 4 + ["benchmark.ratio"] * 3
    assert all(str(message) for message in found.messages())


def test_a_missing_archive_is_an_error(tmp_path, monkeypatch, capsys):
    """Before any network is built."""
    with pytest.raises(DataError) as raised:
        bench_training(tmp_path, "cnn")
    assert raised.value.message.code == "training.no_images"
    monkeypatch.setenv("CXR_DATA", str(tmp_path))
    assert main(["bench", "--train", "--model", "cnn"]) == 1
    assert "CXR_DATA" in capsys.readouterr().err
