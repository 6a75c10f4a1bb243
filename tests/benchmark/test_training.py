"""The benchmark of training runs every way that it names; how fast any is, is not for a test to judge."""

import json
import math

import pytest

from cxrmodel.benchmark.training import bench_training, training_in_words
from cxrmodel.cli.main import main
from cxrmodel.errors import DataError


@pytest.fixture(scope="module")
def found(make_archive, tmp_path_factory):
    """One batch of the smaller network on a drawn archive."""
    return bench_training(make_archive(tmp_path_factory.mktemp("archive"), patients=12), "cnn", size=32, batches=1)


def test_every_way_is_measured(found):
    """Positive rates, which JSON holds, and ratios that follow from them."""
    rates = found["images_a_second"]
    assert set(rates) == {"feed", "network", "training", "naive"}
    assert all(math.isfinite(rate) and rate > 0 for rate in rates.values())
    assert found["ratios"]["training over naive"] == pytest.approx(rates["training"] / rates["naive"])
    assert found["ratios"]["feed over network"] == pytest.approx(rates["feed"] / rates["network"])
    assert (found["model"], found["size"], found["batches"]) == ("cnn", 32, 1)
    assert json.loads(json.dumps(found)) == found


def test_words_name_every_figure(found):
    """One line each."""
    words = training_in_words(found)
    assert "cnn at 32 px" in words
    assert all(name in words for name in (*found["images_a_second"], *found["ratios"]))


def test_no_archive_is_a_sentence(tmp_path, monkeypatch, capsys):
    """Before any network is built."""
    with pytest.raises(DataError, match="no images"):
        bench_training(tmp_path, "cnn")
    monkeypatch.setenv("CXR_DATA", str(tmp_path))
    assert main(["bench", "--train", "--model", "cnn"]) == 1
    assert "CXR_DATA" in capsys.readouterr().err
