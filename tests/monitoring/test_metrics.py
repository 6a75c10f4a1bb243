"""Metrics of a process: what is counted, under which labels, and how a worker publishes them."""

import socket
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cxrmodel.errors import SettingError
from cxrmodel.monitoring.endpoint import published
from cxrmodel.monitoring.metrics import Metrics


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Values by name and labels, of the program's own metrics."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text.decode())
        if family.name.startswith("cxrmodel_")
        for sample in family.samples
    }


def test_images_are_counted_with_their_reasons():
    """One that was read has none; one that was refused has each of its codes."""
    metrics = Metrics()
    metrics.image("worker", "read", ["reading.uncertain"])
    metrics.image("worker", "refused", ["imaging.empty"])
    metrics.image("worker", "refused", ["imaging.empty"])
    found = samples(metrics.text())
    assert found["cxrmodel_images_total", "read", "worker"] == 1
    assert found["cxrmodel_images_total", "refused", "worker"] == 2
    assert found["cxrmodel_images_total", "read", "api"] == 0
    assert found["cxrmodel_refusals_total", "imaging.empty", "worker"] == 2
    assert not any("reading.uncertain" in key for key in found)


def test_a_stage_is_a_histogram():
    """0.2 s lies above the bounds up to 0.1 s and below 0.25 s."""
    metrics = Metrics()
    metrics.stage("worker", "sr", 0.2)
    found = samples(metrics.text())
    assert found["cxrmodel_stage_seconds_sum", "worker", "sr"] == pytest.approx(0.2)
    assert found["cxrmodel_stage_seconds_bucket", "0.1", "worker", "sr"] == 0
    assert found["cxrmodel_stage_seconds_bucket", "0.25", "worker", "sr"] == 1


def test_labels_are_bounded():
    """Whatever is no word of the program, code of the catalogue or name of the configuration is "other"."""
    metrics = Metrics(["pacs"])
    for number in range(100):
        metrics.image("worker", f"Jane^Doe {number}", [f"Jane^Doe {number}"])
        metrics.stage("worker", f"Jane^Doe {number}", 1.0)
        metrics.delivery(f"Jane^Doe {number}", f"Jane^Doe {number}")
    metrics.delivery("pacs", "delivered")
    found = samples(metrics.text())
    assert b"Jane" not in metrics.text()
    assert found["cxrmodel_images_total", "other", "worker"] == 100
    assert found["cxrmodel_refusals_total", "other", "worker"] == 100
    assert found["cxrmodel_deliveries_total", "other", "other"] == 100
    assert found["cxrmodel_deliveries_total", "delivered", "pacs"] == 1


def test_versions_are_stated():
    """Of the program, and of the model once it is loaded."""
    metrics = Metrics()
    metrics.model("densenet121 0123456789ab")
    (family,) = [f for f in text_string_to_metric_families(metrics.text().decode()) if f.name == "cxrmodel_build_info"]
    assert family.samples[0].labels["model"] == "densenet121 0123456789ab"
    assert family.samples[0].labels["version"]


def test_a_worker_publishes_on_this_computer_alone():
    """At /metrics of a port of the loopback address, until it ends."""
    metrics = Metrics()
    with published(metrics, 0) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            assert samples(answer.read()) == samples(metrics.text())
        with socket.socket() as other, pytest.raises(ConnectionRefusedError):
            other.connect(("127.0.0.2", port))
        with pytest.raises(SettingError) as refusal, published(metrics, port):
            pass
        assert refusal.value.message.code == "monitoring.port_taken"
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.1", port))
