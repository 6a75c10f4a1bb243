"""The one small film that the networks see.

Training films exist only as 224 x 224 copies, squashed with an antialiased bilinear filter, while uploads
come at full size. Passing every film through the same filter to the same size gives both one texture.
"""

import numpy as np
from PIL import Image

__all__ = ["FILM_SIDE", "canonical_film"]

FILM_SIDE = 224


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
    film = Image.fromarray(np.ascontiguousarray(pixels, np.float32))
    if film.size != (side, side):
        film = film.resize((side, side), Image.Resampling.BILINEAR)
    return np.clip(np.rint(np.asarray(film) * 255.0), 0, 255).astype(np.uint8)
