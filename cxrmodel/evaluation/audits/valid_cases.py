"""Hard cases that are valid: test images, changed by code, that should be read, or read with a warning."""

from collections.abc import Callable

import cv2
import numpy as np

from cxrmodel.evaluation.audits.photographs import light_box_photo, screen_photo
from cxrmodel.imaging.perturbations import clahe, rotate

Rng = np.random.Generator

LARGEST_DIFFERENCE = 0.05
"""By which the probability of a valid hard case may differ from that of the undisturbed image without a warning."""


def tilted(image: np.ndarray, rng: Rng, degrees: float) -> np.ndarray:
    """Rotate either way on a canvas of the image's size; its corners are black."""
    return rotate(image, degrees * float(rng.choice([-1, 1])))


def side_marker(image: np.ndarray, rng: Rng) -> np.ndarray:
    """A letter of lead in an upper corner: R on the patient's right, or L on the left."""
    marked, height, width = image.copy(), *image.shape
    letter, place = ("R", 0.03) if rng.random() < 0.5 else ("L", 0.87)
    corner = (round(place * width), round(rng.uniform(0.12, 0.28) * height))
    scale = height / 224
    cv2.putText(
        marked, letter, corner, cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.6, 1.1) * scale, 250, round(2 * scale), 16
    )
    return marked


def burnt_in_text(image: np.ndarray, rng: Rng) -> np.ndarray:
    """Lines of small white text in two corners."""
    marked, height, width = image.copy(), *image.shape
    scale = height / 224
    lines = [(f"NAME {rng.integers(10**6)}", 0.02, 0.05), ("AP SUPINE 09:41", 0.02, 0.1), ("60 kV 2 mAs", 0.6, 0.97)]
    for words, column, row in lines:
        corner = (round(column * width), round(row * height))
        cv2.putText(marked, words, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.3 * scale, 255, max(1, round(scale)), 16)
    return marked


def tubes(image: np.ndarray, rng: Rng) -> np.ndarray:
    """A tracheal tube, a catheter and three electrodes with their leads."""
    marked, height, width = image.copy(), *image.shape
    scale = height / 224

    def line(*points: tuple[float, float]) -> None:
        places = np.array(points) * (width, height)
        cv2.polylines(marked, [places.astype(np.int32)], False, 230, max(1, round(1.5 * scale)), cv2.LINE_AA)

    middle = 0.5 + rng.uniform(-0.02, 0.02)
    line((middle, 0.0), (middle + 0.01, 0.2), (middle, 0.36))
    line((rng.uniform(0.1, 0.25), 0.0), (0.3, 0.2), (0.42, 0.35), (0.46, 0.5))
    for _ in range(3):
        column, row = rng.uniform(0.15, 0.85), rng.uniform(0.2, 0.85)
        centre = (round(column * width), round(row * height))
        cv2.circle(marked, centre, round(3.5 * scale), 240, -1, cv2.LINE_AA)
        line((column, row), (column + rng.uniform(-0.25, 0.25), 1.0))
    return marked


VALID: dict[str, Callable[[np.ndarray, Rng], np.ndarray]] = {
    "tilted_5": lambda image, rng: tilted(image, rng, 5),
    "tilted_10": lambda image, rng: tilted(image, rng, 10),
    "tilted_15": lambda image, rng: tilted(image, rng, 15),
    "clahe": lambda image, rng: clahe(image),
    "local_equalisation": lambda image, rng: clahe(image, limit=40.0, tiles=4),
    "mirrored": lambda image, rng: image[:, ::-1],
    "side_marker": side_marker,
    "burnt_in_text": burnt_in_text,
    "tubes": tubes,
    "screen_photo": screen_photo,
    "light_box_photo": light_box_photo,
}
"""Name to what makes it of an image (uint8)."""
