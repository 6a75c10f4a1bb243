"""Heatmap, in all its states."""

import numpy as np
import pytest
from stand_ins import FakeReader


@pytest.fixture
def show(visit, make_film, png):
    """A function that reads drawn films and opens their heat map."""

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
    assert "The range is the same for every film." in said
    assert "83 % of the heat lies within the lung fields." in said
    assert "Probability of pneumonia: **87 %**" in said
    assert not app.warning
    assert not app.exception


@pytest.mark.usefixtures("reader")
def test_controls(show, say):
    """Opacity and colour map can be set; the overlay is hidden by a button with a key, and comes back."""
    app = show("a.png")
    app.slider[0].set_value(80)
    app.selectbox[0].select("cividis").run()
    assert "#fee838" in say(app)  # the top colour of cividis, on the bar
    (hide,) = app.button
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


@pytest.mark.parametrize(("probability", "told"), [(0.449, True), (0.45, False)])
def test_below_the_operating_point(use, show, say, probability, told):
    """Below the operating point the page says that the heat did not suffice."""
    use(FakeReader(probability))
    assert ("below the balanced operating point (threshold 45.0 %)" in say(show("a.png"))) is told


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
