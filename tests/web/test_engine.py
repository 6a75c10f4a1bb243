"""The one model of the server."""

from dataclasses import fields

import pytest
from stand_ins import SPEC, FakeReading

from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.web import engine


@pytest.fixture(autouse=True)
def empty_cache():
    """No model is loaded before or after a test."""
    engine.spec.clear()
    yield
    engine.spec.clear()


def test_missing_model_is_looked_for_again(monkeypatch):
    """A failure is not kept: once the file is there, the next page finds it."""

    def missing(model):
        raise MissingWeights("There is no model. Install the program again.")

    monkeypatch.setattr(engine, "load_spec", missing)
    for _ in range(2):
        with pytest.raises(MissingWeights):
            engine.spec()
    monkeypatch.setattr(engine, "load_spec", lambda model: SPEC)
    monkeypatch.setattr(engine, "read_weights", lambda spec: None)
    assert engine.spec() is SPEC


def test_altered_weights_give_no_specification(monkeypatch):
    """A specification is handed out only with the weights that it names."""

    def altered(spec):
        raise AlteredWeights("The weights are others. Install the program again.")

    monkeypatch.setattr(engine, "load_spec", lambda model: SPEC)
    monkeypatch.setattr(engine, "read_weights", altered)
    with pytest.raises(AlteredWeights):
        engine.spec()


def test_stand_in_has_the_fields_of_a_reading():
    """What the other tests use for a reading is shaped like one."""
    from cxrmodel.reading import Reading

    assert [field.name for field in fields(FakeReading)] == [field.name for field in fields(Reading)]
