"""Heatmap, in all its states."""

import numpy as np
import pytest
from stand_ins import FakeReader, lung_mask

from cxrmodel.web import heat


@pytest.fixture
def show(visit, make_film, png):
    """A function that reads drawn films and opens their heatmap."""

    def read_and_show(*names):
        app = visit("read")
        files = [(name, png(make_film(seed, (60, 80))), "image/png") for seed, name in enumerate(names)]
        app.file_uploader[0].set_value(files).run()
        return app.switch_page("pages/heatmap.py").run()

    return read_and_show


@pytest.mark.usefixtures("reader")
def test_empty(visit, say):
    """Before any film the page says so and links to Read."""
    app = visit("heatmap")
    assert "No film has been read in this session." in say(app)
    assert [link.label for link in app.get("page_link")] == ["Read a film"]
    assert not app.get("image")


def test_refused_film_has_no_map(visit, say, reader):
    """A film that was refused is not offered."""
    app = visit("read")
    app.file_uploader[0].set_value([("a.txt", b"text", "text/plain")]).run()
    app.switch_page("pages/heatmap.py").run()
    assert "No film has been read in this session." in say(app)


@pytest.mark.usefixtures("reader")
def test_done(show, say):
    """Film and overlay stand side by side, with the colour bar from 0 to the range of every film."""
    app = show("a.png")
    assert len(app.get("image")) == 2
    said = say(app)
    assert 'aria-label="Colour bar from 0 to 2.5"' in said
    assert (
        "what each place adds to the logit. The range is the same for every film. On the film colours are paler" in said
    )
    assert "83 % of the heat lies within the lung fields." in said
    assert "Probability of pneumonia: **87 %**" in said
    assert not app.warning
    assert not app.exception


@pytest.mark.usefixtures("reader")
def test_controls(show, say):
    """Opacity and colour map can be set; the overlay is hidden by a button with a key, and comes back."""
    app = show("a.png")
    app.slider[0].set_value(80)
    next(box for box in app.selectbox if box.label == "Colour map").select("cividis").run()
    assert "#fee838" in say(app)  # the top colour of cividis, on the bar
    hide = app.button[0]
    assert (hide.label, hide.proto.shortcut.lower()) == ("Hide the overlay", "h")
    hide.click().run()
    assert "The overlay is off." in say(app)
    assert app.slider[0].disabled
    assert app.button[0].label == "Show the overlay"
    app.button[0].click().run()
    assert "The overlay is off." not in say(app)


def test_no_heat_is_said_in_words(use, show, say):
    """An all-zero map is said to be one."""
    use(FakeReader(0.1, heat=np.zeros((224, 224), np.float32), heat_in_lungs=None))
    said = say(show("a.png"))
    assert "The map is zero everywhere: nothing on this film speaks for pneumonia" in said
    assert "did not suffice" not in said


def test_heat_outside_the_lungs_is_a_warning(use, show):
    """Heat mostly outside the lungs is told as a warning."""
    use(FakeReader(heat_in_lungs=0.31))
    (warning,) = show("a.png").warning
    assert warning.value.startswith("Only 31\u00a0% of the heat lies within the lung fields.")


def test_hardly_any_heat_is_no_warning(use, show, say):
    """Where there is hardly any heat, its peak is stated, and nothing is said of its share in the lungs."""
    use(FakeReader(0.1, heat=np.full((224, 224), 0.1, np.float32), heat_in_lungs=0.2))
    app = show("a.png")
    assert not app.warning
    assert "There is hardly any heat on this film: its peak is 4 % of the colour range." in say(app)
    assert "of the heat lies within" not in say(app)


@pytest.mark.parametrize(
    ("probability", "told"),
    [
        (0.199, "below 20.0 %, the lower edge of the uncertain band. Whatever heat the map shows did not suffice"),
        (0.2, "the model does not decide. Read this film without it. Finding: uncertain, whatever the map shows."),
        (0.799, "the model does not decide. Read this film without it. Finding: uncertain, whatever the map shows."),
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
def test_lung_outline(show, monkeypatch):
    """The outline of the lungs is on the overlay, with or without heat, until it is turned off."""
    masks = []
    monkeypatch.setattr(heat, "outlined", lambda rgb, mask: masks.append(mask) or rgb)
    app = show("a.png")
    assert [(toggle.label, toggle.value) for toggle in app.toggle] == [("Lung outline", True)]
    np.testing.assert_array_equal(masks[0], lung_mask())
    app.button[0].click().run()
    assert len(masks) == 2
    app.toggle[0].set_value(False).run()
    assert len(masks) == 2


@pytest.mark.usefixtures("reader")
def test_film_is_chosen_among_those_read(show, say):
    """The film chosen on Read is shown here, and another can be chosen here."""
    app = show("a.png", "b.png")
    assert "The film: a.png" in say(app)
    chooser = next(box for box in app.selectbox if box.label == "Film")
    chooser.select_index(0).run()
    assert "The film: b.png" in say(app)
    app.switch_page("pages/read.py").run()
    assert "b.png · PNG" in say(app)


@pytest.mark.usefixtures("reader")
def test_overlay_can_be_kept(show):
    """The overlay is a download, made on demand."""
    assert [button.label for button in show("a.png").download_button] == ["Overlay as PNG"]
