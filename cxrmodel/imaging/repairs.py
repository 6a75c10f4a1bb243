"""Repairs: how a user sets an image right before it is read: crop, flip, rotate, invert.

A repair changes the decoded pixels before any check sees them. A repaired image is read as a file would be
that was repaired by another program. What was done is noted on the radiograph, and so in every output.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from cxrmodel.errors import ImageTooSmall, ImplausibleShape, SettingError
from cxrmodel.imaging.radiograph import MAX_ASPECT, MIN_SIDE, Radiograph
from cxrmodel.messages import Message, listed

Box = tuple[float, float, float, float]
"""Left, top, right and bottom of a part of an image, as shares of its width and height."""

ROTATE_LEFT, ROTATE_RIGHT, ROTATE_180 = "rotate_left", "rotate_right", "rotate_180"
FLIP, INVERT, CROP = "flip", "invert", "crop"
STEPS = (ROTATE_LEFT, ROTATE_RIGHT, ROTATE_180, FLIP, INVERT, CROP)
"""Steps as a user names them. A crop goes on with its box: ``crop:LEFT:TOP:RIGHT:BOTTOM``."""
MOST_STEPS = 100
"""Steps of one repair; more are no repair."""

_TURNS = {ROTATE_LEFT: 1, ROTATE_180: 2, ROTATE_RIGHT: 3}
"""Quarter turns anticlockwise."""
_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Repairs:
    """Any sequence of steps, brought to at most one of each: crop, then flip, rotate and invert.

    Attributes
    ----------
    crop : Box
        Of the decoded image; all of it where nothing is cut off.
    flipped : bool
        Left to right, before the rotation.
    turns : int
        Quarter turns anticlockwise, 0..3.
    inverted : bool
        Black and white exchanged.
    """

    crop: Box = _WHOLE
    flipped: bool = False
    turns: int = 0
    inverted: bool = False

    @classmethod
    def parse(cls, steps: str | Iterable[str]) -> "Repairs":
        """Understand steps in their order: ``"rotate_left,crop:0.1:0:0.9:1"``, or a list of such.

        Raises
        ------
        SettingError
            When a step is unknown, its box lies outside the image, or there are far too many.
        """
        given = [step.strip() for step in (steps.split(",") if isinstance(steps, str) else steps)]
        if len(given) > MOST_STEPS:
            raise SettingError("imaging.repair.too_many", limit=MOST_STEPS)
        repairs = cls()
        for step in filter(None, given):
            repairs = repairs.then(step)
        return repairs

    def then(self, step: str) -> "Repairs":
        """These repairs followed by a step, which concerns the image as they leave it.

        Raises
        ------
        SettingError
            As :meth:`parse`.
        """
        name, _, values = step.partition(":")
        if name == CROP:
            crop = _within(self.crop, self._before(_box(step, values)))
            if not _is_box(crop):  # crops of crops have left nothing that could be written down
                raise _unknown(step)
            return replace(self, crop=crop)
        if step in _TURNS:
            return replace(self, turns=(self.turns + _TURNS[step]) % 4)
        if step == FLIP:  # a flip after a rotation is one before the opposite rotation
            return replace(self, flipped=not self.flipped, turns=-self.turns % 4)
        if step == INVERT:
            return replace(self, inverted=not self.inverted)
        raise _unknown(step)

    def __bool__(self) -> bool:
        """Whether anything is changed."""
        return self != AS_STORED

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that :meth:`parse` understands, at most one of each kind; none where nothing is changed."""
        turns = {number: name for name, number in _TURNS.items()}
        return (
            *([":".join([CROP, *map(_written, self.crop)])] if self.crop != _WHOLE else []),
            *([FLIP] if self.flipped else []),
            *([turns[self.turns]] if self.turns else []),
            *([INVERT] if self.inverted else []),
        )

    @property
    def notes(self) -> tuple[Message, ...]:
        """What was done, for the reader of the image."""
        return tuple(self._note(*step.partition(":")[::2]) for step in self.steps)

    def apply(self, image: Radiograph) -> Radiograph:
        """Repair a decoded image: its pixels, its spacing, and its notes.

        Raises
        ------
        ImageTooSmall, ImplausibleShape
            When too little is left of it.
        """
        if not self:
            return image
        pixels = np.rot90(self._cropped(image.pixels)[:, :: -1 if self.flipped else 1], self.turns)
        spacing = image.pixel_spacing
        return replace(
            image,
            pixels=inverted(pixels) if self.inverted else pixels,
            pixel_spacing=spacing[::-1] if spacing and self.turns % 2 else spacing,
            notes=(*image.notes, *self.notes),
            repairs=self.steps,
        )

    def _before(self, box: Box) -> Box:
        """Where a part of the repaired image is in the image that was only cropped."""
        for _ in range(self.turns):
            left, top, right, bottom = box
            box = (1 - bottom, left, 1 - top, right)
        left, top, right, bottom = box
        return (1 - right, top, 1 - left, bottom) if self.flipped else box

    def _cropped(self, pixels: np.ndarray) -> np.ndarray:
        height, width = pixels.shape
        left, top, right, bottom = self.crop
        part = pixels[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]
        shorter, longer = sorted(part.shape)
        values = {"width": part.shape[1], "height": part.shape[0]}
        if shorter < MIN_SIDE:
            raise ImageTooSmall("imaging.repair.too_small", limit=MIN_SIDE, **values)
        if longer > MAX_ASPECT * shorter:
            raise ImplausibleShape("imaging.repair.implausible_shape", limit=MAX_ASPECT, **values)
        return part

    def _note(self, name: str, values: str) -> Message:
        if name != CROP:
            return Message(f"imaging.repair.{name}")
        left, top, right, bottom = (round(100 * edge) for edge in self.crop)
        return Message("imaging.repair.crop", left=left, top=top, right=100 - right, bottom=100 - bottom)


AS_STORED = Repairs()
"""No repair."""


def inverted(pixels: np.ndarray) -> np.ndarray:
    """Exchange black and white; of a file of eight bits, as one that stores the exchanged levels.

    Parameters
    ----------
    pixels : ndarray of float32, 0..1
    """
    most = np.float32(255)
    levels = np.rint(pixels * most)
    whole = np.array_equal(levels / most, pixels)
    result: np.ndarray = (most - levels) / most if whole else np.float32(1) - pixels
    return result


def _within(outer: Box, inner: Box) -> Box:
    left, top, right, bottom = outer
    width, height = right - left, bottom - top
    edges = left + inner[0] * width, top + inner[1] * height, left + inner[2] * width, top + inner[3] * height
    return cast(Box, tuple(float(_written(edge)) for edge in edges))


def _written(edge: float) -> str:
    """An edge as a step names it; a box holds no more digits, so that a step read again is the same."""
    return f"{edge:.6g}"


def _is_box(box: Box) -> bool:
    left, top, right, bottom = box
    return 0 <= left < right <= 1 and 0 <= top < bottom <= 1


def _box(step: str, values: str) -> Box:
    try:
        left, top, right, bottom = map(float, values.split(":"))
    except ValueError:
        left = top = right = bottom = math.nan
    box = left, top, right, bottom
    if not _is_box(box):
        raise _unknown(step)
    return box


def _unknown(step: str) -> SettingError:
    return SettingError("imaging.repair.unknown", step=step, steps=listed(STEPS))
