"""Overlays: one colour range for all images; the image is unchanged where the map is zero."""

import numpy as np
import pytest

from cxrmodel.explain.overlay import COLOUR_MAPS, EMPTY, image_rgb, overlay, overlay_figure


@pytest.fixture(scope="module")
def image(make_image):
    """A drawn image."""
    return make_image(0, (300, 260))


def test_no_heat_leaves_the_image(image):
    """An all-zero map shows the image, bit for bit."""
    np.testing.assert_array_equal(overlay(image, np.zeros((224, 224), np.float32), 1.0, 1.0), image_rgb(image))


def test_no_opacity_leaves_the_image(image):
    """Whatever the map."""
    np.testing.assert_array_equal(overlay(image, np.ones((224, 224), np.float32), 1.0, 0.0), image_rgb(image))


def test_range_does_not_stretch_to_the_image(image):
    """A value has the same colour in every image, whatever its peak."""
    weak = np.zeros((224, 224), np.float32)
    weak[50:100, 50:100] = 0.2
    strong = weak.copy()
    strong[150:200, 150:200] = 1.0
    place = (slice(80, 120), slice(70, 100))
    np.testing.assert_array_equal(overlay(image, weak, 1.0)[place], overlay(image, strong, 1.0)[place])


def test_heat_above_the_range_is_clipped(image):
    """Twice the range has the colour of the range."""
    full = np.ones((224, 224), np.float32)
    np.testing.assert_array_equal(overlay(image, full, 1.0), overlay(image, 2 * full, 1.0))


@pytest.mark.parametrize("colour_map", COLOUR_MAPS)
def test_overlay_keeps_the_images_resolution(image, colour_map):
    """One overlay pixel for each image pixel."""
    picture = overlay(image, np.ones((5, 5), np.float32), 1.0, 0.5, colour_map)
    assert picture.shape == (300, 260, 3)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize(
    ("longest", "shape"),
    [(None, (300, 260)), (400, (300, 260)), (300, (300, 260)), (299, (150, 130)), (99, (75, 65)), (1, (1, 1))],
)
def test_overlay_is_no_larger_than_it_will_be_shown(image, longest, shape):
    """It keeps the image's proportions and is never enlarged."""
    picture = overlay(image, np.ones((5, 5), np.float32), 1.0, longest=longest)
    assert picture.shape == (*shape, 3)


def test_a_shrunk_overlay_shows_image_and_heat_where_they_were():
    """The image is averaged, and the map stays in place."""
    image, heat = np.zeros((400, 200), np.float32), np.zeros((4, 2), np.float32)
    image[:, ::2] = 1.0
    heat[0] = 1.0
    picture = overlay(image, heat, 1.0, 1.0, longest=100)
    assert np.abs(picture[50:].astype(int) - 127.5).max() <= 1
    np.testing.assert_array_equal(picture[0], overlay(image, heat, 1.0, 1.0)[0, :50])


@pytest.mark.parametrize("options", [{"opacity": 1.5}, {"opacity": -0.1}, {"heat_range": 0.0}, {"colour_map": "jet"}])
def test_impossible_options_raise(image, options):
    """Opacity above 1, an empty range, an unknown colour map."""
    with pytest.raises(ValueError, match="opacity"):
        overlay(image, np.zeros((5, 5), np.float32), **{"heat_range": 1.0} | options)


def test_figure_has_a_bar_on_the_raw_scale(image):
    """From 0 to the range; an all-zero map has a caption that says so."""
    figure = overlay_figure(image, np.zeros((224, 224), np.float32), 0.37)
    bar = figure.axes[1]
    assert bar.get_ylim() == (0.0, 0.37)
    assert figure.get_supxlabel() == str(EMPTY)
    assert overlay_figure(image, np.ones((224, 224), np.float32), 0.37).get_supxlabel() == ""


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("shape", [(300, 260), (200, 600)])
def test_caption_stands_beneath_the_image(empty, shape):
    """It lies within the figure and below the image, which keeps its width."""
    heat, caption = np.full((224, 224), float(not empty), np.float32), "First line.\n" + "word " * 60
    plain, figure = (overlay_figure(np.zeros(shape, np.float32), heat, 1.0, caption=text) for text in ("", caption))
    for drawn in (plain, figure):
        drawn.draw_without_rendering()
    caption_box = figure._supxlabel.get_window_extent()
    image = figure.axes[0].get_window_extent()
    assert figure.get_supxlabel().split() == f"{EMPTY if empty else ''} {caption}".split()
    assert caption_box.x0 >= 0
    assert caption_box.y0 >= 0
    assert caption_box.x1 <= figure.bbox.width
    assert caption_box.y1 <= image.y0
    assert image.width >= 0.95 * plain.axes[0].get_window_extent().width
