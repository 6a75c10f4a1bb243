"""Decoding leaves an image as stored: rotation, inversion and scaling come after it."""

import numpy as np
import pytest
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from cxrmodel.errors import UnreadableFile
from cxrmodel.imaging.formats.image_format import Header
from cxrmodel.imaging.formats.raster import decode_raster
from cxrmodel.imaging.formats.registry import find_format


def decode(data):
    """A PNG or TIFF file as stored."""
    found = find_format(data)
    plugin = {"PNG": PngImageFile, "TIFF": TiffImageFile}[found.name]
    return decode_raster(data, found.header(data), plugin, found.name)


LEVELS = np.random.default_rng(0).integers(0, 256, (72, 80)).astype(np.uint8)


@pytest.mark.parametrize("samples", [LEVELS, LEVELS.astype(np.uint16) * 16, (LEVELS / 255).astype(np.float32)])
@pytest.mark.parametrize("order", "<>")
def test_polarity_and_orientation_of_a_tiff_are_applied_once(tiff, samples, order):
    """At every depth, whether the decoder applies them itself or not."""
    data = tiff(samples, order, photometric=0, tags={274: 6})
    found = find_format(data)
    image = found.image(data, found.header(data))
    white = {1: 255, 2: 4080, 4: 1}[samples.itemsize]
    expected = 1 - samples / np.float32(white)
    np.testing.assert_allclose(image.pixels, np.rot90(expected, -1), atol=1e-6)
    assert image.inverted


def test_channels_come_in_the_order_red_green_blue(tiff, raw_png):
    """OpenCV, which decodes 16-bit colour, has them the other way round."""
    deep = np.dstack([LEVELS.astype(np.uint16) + offset for offset in (1000, 2000, 3000)])
    for data in (tiff(deep, ">", photometric=2), raw_png(deep, 2)):
        assert np.array_equal(decode(data).samples, deep)


def test_alpha_is_opacity_in_unit_range(save, raw_png):
    """Separate from the levels; None where every pixel is opaque."""
    alpha = np.full_like(LEVELS, 255)
    data = save(np.dstack([LEVELS, alpha]), "PNG")
    assert decode(data).alpha is None
    alpha[0, 0] = 51
    deep = [channel.astype(np.uint16) * 257 for channel in (LEVELS, alpha)]
    for data in (save(np.dstack([LEVELS, alpha]), "PNG"), raw_png(np.dstack(deep), 4)):
        opacity = decode(data).alpha
        assert opacity.dtype == np.float32
        assert opacity[0, 0] == np.float32(0.2)
        assert opacity.min() < opacity.max() == 1


def test_an_image_of_another_size_than_its_header_is_refused(save):
    """The decoded size must be the one that was checked against the limits."""
    data = save(LEVELS, "PNG")
    with pytest.raises(UnreadableFile):
        decode_raster(data, Header(72, 80, 8), PngImageFile, "PNG")
