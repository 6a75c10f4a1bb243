"""Hard cases for the checks, made by code: changed test images, and synthetic pictures that are no chest radiograph.

Valid ones, which should be read, are in `cxrmodel.evaluation.audits.valid_cases`.

None of them is among those the checks were fixed on (`cxrmodel.training.negatives`): other drawings, at image size, and
images of other patients.
"""

from collections.abc import Callable

import cv2
import numpy as np

SIDE = 1024

Rng = np.random.Generator


def _grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    return y / SIDE, x / SIDE


def _grainy(picture: np.ndarray, rng: Rng, blur: float = 3.0, grain: float = 4.0) -> np.ndarray:
    soft = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), blur) + rng.normal(0, grain, picture.shape)
    return _as_pixels(soft)


def _as_pixels(levels: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(levels, 0, 255).astype(np.uint8))


def _bar(picture: np.ndarray, start: np.ndarray, end: np.ndarray, width: float, grey: float) -> None:
    first, second = ((int(point[0] * SIDE), int(point[1] * SIDE)) for point in (start, end))
    cv2.line(picture, first, second, grey, max(1, int(width * SIDE)), cv2.LINE_AA)


def hand(rng: Rng) -> np.ndarray:
    """A hand: wrist, palm and five fingers, with bones."""
    flesh, bone = np.zeros((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.float32)
    palm = np.array([0.5, 0.66]) + rng.uniform(-0.04, 0.04, 2)
    cv2.ellipse(flesh, tuple(int(v * SIDE) for v in palm), (int(0.17 * SIDE), int(0.2 * SIDE)), 0, 0, 360, 90, -1)
    for at in (-0.03, 0.03):
        _bar(bone, palm + np.array([at, 0.18]), palm + np.array([at, 0.45]), 0.045, 110)
    _bar(flesh, palm, palm + np.array([0, 0.45]), 0.2, 90)
    for angle, length in zip(np.radians([-58, -22, -4, 14, 32]), [0.3, 0.46, 0.5, 0.47, 0.38], strict=True):
        heading = np.array([np.sin(angle), -np.cos(angle)])
        _bar(flesh, palm, palm + heading * length, 0.075, 90)
        for start, end in ((0.05, 0.19), (0.21, 0.33), (0.345, 0.42), (0.43, 0.49)):
            if end < length:
                _bar(bone, palm + heading * start, palm + heading * end, 0.04, 110)
    return _grainy(12 + flesh + bone, rng)


def lateral(rng: Rng) -> np.ndarray:
    """A chest from the side: one lung shadow between spine and breastbone, heart in front, diaphragm below."""
    y, x = _grid()
    trunk = np.clip((1 - np.hypot((x - 0.5) / 0.42, (y - 0.55) / 0.62)) / 0.08, 0, 1)
    lung = np.clip((1 - np.hypot((x - 0.5) / 0.27, (y - 0.43) / 0.33)) / 0.15, 0, 1)
    heart = np.clip((1 - np.hypot((x - 0.36) / 0.14, (y - 0.58) / 0.15)) / 0.3, 0, 1)
    spine = np.clip(1 - np.abs(x - 0.74 - 0.05 * np.sin(3 * y)) / 0.05, 0, 1) * (0.7 + 0.3 * np.sin(2 * np.pi * 16 * y))
    ribs = 0.07 * np.sin(2 * np.pi * (9 * y + 2 * x)) ** 2
    image = 0.05 + 0.55 * trunk - (0.32 - ribs) * lung + 0.25 * heart * lung + 0.3 * spine * trunk
    picture = image if rng.random() < 0.5 else image[:, ::-1]
    return _grainy(255 * np.clip(picture, 0, 1), rng)


def section(rng: Rng) -> np.ndarray:
    """A slice across a chest: ring of flesh, two black lungs, heart, vertebra and table."""
    y, x = _grid()
    scale = rng.uniform(0.8, 1.05)

    def oval(cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
        return np.hypot((x - cx) / (rx * scale), (y - cy) / (ry * scale)) < 1

    picture = np.full((SIDE, SIDE), 4.0, np.float32)
    picture[oval(0.5, 0.5, 0.44, 0.32)] = 110
    picture[oval(0.5, 0.5, 0.4, 0.28)] = 150
    picture[oval(0.31, 0.5, 0.15, 0.2) | oval(0.69, 0.5, 0.15, 0.2)] = 15
    picture[oval(0.54, 0.44, 0.12, 0.12)] = 165
    picture[oval(0.5, 0.69, 0.06, 0.05)] = 235
    picture[np.abs(y - 0.9 - 0.2 * (x - 0.5) ** 2) < 0.008] = 90
    return _grainy(picture, rng, 2, 7)


def skull(rng: Rng) -> np.ndarray:
    """A head from the front: bright vault, dark orbits and nose, teeth."""
    y, x = _grid()
    vault = np.clip((1 - np.hypot((x - 0.5) / 0.34, (y - 0.42) / 0.38)) / 0.1, 0, 1)
    rim = np.clip(1 - np.abs(np.hypot((x - 0.5) / 0.34, (y - 0.42) / 0.38) - 0.96) / 0.06, 0, 1)
    holes = sum(np.exp(-((((x - cx) / 0.07) ** 2 + ((y - 0.52) / 0.06) ** 2) ** 2)) for cx in (0.38, 0.62))
    nose = np.exp(-((((x - 0.5) / 0.04) ** 2 + ((y - 0.63) / 0.07) ** 2) ** 2))
    jaw = np.clip((1 - np.hypot((x - 0.5) / 0.22, (y - 0.76) / 0.16)) / 0.2, 0, 1)
    teeth = jaw * (np.abs(y - 0.76) < 0.05) * np.sin(2 * np.pi * 22 * x) ** 2
    image = 0.04 + 0.55 * np.maximum(vault, jaw) + 0.35 * rim - 0.28 * holes - 0.22 * nose + 0.3 * teeth
    return _grainy(255 * np.clip(image, 0, 1), rng)


def breast(rng: Rng) -> np.ndarray:
    """A mammogram: a half oval at one edge, streaked, on black."""
    y, x = _grid()
    inside = np.clip((1 - np.hypot(x / rng.uniform(0.45, 0.7), (y - 0.5) / 0.42)) / 0.3, 0, 1)
    streaks = cv2.GaussianBlur(rng.normal(0, 1, (SIDE, SIDE)).astype(np.float32), (0, 0), 14)
    image = inside * (0.45 + 0.2 * streaks / np.abs(streaks).max())
    return _grainy(255 * np.clip(image if rng.random() < 0.5 else image[:, ::-1], 0, 1), rng)


def ultrasound(rng: Rng) -> np.ndarray:
    """A curved probe's sector with speckle, a dark cyst and a bright line."""
    y, x = _grid()
    radius, angle = np.hypot(x - 0.5, y + 0.12), np.arctan2(x - 0.5, y + 0.12)
    sector = (radius > 0.2) & (radius < 1.0) & (np.abs(angle) < 0.62)
    field = rng.rayleigh(0.35, (SIDE // 4, SIDE // 4)).astype(np.float32)
    speckle = cv2.resize(field, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    cyst = np.hypot(x - rng.uniform(0.4, 0.6), y - rng.uniform(0.4, 0.6)) < 0.1
    line = np.abs(radius - 0.72) < 0.012
    return _as_pixels(sector * (180 * speckle * np.where(cyst, 0.1, 1) + 150 * line))


def text_page(rng: Rng) -> np.ndarray:
    """A page of words under a heading."""
    page = np.full((SIDE, SIDE), 250, np.uint8)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz   "))
    for row in range(90, SIDE - 60, 34):
        words = "".join(rng.choice(letters, int(rng.integers(30, 62))))
        cv2.putText(page, words, (60, row), cv2.FONT_HERSHEY_SIMPLEX, 0.75, 20, 2, cv2.LINE_AA)
    cv2.putText(page, "REPORT", (60, 50), cv2.FONT_HERSHEY_DUPLEX, 1.4, 0, 3, cv2.LINE_AA)
    return page


def chart(rng: Rng) -> np.ndarray:
    """A bar chart with axes."""
    page = np.full((SIDE, SIDE), 255, np.uint8)
    cv2.line(page, (90, 940), (980, 940), 0, 4)
    cv2.line(page, (90, 60), (90, 940), 0, 4)
    for bar, height in enumerate(rng.uniform(80, 820, 9)):
        left = 130 + 93 * bar
        cv2.rectangle(page, (left, 940 - int(height)), (left + 60, 938), int(rng.integers(60, 200)), -1)
    return page


def scene(rng: Rng) -> np.ndarray:
    """A photograph in grey, drawn: sky, hills, ground, and things with shadows."""
    y, x = _grid()
    picture = 215 - 70 * y
    for depth in range(3):
        ridge = 0.45 + 0.1 * depth + 0.06 * np.sin(2 * np.pi * (rng.uniform(0.5, 2) * x + rng.random()))
        picture = np.where(y > ridge, 150 - 35 * depth + 30 * rng.random(), picture)
    picture = picture + cv2.GaussianBlur(rng.normal(0, 130, (SIDE, SIDE)), (0, 0), 5)
    for _ in range(int(rng.integers(3, 8))):
        centre = tuple(int(v) for v in rng.uniform(0.15, 0.85, 2) * SIDE)
        size = int(rng.uniform(0.04, 0.16) * SIDE)
        cv2.circle(picture, centre, size, float(rng.uniform(20, 235)), -1, cv2.LINE_AA)
        cv2.ellipse(picture, (centre[0], centre[1] + size), (size, size // 4), 0, 0, 360, 30, -1, cv2.LINE_AA)
    return _grainy(picture, rng, 1.5, 6)


def noise(rng: Rng) -> np.ndarray:
    """Noise of a grain between one pixel and a tenth of the picture."""
    cells = int(rng.choice([SIDE, 256, 64, 24, 10]))
    field = rng.normal(128, 55, (cells, cells)).astype(np.float32)
    return _as_pixels(cv2.resize(field, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


def gradient(rng: Rng) -> np.ndarray:
    """A ramp from dark to bright, in any direction."""
    y, x = _grid()
    angle = rng.uniform(0, 2 * np.pi)
    ramp = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)
    return _as_pixels(128 + 250 * ramp)


def even(rng: Rng) -> np.ndarray:
    """One grey, with next to no grain."""
    return _as_pixels(rng.integers(0, 256) + rng.normal(0, 0.7, (SIDE, SIDE)))


def weave(rng: Rng) -> np.ndarray:
    """Cloth: two sets of stripes across each other."""
    y, x = _grid()
    first, second = rng.uniform(6, 60, 2)
    return _as_pixels(128 + 60 * np.sin(2 * np.pi * first * x) * np.sin(2 * np.pi * second * y))


def _pasted(image: np.ndarray, page: np.ndarray, share: float, rng: Rng) -> np.ndarray:
    extent = int(share * SIDE)
    top, left = rng.integers(0, SIDE - extent + 1, 2)
    page[top : top + extent, left : left + extent] = cv2.resize(image, (extent, extent), interpolation=cv2.INTER_AREA)
    return page


def small_on_a_page(image: np.ndarray, rng: Rng) -> np.ndarray:
    """The image at a sixth to a quarter of a page's width, with a caption."""
    page = np.full((SIDE, SIDE), int(rng.choice([255, 0, 236])), np.uint8)
    cv2.putText(page, "Figure 2", (60, SIDE - 40), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 128, 2, cv2.LINE_AA)
    return _pasted(image, page, rng.uniform(0.17, 0.26), rng)


def on_a_slide(image: np.ndarray, rng: Rng) -> np.ndarray:
    """The image at two thirds to four fifths of an even slide's width."""
    return _pasted(image, np.full((SIDE, SIDE), int(rng.choice([255, 20, 200])), np.uint8), rng.uniform(0.66, 0.8), rng)


def half(image: np.ndarray, rng: Rng) -> np.ndarray:
    """The left or right half."""
    middle = image.shape[1] // 2
    return image[:, :middle] if rng.random() < 0.5 else image[:, middle:]


def fragment(image: np.ndarray, rng: Rng) -> np.ndarray:
    """A piece of a third of the image's width and height."""
    extent = image.shape[0] // 3
    top, left = (int(v) for v in rng.integers(0, 2 * extent, 2))
    return cv2.resize(image[top : top + extent, left : left + extent], (SIDE // 2, SIDE // 2))


SYNTHETIC: dict[str, Callable[[Rng], np.ndarray]] = {
    "hand": hand,
    "lateral": lateral,
    "section": section,
    "skull": skull,
    "breast": breast,
    "ultrasound": ultrasound,
    "text_page": text_page,
    "chart": chart,
    "scene": scene,
    "noise": noise,
    "gradient": gradient,
    "even": even,
    "weave": weave,
}
"""Name to what draws it: ndarray of uint8, shape (1024, 1024)."""

CHANGED: dict[str, Callable[[np.ndarray, Rng], np.ndarray]] = {
    "rotated_left": lambda image, rng: np.rot90(image),
    "upside_down": lambda image, rng: np.rot90(image, 2),
    "rotated_right": lambda image, rng: np.rot90(image, 3),
    "inverted": lambda image, rng: 255 - image,
    "half": half,
    "fragment": fragment,
    "small_on_a_page": small_on_a_page,
    "on_a_slide": on_a_slide,
}
"""Name to what makes it of an image (uint8)."""
