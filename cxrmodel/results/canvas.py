"""A dark canvas: text in boxes, bars and symbols, in the colours of the app."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import matplotlib
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from cxrmodel.sinks import drawn

BACKGROUND, BORDER = "#0e1217", "#2c3742"
TEXT, PALE, DIM = "#dfe5ea", "#c9d3db", "#aeb9c2"
WARNING, WARNING_EDGE, WARNING_TEXT = "#2b2611", "#7a6a24", "#f2ead0"

Colour = str


class Box(NamedTuple):
    """Left, top, right and bottom in pixels; the last two are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top


@lru_cache(maxsize=32)
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, as matplotlib brings it."""
    return ImageFont.truetype(_font_file(bold), size)


def _font_file(bold: bool) -> Path:
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")


@lru_cache(maxsize=2)
def _signs(bold: bool) -> frozenset[int]:
    return frozenset(FT2Font(str(_font_file(bold))).get_charmap())


class Canvas:
    """A picture that is drawn from top to bottom.

    Parameters
    ----------
    width, height : int
        Pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self.picture = Image.new("RGB", (width, height), BACKGROUND)
        self.draw = ImageDraw.Draw(self.picture)

    def text(
        self,
        place: tuple[float, float],
        words: object,
        size: int,
        colour: Colour = TEXT,
        *,
        bold: bool = False,
        anchor: str = "la",
    ) -> float:
        """Write one line; its width."""
        line = drawn(str(words), _signs(bold))
        self.draw.text(place, line, fill=colour, font=font(size, bold), anchor=anchor)
        return text_width(words, size, bold=bold)

    def paragraph(
        self, left: float, top: float, lines: Sequence[str], size: int, colour: Colour = TEXT, *, bold: bool = False
    ) -> float:
        """Write lines as ``wrapped`` gives them; the place below them."""
        for line in lines:
            self.draw.text((left, top), line, fill=colour, font=font(size, bold))
            top += line_height(size)
        return top

    def stripes(self, box: Box, light: Colour, dark: Colour, step: int = 6) -> None:
        """Fill a box with diagonal stripes, which differ from plain colours without a colour."""
        tile = Image.new("RGB", (box.width, box.height), dark)
        pen = ImageDraw.Draw(tile)
        for start in range(-box.height, box.width, 2 * step):
            pen.line([(start, box.height), (start + box.height, 0)], fill=light, width=step)
        self.picture.paste(tile, box[:2])


def text_width(words: object, size: int, *, bold: bool = False) -> float:
    """Pixels that one line of text takes."""
    return font(size, bold).getlength(drawn(str(words), _signs(bold)))


def line_height(size: int) -> int:
    """Pixels from one line of a paragraph to the next."""
    return round(1.32 * size)


def wrapped(words: object, size: int, width: float, *, bold: bool = False) -> list[str]:
    """Break a text into lines that fit a width; a longer word is broken anywhere."""
    measure, lines = font(size, bold).getlength, [""]
    for word in drawn(str(words), _signs(bold)).split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if measure(longer) <= width:
            lines[-1] = longer
            continue
        lines.append(word)
        while measure(lines[-1]) > width and len(lines[-1]) > 1:
            kept = len(lines[-1])
            while kept > 1 and measure(lines[-1][:kept]) > width:
                kept -= 1
            lines[-1:] = [lines[-1][:kept], lines[-1][kept:]]
    return [line for line in lines if line]
