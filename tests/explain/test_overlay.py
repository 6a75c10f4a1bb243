"""Heat over a film: one colour range for all, the film untouched where there is none."""

import numpy as np
import pytest

from cxrmodel.explain.overlay import COLOUR_MAPS, NO_HEAT, film_rgb, overlay, overlay_figure


@pytest.fixture(scope="module")
def film(make_film):
    """A drawn film."""
    return make_film(0, (300, 260))


def test_no_heat_leaves_the_film(film):
    """An all-zero map shows the film, bit for bit."""
    np.testing.assert_array_equal(overlay(film, np.zeros((224, 224), np.float32), 1.0, 1.0), film_rgb(film))


def test_no_opacity_leaves_the_film(film):
    """Whatever the heat."""
    np.testing.assert_array_equal(overlay(film, np.ones((224, 224), np.float32), 1.0, 0.0), film_rgb(film))


def test_range_does_not_stretch_to_the_film(film):
    """The same heat has the same colour on every film, however hot the rest is."""
    weak = np.zeros((224, 224), np.float32)
    weak[50:100, 50:100] = 0.2
    strong = weak.copy()
    strong[150:200, 150:200] = 1.0
    place = (slice(80, 120), slice(70, 100))
    np.testing.assert_array_equal(overlay(film, weak, 1.0)[place], overlay(film, strong, 1.0)[place])


def test_heat_above_the_range_is_clipped(film):
    """Twice the range looks like the range."""
    full = np.ones((224, 224), np.float32)
    np.testing.assert_array_equal(overlay(film, full, 1.0), overlay(film, 2 * full, 1.0))


@pytest.mark.parametrize("colour_map", COLOUR_MAPS)
def test_overlay_keeps_the_films_resolution(film, colour_map):
    """One colour pixel a film pixel."""
    picture = overlay(film, np.ones((5, 5), np.float32), 1.0, 0.5, colour_map)
    assert picture.shape == (300, 260, 3)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize(
    ("longest", "shape"),
    [(None, (300, 260)), (400, (300, 260)), (300, (300, 260)), (299, (150, 130)), (99, (75, 65)), (1, (1, 1))],
)
def test_overlay_is_no_larger_than_it_will_be_shown(film, longest, shape):
    """It shrinks in the film's proportions and never grows."""
    picture = overlay(film, np.ones((5, 5), np.float32), 1.0, longest=longest)
    assert picture.shape == (*shape, 3)


def test_a_shrunk_overlay_shows_film_and_heat_where_they_were():
    """Averages of the film, and the heat at the same share of its sides."""
    film, heat = np.zeros((400, 200), np.float32), np.zeros((4, 2), np.float32)
    film[:, ::2] = 1.0
    heat[0] = 1.0
    picture = overlay(film, heat, 1.0, 1.0, longest=100)
    assert np.abs(picture[50:].astype(int) - 127.5).max() <= 1
    np.testing.assert_array_equal(picture[0], overlay(film, heat, 1.0, 1.0)[0, :50])


@pytest.mark.parametrize("options", [{"opacity": 1.5}, {"opacity": -0.1}, {"heat_range": 0.0}, {"colour_map": "jet"}])
def test_impossible_options_raise(film, options):
    """No opacity beyond 1, no empty range, no map that is not uniform."""
    with pytest.raises(ValueError, match="opacity"):
        overlay(film, np.zeros((5, 5), np.float32), **{"heat_range": 1.0} | options)


def test_figure_has_a_bar_on_the_raw_scale(film):
    """From 0 to the range, and words under an empty map."""
    figure = overlay_figure(film, np.zeros((224, 224), np.float32), 0.37)
    bar = figure.axes[1]
    assert bar.get_ylim() == (0.0, 0.37)
    assert figure.get_supxlabel() == NO_HEAT
    assert overlay_figure(film, np.ones((224, 224), np.float32), 0.37).get_supxlabel() == ""


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("shape", [(300, 260), (200, 600)])
def test_caption_stands_beneath_the_film(empty, shape):
    """Every word of it within the picture and below the film, which is drawn as wide as without."""
    heat, caption = np.full((224, 224), float(not empty), np.float32), "First line.\n" + "word " * 60
    plain, figure = (overlay_figure(np.zeros(shape, np.float32), heat, 1.0, caption=text) for text in ("", caption))
    for drawn in (plain, figure):
        drawn.draw_without_rendering()
    said = figure._supxlabel.get_window_extent()
    film = figure.axes[0].get_window_extent()
    assert figure.get_supxlabel().split() == f"{NO_HEAT if empty else ''} {caption}".split()
    assert said.x0 >= 0
    assert said.y0 >= 0
    assert said.x1 <= figure.bbox.width
    assert said.y1 <= film.y0
    assert film.width >= 0.95 * plain.axes[0].get_window_extent().width
