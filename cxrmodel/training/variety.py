"""Variety of images: how the same picture looks from another device, with other collimation, tubes, markers and greys.

Every function keeps what a picture shows; those of `disturbed` apply to any kind alike, so that no disturbance tells
one kind from another.
"""

import cv2
import numpy as np

from cxrmodel.imaging.margins import image_box
from cxrmodel.training.augment import FloatImage, match_histogram, perturb_intensity


def disturbed(image: FloatImage, other: FloatImage, rng: np.random.Generator) -> FloatImage:
    """Disturb an image at random.

    Parameters
    ----------
    image, other : ndarray of float32, shape (S, S), 0..255
        The second lends its grey levels.

    Returns
    -------
    ndarray of float32, shape (S, S), 0..255
    """
    picture = image
    if rng.random() < 0.35:
        picture = with_devices(picture, rng)
    picture = reframed(picture, rng)
    picture = regreyed(picture, other, rng)
    if rng.random() < 0.3:
        picture = collimated(picture, rng)
    if rng.random() < 0.5:
        picture = with_markers(picture, rng)
    if rng.random() < 0.15:
        picture = letterboxed(picture, rng)
    if rng.random() < 0.4:
        picture = coarser(picture, rng)
    if rng.random() < 0.1:
        picture = photographed(picture, rng)
    return np.clip(picture, 0, 255).astype(np.float32)


def reframed(image: FloatImage, rng: np.random.Generator, degrees: float = 16.0) -> FloatImage:
    """Rotate by up to ``degrees``, scale and shift; corners are black, white or repeat the edge."""
    side, middle = image.shape[0], (image.shape[0] - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), rng.uniform(-1, 1) * rng.choice([3.0, degrees]), 1.0)
    scale = np.exp(rng.uniform(-0.3, 0.25, 2) * 0.5 + rng.uniform(-0.15, 0.12))
    matrix = np.diag(scale) @ matrix
    matrix[:, 2] += (1 - scale) * middle + rng.uniform(-0.07, 0.07, 2) * side
    edge, grey = (cv2.BORDER_CONSTANT, _ground(rng)) if rng.random() < 0.5 else (cv2.BORDER_REPLICATE, 0.0)
    moved = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=edge, borderValue=grey)
    return np.asarray(moved, np.float32)


def regreyed(image: FloatImage, other: FloatImage, rng: np.random.Generator) -> FloatImage:
    """Take the grey levels of another image, equalise them, or cut them off, and perturb the intensity."""
    chance = rng.random()
    if chance < 0.3:
        image = match_histogram(image, other, rng.uniform(0.3, 1.0))
    elif chance < 0.42:
        equal = cv2.equalizeHist(_levels(image)).astype(np.float32)
        image = image + rng.uniform(0.4, 1.0) * (equal - image)
    elif chance < 0.54:
        low, high = np.percentile(image, [rng.uniform(0, 15), rng.uniform(85, 100)])
        image = (np.clip(image, low, high) - low) * np.float32(255 / max(1.0, high - low))
    return perturb_intensity(image, rng)


def with_devices(image: FloatImage, rng: np.random.Generator) -> FloatImage:
    """Draw tubes, wires, electrodes and boxes of metal or plastic."""
    side, layer = image.shape[0], _levels(image)
    grey = min(255.0, float(np.percentile(layer, rng.uniform(70, 100)) + rng.uniform(0, 60)))
    for _ in range(int(rng.integers(1, 6))):
        points = np.cumsum(np.vstack([rng.uniform(0, 1, (1, 2)), rng.normal(0, 0.25, (3, 2))]), 0)
        t = np.linspace(0, 1, 24)[:, None]
        curve = sum(w * points[k] for k, w in enumerate(((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)))
        line = np.rint(np.asarray(curve) * side * 8).astype(np.int32)
        cv2.polylines(layer, [line], False, grey, int(rng.integers(1, 3)), cv2.LINE_AA, 3)
        if rng.random() < 0.4:
            end = tuple(int(v) for v in line[-1] // 8)
            cv2.ellipse(layer, end, tuple(int(v) for v in rng.integers(1, 7, 2)), 0, 0, 360, grey, -1, cv2.LINE_AA)
    share = np.float32(rng.uniform(0.3, 1.0))
    return image + share * (layer.astype(np.float32) - image)


def collimated(image: FloatImage, rng: np.random.Generator) -> FloatImage:
    """Cover the edges, straight or slanted."""
    side = image.shape[0]
    inset = (rng.random((4, 2)) < 0.5) * rng.uniform(0, 0.16, (4, 2))
    if rng.random() < 0.5:
        inset[:, 1] = inset[:, 0]
    (a, b), (c, d), (e, f), (g, h) = inset
    corners = np.array([[g, a], [1 - c, b], [1 - d, 1 - e], [h, 1 - f]]) * side
    inside = np.zeros((side, side), np.float32)
    cv2.fillPoly(inside, [np.rint(corners).astype(np.int32)], 1.0)
    if rng.random() < 0.5:
        inside = cv2.GaussianBlur(inside, (0, 0), rng.uniform(0.4, 2.5)).astype(np.float32)
    return image * inside + np.float32(_ground(rng)) * (1 - inside)


def with_markers(image: FloatImage, rng: np.random.Generator) -> FloatImage:
    """Put side letters, words and plates anywhere, most near the edges."""
    side, picture = image.shape[0], _levels(image)
    for _ in range(int(rng.integers(1, 4))):
        text = str(rng.choice(["R", "L", "RE", "LI", "AP", "PA", "PORTABLE", "SUPINE", "12.03.2019", "kV 110"]))
        size, grey = rng.uniform(0.2, 0.6), float(rng.choice([255, 255, 0, rng.uniform(100, 255)]))
        place = rng.uniform(0.02, 0.9, 2)
        if rng.random() < 0.7:
            place[int(rng.integers(2))] = rng.choice([rng.uniform(0.02, 0.15), rng.uniform(0.82, 0.98)])
        left, bottom = (int(v) for v in place * side)
        if rng.random() < 0.3:
            (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
            cv2.rectangle(picture, (left - 1, bottom + 2), (left + width, bottom - height - 2), 255.0 - grey, -1)
        cv2.putText(picture, text, (left, bottom), cv2.FONT_HERSHEY_SIMPLEX, size, grey, 1, cv2.LINE_AA)
    return picture.astype(np.float32)


def letterboxed(image: FloatImage, rng: np.random.Generator) -> FloatImage:
    """Place an image on an even page of at most 1.5 times its width and height."""
    side = image.shape[0]
    height, width = (int(v) for v in side / np.exp(rng.uniform(0, 0.4, 2) * (rng.random(2) < 0.7)))
    page = np.full((side, side), _ground(rng), np.float32)
    top, left = (int(rng.integers(0, side - extent + 1)) for extent in (height, width))
    page[top : top + height, left : left + width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return page


def coarser(image: FloatImage, rng: np.random.Generator) -> FloatImage:
    """Reduce the resolution to between a quarter and two thirds."""
    side = image.shape[0]
    small = int(side * rng.uniform(0.25, 0.67))
    reduced = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    way = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST]))
    return cv2.resize(reduced, (side, side), interpolation=way).astype(np.float32)


def photographed(image: FloatImage, rng: np.random.Generator) -> FloatImage:
    """Photograph a screen or light box: perspective, dark surroundings, uneven light, moire and glare."""
    side = image.shape[0]
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    target = corners + rng.uniform(-0.09, 0.09, (4, 2)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners * (side - 1), target.astype(np.float32) * (side - 1))
    picture = cv2.warpPerspective(image, matrix, (side, side), borderValue=float(rng.uniform(0, 90)))
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    angle, beats = rng.uniform(0, np.pi), rng.uniform(4, 30)
    moire = np.sin(2 * np.pi * beats * (x * np.cos(angle) + y * np.sin(angle)) + 3 * np.sin(4 * y))
    light = 1 - rng.uniform(0, 0.45) * np.hypot(x - rng.random(), y - rng.random())
    glare = np.exp(-(((x - rng.random()) / 0.15) ** 2) - ((y - rng.random()) / rng.uniform(0.05, 0.4)) ** 2)
    picture = picture * light * (1 + rng.uniform(0, 0.1) * moire) + rng.uniform(0, 90) * glare + rng.uniform(0, 30)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.0)), np.float32)


def _levels(image: FloatImage) -> np.ndarray:
    """As uint8, in which OpenCV draws."""
    return np.clip(image, 0, 255).astype(np.uint8)


def trimmed(image: FloatImage) -> FloatImage:
    """Crop uniform margins, as the checks do, unless next to nothing is left."""
    top, left, bottom, right = image_box(_levels(image))
    if min(bottom - top, right - left) < 0.3 * image.shape[0]:
        return image
    return cv2.resize(image[top:bottom, left:right], image.shape, interpolation=cv2.INTER_AREA).astype(np.float32)


def _ground(rng: np.random.Generator) -> float:
    """Grey level of what is no picture: most often black."""
    return float(rng.choice([0.0, 255.0, rng.uniform(0, 255)], p=[0.65, 0.15, 0.2]))
