"""One reading as a PDF of one A4 page, in memory."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

import cv2
import matplotlib
import numpy as np
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont
from numpy.typing import NDArray
from PIL import Image

from cxrmodel import __version__
from cxrmodel.explain.overlay import COLOUR_MAPS, EMPTY, LEGEND, overlay
from cxrmodel.explain.shares import ZONES, EvidenceShares
from cxrmodel.imaging.lungs import separate_lungs
from cxrmodel.messages import Message
from cxrmodel.metrics.formatting import share_percent
from cxrmodel.prevalence import prevalence_words
from cxrmodel.reading import Attribution, Reading
from cxrmodel.report.wording import (
    DISCLAIMER,
    band,
    facts,
    heat_sentence,
    operating_point_title,
    reason_for_finding,
    sides,
    unlike_reasons,
    warnings,
)
from cxrmodel.sinks import drawn, shortened

# Millimetres.
_MARGIN = 15.0
_WIDTH = 180.0
_GAP = 4.0
_BETWEEN = 6.0
_CAPTION = 12.0
_FOOT = 270.0
_LEAST_PICTURE = 55.0
_MOST_SPREAD = 9.0
_MUCH_LARGER = 1.25
_LINE = 4.4

_SPACES = re.compile(r"[^\S\u00a0]+")
"""All but the space that keeps a number with its unit."""
_PICTURE_SIDE = 1200
_MOST_NOTES = 6
_FONT = "DejaVu"
_NAME_LENGTH = 90
_WARNING = (255, 240, 190)
_PALE, _DIM = (90, 90, 90), (228, 232, 236)
_BAR = (33, 113, 150)
_OUTLINE = (120, 230, 255)
_ZONES = ((214, 232, 238), (245, 233, 190), (247, 214, 196))
"""Fill colours of the scale, from the negative to the positive finding."""


def pdf_report(reading: Reading, read_at: datetime, printed_at: datetime, observed: str = "") -> bytes:
    """Put a reading on one page: warnings, image and heatmap at one scale, probability and its context.

    Parameters
    ----------
    reading : Reading
    read_at, printed_at : datetime
        Times of the reading and of the PDF, with time zone.
    observed : str
        What the most similar test images had; empty where that is not known.

    Returns
    -------
    bytes
        A PDF of exactly one A4 page. Characters that the font lacks become replacement characters. Reasons that do
        not fit are counted.
    """
    page = _Page()
    page.set_creation_date(printed_at)
    page.head(reading, read_at, printed_at)
    below = [
        page.number(reading, observed),
        page.scale(reading),
        page.shares(reading),
        *page.notes(reading.radiograph.notes),
        page.facts(reading),
    ]
    page.warnings((*unlike_reasons(reading), *warnings(reading)), sum(block.height for block in below))
    page.fill(_Pictures(reading), below)
    page.foot()
    return bytes(page.output())


class _Block(NamedTuple):
    """A part of the page that knows its height in millimetres before it is drawn."""

    height: float
    draw: Callable[[], None]


class _Pictures:
    """The image and its overlay as pictures of one size, and what is drawn on them."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        pixels, heat = reading.radiograph.pixels, reading.drawn_heat
        plain = overlay(pixels, heat, reading.heat_range, 0.0, longest=_PICTURE_SIDE)
        self.image = Image.fromarray(plain).convert("L")
        self.overlay = Image.fromarray(overlay(pixels, heat, reading.heat_range, longest=_PICTURE_SIDE))
        self.shape = self.image.width / self.image.height

    def sizes(self, room: float) -> tuple[float, bool]:
        """Height of each picture within some height, and whether they stand one above the other, if much larger so."""
        beside = min(room - _CAPTION, (_WIDTH - _GAP) / 2 / self.shape)
        stacked = min(room / 2 - _CAPTION, _WIDTH / self.shape)
        return (stacked, True) if stacked > _MUCH_LARGER * beside else (beside, False)


class _Page(FPDF):
    """One A4 page; nothing ever flows onto a second."""

    def __init__(self) -> None:
        super().__init__(format="A4")
        self.set_auto_page_break(False)
        self.set_margins(_MARGIN, _MARGIN)
        self.c_margin = 0.0
        fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        self.add_font(_FONT, "", fonts / "DejaVuSans.ttf")
        self.add_font(_FONT, "B", fonts / "DejaVuSans-Bold.ttf")
        self.set_title(str(Message("report.pdf.title")))
        self.set_creator(str(Message("report.pdf.creator", version=__version__)))
        self.set_lang("en-GB")
        self.add_page()
        self._use(9)

    def head(self, reading: Reading, read_at: datetime, printed_at: datetime) -> None:
        """Title and limits, image and times."""
        self._use(15, "B")
        self.cell(_WIDTH, 8, str(Message("report.pdf.title")))
        self._use(9, "B")
        self.set_xy(_MARGIN, _MARGIN)
        self.cell(_WIDTH, 8, str(Message("report.pdf.notice", disclaimer=DISCLAIMER)), align="R")
        self.set_draw_color(*_PALE)
        self.line(_MARGIN, _MARGIN + 9, _MARGIN + _WIDTH, _MARGIN + 9)
        self.set_xy(_MARGIN, _MARGIN + 10.5)
        self._use(9)
        self._line(self._known(Message("report.pdf.image", name=shortened(reading.name, _NAME_LENGTH))), _LINE)
        self._line(Message("report.pdf.times", read=_moment(read_at), printed=_moment(printed_at)), _LINE)
        self.ln(2)

    def warnings(self, reasons: Sequence[object], below: float) -> None:
        """As many reasons as leave room for pictures and for what is below them, and the number of the others."""
        if not reasons:
            return
        self._use(9)
        texts = [self._known(Message("report.pdf.reason", reason=str(reason))) for reason in reasons]
        heights = [self._height(words, _WIDTH - 4) for words in texts]
        room = _FOOT - self.get_y() - below - _LEAST_PICTURE - _CAPTION - 6
        shown = len(texts)
        while shown and sum(heights[:shown]) + (shown < len(texts)) * _LINE > room:
            shown -= 1
        if shown < len(texts):
            texts[shown:] = [str(Message("report.pdf.more_reasons", count=len(reasons) - shown))]
            heights[shown:] = [_LINE]
        self.set_fill_color(*_WARNING)
        self.rect(_MARGIN, self.get_y(), _WIDTH, sum(heights) + 3, style="F")
        self.set_y(self.get_y() + 1.5)
        for words in texts:
            self.set_x(_MARGIN + 2)
            self.multi_cell(_WIDTH - 4, _LINE, words, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(4)

    def fill(self, pictures: _Pictures, below: Sequence[_Block]) -> None:
        """Pictures as large as the page allows, then the blocks below them, spread over what is left."""
        room = _FOOT - self.get_y() - sum(block.height for block in below)
        height, stacked = pictures.sizes(room)
        self._pictures(pictures, height, stacked)
        left = _FOOT - self.get_y() - sum(block.height for block in below)
        gap = min(max(left, 0.0) / (len(below) + 1), _MOST_SPREAD)
        for block in below:
            self.set_xy(_MARGIN, self.get_y() + gap)
            end = self.get_y() + block.height
            block.draw()
            self.set_xy(_MARGIN, end)

    def number(self, reading: Reading, observed: str) -> _Block:
        """Finding and probability, in figures and in words; smaller where the image is unlike the training images."""
        positive = reading.labels.positive
        values = {"probability": reading.shown.probability, "prevalence": prevalence_words(reading.prevalence)}
        finding = str(Message("report.pdf.finding", finding=reading.finding))
        number = str(Message("report.pdf.number", positive=positive, **values))
        words = " ".join(filter(None, (observed, str(reason_for_finding(reading)))))
        size, style = (9, "") if reading.check.unlike else (13, "B")
        self._use(size, style)
        beside = self.get_string_width(finding) + self.get_string_width(number) + _BETWEEN <= _WIDTH

        def draw() -> None:
            self._use(size, style)
            self.cell(_WIDTH, 7, finding)
            self.set_xy(_MARGIN, self.get_y() if beside else self.get_y() + 7)
            self.cell(_WIDTH, 7, number, align="R" if beside else "L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            self._use(9)
            self._block(words)

        self._use(9)
        return _Block((7 if beside else 14) + self._height(words) + 1, draw)

    def scale(self, reading: Reading) -> _Block:
        """The probability on a scale from 0 to 100 %, with band and threshold."""
        return _Block(19.0, partial(self._scale, reading))

    def shares(self, reading: Reading) -> _Block:
        """Where the score comes from: shares of the map by lung and by zone, as bars; of a faint map, that it is."""
        title = str(Message("report.pdf.shares"))
        if reading.shares is None or reading.attribution is Attribution.FAINT:
            sentence = str(heat_sentence(reading))
            self._use(9)
            return _Block(self._height(sentence) + 1, lambda: self._block(sentence))
        columns = _share_columns(reading.shares.rounded())

        def draw() -> None:
            self._use(9, "B")
            self._line(title, 5)
            self._use(9)
            top, wide = self.get_y() + 0.5, (_WIDTH - 2 * _GAP) / 2
            for place, rows in enumerate(columns):
                for row, (name, share) in enumerate(rows):
                    self._share(_MARGIN + place * (wide + 2 * _GAP), top + 5 * row, wide, name, share)

        return _Block(5.5 + 5 * max(map(len, columns)), draw)

    def notes(self, notes: Sequence[object]) -> list[_Block]:
        """What was done to the image, by its user too; nothing where nothing was."""
        if not notes:
            return []
        self._use(9)
        lines = [self._known(Message("report.pdf.reason", reason=str(note))) for note in notes[:_MOST_NOTES]]
        if len(notes) > _MOST_NOTES:
            lines.append(str(Message("report.pdf.more_reasons", count=len(notes) - _MOST_NOTES)))
        title, words = str(Message("report.pdf.notes")), "\n".join(lines)

        def draw() -> None:
            self._use(9, "B")
            self._line(title, 5)
            self._use(9)
            self._block(words)

        return [_Block(5 + self._height(words), draw)]

    def facts(self, reading: Reading) -> _Block:
        """Thresholds and assumptions of the probability, model, ages and checksum, in two columns."""
        wide, named = (_WIDTH - _GAP) / 2, 37.0
        self._use(8.5)
        rows = [(str(fact.name), self._known(fact.value)) for fact in facts(reading)]
        heights = [self._height(value, wide - named) for _, value in rows]
        half = -(-len(rows) // 2)

        def draw() -> None:
            start = self.get_y() + 1
            for column, part in enumerate((slice(half), slice(half, None))):
                top = start
                for (name, value), height in zip(rows[part], heights[part], strict=True):
                    self._use(8.5, "B")
                    self.set_xy(_MARGIN + column * (wide + _GAP), top)
                    self.cell(named, _LINE, name)
                    self._use(8.5)
                    self.multi_cell(wide - named, _LINE, value, align="L")
                    top += height

        return _Block(1 + max(sum(heights[:half]), sum(heights[half:])), draw)

    def foot(self) -> None:
        """Limits of the page."""
        self.set_xy(_MARGIN, _FOOT + 2)
        self._use(7.5)
        self.multi_cell(_WIDTH, 3.7, str(Message("report.pdf.foot", disclaimer=DISCLAIMER)), align="L")

    def _pictures(self, pictures: _Pictures, height: float, stacked: bool) -> None:
        """Image and overlay at one scale, each with the letters of the sides; the overlay also with outline and bar."""
        width = height * pictures.shape
        top = self.get_y()
        left = _MARGIN + (0.0 if stacked else (_WIDTH - _GAP - 2 * width) / 2)
        if stacked:
            left += (_WIDTH - width) / 2
        second = (left, top + height + _CAPTION) if stacked else (left + width + _GAP, top)
        title, heat_title = Message("report.pdf.whole_image"), Message("report.pdf.heatmap")
        for picture, (x, y), words in ((pictures.image, (left, top), title), (pictures.overlay, second, heat_title)):
            self.image(picture, x, y, width, height, alt_text=str(words))
            self._letters(sides(pictures.reading), x, y, width)
            self._use(8)
            self.set_xy(x, y + height + 1)
            self.cell(width, 4, str(words))
        self._lung_outline(pictures.reading.lungs.mask, *second, width, height)
        self._colour_bar(pictures.reading, second[0], second[1] + height + 5.5, width)
        self.set_xy(_MARGIN, second[1] + height + _CAPTION)

    def _letters(self, letters: tuple[str, str], x: float, y: float, width: float) -> None:
        """The patient's right on the left of the picture, and the left on its right."""
        self._use(11, "B")
        self.set_text_color(255)
        for letter, align in zip(letters, ("L", "R"), strict=True):
            wide = self.get_string_width(letter) + 2
            self.set_fill_color(0)
            self.set_xy(x + 1 if align == "L" else x + width - wide - 1, y + 1)
            self.cell(wide, 5, letter, align="C", fill=True)
        self.set_text_color(0)

    def _lung_outline(self, mask: NDArray[np.bool_], x: float, y: float, width: float, height: float) -> None:
        """Outline of the lungs, smooth at the size of the picture, and dashes between their zones."""
        self.set_draw_color(*_OUTLINE)
        self.set_line_width(0.25)
        for line in _outlines(mask):
            self.polygon([(x + across * width, y + down * height) for across, down in line], style="D")
        self.set_dash_pattern(dash=0.8, gap=0.8)
        for left, right, down in _zone_edges(mask):
            self.line(x + left * width, y + down * height, x + right * width, y + down * height)
        self.set_dash_pattern()
        self.set_draw_color(0)
        self.set_line_width(0.2)

    def _colour_bar(self, reading: Reading, x: float, y: float, width: float) -> None:
        """The colours on the raw scale, with the range that is the same for every image."""
        if not reading.heat.any():
            self._use(8)
            self.set_xy(x, y)
            self.cell(width, 4, str(EMPTY))
            return
        colours = matplotlib.colormaps[COLOUR_MAPS[0]](np.arange(256))[None, :, :3]
        low, high = "0", f"{reading.heat_range:.3g}"
        self._use(7.5)
        start, end = self.get_string_width(low) + 1.5, self.get_string_width(high) + 1.5
        bar = Image.fromarray(np.rint(255 * colours).astype(np.uint8))
        self.image(bar, x + start, y, width - start - end, 3, alt_text=str(LEGEND))
        for words, align in ((low, "L"), (high, "R")):
            self.set_xy(x, y - 0.5)
            self.cell(width, 4, words, align=align)

    def _scale(self, reading: Reading) -> None:
        top, height = self.get_y() + 7, 6.0
        low, high = band(reading.operating_points) or (reading.threshold,) * 2
        names, edges = reversed(reading.labels.findings), ((0.0, low), (low, high), (high, 1.0))
        for name, (start, end), colour in zip(names, edges, _ZONES, strict=True):
            width = (end - start) * _WIDTH
            self.set_fill_color(*colour)
            self._use(8)
            self.set_xy(_MARGIN + start * _WIDTH, top)
            self.cell(width, height, name if width > self.get_string_width(name) + 2 else "", 1, align="C", fill=True)
        needle, tick = (_MARGIN + share * _WIDTH for share in (reading.probability, reading.threshold))
        self.set_fill_color(0)
        self.polygon([(needle, top), (needle - 1.5, top - 2.6), (needle + 1.5, top - 2.6)], style="F")
        self.polygon([(tick, top + height), (tick - 1.2, top + height + 2), (tick + 1.2, top + height + 2)], style="D")
        self._label(reading.shown.probability, needle, top - 7, "B")
        point = operating_point_title(reading.operating_point)
        written = reading.shown.thresholds[reading.operating_point]
        threshold = Message("report.pdf.threshold", point=point, threshold=written)
        self._label(threshold, tick, top + height + 2)

    def _share(self, x: float, y: float, width: float, name: str, share: float) -> None:
        """One row of the shares: name, bar and figure."""
        named, figure = 30.0, 12.0
        full = width - named - figure
        self.set_xy(x, y)
        self.cell(named, 4, name)
        self.set_fill_color(*_DIM)
        self.rect(x + named, y + 0.6, full, 2.8, style="F")
        self.set_fill_color(*_BAR)
        if share > 0:
            self.rect(x + named, y + 0.6, full * share, 2.8, style="F")
        self.set_xy(x + named + full, y)
        self.cell(figure, 4, share_percent(share), align="R")

    def _use(self, size: float, style: str = "") -> None:
        self.set_font(_FONT, style, size)

    def _line(self, text: Message | str, height: float) -> None:
        self.cell(0, height, str(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _block(self, text: Message | str) -> None:
        self.multi_cell(_WIDTH, _LINE, str(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _height(self, text: str, width: float = _WIDTH) -> float:
        """Height of a text in the font in use."""
        return cast("float", self.multi_cell(width, _LINE, text, align="L", dry_run=True, output="HEIGHT"))

    def _label(self, text: Message | str, centre: float, top: float, style: str = "") -> None:
        """A label centred on a point of the scale, but within the margins."""
        self._use(8, style)
        width = self.get_string_width(str(text)) + 2
        left = min(max(centre - width / 2, _MARGIN), _MARGIN + _WIDTH - width)
        self.set_xy(left, top)
        self.cell(width, 4, str(text), align="C")

    def _known(self, words: object) -> str:
        """Words with each character that the font lacks replaced; the library would log such characters.

        Whole messages come here, since they surround what they quote with characters of their own.
        """
        known = cast("TTFFont", self.fonts[_FONT.lower()]).cmap
        return drawn(_SPACES.sub(" ", str(words)).strip(), known)


def _moment(when: datetime) -> str:
    offset = f"{when:%z}"
    return f"{when:%d %B %Y, %H:%M} (UTC{offset[:3]}:{offset[3:5]})"


def _share_columns(shares: EvidenceShares) -> list[list[tuple[str, float]]]:
    """Rows of the shares with their names: by lung, and by zone."""
    columns = ("right", "left", "outside"), ("upper", "middle", "lower")
    return [[(str(Message(f"report.pdf.share.{name}")), getattr(shares, name)) for name in names] for names in columns]


def _outlines(mask: NDArray[np.bool_]) -> list[list[tuple[float, float]]]:
    """Outlines of a mask as closed lines: points across and down, 0..1 of the image."""
    times = 4
    height, width = (times * side for side in mask.shape)
    grown = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    smooth = cv2.GaussianBlur(grown, (0, 0), times) > 0.5
    lines, _ = cv2.findContours(smooth.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_L1)
    return [[((x + 0.5) / width, (y + 0.5) / height) for x, y in line[:, 0]] for line in lines if len(line) > 2]


def _zone_edges(mask: NDArray[np.bool_]) -> list[tuple[float, float, float]]:
    """Lines between the zones of each lung: left and right end and height, 0..1 of the image."""
    height, width = mask.shape
    found = []
    for lung in separate_lungs(mask):
        rows = np.flatnonzero(lung.any(axis=1))
        top, tall = rows[0], rows[-1] + 1 - rows[0]
        for zone in range(1, ZONES):
            down = top + tall * zone / ZONES
            columns = np.flatnonzero(lung[int(down)])
            if len(columns):
                found.append((float(columns[0] / width), float((columns[-1] + 1) / width), float(down / height)))
    return found
