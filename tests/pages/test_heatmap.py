"""Heatmap, in all its states."""

import numpy as np
import pytest

from cxrmodel.checks.report import WARN, CheckReport, Finding
from cxrmodel.checks.wording import SENTENCES
from cxrmodel.report.wording import NOT_HEALTHY
from cxrmodel.web.text import plain
from tests.support.stand_ins import FakeReader, lung_mask
from tests.support.viewer_buffer import unpack


@pytest.fixture
def show(visit, make_image, png):
    """A function that reads drawn images and opens their heatmap."""

    def read_and_show(*names):
        app = visit("read")
        files = [(name, png(make_image(seed, (60, 80))), "image/png") for seed, name in enumerate(names)]
        app.file_uploader[0].set_value(files).run()
        return app.switch_page("pages/heatmap.py").run()

    return read_and_show


@pytest.mark.usefixtures("reader")
def test_empty(visit, say):
    """Before any image the page says so and links to Read."""
    app = visit("heatmap")
    assert "No image has been read in this session." in say(app)
    assert [link.label for link in app.get("page_link")] == ["Read an image"]
    assert not app.get("bidi_component")


def test_refused_image_has_no_map(visit, say, reader):
    """An image that was refused is not offered."""
    app = visit("read")
    app.file_uploader[0].set_value([("a.txt", b"text", "text/plain")]).run()
    app.switch_page("pages/heatmap.py").run()
    assert "No image has been read in this session." in say(app)


def viewed(app) -> tuple[dict, dict]:
    """Header and parts of what the page's one viewer was sent."""
    (viewer,) = app.get("bidi_component")
    assert viewer.proto.component_name == "image_viewer"
    return unpack(viewer.proto.bytes)


@pytest.mark.usefixtures("reader")
def test_done(show, say):
    """The viewer has image and map, with the range of every image, and the page says what is to be said."""
    app = show("a.png")
    header, parts = viewed(app)
    assert header["overlay"] is True
    assert header["heat"]["range"] == 2.5
    assert header["title"] == "Grad-CAM: what each place adds to the logit"
    assert parts["image"].shape == (60, 80)
    assert parts["heat"].argmax() == 130 * 224 + 160
    said = say(app)
    assert "83 % of the heat lies within the lung fields." in said
    assert "Probability of pneumonia: **87 %**" in said
    assert not app.warning
    assert not app.exception


@pytest.mark.usefixtures("reader")
def test_no_control_is_left_that_the_viewer_has(show):
    """Opacity, colours, overlay and outline belong to the viewer, which answers without the server."""
    app = show("a.png")
    for kind in ("slider", "toggle", "download_button", "image"):
        assert not app.get(kind)
    assert "Colour map" not in [box.label for box in app.selectbox]
    assert "overlay" not in "".join(button.label for button in app.button)


@pytest.mark.usefixtures("reader")
def test_drawn_again_nothing_new_is_sent(show):
    """A rerun gives the viewer the very same bytes, which Streamlit then does not send."""
    app = show("a.png")
    (before,) = app.get("bidi_component")
    (after,) = app.run().get("bidi_component")
    assert after.proto.bytes == before.proto.bytes
    assert after.proto.id == before.proto.id


def test_no_heat_is_said_in_words(use, show, say):
    """An all-zero map is said to be one."""
    use(FakeReader(0.1, heat=np.zeros((224, 224), np.float32), heat_in_lungs=None))
    said = say(show("a.png"))
    assert "The map is zero everywhere: nothing on this image speaks for pneumonia" in said
    assert "did not suffice" not in said


def test_heat_outside_the_lungs_is_a_warning(use, show):
    """Heat mostly outside the lungs is told as a warning."""
    use(FakeReader(heat_in_lungs=0.31))
    (warning,) = show("a.png").warning
    assert warning.value.startswith("Only 31\u00a0% of the heat lies within the lung fields.")


def test_warnings_of_the_checks_are_told(use, show, say):
    """Each sentence once, as on Read; what Read says of the heat is not said again in other words."""
    sentences = [SENTENCES[rule]["warn"] for rule in ("mirrored", "cut off")]
    found = [Finding("mirrored", WARN, text, 1.0, 0.5) for text in (*sentences, sentences[0])]
    reasons = (*sentences, "Most of the heat lies outside the lung fields (31 % within).")
    use(FakeReader(heat_in_lungs=0.31, check=CheckReport(tuple(found)), reasons=reasons))
    app = show("a.png")
    assert [warning.value for warning in app.warning[:-1]] == [plain(text) for text in sentences]
    assert say(app).count("of the heat lies") == 1


def test_hardly_any_heat_is_no_warning(use, show, say):
    """Where there is hardly any heat, its peak is stated, and nothing is said of its share in the lungs."""
    use(FakeReader(0.1, heat=np.full((224, 224), 0.1, np.float32), heat_in_lungs=0.2))
    app = show("a.png")
    assert not app.warning
    assert "There is hardly any heat on this image: its peak is 4 % of the colour range." in say(app)
    assert "of the heat lies within" not in say(app)


@pytest.mark.parametrize(
    ("probability", "told"),
    [
        (
            0.199,
            f"below 20.0 %, the lower edge of the uncertain band. {NOT_HEALTHY} Whatever heat the map shows did not",
        ),
        (0.2, "the model does not decide. Read this image without it. Finding: uncertain, whatever the map shows."),
        (0.799, "the model does not decide. Read this image without it. Finding: uncertain, whatever the map shows."),
        (0.8, ""),
    ],
)
def test_sentence_follows_the_band(use, show, say, probability, told):
    """What is said of the heat follows the finding, not the balanced threshold."""
    use(FakeReader(probability))
    app = show("a.png")
    assert told in say(app)
    assert len(app.info) == bool(told)


@pytest.mark.usefixtures("reader")
def test_lung_outline(show):
    """The viewer has the lungs that were found, to draw their outline."""
    np.testing.assert_array_equal(viewed(show("a.png"))[1]["lungs"] == 255, lung_mask())


@pytest.mark.usefixtures("reader")
def test_image_is_chosen_among_those_read(show, say):
    """The image chosen on Read is shown here, and another can be chosen here."""
    app = show("a.png", "b.png")
    assert "The image: a.png" in say(app)
    first = viewed(app)[0]
    chooser = next(box for box in app.selectbox if box.label == "Image")
    chooser.select_index(0).run()
    assert "The image: b.png" in say(app)
    assert viewed(app)[0]["key"] != first["key"]
    app.switch_page("pages/read.py").run()
    assert "b.png · PNG" in say(app)
