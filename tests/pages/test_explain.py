"""The choice of a method on the Heatmap page, and the test of its map, over a stand-in that computes at once."""

import numpy as np
import pytest

from cxrmodel.errors import MissingWeights
from cxrmodel.explain.methods import INSTANT, METHODS
from cxrmodel.model.preprocess import ModelInput
from cxrmodel.web import engine
from cxrmodel.web.heatmap import maps
from cxrmodel.web.heatmap import methods as explain
from tests.support.stand_ins import SPEC
from tests.support.viewer_buffer import unpack


class FakeExplainer:
    """Draws a map of one square, reports progress, and fails where it is told to."""

    def __init__(self):
        self.asked, self.error, self.spec = [], None, SPEC

    def image_map(self, method, ready, progress):
        """The square, as large as the image."""
        return ready.to_image(self.crop_maps(method, ready.tensor[None], progress)[0])

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


@pytest.fixture
def show(visit, make_image, png):
    """A function that reads drawn images and opens their heatmap."""

    def read_and_show(*names):
        app = visit("read")
        files = [(name, png(make_image(seed, (60, 80))), "image/png") for seed, name in enumerate(names)]
        app.file_uploader[0].set_value(files).run()
        return app.switch_page("pages/heatmap.py").run()

    return read_and_show


@pytest.fixture
def tested(monkeypatch):
    """A function that sets what the evaluation says of the methods."""

    def say_of(**rows):
        section = {
            "methods": [{"name": name, "heat_range": 4.0, "seconds": 0.3} | row for name, row in rows.items()],
            "default": INSTANT,
        }
        monkeypatch.setattr(explain, "tested_explanations", lambda spec: section)
        return section

    return say_of


def chooser(app):
    """The box of methods."""
    return next(box for box in app.selectbox if box.label == "Method")


def viewed(app):
    """What the viewer was told of the map beside its pixels."""
    (viewer,) = app.get("bidi_component")
    return unpack(viewer.proto.bytes)[0]


def button(app, start):
    """The button whose label begins so."""
    return next(button for button in app.button if button.label.startswith(start))


def labels(app):
    """Of all buttons."""
    return [button.label for button in app.button]


@pytest.mark.usefixtures("reader")
def test_the_readings_own_map_comes_first(show, say):
    """Without TensorFlow, without a button; all methods are offered, with what they can show."""
    app = show("a.png")
    assert chooser(app).value == INSTANT
    assert chooser(app).options == [
        method.title + (" · default" if name == INSTANT else "") for name, method in METHODS.items()
    ]
    said = say(app)
    assert METHODS[INSTANT].shows in said
    assert METHODS[INSTANT].cannot in said
    assert "Selvaraju et al., Grad-CAM, ICCV 2017" in said
    assert "has not been tested for these weights" in said
    assert not any(label.startswith("Compute") for label in labels(app))


def test_a_method_is_computed_when_asked_for(show, say, explainer):
    """Until then the instant map is shown and it is said so; then its own, on its own colour bar; once only."""
    app = show("a.png")
    chooser(app).select("layercam").run()
    assert "LayerCAM has not been computed for this image: what is shown is Grad-CAM." in say(app)
    assert viewed(app)["heat"]["range"] == 2.5
    assert explainer.asked == []
    button(app, "Compute LayerCAM").click().run()
    assert explainer.asked == ["layercam"]
    said = say(app)
    assert viewed(app)["heat"]["range"] == 5.0  # no range was fixed: the image's own peak
    assert viewed(app)["title"] == "LayerCAM: activation times its rising effect on the logit"
    assert "No range has been fixed" in viewed(app)["range"]
    assert "has not been computed" not in said
    app.run()
    app.switch_page("pages/read.py").run()
    app.switch_page("pages/heatmap.py").run()
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
    kept = app.session_state["what was computed to explain images"]
    assert explainer.asked == ["layercam", "layercam", "saliency"]
    assert len({key[0] for key in kept}) == 2
    assert {key[1] for key in kept} == {SPEC.weights_sha256}
    assert {key[2] for key in kept} == {"layercam", "saliency"}
    chooser(app).select("layercam").run()
    assert not any(label.startswith("Compute") for label in labels(app))


def test_what_was_computed_goes_with_its_image(show, explainer):
    """Clearing the images leaves nothing of them."""
    app = show("a.png", "b.png")
    chooser(app).select("layercam").run()
    button(app, "Compute").click().run()
    app.switch_page("pages/read.py").run()
    button(app, "Remove the image shown").click().run()
    assert app.session_state["what was computed to explain images"] == {}
    app.switch_page("pages/heatmap.py").run()
    button(app, "Compute").click().run()
    app.switch_page("pages/read.py").run()
    button(app, "Clear all images").click().run()
    assert "what was computed to explain images" not in app.session_state


def test_failures_are_sentences(show, say, explainer):
    """One with a name says what to do; one without gets a reference number; the instant map stays."""
    app = show("a.png")
    chooser(app).select("saliency").run()
    explainer.error = MissingWeights("The weights cannot be read. Install the program again.")
    button(app, "Compute").click().run()
    assert "Install the program again." in say(app)
    explainer.error = RuntimeError("inner detail")
    button(app, "Compute").click().run()
    (error,) = app.error
    assert "reference number" in error.value
    assert "inner detail" not in say(app)
    assert viewed(app)["heat"]["range"] == 2.5
    explainer.error = None
    button(app, "Compute").click().run()
    assert viewed(app)["heat"]["range"] == 5.0


def test_the_range_is_the_one_of_the_evaluation(show, explainer, tested):
    """The same for every image."""
    tested(layercam={})
    app = show("a.png")
    chooser(app).select("layercam").run()
    button(app, "Compute").click().run()
    assert viewed(app)["heat"]["range"] == 4.0
    assert viewed(app)["range"] == "The range is the same for every image."


def test_a_method_that_fails_its_test_is_marked_where_it_is_offered(show, say, explainer, tested):
    """In the list and as a warning above its map."""
    tested(saliency={"sanity": {"images": 9, "depends_on_model": False}}, layercam={})
    app = show("a.png")
    assert "Saliency · does not depend on the model" in chooser(app).options
    assert not app.warning
    chooser(app).select("saliency").run()
    (warning,) = app.warning
    assert "it shows the image, not the model" in " ".join(warning.value.split())
    assert say(app).count("it shows the image, not the model") == 1


def test_the_default_is_the_favoured_one(show, say, explainer, tested):
    """It is chosen from the start; until it is computed the instant map is shown."""
    tested(layercam={})["default"] = "layercam"
    app = show("a.png")
    assert chooser(app).value == "layercam"
    assert "LayerCAM · default" in chooser(app).options
    assert "what is shown is Grad-CAM" in say(app)


def test_a_map_is_tested_on_demand(show, say, explainer):
    """Two curves with their words, and the likeness under noise; kept until the image goes."""
    app = show("a.png")
    button(app, "Test this map").click().run()
    assert not app.exception
    said = say(app)
    assert "Deletion: mean score" in said
    assert "Insertion: mean score" in said
    assert "Under noise too small to see, the Grad-CAM map holds (rank correlation 1.00" in said
    assert len(app.get("vega_lite_chart")) == 2
    asked = len(explainer.asked)
    app.run()
    assert len(explainer.asked) == asked
    assert not any(label.startswith("Test") for label in labels(app))


def test_an_image_that_cannot_tell_says_so(show, say, explainer, monkeypatch):
    """Where the score stays as it was with everything blurred, no verdict is given."""
    monkeypatch.setattr(explainer, "scores", lambda inputs: np.full(len(inputs), 0.9))
    app = show("a.png")
    button(app, "Test this map").click().run()
    assert not app.exception
    said = say(app)
    assert "With every place blurred away the score is 0.90, on the intact image 0.90" in said
    assert said.count("this image cannot tell") == 2


def test_an_empty_map_is_not_tested(use, show, say):
    """There is nothing to take away."""
    from tests.support.stand_ins import FakeReader

    use(FakeReader(0.1, heat=np.zeros((224, 224), np.float32), heat_in_lungs=None))
    app = show("a.png")
    assert "The map is empty, so there is nothing to test." in say(app)
    assert not any(label.startswith("Test") for label in labels(app))


def test_an_image_below_the_threshold_says_so(use, show, say, explainer):
    """Curves of an image that is not called pneumonia say little."""
    from tests.support.stand_ins import FakeReader

    use(FakeReader(0.1))
    app = show("a.png")
    button(app, "Test this map").click().run()
    assert "there is little to take away" in say(app)


def test_stopping_keeps_nothing(monkeypatch):
    """What a click raises in the middle of the work comes through, and the work can be done again."""
    state = {}
    monkeypatch.setattr(maps.st, "session_state", state)

    class Clicked(BaseException):
        """As Streamlit ends a run of the script."""

    def stopped():
        raise Clicked

    with pytest.raises(Clicked):
        maps.kept(("image", "weights", "layercam"), stopped)
    assert maps.peek(("image", "weights", "layercam")) is None
    assert maps.kept(("image", "weights", "layercam"), lambda: 7) == 7
    assert maps.kept(("image", "weights", "layercam"), stopped) == 7


def test_the_oldest_result_makes_room(monkeypatch):
    """A session does not grow without end."""
    monkeypatch.setattr(maps.st, "session_state", {})
    for number in range(maps.MOST + 1):
        maps.kept((str(number), "weights", "layercam"), lambda number=number: number + 1)
    assert maps.peek(("0", "weights", "layercam")) is None
    assert maps.peek((str(maps.MOST), "weights", "layercam")) == maps.MOST + 1
