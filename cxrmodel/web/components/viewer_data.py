"""Packing of an image, its map, its lung mask and their description into one buffer for the viewer in the browser.

Layout: four bytes, the little-endian length of the header; the header, JSON in UTF-8, whose ``parts`` list name,
start and length of every part, counted from the header's end; then the parts, each deflated (zlib):

- ``image``: grey levels row by row, each row as its difference from the row above, wrapped. Images deeper than eight
  bits come as all upper bytes, then all lower bytes.
- ``heat``: the map as a share of its colour range, 0..65535, little-endian uint16; more than the range is clipped.
- ``lungs``: the lung mask, one byte a pixel, 0 or 255.
- ``colours``: 256 colours of three bytes for each colour map, in the header's order.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray

from cxrmodel.explain.overlay import COLOUR_MAPS

Unsigned = NDArray[np.uint8] | NDArray[np.uint16]
Grey = NDArray[np.float32]
Mask = NDArray[np.bool_]
_DEPTHS = (8, 10, 12, 14, 16)
_ROUNDING = 4e-7  # of a float32 that went through a division and a product, as a share of it
_SAMPLED_SIDE = 512


@dataclass(frozen=True, eq=False)
class ImageLevels:
    """An image as whole grey levels, ready to travel.

    Attributes
    ----------
    width, height : int
    top : int
        The level that stands for white: 255 for images of eight bits, up to 65535 for deeper ones.
    deflated : bytes
        The part ``image``.
    windows : dict of str to (int, int) or None
        As of ``windows``.
    """

    width: int
    height: int
    top: int
    deflated: bytes
    windows: Mapping[str, tuple[int, int] | None]


def image_levels(pixels: Grey, bits: int, mask: Mask, file_window: tuple[float, float] | None = None) -> ImageLevels:
    """Bring an image to whole grey levels and deflate it.

    Parameters
    ----------
    pixels : ndarray of float32, shape (H, W), 0..1
    bits : int
        Stored bits per sample. An image of more than eight keeps the smallest depth that holds its levels exactly, so
        that the viewer shows stored values; one that no depth holds exactly is rounded to 16 bits.
    mask : ndarray of bool, shape (h, w)
        Lungs, covering the whole image.
    file_window : (float, float), optional
        The window that the file asks for, 0..1.
    """
    top = 2 ** _depth(pixels, bits) - 1
    levels: Unsigned = np.rint(pixels * np.float32(top)).astype(np.uint8 if top == 255 else np.uint16)
    steps = levels.copy()
    steps[1:] -= levels[:-1]
    coded = steps if top == 255 else np.stack([steps >> 8, steps & 255]).astype(np.uint8)
    # Runs and a Huffman code: in differences of a noisy image, longer repetitions are not worth the search.
    deflate = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    deflated = deflate.compress(coded.tobytes()) + deflate.flush()
    height, width = levels.shape
    return ImageLevels(width, height, top, deflated, windows(levels, top, mask, file_window))


def _depth(pixels: Grey, bits: int) -> int:
    """Smallest number of bits that holds the image's levels exactly: 8 for up to eight bits, 16 where none does."""
    if bits <= 8:
        return 8
    step = _step(pixels)
    for depth in _DEPTHS:
        if _whole(pixels[::step, ::step], depth) and _whole(pixels, depth):
            return depth
    return _DEPTHS[-1]


def _whole(pixels: Grey, depth: int) -> bool:
    levels = pixels * np.float32(2**depth - 1)
    return bool((np.abs(levels - np.rint(levels)) <= _ROUNDING * levels).all())


def _step(pixels: Grey | Unsigned) -> int:
    return max(1, int(max(pixels.shape)) // _SAMPLED_SIDE)


def windows(
    levels: Unsigned, top: int, mask: Mask, file_window: tuple[float, float] | None = None
) -> dict[str, tuple[int, int] | None]:
    """Work out the grey levels that each preset shows as black and as white.

    Parameters
    ----------
    levels : ndarray of unsigned int, shape (H, W)
    top : int
        Level that stands for white.
    mask : ndarray of bool, shape (h, w)
        Lungs, covering the whole image.
    file_window : (float, float), optional
        The window that the file asks for, 0..1.

    Returns
    -------
    dict of str to (int, int) or None
        ``whole``: all levels. ``file``: that of the file; None where it has none. ``percentile``: 1st to 99th
        percentile of the image. ``lungs``, ``mediastinum``: the same of the lungs, and of what surrounds them in their
        box; None where that is empty.
    """
    step = _step(levels)
    seen = levels[::step, ::step]
    rows = np.arange(0, levels.shape[0], step) * mask.shape[0] // levels.shape[0]
    columns = np.arange(0, levels.shape[1], step) * mask.shape[1] // levels.shape[1]
    lungs = mask[rows[:, None], columns[None, :]]
    box = _between(lungs.any(1))[:, None] & _between(lungs.any(0))[None, :]
    return {
        "whole": (0, top),
        "file": None if file_window is None else _window(np.array(file_window) * top, (0, 100)),
        "percentile": _window(seen),
        "lungs": _window(seen[lungs]),
        "mediastinum": _window(seen[box & ~lungs]),
    }


def _between(marked: Mask) -> Mask:
    """True from the first True to the last."""
    return np.maximum.accumulate(marked) & np.maximum.accumulate(marked[::-1])[::-1]


def _window(values: NDArray[Any], between: tuple[float, float] = (1, 99)) -> tuple[int, int] | None:
    if not values.size:
        return None
    low, high = (round(float(edge)) for edge in np.percentile(values, between))
    return low, max(high, low + 1)


def pack(image: ImageLevels, heat: Grey, heat_range: float, mask: Mask, header: Mapping[str, Any]) -> bytes:
    """Pack an image, its map and its lungs into one buffer.

    Parameters
    ----------
    image : ImageLevels
    heat : ndarray of float32, shape (h, w), zero or above
        Covers the whole image.
    heat_range : float
        Heat that takes the top colour.
    mask : ndarray of bool, shape (h, w)
        Covers the whole image.
    header : mapping
        Further fields of the header, as JSON.

    Returns
    -------
    bytes
        The same for the same input, so that a rerun of the page sends nothing.
    """
    shades = [matplotlib.colormaps[name](np.arange(256))[:, :3] for name in COLOUR_MAPS]
    parts = {
        "image": image.deflated,
        "heat": _heat_part(heat, heat_range),
        "lungs": zlib.compress((mask.astype(np.uint8) * 255).tobytes(), 1),
        "colours": zlib.compress(np.rint(np.stack(shades) * 255).astype(np.uint8).tobytes(), 1),
    }
    fields = {
        **header,
        "image": {"width": image.width, "height": image.height, "top": image.top},
        "windows": image.windows,
        "heat": _heat_fields(heat, heat_range),
        "lungs": {"width": mask.shape[1], "height": mask.shape[0]},
        "colourMaps": COLOUR_MAPS,
    }
    return _packed(fields, parts)


def pack_map(heat: Grey, heat_range: float, header: Mapping[str, Any]) -> bytes:
    """Pack a further map of an image that the browser has: as ``pack``, with the part ``heat`` alone."""
    return _packed({**header, "heat": _heat_fields(heat, heat_range)}, {"heat": _heat_part(heat, heat_range)})


def _heat_part(heat: Grey, heat_range: float) -> bytes:
    return zlib.compress(np.rint(np.clip(heat / heat_range, 0, 1) * 65535).astype("<u2").tobytes(), 1)


def _heat_fields(heat: Grey, heat_range: float) -> dict[str, Any]:
    return {"width": heat.shape[1], "height": heat.shape[0], "range": heat_range, "peak": float(heat.max())}


def _packed(header: Mapping[str, Any], parts: Mapping[str, bytes]) -> bytes:
    starts = np.cumsum([0, *map(len, parts.values())])
    listed = [[name, int(start), len(data)] for (name, data), start in zip(parts.items(), starts, strict=False)]
    fields = {**header, "parts": listed}
    body = b"".join(parts.values())
    fields["digest"] = hashlib.sha256(json.dumps(fields).encode() + body).hexdigest()
    coded = json.dumps(fields, ensure_ascii=False).encode()
    return len(coded).to_bytes(4, "little") + coded + body
