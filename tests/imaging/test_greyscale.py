"""Images stored in colour that are grey."""

import cv2
import numpy as np
import pytest

from cxrmodel.errors import ColourImage
from cxrmodel.imaging.greyscale import single_channel


@pytest.fixture(scope="module")
def image(make_image):
    """Grey levels of a drawn image, uint8."""
    return np.uint8(make_image() * 255)


def tinted(image, red, green, blue):
    """The image in one colour: white becomes (red, green, blue), black stays."""
    return np.uint8(image[..., None] / 255 * np.float64([red, green, blue]))


def scene(image, saturation):
    """An image whose hue depends on the position and not on the brightness."""
    angle = np.arctan2(*np.mgrid[-1 : 1 : image.shape[0] * 1j, -1 : 1 : image.shape[1] * 1j])
    hues = np.stack([np.cos(angle + turn) for turn in (0, 2.1, 4.2)], axis=-1)
    return np.uint8(np.clip(image[..., None] + saturation * hues, 0, 255))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_equal_channels_are_taken_as_they_are(image, dtype):
    """No level changes where red, green and blue are equal."""
    levels = image.astype(dtype) * np.iinfo(dtype).max // 255
    grey, tint = single_channel(np.dstack([levels] * 3), float(np.iinfo(dtype).max))
    assert np.array_equal(grey, levels)
    assert grey.dtype == dtype
    assert not tint


def test_one_channel_is_left_alone(image):
    """A grey image is returned unchanged."""
    assert single_channel(image, 255.0) == (image, False)


@pytest.mark.parametrize("white", [(158, 184, 204), (255, 245, 225), (240, 255, 240)], ids=["base", "paper", "screen"])
def test_a_faint_even_tint_is_taken_off(image, white):
    """The luma of an image on a blue base, yellowed paper or a greenish screen is read, with a note."""
    grey, tint = single_channel(tinted(image, *white), 255.0)
    luma = image * (np.float64([0.299, 0.587, 0.114]) @ white) / 255
    assert np.abs(grey - luma).max() <= 2
    assert tint


def test_a_tint_is_judged_on_the_image_s_own_scale(image):
    """Twelve bits in sixteen are as coloured as eight in eight."""
    image_in_colour = tinted(image, 158, 184, 204).astype(np.uint16) * 16
    assert single_channel(image_in_colour, 4095.0)[1]
    with pytest.raises(ColourImage):
        single_channel(scene(image, 40).astype(np.uint16) * 16, 4095.0)


def test_rounding_is_no_tint(image):
    """Channels that differ by a level, as lossy formats make them, are grey, without a note."""
    image_in_colour = np.dstack([image, image, np.minimum(image, 254) + 1])
    assert not single_channel(image_in_colour, 255.0)[1]


def test_chroma_noise_is_no_colour(image):
    """A scanner's noise in each channel, 6 levels of standard deviation, averages out; the image is read."""
    noise = np.random.default_rng(0).normal(0, 6, (*image.shape, 3))
    for side in (None, 96):
        image_in_colour = np.uint8(np.clip(image[..., None] + noise, 0, 255))[:side, :side]
        grey, tint = single_channel(image_in_colour, 255.0)
        assert not tint
        assert abs(float(grey.mean()) - float(image[:side, :side].mean())) < 2


def test_a_coloured_marker_is_no_colour_image(image):
    """A letter or arrow in colour on less than a hundredth of the image does not make it a colour image."""
    image_in_colour = np.dstack([image] * 3)
    image_in_colour[20:60, 20:60] = (255, 255, 0)
    assert single_channel(image_in_colour, 255.0)[0].shape == image.shape


@pytest.mark.parametrize(
    "paint",
    [
        lambda image: scene(image, 100),
        lambda image: scene(image, 10),
        lambda image: cv2.applyColorMap(image, cv2.COLORMAP_JET)[..., ::-1],
        lambda image: cv2.applyColorMap(image, cv2.COLORMAP_HOT)[..., ::-1],
        lambda image: tinted(image, 255, 120, 90),
        lambda image: tinted(image, 255, 0, 0),
        lambda image: np.where(np.arange(image.shape[1])[:, None] < 100, tinted(image, 255, 0, 0), image[..., None]),
    ],
    ids=["scene", "pale scene", "rainbow map", "heatmap", "strong tint", "one channel", "part in colour"],
)
def test_true_colour_is_refused(image, paint):
    """True colours, colour maps, and strong tints."""
    with pytest.raises(ColourImage):
        single_channel(np.ascontiguousarray(paint(image)), 255.0)
