"""Heatmap, in all its states."""

import numpy as np
import pytest

from cxrmodel.checks.report import WARNING, CheckReport, CheckResult
from cxrmodel.explain.overlay import LEGEND
from cxrmodel.messages import Message
from cxrmodel.prevalence import prevalence_words
from cxrmodel.report.wording import heat_sentence, reason_for_finding
from cxrmodel.web.text import plain
from tests.support.pages import words
from tests.support.stand_ins import FakeReader, fake_reading, lung_mask
from tests.support.viewer_buffer import unpack


@pytest.mark.usefixtures("reader")
def test_empty(visit, text_of):
    """Without images the page links to Read."""
    app = visit("heatmap")
    assert words("web.heatmap.empty") in text_of(app)
    assert [link.label for link in app.get("page_link")] == [words("web.heatmap.empty_link")]
    assert not app.get("bidi_component")


def test_refused_image_has_no_map(visit, text_of, reader):
    """Refused images are not listed."""
    app = visit("read")
    app.file_uploader[0].set_value([("a.txt", b"text", "text/plain")]).run()
    app.switch_page("heatmap.py").run()
    assert words("web.heatmap.empty") in text_of(app)


def heat_in_words(**changes) -> str:
    """The sentence about the heat of the stand-in's reading."""
    return " ".join(str(heat_sentence(fake_reading(np.zeros((9, 9)), **changes))).split())


def viewed(app) -> tuple[dict, dict]:
    """Header and parts of what the page's one viewer was sent."""
    (viewer,) = app.get("bidi_component")
    assert viewer.proto.component_name == "image_viewer"
    return unpack(viewer.proto.bytes)


@pytest.mark.usefixtures("reader")
def test_done(show, text_of):
    """The viewer has image and map with the fixed colour range; the page has finding, probability and attribution."""
    app = show("a.png")
    header, parts = viewed(app)
    assert header["overlay"] is True
    assert header["heat"]["range"] == 2.5
    assert header["title"] == str(LEGEND)
    assert parts["image"].shape == (60, 80)
    assert parts["heat"].argmax() == 130 * 224 + 160
    shown = text_of(app)
    assert heat_in_words() in shown
    number = {"positive": "pneumonia", "prevalence": prevalence_words(0.5), "probability": "87 %"}
    assert words("web.heatmap.finding", finding="pneumonia", **number) in shown
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


def test_no_heat_is_said_in_words(use, show, text_of):
    """An all-zero map has its own sentence."""
    use(FakeReader(0.1, heat=np.zeros((224, 224), np.float32), heat_in_lungs=None))
    shown = text_of(show("a.png"))
    assert heat_in_words(heat_in_lungs=None) in shown
    assert words("web.heatmap.negative", positive="pneumonia") not in shown


def test_heat_outside_the_lungs_is_a_warning(use, show):
    """Heat mostly outside the lungs is a warning."""
    use(FakeReader(heat_in_lungs=0.31))
    (warning,) = show("a.png").warning
    assert warning.value == str(heat_sentence(fake_reading(np.zeros((9, 9)), heat_in_lungs=0.31)))


def test_warnings_of_the_checks_are_shown(use, show, text_of):
    """Each warning appears once; the attribution sentence is not repeated as a warning."""
    messages = [Message(f"checks.{check}.warning") for check in ("mirroring", "lungs_cut_off")]
    found = [CheckResult("mirroring", WARNING, message, 1.0, 0.5) for message in (*messages, messages[0])]
    sentences = [str(message) for message in messages]
    reasons = (*sentences, "Most of the heat lies outside the lung fields (31 % within).")
    use(FakeReader(heat_in_lungs=0.31, check=CheckReport(tuple(found)), reasons=reasons))
    app = show("a.png")
    assert [warning.value for warning in app.warning[:-1]] == [plain(text) for text in sentences]
    assert text_of(app).count(heat_in_words(heat_in_lungs=0.31)) == 1
    assert reasons[-1] not in text_of(app)


def test_hardly_any_heat_is_no_warning(use, show, text_of):
    """A faint map has its peak stated, and no share inside the lungs."""
    use(FakeReader(0.1, heat=np.full((224, 224), 0.1, np.float32), heat_in_lungs=0.2))
    app = show("a.png")
    assert not app.warning
    assert heat_in_words(heat=np.full((224, 224), 0.1, np.float32), heat_in_lungs=0.2) in text_of(app)


@pytest.mark.parametrize(
    ("probability", "meaning"),
    [
        (0.199, "web.heatmap.negative"),
        (0.2, "web.viewer.uncertain"),
        (0.799, "web.viewer.uncertain"),
        (0.8, None),
    ],
)
def test_sentence_follows_the_band(use, show, probability, meaning):
    """The sentence about the map follows the finding, not the balanced threshold."""
    use(FakeReader(probability))
    reason = reason_for_finding(fake_reading(np.zeros((9, 9)), probability=probability))
    expected = [f"{reason} {words(meaning, positive='pneumonia')}"] if meaning else []
    assert [info.value for info in show("a.png").info] == expected


@pytest.mark.usefixtures("reader")
def test_lung_outline(show):
    """The viewer has the lungs that were found, to draw their outline."""
    np.testing.assert_array_equal(viewed(show("a.png"))[1]["lungs"] == 255, lung_mask())


@pytest.mark.usefixtures("reader")
def test_image_is_chosen_among_those_read(show, text_of):
    """The image chosen on Read is shown here, and another can be chosen here."""
    app = show("a.png", "b.png")
    assert words("web.heatmap.image", name="a.png") in text_of(app)
    first = viewed(app)[0]
    chooser = next(box for box in app.selectbox if box.label == "Image")
    chooser.select_index(0).run()
    assert words("web.heatmap.image", name="b.png") in text_of(app)
    assert viewed(app)[0]["key"] != first["key"]
    app.switch_page("read.py").run()
    assert "b.png · PNG" in text_of(app)
