"""Synthetic negatives for the projection network: images that are not whole chest radiographs.

They are fragments, repeats and rearrangements of training images, drawings, textures and gradients of many kinds, and
pieces of two photographs that come with scikit-learn.
"""

from functools import cache

import cv2
import numpy as np
from sklearn.datasets import load_sample_images

from cxrmodel.training.augment import perturb_intensity


def negative(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make an image that is not a chest radiograph, with probability 0.5 from fragments of one.

    Parameters
    ----------
    image : ndarray of uint8 or float32, shape (S, S), 0..255

    Returns
    -------
    ndarray of float32, shape (S, S), 0..255
    """
    picture = fragments(image, rng) if rng.random() < 0.5 else drawn(image.shape[0], rng)
    if rng.random() < 0.3:
        picture = 255.0 - picture
    return perturb_intensity(np.clip(picture, 0, 255).astype(np.float32), rng)


def fragments(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make a fragment of an image, shuffle its tiles, repeat a half, or place it small on a page.

    Returns
    -------
    ndarray of float32, of the image's shape, 0..255
    """
    side, image = image.shape[0], image.astype(np.float32)
    kind = int(rng.choice(5, p=[0.2, 0.1, 0.3, 0.2, 0.2]))
    if kind == 0:
        height, width = (int(side * rng.uniform(0.15, 0.5)) for _ in range(2))
        top, left = rng.integers(0, side - height), rng.integers(0, side - width)
        piece = image[top : top + height, left : left + width]
    elif kind == 1:
        tiles = int(rng.integers(2, 6))
        edge = side // tiles
        order = rng.permutation(tiles * tiles)
        parts = [
            image[i * edge : (i + 1) * edge, j * edge : (j + 1) * edge] for i in range(tiles) for j in range(tiles)
        ]
        piece = np.vstack([np.hstack([parts[order[i * tiles + j]] for j in range(tiles)]) for i in range(tiles)])
    elif kind == 2:
        width = int(side * rng.uniform(0.35, 0.55))
        half = image[:, :width] if rng.random() < 0.5 else image[:, -width:]
        piece = np.hstack([half, half if rng.random() < 0.5 else half[:, ::-1]]) if rng.random() < 0.4 else half
    elif kind == 3:
        height = int(side * rng.uniform(0.3, 0.55))
        half = image[:height] if rng.random() < 0.5 else image[-height:]
        piece = np.vstack([half, half[::-1]]) if rng.random() < 0.3 else half
    else:
        piece = np.full((side, side), rng.choice([0.0, 128.0, 255.0, rng.uniform(0, 255)]), np.float32)
        extent = int(side * rng.uniform(0.2, 0.55))
        top, left = rng.integers(0, side - extent, 2)
        piece[top : top + extent, left : left + extent] = cv2.resize(
            image, (extent, extent), interpolation=cv2.INTER_AREA
        )
    return cv2.resize(piece, (side, side), interpolation=cv2.INTER_AREA)


def drawn(side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw shapes, a texture or a gradient.

    Returns
    -------
    ndarray of float32, shape (side, side), 0..255
    """
    kinds = (_clouds, _shapes, _section, _limbs, _waves, _lines, _shade, _fan, _leaves, _leaves, _scenery, _scenery)
    return kinds[int(rng.integers(len(kinds)))](side, rng)


def _clouds(side: int, rng: np.random.Generator) -> np.ndarray:
    """Noise with a power-law spectrum, from white to smooth."""
    falls = rng.uniform(0, 2.6)
    y, x = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    power = np.hypot(y * rng.uniform(0.4, 1.6), x)
    power[0, 0] = 1
    phases = np.exp(2j * np.pi * rng.random(power.shape))
    field = np.fft.irfft2(phases * power**-falls, (side, side))
    return _to_greys(field, rng)


def _shapes(side: int, rng: np.random.Generator) -> np.ndarray:
    """Overlapping ellipses and polygons, some blurred."""
    picture: np.ndarray = np.full((side, side), rng.uniform(0, 255), np.float32)
    for _ in range(int(rng.integers(1, 14))):
        centre = tuple(int(v) for v in rng.integers(0, side, 2))
        grey = float(rng.uniform(0, 255))
        if rng.random() < 0.6:
            axes = tuple(int(v) for v in rng.integers(2, max(3, side // 2), 2))
            cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, grey, -1)
        else:
            corners = np.array(centre) + rng.integers(-side // 3, side // 3, (int(rng.integers(3, 7)), 2))
            cv2.fillPoly(picture, [corners.astype(np.int32)], grey)
        if rng.random() < 0.3:
            picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, side / 16))
    return picture + rng.normal(0, rng.uniform(0, 10), picture.shape)


def _section(side: int, rng: np.random.Generator) -> np.ndarray:
    """A cross-section of a body with organs inside, on black."""
    picture = np.full((side, side), rng.uniform(0, 40), np.float32)
    centre = np.array([side / 2, side / 2]) + rng.uniform(-0.08, 0.08, 2) * side
    axes = rng.uniform(0.25, 0.5, 2) * side
    angle = float(rng.uniform(0, 180))
    shell = float(rng.uniform(90, 255))
    _blob(picture, centre, axes, angle, shell)
    _blob(picture, centre, axes * rng.uniform(0.75, 0.95), angle, rng.uniform(40, 200))
    for _ in range(int(rng.integers(2, 12))):
        inside = centre + rng.uniform(-0.7, 0.7, 2) * axes
        _blob(picture, inside, rng.uniform(0.05, 0.45, 2) * axes, float(rng.uniform(0, 180)), rng.uniform(0, 255))
    grain = cv2.GaussianBlur(rng.normal(0, rng.uniform(2, 25), picture.shape), (0, 0), rng.uniform(0.5, 2))
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, side / 40)) + grain


def _limbs(side: int, rng: np.random.Generator) -> np.ndarray:
    """Long bright bones in soft tissue, side by side or spread: a limb, fingers, a spine."""
    flesh: np.ndarray = np.zeros((side, side), np.float32)
    bones = flesh.copy()
    count, spread = int(rng.integers(1, 6)), rng.uniform(0, 1.2)
    base = np.array([side * rng.uniform(0.3, 0.7), side * rng.uniform(0.7, 1.1)])
    heading, width = rng.uniform(0, 2 * np.pi), side * rng.uniform(0.03, 0.16)
    for limb in range(count):
        angle = heading + spread * (limb - (count - 1) / 2) / max(1, count - 1)
        place = base + np.array([np.cos(heading + np.pi / 2), np.sin(heading + np.pi / 2)]) * width * 1.8 * limb
        for _ in range(int(rng.integers(1, 5))):
            end = place + np.array([np.sin(angle), -np.cos(angle)]) * side * rng.uniform(0.1, 0.5)
            start_point, end_point = tuple(place.astype(int).tolist()), tuple(end.astype(int).tolist())
            cv2.line(flesh, start_point, end_point, 1.0, max(1, int(2.2 * width)))
            cv2.line(bones, start_point, end_point, 1.0, max(1, int(width * rng.uniform(0.6, 1.1))))
            place = end + (end - place) * 0.06
    flesh = cv2.GaussianBlur(flesh, (0, 0), side / 40)
    bones = cv2.GaussianBlur(bones, (0, 0), rng.uniform(0.7, side / 50))
    picture = rng.uniform(0, 60) + flesh * rng.uniform(40, 110) + bones * rng.uniform(40, 140)
    return np.rot90(picture, int(rng.integers(4))) + rng.normal(0, rng.uniform(0, 8), picture.shape)


def _waves(side: int, rng: np.random.Generator) -> np.ndarray:
    """Stripes, checks and rings."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    angle, beats = rng.uniform(0, np.pi), rng.uniform(1, 20, 2)
    first = np.sin(2 * np.pi * beats[0] * (x * np.cos(angle) + y * np.sin(angle)))
    second = np.sin(2 * np.pi * beats[1] * (y * np.cos(angle) - x * np.sin(angle)))
    rings = np.sin(2 * np.pi * beats[1] * np.hypot(x - rng.random(), y - rng.random()))
    field = (first, first * second, rings, np.sign(first * second))[int(rng.integers(4))]
    return _to_greys(field, rng)


def _lines(side: int, rng: np.random.Generator) -> np.ndarray:
    """A page: rows of short strokes, boxes and curves on a uniform background."""
    ground = float(rng.choice([255.0, 0.0, rng.uniform(0, 255)]))
    ink = 255.0 - ground if rng.random() < 0.8 else float(rng.uniform(0, 255))
    page = np.full((side, side), ground, np.float32)
    step = int(rng.integers(3, 12))
    for row in range(int(rng.integers(0, side // 4)), side - int(rng.integers(0, side // 4)), step):
        for column in range(2, side - 4, max(2, step // 2)):
            if rng.random() < 0.7:
                cv2.line(page, (column, row), (column + int(rng.integers(1, step)), row), ink, max(1, step // 3))
    for _ in range(int(rng.choice([0, 1, 2, 3, 12]))):
        corner, other = rng.integers(0, side, 2).tolist(), rng.integers(0, side, 2).tolist()
        cv2.rectangle(page, corner, other, float(rng.uniform(0, 255)), int(rng.choice([-1, 1, 2])))
    if rng.random() < 0.4:
        heights = np.cumsum(rng.normal(0, side / 20, side)) + side / 2
        cv2.polylines(page, [np.stack([np.arange(side), heights], 1).astype(np.int32)], False, ink, 1)
    return page


def _shade(side: int, rng: np.random.Generator) -> np.ndarray:
    """A linear or radial gradient."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    angle = rng.uniform(0, 2 * np.pi)
    ramp = x * np.cos(angle) + y * np.sin(angle)
    glow = np.hypot((x - rng.random()) * rng.uniform(0.5, 2), y - rng.random())
    return _to_greys(ramp if rng.random() < 0.5 else glow, rng) + rng.normal(0, rng.uniform(0, 12), (side, side))


def _fan(side: int, rng: np.random.Generator) -> np.ndarray:
    """Speckle within a sector on black, as in ultrasound."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    radius = np.hypot(x - 0.5, y + rng.uniform(0, 0.3))
    inside = (np.abs(np.arctan2(x - 0.5, y + 0.15)) < rng.uniform(0.4, 0.8)) & (radius < rng.uniform(0.8, 1.15))
    tissue = cv2.GaussianBlur(rng.random((side, side)).astype(np.float32), (0, 0), rng.uniform(0.8, side / 12))
    tissue = (tissue - tissue.min()) / max(1e-6, float(np.ptp(tissue)))
    speckle: np.ndarray = 255 * inside * tissue * rng.rayleigh(0.6, (side, side))
    return speckle


def _leaves(side: int, rng: np.random.Generator) -> np.ndarray:
    """Shaded shapes of all sizes that cover each other, as things do in a photograph.

    The dead leaves model of natural images: Lee, Mumford and Huang, International Journal of Computer Vision 2001.
    """
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side - 0.5
    picture = rng.uniform(0, 255) + rng.uniform(-120, 120) * y
    for _ in range(int(rng.integers(15, 60))):
        inside = np.zeros((side, side), np.uint8)
        extent = side * 0.04 / (1 - 0.94 * rng.random())
        centre = rng.uniform(-0.1, 1.1, 2) * side
        corners = centre + rng.uniform(-1, 1, (int(rng.integers(3, 9)), 2)) * extent * rng.uniform(0.3, 1, 2)
        if rng.random() < 0.5:
            axes = tuple(int(max(1, v)) for v in extent * rng.uniform(0.2, 0.8, 2))
            cv2.ellipse(inside, [int(v) for v in centre], axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
        else:
            cv2.fillPoly(inside, [cv2.convexHull(corners.astype(np.int32))], 1)
        shade = rng.uniform(0, 255) + rng.normal(0, 60) * x + rng.normal(0, 60) * y
        picture = np.where(inside, shade, picture)
    grain = cv2.GaussianBlur(rng.normal(0, rng.uniform(0, 60), (side, side)), (0, 0), rng.uniform(0.5, 2))
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.2)) + grain)


def _scenery(side: int, rng: np.random.Generator) -> np.ndarray:
    """A piece of a photograph in grey."""
    photographs = _photographs()
    photograph = photographs[int(rng.integers(len(photographs)))]
    height, width = (int(extent * rng.uniform(0.15, 1.0)) for extent in photograph.shape)
    top = int(rng.integers(0, photograph.shape[0] - height + 1))
    left = int(rng.integers(0, photograph.shape[1] - width + 1))
    piece = photograph[top : top + height, left : left + width]
    piece = piece if rng.random() < 0.5 else piece[:, ::-1]
    return cv2.resize(piece, (side, side), interpolation=cv2.INTER_AREA)


@cache
def _photographs() -> tuple[np.ndarray, ...]:
    return tuple(image.mean(-1, dtype=np.float32) for image in load_sample_images().images)


def _blob(picture: np.ndarray, centre: np.ndarray, axes: np.ndarray, angle: float, grey: float) -> None:
    place = tuple(int(v) for v in centre)
    cv2.ellipse(picture, place, tuple(max(1, int(v)) for v in axes), angle, 0, 360, float(grey), -1)


def _to_greys(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    low, high = np.sort(rng.uniform(0, 255, 2))
    span = float(np.ptp(field))
    grey: np.ndarray = low + (high - low) * (field - field.min()) / (span if span > 0 else 1.0)
    return grey
