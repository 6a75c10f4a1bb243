"""The choice of a method on the Heatmap page, and the test of its map, over a stand-in that computes at once."""

from dataclasses import replace

import numpy as np
import pytest

from cxrmodel.errors import MissingWeights
from cxrmodel.evaluation.explanations.results import FIXED_RANGE, OWN_RANGE, randomisation_finding
from cxrmodel.evaluation.explanations.schema import ExplanationAudit, MethodResult
from cxrmodel.explain.interpolation import CropMap
from cxrmodel.explain.methods import INSTANT, METHODS
from cxrmodel.model.preprocess import ModelInput
from cxrmodel.web import engine
from cxrmodel.web.heatmap import methods
from tests.support.made_up_sections import EXPLANATIONS
from tests.support.pages import unescaped, words
from tests.support.stand_ins import SPEC, FakeReader
from tests.support.viewer_buffer import unpack


def not_computed(name: str) -> str:
    """The notice before a method is computed."""
    method = METHODS[name]
    values = {"title": method.title, "shown": METHODS[INSTANT].title, "cost": method.cost}
    return words("web.method.not_computed_tensorflow" if method.tensorflow else "web.method.not_computed", **values)


class FakeExplainer:
    """Draws a map of one square, reports progress, and raises the error it is given."""

    def __init__(self):
        self.asked, self.error, self.spec = [], None, SPEC

    def image_map(self, method, ready, progress):
        """The square, as large as the image."""
        return CropMap(self.crop_maps(method, ready.tensor[None], progress)[0], ready.box)

    def crop_maps(self, method, tensors, progress):
        """A map for each crop."""
        self.asked.append(method)
        progress(0.5, "half done")
        if self.error:
            raise self.error
        heat = np.zeros((len(tensors), 4, 4), np.float32)
        heat[:, 1:3, 1:3] = 5.0
        return heat

    def scores(self, inputs):
        """The mean of what shows of the middle."""
        return inputs[:, 4:12, 4:12].mean((1, 2, 3))


@pytest.fixture
def explainer(monkeypatch, reader):
    """The stand-in, of a reader whose images are even crops."""
    made = FakeExplainer()
    crop = np.pad(np.ones((8, 8, 1), np.float32), ((4, 4), (4, 4), (0, 0)))
    monkeypatch.setattr(engine, "explainer", lambda reader: made)
    monkeypatch.setattr(
        type(reader), "model_input", lambda self, reading: ModelInput(crop, (0, 0, 224, 224)), raising=False
    )
    return made


def measured(name: str, **changes) -> MethodResult:
    """What an evaluation measured of a method; its colour range ends at 4."""
    return EXPLANATIONS.methods[0].model_copy(update={"name": name, "map_range": 4.0} | changes)


FAILED = EXPLANATIONS.methods[0].randomisation.model_copy(update={"depends_on_model": False})
"""The randomisation test of a method that failed it."""


@pytest.fixture
def tested(monkeypatch):
    """A function that sets the evaluated results of the methods."""

    def set_audit(*results: MethodResult) -> ExplanationAudit:
        audit = EXPLANATIONS.model_copy(update={"methods": results})
        monkeypatch.setattr(methods, "tested_explanations", lambda spec: audit)
        return audit

    return set_audit


def chooser(app):
    """The box of methods."""
    return next(box for box in app.selectbox if box.label == "Method")


def viewed(app):
    """The header that the viewer was sent."""
    (viewer,) = app.get("bidi_component")
    return unpack(viewer.proto.bytes)[0]


def button(app, start):
    """The button whose label begins so."""
    return next(button for button in app.button if button.label.startswith(start))


def labels(app):
    """Of all buttons."""
    return [button.label for button in app.button]


@pytest.mark.usefixtures("reader")
def test_the_readings_own_map_comes_first(show, text_of):
    """Without TensorFlow and without a button; all methods are listed, with their descriptions."""
    app = show("a.png")
    assert chooser(app).value == INSTANT
    titles = [method.title for method in METHODS]
    assert chooser(app).options == [words("web.method.default", title=titles[0]), *titles[1:]]
    shown = text_of(app)
    assert str(METHODS[INSTANT].shows) in shown
    assert str(METHODS[INSTANT].cannot) in shown
    assert METHODS[INSTANT].paper in shown
    assert unescaped(str(randomisation_finding(None, INSTANT)[1])) in shown
    assert not any(label.startswith("Compute") for label in labels(app))


@pytest.mark.usefixtures("reader")
def test_a_registered_method_is_offered(show):
    """With its title, last in the list."""
    with METHODS.extended(replace(METHODS["layercam"], name="toy", title="Toy method")):
        app = show("a.png")
    assert chooser(app).options[-1] == "Toy method"
    assert not app.exception


def test_a_method_is_computed_when_asked_for(show, text_of, explainer):
    """The instant map stays, with a notice, until the method is computed; each map is computed once."""
    app = show("a.png")
    chooser(app).select("layercam").run()
    assert not_computed("layercam") in text_of(app)
    assert viewed(app)["heat"]["range"] == 2.5
    assert explainer.asked == []
    button(app, "Compute LayerCAM").click().run()
    assert explainer.asked == ["layercam"]
    shown = text_of(app)
    assert viewed(app)["heat"]["range"] == 5.0  # no range was fixed: the image's own peak
    assert viewed(app)["title"] == f"{METHODS['layercam'].title}: {METHODS['layercam'].unit}"
    assert viewed(app)["range"] == str(OWN_RANGE)
    assert not_computed("layercam") not in shown
    app.run()
    app.switch_page("read.py").run()
    app.switch_page("heatmap.py").run()
    assert chooser(app).value == "layercam"
    assert viewed(app)["heat"]["range"] == 5.0
    assert explainer.asked == ["layercam"]
    assert not app.exception


def test_results_belong_to_image_weights_and_method(show, explainer):
    """Another image or method is computed anew, and the first is still there."""
    app = show("a.png", "b.png")
    chooser(app).select("layercam").run()
    button(app, "Compute").click().run()
    images = next(box for box in app.selectbox if box.label == "Image")
    images.select_index(0 if images.index else 1).run()
    button(app, "Compute").click().run()
    chooser(app).select("saliency").run()
    button(app, "Compute").click().run()
    kept = app.session_state["kept images"].results
    assert explainer.asked == ["layercam", "layercam", "saliency"]
    assert len({key[0] for key in kept}) == 2
    assert {key[1] for key in kept} == {SPEC.version}
    assert {key[2] for key in kept} == {"layercam", "saliency"}
    chooser(app).select("layercam").run()
    assert not any(label.startswith("Compute") for label in labels(app))


def test_what_was_computed_goes_with_its_image(show, explainer):
    """Clearing the images leaves nothing of them."""
    app = show("a.png", "b.png")
    chooser(app).select("layercam").run()
    button(app, "Compute").click().run()
    app.switch_page("read.py").run()
    button(app, words("web.worklist.remove")).click().run()
    assert app.session_state["kept images"].results == {}
    app.switch_page("heatmap.py").run()
    button(app, "Compute").click().run()
    app.switch_page("read.py").run()
    button(app, words("web.worklist.clear")).click().run()
    assert app.session_state["kept images"].results == {}


def test_failures_are_sentences(show, text_of, explainer):
    """A known error is a sentence, an unexpected one gets a reference number; the instant map stays."""
    app = show("a.png")
    chooser(app).select("saliency").run()
    explainer.error = MissingWeights("model.missing_file", path="gone")
    button(app, "Compute").click().run()
    assert words("model.missing_file", path="gone") in text_of(app)
    explainer.error = RuntimeError("inner detail")
    button(app, "Compute").click().run()
    (error,) = app.error
    assert "reference number" in error.value
    assert "inner detail" not in text_of(app)
    assert viewed(app)["heat"]["range"] == 2.5
    explainer.error = None
    button(app, "Compute").click().run()
    assert viewed(app)["heat"]["range"] == 5.0


def test_the_range_is_the_one_of_the_evaluation(show, explainer, tested):
    """The same for every image."""
    tested(measured("layercam"))
    app = show("a.png")
    chooser(app).select("layercam").run()
    button(app, "Compute").click().run()
    assert viewed(app)["heat"]["range"] == 4.0
    assert viewed(app)["range"] == str(FIXED_RANGE)


def test_a_method_that_fails_its_test_is_marked_where_it_is_offered(show, text_of, explainer, tested):
    """In the list and as a warning above its map."""
    audit = tested(measured("saliency", randomisation=FAILED), measured("layercam"))
    app = show("a.png")
    assert words("web.method.independent", title="Saliency") in chooser(app).options
    assert not app.warning
    chooser(app).select("saliency").run()
    (warning,) = app.warning
    failed = unescaped(str(randomisation_finding(audit, "saliency")[1]))
    assert warning.value == words("web.method.warning", title="Saliency", finding=failed)
    assert text_of(app).count(failed) == 1


def test_a_map_is_tested_on_demand(show, text_of, explainer):
    """Two curves with their words, and the stability under noise; kept until the image goes."""
    app = show("a.png")
    button(app, "Test this map").click().run()
    assert not app.exception
    shown = text_of(app)
    assert "Deletion: mean score" in shown
    assert "Insertion: mean score" in shown
    assert words("web.faithfulness.stability_holds", title="Grad-CAM", value=1.0) in shown
    assert len(app.get("vega_lite_chart")) == 2
    asked = len(explainer.asked)
    app.run()
    assert len(explainer.asked) == asked
    assert not any(label.startswith("Test") for label in labels(app))


def test_an_image_that_cannot_tell_says_so(show, text_of, explainer, monkeypatch):
    """Where the score stays as it was with everything blurred, no verdict is given."""
    monkeypatch.setattr(explainer, "scores", lambda inputs: np.full(len(inputs), 0.9))
    app = show("a.png")
    button(app, "Test this map").click().run()
    assert not app.exception
    shown = text_of(app)
    assert words("web.faithfulness.no_fall", first=0.9, last=0.9) in shown
    assert shown.count(words("web.faithfulness.verdict_undecided")) == 2


def test_an_empty_map_is_not_tested(use, show, text_of):
    """There is nothing to take away."""
    use(FakeReader(0.1, heat=np.zeros((224, 224), np.float32), heat_in_lungs=None))
    app = show("a.png")
    assert words("web.faithfulness.empty") in text_of(app)
    assert not any(label.startswith("Test") for label in labels(app))


def test_an_image_below_the_threshold_says_so(use, show, text_of, explainer):
    """A notice qualifies the curves of an image below the threshold."""
    use(FakeReader(0.1))
    app = show("a.png")
    button(app, "Test this map").click().run()
    assert words("web.faithfulness.negative") in text_of(app)
