"""What travels to the viewer in the browser."""

import json
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cxrmodel.explain.overlay import COLOUR_MAPS
from cxrmodel.web.components.viewer_data import image_levels, pack, pack_map, windows
from tests.support.viewer_buffer import unpack

MASK = np.ones((2, 2), bool)


def image_of(levels, top: int, bits: int = 16, mask: np.ndarray = MASK):
    """An image of given stored levels."""
    return image_levels((np.asarray(levels) / np.float32(top)).astype(np.float32), bits, mask)


def packed(image, heat=None, heat_range: float = 2.0, mask: np.ndarray = MASK, **fields) -> bytes:
    """A buffer with a map of zeros unless one is given."""
    heat = np.zeros((2, 2), np.float32) if heat is None else np.asarray(heat, np.float32)
    return pack(image, heat, heat_range, mask, fields)


def test_rows_are_differences_from_the_row_above():
    """Eight bits: a byte each, wrapped; computed by hand."""
    image = image_of([[10, 250], [4, 255], [4, 0]], 255, bits=8)
    assert list(zlib.decompress(image.deflated)) == [10, 250, 250, 5, 0, 1]
    assert (image.width, image.height, image.top) == (2, 3, 255)


def test_deep_images_send_upper_bytes_then_lower():
    """Twelve bits in sixteen: 0x0FFF, then 0x0100 below it is a step of 0xF101; computed by hand."""
    image = image_of([[0x0FFF], [0x0100]], 4095)
    assert list(zlib.decompress(image.deflated)) == [0x0F, 0xF1, 0xFF, 0x01]
    assert image.top == 4095


@pytest.mark.parametrize(
    ("bits", "top", "levels", "shown"),
    [
        (8, 255, [[0, 128, 255]], 255),
        (1, 255, [[0, 255, 255]], 255),
        (16, 255, [[0, 128, 255]], 255),
        (16, 1023, [[0, 511, 1023]], 1023),
        (12, 4095, [[0, 1843, 4095]], 4095),
        (16, 16383, [[0, 12345, 16383]], 16383),
        (16, 65535, [[0, 12345, 65535]], 65535),
    ],
)
def test_stored_values_are_kept(bits, top, levels, shown):
    """The smallest depth that holds the image exactly is the one whose values are shown."""
    image = image_of(levels, top, bits)
    assert image.top == shown
    header, parts = unpack(packed(image))
    assert header["image"] == {"width": 3, "height": 1, "top": shown}
    np.testing.assert_array_equal(parts["image"], levels)


def test_levels_that_no_depth_holds_are_rounded_to_sixteen_bits():
    """A third, for one, is 21845 of 65535; an eight-bit image stays one whatever was done to it."""
    pixels = np.array([[0.0, 0.12345678, 1 / 3]], np.float32)
    assert image_levels(pixels, 16, MASK).top == 65535
    assert unpack(packed(image_levels(pixels, 16, MASK)))[1]["image"][0, 2] == 21845
    assert image_levels(pixels, 8, MASK).top == 255


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 65535)),
    st.sampled_from([8, 16]),
)
def test_every_image_comes_back(levels, bits):
    """Whatever the levels, the browser gets them as they are."""
    levels = levels >> (16 - bits)
    top = 2**bits - 1
    header, parts = unpack(packed(image_of(levels, top, bits)))
    np.testing.assert_allclose(parts["image"] / header["image"]["top"], levels / top, rtol=1e-12)


def test_header_round_trip():
    """The header, map, mask and colours arrive unchanged."""
    mask = np.array([[True, False, True]])
    heat = [[0.0, 0.5], [1.0, 7.0]]
    image = image_of([[0, 255]], 255, bits=8, mask=mask)
    header, parts = unpack(packed(image, heat, 2.0, mask, remark="«83 %» of the heat", spacing=[0.14, 0.15], badges=[]))
    assert header["remark"] == "«83 %» of the heat"
    assert header["spacing"] == [0.14, 0.15]
    assert header["heat"] == {"width": 2, "height": 2, "range": 2.0, "peak": 7.0}
    assert header["lungs"] == {"width": 3, "height": 1}
    assert header["colourMaps"] == list(COLOUR_MAPS)
    assert header["windows"] == {name: edges and list(edges) for name, edges in image.windows.items()}
    np.testing.assert_allclose(parts["heat"], [[0, 0.25], [0.5, 1]], atol=1e-5)  # above the range is clipped to it
    np.testing.assert_array_equal(parts["lungs"], [[255, 0, 255]])


def test_colours_are_matplotlibs():
    """First and last colour of two maps, as published: viridis #440154 to #fde725, cividis #00224e to #fee838."""
    colours = dict(zip(COLOUR_MAPS, unpack(packed(image_of([[0]], 255, 8)))[1]["colours"], strict=True))
    ends = {name: [bytes(colours[name][at]).hex() for at in (0, 255)] for name in ("viridis", "cividis")}
    assert ends == {"viridis": ["440154", "fde725"], "cividis": ["00224e", "fee838"]}


def test_same_image_gives_the_same_bytes():
    """So that a page drawn again sends nothing; anything else has another digest."""
    image = image_of([[0, 255]], 255, 8)
    assert packed(image, remark="a") == packed(image, remark="a")
    digests = {unpack(data)[0]["digest"] for data in (packed(image, remark="a"), packed(image, remark="b"))}
    digests.add(unpack(packed(image, [[1.0, 0], [0, 0]], remark="a"))[0]["digest"])
    assert len(digests) == 3


def test_windows_by_hand():
    """Lungs are the two outer columns, the mediastinum what lies between them within their box."""
    levels = np.array([[9, 9, 9, 9], [10, 200, 201, 30], [20, 210, 211, 40]], np.uint8)
    mask = np.array([[0, 0, 0, 0], [1, 0, 0, 1], [1, 0, 0, 1]], bool)
    found = windows(levels, 255, mask, file_window=(0.2, 0.6))
    assert found["whole"] == (0, 255)
    assert found["file"] == (51, 153)
    assert found["lungs"] == (10, 40)  # 1st and 99th percentile of 10, 20, 30, 40: 10.3 and 39.7
    assert found["mediastinum"] == (200, 211)
    assert found["percentile"] == (9, 211)


@pytest.mark.parametrize("shape", [(3, 4), (700, 1300)])
def test_windows_that_an_image_does_not_have(shape):
    """No window of the file's own, one lung without anything between: None; an even image: a window one level wide."""
    levels = np.full(shape, 7, np.uint8)
    found = windows(levels, 255, np.ones((2, 2), bool))
    assert found["file"] is None
    assert found["mediastinum"] is None
    assert found["percentile"] == found["lungs"] == (7, 8)


def test_a_further_map_travels_alone():
    """With its own range and words, as shares of that range."""
    data = pack_map(np.array([[0, 1], [2, 9]], np.float32), 4.0, {"title": "Another", "empty": False})
    length = int.from_bytes(data[:4], "little")
    header = json.loads(data[4 : 4 + length])
    assert header["heat"] == {"width": 2, "height": 2, "range": 4.0, "peak": 9.0}
    assert (header["title"], header["empty"]) == ("Another", False)
    ((name, start, size),) = header["parts"]
    assert name == "heat"
    shares = np.frombuffer(zlib.decompress(data[4 + length + start :][:size]), "<u2") / 65535
    np.testing.assert_allclose(shares, [0, 0.25, 0.5, 1], atol=1e-4)
