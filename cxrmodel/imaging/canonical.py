"""The one small film that the networks see.

Training films exist only as 224 x 224 copies, squashed with an antialiased bilinear filter, while uploads
come at full size. Passing every film through the same filter to the same size gives both one texture.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

__all__ = ["FILM_SIDE", "canonical_film"]

FILM_SIDE = 224
LARGE = 1_000_000
"""Pixels from which a film is worth being split between threads."""

_threads = ThreadPoolExecutor(2, "canonical")


def canonical_film(pixels: np.ndarray, side: int = FILM_SIDE) -> np.ndarray:
    """Squash a film to a square with a triangle filter scaled to the reduction (no aliasing).

    Parameters
    ----------
    pixels : ndarray of float32, shape (H, W)
        Film, 0..1, air dark.
    side : int
        Side of the result in pixels.

    Returns
    -------
    ndarray of uint8, shape (side, side)
    """
    film = np.ascontiguousarray(pixels, np.float32)
    if film.shape[1] != side:
        # Rows are independent while the width shrinks, so they can be split without changing a bit of the result.
        if film.size >= LARGE:
            film = np.concatenate(list(_threads.map(_narrowed, np.array_split(film, 2), [side] * 2)))
        else:
            film = _narrowed(film, side)
    if film.shape[0] != side:
        film = _resized(film, (side, side))
    return np.clip(np.rint(film * 255.0), 0, 255).astype(np.uint8)


def _narrowed(rows: np.ndarray, side: int) -> np.ndarray:
    return _resized(rows, (side, len(rows)))


def _resized(film: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(film).resize(size, Image.Resampling.BILINEAR))
