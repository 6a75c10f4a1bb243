"""Decoding leaves a picture as it is stored: turning, inverting and scaling are left to the caller."""

import numpy as np
import pytest

from cxrmodel.errors import UnreadableFile
from cxrmodel.imaging.formats.bounds import Header, read_header
from cxrmodel.imaging.formats.decode import decode

LEVELS = np.random.default_rng(0).integers(0, 256, (72, 80)).astype(np.uint8)


@pytest.mark.parametrize("samples", [LEVELS, LEVELS.astype(np.uint16) * 16, (LEVELS / 255).astype(np.float32)])
@pytest.mark.parametrize("order", "<>")
def test_a_tiff_comes_as_stored(tiff, samples, order):
    """Neither polarity nor orientation is applied, at no depth, whatever the decoder's own habits."""
    data = tiff(samples, order, photometric=0, tags={274: 6})
    picture = decode(data, read_header(data))
    assert np.array_equal(picture.samples, samples)
    assert (picture.orientation, picture.alpha) == (6, None)


def test_channels_come_in_the_order_red_green_blue(tiff, raw_png):
    """OpenCV, which decodes 16-bit colour, has them the other way round."""
    deep = np.dstack([LEVELS.astype(np.uint16) + offset for offset in (1000, 2000, 3000)])
    for data in (tiff(deep, ">", photometric=2), raw_png(deep, 2)):
        assert np.array_equal(decode(data, read_header(data)).samples, deep)


def test_alpha_is_opacity_in_unit_range(save, raw_png):
    """It comes apart from the levels, and not at all where everything is opaque."""
    alpha = np.full_like(LEVELS, 255)
    data = save(np.dstack([LEVELS, alpha]), "PNG")
    assert decode(data, read_header(data)).alpha is None
    alpha[0, 0] = 51
    deep = [channel.astype(np.uint16) * 257 for channel in (LEVELS, alpha)]
    for data in (save(np.dstack([LEVELS, alpha]), "PNG"), raw_png(np.dstack(deep), 4)):
        opacity = decode(data, read_header(data)).alpha
        assert opacity.dtype == np.float32
        assert opacity[0, 0] == np.float32(0.2)
        assert opacity.min() < opacity.max() == 1


def test_a_picture_of_another_size_than_its_header_is_refused(save):
    """What was held against the limits must be what is decoded."""
    with pytest.raises(UnreadableFile):
        decode(save(LEVELS, "PNG"), Header("PNG", 72, 80, 8))
