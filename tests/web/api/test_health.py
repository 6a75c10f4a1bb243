"""Whether the server is ready: model, store and worker, each in every state."""

from contextlib import closing

import pytest

from cxrmodel.configuration.schema import StoreSection
from cxrmodel.errors import MissingWeights, StoreUnavailable
from cxrmodel.monitoring.metrics import Metrics
from cxrmodel.monitoring.store_state import StoreLink, StoreMetrics
from cxrmodel.store.store import Store
from cxrmodel.web import engine
from cxrmodel.web.api import health as health_module
from cxrmodel.web.api.health import Health
from tests.support.stand_ins import SPEC, FakeReader
from tests.web.api.test_readings import check


def load(health) -> None:
    """Load the model, and wait for it."""
    health._load()


def down() -> None:
    """A store that is down."""
    raise StoreUnavailable("store.unavailable", reason="DOE^JANE")


def test_the_model_is_loaded_first(make_interface, monkeypatch):
    """503 until then, 200 afterwards, as the description has it."""
    monkeypatch.setattr(engine, "reader", lambda model: FakeReader())
    interface = make_interface()
    answer = interface.ask("GET", "/readyz")
    check(interface, answer, "/readyz", "get")
    assert (answer.status, answer.json()["model"]) == (503, "loading")
    load(interface.health)
    answer = interface.ask("GET", "/readyz")
    check(interface, answer, "/readyz", "get")
    assert answer.status == 200
    assert answer.json() == {"ready": True, "model": "loaded", "store": "none", "worker": "none"}
    assert f'model="{SPEC.version}"' in interface.metrics.text().decode()


@pytest.mark.parametrize("error", [MissingWeights("model.missing", file="a"), RuntimeError("DOE^JANE")])
def test_a_model_that_cannot_be_loaded_is_not_ready(make_interface, monkeypatch, caplog, error):
    """The server answers, says so, and names nobody."""

    def fail(model):
        raise error

    monkeypatch.setattr(engine, "reader", fail)
    interface = make_interface()
    load(interface.health)
    answer = interface.ask("GET", "/readyz")
    assert (answer.status, answer.json()["model"]) == (503, "failed")
    assert interface.ask("GET", "/healthz").text == "ok\n"
    assert "JANE" not in caplog.text


def test_a_store_that_is_down_is_not_ready(make_interface, monkeypatch, caplog):
    """Whatever the reason; the log has the code alone."""
    monkeypatch.setattr(engine, "reader", lambda model: FakeReader())
    interface = make_interface(look=down)
    load(interface.health)
    answer = interface.ask("GET", "/readyz")
    assert (answer.status, answer.json()["store"]) == (503, "unreachable")
    assert "JANE" not in caplog.text + answer.text


def test_workers_are_seen_by_their_signs_of_life(tmp_path, monkeypatch):
    """None, one that reads, and one that has left."""
    monkeypatch.delenv("CXR_STORE", raising=False)
    monkeypatch.setattr(health_module, "_KEPT", 0.0)
    link = StoreLink(StoreSection(folder=tmp_path / "data"))
    health, metrics = Health("densenet121", str, link.state), Metrics((), StoreMetrics(link.state))
    assert (health.ready().store, health.ready().worker) == ("reachable", "silent")
    with closing(Store.open(None, tmp_path / "data")) as store:
        store.beat("one", "densenet121 0123456789ab", 2)
        assert health.ready().worker == "alive"
        assert metrics.text().decode().count("\ncxrmodel_store_readers 1.0") == 1
        store.leave("one")
        assert health.ready().worker == "silent"
    link.close()


def test_a_store_is_opened_when_it_comes(tmp_path, monkeypatch):
    """The server starts although the database is down; then its state is among the metrics."""
    monkeypatch.delenv("CXR_STORE", raising=False)
    blocked = tmp_path / "data"
    blocked.write_text("not a folder")
    link = StoreLink(StoreSection(folder=blocked))
    metrics = Metrics((), StoreMetrics(link.state))
    with pytest.raises(StoreUnavailable):
        link.state()
    assert "cxrmodel_store_up 0.0" in metrics.text().decode()
    assert "cxrmodel_store_jobs{" not in metrics.text().decode()
    blocked.unlink()
    assert link.state().readers == 0
    found = metrics.text().decode()
    assert "cxrmodel_store_up 1.0" in found
    assert 'cxrmodel_store_jobs{state="waiting"} 0.0' in found
    assert "cxrmodel_store_oldest_job_seconds 0.0" in found
    link.close()
