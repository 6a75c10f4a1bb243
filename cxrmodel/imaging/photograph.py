"""Traces of a camera in an image: the grid of a screen's pixels, veiling light, and even surroundings."""

import cv2
import numpy as np

_TILE = 256
_TILES = 4
"""Tiles along each side whose spectra are averaged; they may overlap."""
_SMALLEST = 448
"""Pixels of the shorter side below which too little can be averaged; photographs are larger."""
_AXIS = 3
"""Bins beside an axis that are left out: edges, anti-scatter grids and the blocks of a JPEG lie there."""
_LOWEST, _HIGHEST = 0.06, 0.48
"""Frequencies in cycles per pixel between which peaks are looked for; anatomy is below."""
_NEIGHBOURS = 15


def grid_strength(pixels: np.ndarray) -> float:
    """Measure the strongest periodic pattern of an image that lies on neither axis.

    Pixels of a screen, and their beat with those of a camera, are sharp peaks in the spectrum. They lie off the axes
    unless the camera was exactly parallel to the screen.

    Parameters
    ----------
    pixels : ndarray of float32, shape (H, W)
        At the size of the file.

    Returns
    -------
    float
        Ratio of the strongest peak to its surroundings, as a common logarithm; 0 on images too small to tell.
    """
    if min(pixels.shape) < _SMALLEST:
        return 0.0
    window = np.outer(np.hanning(_TILE), np.hanning(_TILE)).astype(np.float32)
    power = np.zeros((_TILE, _TILE // 2 + 1))
    starts = [np.linspace(0, length - _TILE, _TILES).astype(int) for length in pixels.shape]
    for top in starts[0]:
        for left in starts[1]:
            part = pixels[top : top + _TILE, left : left + _TILE]
            spectrum = np.abs(np.fft.rfft2((part - part.mean()) * window)) ** 2
            power += spectrum / (np.median(spectrum) + 1e-9)
    levels = np.log10(np.fft.fftshift(power, axes=0) + 1e-12).astype(np.float32)
    excess = levels - cv2.blur(cv2.blur(levels, (3, 3)), (_NEIGHBOURS, _NEIGHBOURS))
    rows, columns = np.fft.fftshift(np.fft.fftfreq(_TILE))[:, None], np.fft.rfftfreq(_TILE)[None]
    radius, bins = np.hypot(rows, columns), _AXIS / _TILE
    allowed = (radius > _LOWEST) & (radius < _HIGHEST) & (np.abs(rows) > bins) & (columns > bins)
    return float(max(0.0, excess[allowed].max()))


def dark_level(image: np.ndarray) -> float:
    """Grey level below which 1 % of a canonical image lies, 0..255: air, where no light veils it."""
    return float(np.percentile(image, 1))


def border_range(image: np.ndarray) -> tuple[float, float]:
    """Darkest level along the border of a canonical image, and the range of levels there.

    On a radiograph the border goes from air to the abdomen. Around a screen or a film there is one level.

    Parameters
    ----------
    image : ndarray of uint8, shape (S, S)

    Returns
    -------
    (float, float)
        5th percentile, and 90th minus 10th percentile, of the smoothed grey levels.
    """
    smooth = cv2.blur(image.astype(np.float32), (5, 5))
    border = np.concatenate([smooth[2], smooth[-3], smooth[:, 2], smooth[:, -3]])
    low, tenth, ninetieth = np.percentile(border, [5, 10, 90])
    return float(low), float(ninetieth - tenth)
