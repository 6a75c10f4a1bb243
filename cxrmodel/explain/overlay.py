"""Overlay: a heatmap over its image, on a colour range that is the same for every image."""

from functools import lru_cache
from textwrap import wrap
from typing import TYPE_CHECKING

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray

from cxrmodel.explain.methods.gradcam import METHOD as GRADCAM
from cxrmodel.messages import Message

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

COLOUR_MAPS = ("viridis", "cividis", "inferno", "magma")
"""Perceptually uniform. The first is the default: safe for colour-blind readers and, unlike cividis, never grey."""
FIGURE_SIDE = 1050
"""Pixels of the longer side of a saved figure: 7 inches at 150 per inch."""
LEGEND = GRADCAM.legend
"""Title of the colour bar of the map that comes with every reading."""
_LINE, _LINE_INCHES = 100, 0.13
"""Characters in a line of a caption, so that it fits the figure, and the height of a line."""
EMPTY = Message("explain.empty_map")


def image_rgb(pixels: Floats) -> Pixels:
    """An image in RGB.

    Parameters
    ----------
    pixels : ndarray of float32, shape (H, W), 0..1

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
    """
    return np.asarray(cv2.merge([_grey(pixels)] * 3), np.uint8)


def overlay(
    pixels: Floats,
    heat: Floats,
    heat_range: float,
    opacity: float = 0.5,
    colour_map: str = COLOUR_MAPS[0],
    longest: int | None = None,
) -> Pixels:
    """Overlay a heatmap on its image, at the image's resolution or at the size at which it is shown.

    The opacity of a pixel is ``opacity`` times its value as a share of the range, so that the image is unchanged where
    the map is zero.

    Parameters
    ----------
    pixels : ndarray of float32, shape (H, W), 0..1
    heat : ndarray of float32, shape (h, w), zero or above
        Of the whole image, at any resolution; a reading's ``drawn_heat``.
    heat_range : float
        Value of the top colour; higher values are clipped to it.
    opacity : float
        Of the top colour, 0..1.
    colour_map : str
        One of ``COLOUR_MAPS``.
    longest : int or None
        Most pixels of the longer side; None keeps the image's size. The image is reduced by the whole number that
        achieves it. A remainder at its right and lower edge, of fewer pixels than that number, is left out.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3), or smaller in the image's proportions

    Raises
    ------
    ValueError
        When opacity, range or colour map is out of range.
    """
    if not 0.0 <= opacity <= 1.0 or not heat_range > 0 or colour_map not in COLOUR_MAPS:
        raise ValueError("opacity lies in 0..1, heat_range is above 0, and colour_map is one of COLOUR_MAPS")
    grey = _grey(pixels)
    times = -(-max(grey.shape) // longest) if longest else 1
    if times > 1:  # by a whole number, which is far faster than by any other
        height, width = (max(1, side // times) for side in grey.shape)
        whole = grey[: height * times, : width * times]
        grey = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    height, width = grey.shape
    grown = cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR)
    level = cv2.convertScaleAbs(grown, alpha=255.0 / heat_range)
    place = level.astype(np.uint16) << 8 | grey
    return np.take(_mixtures(opacity, colour_map), place).view(np.uint8).reshape(height, width, 4)[..., :3]


@lru_cache(maxsize=8)
def _mixtures(opacity: float, colour_map: str) -> NDArray[np.uint32]:
    """Colour of every value of the map over every grey level, packed: uint32 of shape (65536,), byte 4 unused."""
    share = np.arange(256)[:, None, None] / 255.0
    colours = matplotlib.colormaps[colour_map](np.arange(256))[:, None, :3] * 255.0
    greys = np.arange(256)[None, :, None]
    mixed = np.zeros((256, 256, 4), np.uint8)
    mixed[..., :3] = np.rint(greys * (1.0 - opacity * share) + colours * opacity * share)
    return mixed.view(np.uint32).reshape(-1)


def _grey(pixels: Floats) -> Pixels:
    return np.asarray(cv2.convertScaleAbs(pixels, alpha=255.0), np.uint8)


def overlay_figure(
    pixels: Floats,
    heat: Floats,
    heat_range: float,
    *,
    opacity: float = 0.5,
    colour_map: str = COLOUR_MAPS[0],
    legend: Message | str = LEGEND,
    caption: str = "",
) -> "Figure":
    """Overlay with a colour bar on the raw scale.

    Parameters
    ----------
    pixels, heat, heat_range, opacity, colour_map
        As in ``overlay``.
    legend : Message or str
        Title of the colour bar.
    caption : str
        Lines below the figure in small letters; long ones are wrapped.

    Returns
    -------
    matplotlib.figure.Figure
        Independent of pyplot's global state. An all-zero map has a note below.
    """
    from matplotlib.cm import ScalarMappable  # only a saved figure needs these, and they take long to import
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    height, width = pixels.shape
    below = [*([] if heat.any() else [str(EMPTY)]), *caption.splitlines()]
    lines = [part for line in below for part in wrap(line, _LINE)]
    tall = max(3.0, 6.0 * height / width) + (_LINE_INCHES * len(lines) if caption else 0.0)
    figure = Figure(figsize=(7.0, tall), layout="constrained", facecolor="black")
    axes = figure.add_subplot()
    axes.imshow(overlay(pixels, heat, heat_range, opacity, colour_map, FIGURE_SIDE), interpolation="bilinear")
    axes.set_axis_off()
    bar = figure.colorbar(ScalarMappable(Normalize(0.0, heat_range), colour_map), ax=axes, fraction=0.05, pad=0.02)
    bar.set_label(str(legend), color="white")
    bar.ax.tick_params(colors="white")
    bar.outline.set_edgecolor("white")
    if lines:
        figure.supxlabel("\n".join(lines), color="white", fontsize=7 if caption else 9)
    return figure
