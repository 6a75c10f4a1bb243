"""Photographs of radiographs on a screen or a light box, simulated: pixel grid and moiré, perspective, light, noise."""

import cv2
import numpy as np

Rng = np.random.Generator
_GAMMA = 2.2
_ENLARGED = 4
"""Small copies are enlarged smoothly first, so that their own pixels leave no grid."""


def screen_photo(image: np.ndarray, rng: Rng) -> np.ndarray:
    """A photograph of an image on a screen, with the grid of its pixels as far as lens and sensor resolve it.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W)
    rng : Generator

    Returns
    -------
    ndarray of uint8, shape (h, w)
        As decoded from the JPEG of the camera.
    """
    return _photograph(image, rng, grid=True)


def light_box_photo(image: np.ndarray, rng: Rng) -> np.ndarray:
    """A photograph of a film on a light box, whose tubes shine through unevenly."""
    return _photograph(image, rng, grid=False)


def _photograph(image: np.ndarray, rng: Rng, grid: bool) -> np.ndarray:
    image = cv2.GaussianBlur(
        cv2.resize(image, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC), (0, 0), 2
    )
    height = int(rng.integers(720, 1400))
    width = int(height * rng.uniform(0.9, 1.35))
    x, y = _places(image.shape, (height, width), rng)
    light = (cv2.remap(image, x, y, cv2.INTER_LINEAR).astype(np.float32) / 255) ** _GAMMA
    inside = (x >= 0) & (y >= 0) & (x < image.shape[1]) & (y < image.shape[0])
    black = rng.uniform(0.001, 0.004)
    if grid:
        light = (black + light) * _pixel_grid(x, y, image.shape, rng)
        around = rng.uniform(0.0, 0.02)
    else:
        light = (black + light) * (1 + rng.uniform(0.05, 0.2) * np.cos(2 * np.pi * rng.uniform(1, 3) * x / x.max()))
        around = rng.choice([rng.uniform(0.7, 1.0), rng.uniform(0.0, 0.05)])
    light = np.where(inside, light, np.float32(around))
    light = light * _falloff(height, width, rng) + rng.uniform(0.002, 0.03) + _glare(height, width, rng)
    light = cv2.GaussianBlur(light.astype(np.float32), (0, 0), rng.uniform(0.3, 0.9))
    exposed = np.clip(light * rng.uniform(0.85, 1.15), 0, 1) ** (1 / _GAMMA)
    noisy = 255 * exposed + rng.normal(0, rng.uniform(0.8, 3.5), exposed.shape)
    coded = cv2.imencode(
        ".jpg", np.clip(noisy, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(70, 96))]
    )[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))


def _places(shape: tuple[int, ...], size: tuple[int, int], rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """Column and row of the image that each pixel of the photograph shows."""
    (rows, columns), (height, width) = shape, size
    margin = rng.uniform(-0.03, 0.1)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    seen = margin + (1 - 2 * margin) * corners + rng.uniform(-0.035, 0.035, (4, 2))
    angle = np.radians(rng.uniform(-4, 4))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    seen = (seen - 0.5) @ turn.T + 0.5
    matrix = cv2.getPerspectiveTransform(
        (seen * (width, height)).astype(np.float32), (corners * (columns, rows)).astype(np.float32)
    )
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    found = cv2.perspectiveTransform(grid, matrix)
    return found[..., 0], found[..., 1]


def _pixel_grid(x: np.ndarray, y: np.ndarray, shape: tuple[int, ...], rng: Rng) -> np.ndarray:
    """Light of the screen's pixels: their first harmonics, weakened by lens and sensor, sampled as the camera does."""
    pixels = int(rng.integers(500, 1300))
    columns, rows = x * pixels / shape[1], y * pixels * rng.uniform(0.9, 1.1) / shape[0]
    sigma = rng.uniform(0.35, 0.6)
    step = [[np.abs(np.diff(places, axis=axis)).mean() for axis in (0, 1)] for places in (columns, rows)]
    result = np.ones_like(x)
    for across, down, strength in ((1, 0, 0.5), (0, 1, 0.35), (1, 1, 0.2), (1, -1, 0.2), (2, 0, 0.25)):
        frequency = np.hypot(*(abs(across) * np.array(step[0]) + abs(down) * np.array(step[1])))
        weakened = strength * np.exp(-2 * (np.pi * sigma * frequency) ** 2)
        result += weakened * np.cos(2 * np.pi * (across * columns + down * rows) + rng.uniform(0, 2 * np.pi))
    return np.asarray(result, np.float32)


def _falloff(height: int, width: int, rng: Rng) -> np.ndarray:
    """Vignetting and a gradient of the viewing angle."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    slope = rng.uniform(-0.15, 0.15, 2)
    light = (1 - rng.uniform(0.05, 0.3) * (x**2 + y**2) / 2) * (1 + slope[0] * x + slope[1] * y)
    return np.asarray(light, np.float32)


def _glare(height: int, width: int, rng: Rng) -> np.ndarray:
    """Reflections of lamps or windows: none, one or two soft spots."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    light = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(0, 3))):
        cx, cy = rng.uniform(0, 1, 2)
        rx, ry = rng.uniform(0.04, 0.2, 2)
        light += rng.uniform(0.03, 0.4) * np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2)
    return light
