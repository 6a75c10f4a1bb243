"""The methods that the Heatmap page offers beside the default map."""

import pytest

from cxrmodel.explain.methods import INSTANT, METHODS
from cxrmodel.messages import Message
from cxrmodel.web.heatmap import methods
from cxrmodel.web.heatmap.methods import offered
from tests.support.made_up_sections import EXPLANATIONS
from tests.support.stand_ins import SPEC


def measured(name: str, depends: bool, seconds: float = 4.25):
    """What an evaluation measured of a method."""
    result = EXPLANATIONS.methods[0]
    test = result.randomisation.model_copy(update={"depends_on_model": depends})
    return result.model_copy(update={"name": name, "seconds": seconds, "randomisation": test})


@pytest.fixture
def tested(monkeypatch):
    """A function that sets the evaluated results of the methods."""

    def set_audit(*results):
        audit = EXPLANATIONS.model_copy(update={"methods": results})
        monkeypatch.setattr(methods, "tested_explanations", lambda spec: audit)

    return set_audit


def test_a_method_that_passed_its_test_is_offered_with_its_measured_time(tested):
    """One that failed, or was not tested, is for researchers; the time is that of the evaluation, never an estimate."""
    tested(measured("layercam", True), measured("saliency", False, 0.5))
    others = {method["name"]: method for method in offered(SPEC)["others"]}
    assert {name for name, method in others.items() if not method["research"]} == {"layercam"}
    waits = [others[name]["wait"] for name in ("layercam", "saliency", "occlusion")]
    measured_waits = [str(Message("web.method.seconds", seconds=seconds)) for seconds in (4.25, 0.5)]
    assert waits == [*measured_waits, str(Message("web.method.not_measured"))]
    assert "hardly changes" in " ".join(others["saliency"]["about"])


def test_every_method_but_the_default_is_among_the_others(tested):
    """In the order of the registry, with what it shows and where it was published."""
    tested()
    found = offered(SPEC)
    assert found["default"]["name"] == INSTANT
    assert [method["name"] for method in found["others"]] == [name for name in METHODS.names if name != INSTANT]
    for method in (found["default"], *found["others"]):
        known = METHODS[method["name"]]
        assert method["title"] == known.title
        assert any(str(known.shows) in sentence for sentence in method["about"])
        assert method["link"] == known.link
