"""One reading as a PDF of one A4 page, in memory."""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import cast

import matplotlib
import numpy as np
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont
from numpy.typing import NDArray
from PIL import Image

from cxrmodel import __version__
from cxrmodel.explain.overlay import image_rgb, overlay_figure
from cxrmodel.messages import Message
from cxrmodel.prevalence import prevalence_words
from cxrmodel.reading import Reading
from cxrmodel.report.wording import (
    DISCLAIMER,
    band,
    facts,
    operating_point_title,
    reason_for_finding,
    reasons,
    shares_sentence,
)
from cxrmodel.sinks import drawn, shortened

# Millimetres.
_MARGIN = 15.0
_WIDTH = 180.0
_GAP = 4.0
_PICTURE_HEIGHT = 88.0
_FOOT = 266.0

_PICTURE_SIDE = 1200
_FONT = "DejaVu"
_NAME_LENGTH = 90
_NOTICE = (255, 240, 190)
_ZONES = ((214, 232, 238), (245, 233, 190), (247, 214, 196))
"""Fill colours of the scale, from the negative to the positive finding."""


def pdf_report(reading: Reading, read_at: datetime, printed_at: datetime, observed: str = "") -> bytes:
    """Put a reading on one page: image, heatmap with its colour bar, probability and its context.

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
    page.pictures(
        (_image(reading), Message("report.pdf.whole_image")), (_overlay(reading), Message("report.pdf.heatmap"))
    )
    page.number(reading, observed)
    page.scale(reading)
    page.facts(reading)
    page.shares(reading)
    page.reasons(reasons(reading))
    page.foot()
    return bytes(page.output())


class _Page(FPDF):
    """One A4 page; nothing ever flows onto a second."""

    def __init__(self) -> None:
        super().__init__(format="A4")
        self.set_auto_page_break(False)
        self.set_margins(_MARGIN, _MARGIN)
        fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        self.add_font(_FONT, "", fonts / "DejaVuSans.ttf")
        self.add_font(_FONT, "B", fonts / "DejaVuSans-Bold.ttf")
        self.set_title(str(Message("report.pdf.title")))
        self.set_creator(str(Message("report.pdf.creator", version=__version__)))
        self.set_lang("en-GB")
        self.add_page()
        self._use(10)

    def head(self, reading: Reading, read_at: datetime, printed_at: datetime) -> None:
        """Title, notice, image and times."""
        self._use(16, "B")
        self._line(Message("report.pdf.title"), 9)
        self._use(10, "B")
        self.set_fill_color(*_NOTICE)
        notice = str(Message("report.pdf.notice", disclaimer=DISCLAIMER))
        self.cell(_WIDTH, 8, notice, fill=True, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(2)
        self._use(9)
        name = self._known(shortened(reading.name, _NAME_LENGTH))
        self._line(Message("report.pdf.image", name=name), 5)
        self._line(Message("report.pdf.times", read=_moment(read_at), printed=_moment(printed_at)), 5)
        self.ln(2)

    def pictures(self, *titled: tuple[Image.Image, Message]) -> None:
        """Pictures side by side, of one height, as large as the page allows, each with a title below."""
        shapes = [picture.width / picture.height for picture, _ in titled]
        height = min(_PICTURE_HEIGHT, (_WIDTH - _GAP * (len(titled) - 1)) / sum(shapes))
        top, left = self.get_y(), _MARGIN
        self._use(8)
        for (picture, title), shape in zip(titled, shapes, strict=True):
            width = height * shape
            self.image(picture, left, top, width, height, alt_text=str(title))
            self.set_xy(left, top + height + 1)
            self.cell(width, 4, str(title), align="L")
            left += width + _GAP
        self.set_xy(_MARGIN, top + height + 8)

    def number(self, reading: Reading, observed: str) -> None:
        """Probability and finding, in figures and in words."""
        values = {
            "probability": reading.shown.probability,
            "prevalence": prevalence_words(reading.prevalence),
            "finding": reading.finding,
        }
        self._use(13, "B")
        self._line(Message("report.pdf.number", positive=reading.labels.positive, **values), 8)
        self._use(9)
        self._block(" ".join(filter(None, (observed, str(reason_for_finding(reading))))))

    def scale(self, reading: Reading) -> None:
        """The probability on a scale from 0 to 100 %, with band and threshold."""
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
        self.set_xy(_MARGIN, top + height + 8)

    def facts(self, reading: Reading) -> None:
        """Thresholds and assumptions of the probability."""
        for name, value in facts(reading):
            self._use(9, "B")
            self.cell(48, 5, str(name))
            self._use(9)
            self._line(value, 5)
        self.ln(2)

    def shares(self, reading: Reading) -> None:
        """Where the score comes from, by lung and zone."""
        if sentence := shares_sentence(reading):
            self._block(sentence)
            self.ln(2)

    def reasons(self, reasons: Sequence[object]) -> None:
        """As many reasons as there is room for, and the number of the others."""
        self._use(9)
        for number, reason in enumerate(reasons):
            text = str(Message("report.pdf.reason", reason=self._known(str(reason))))
            height = self.multi_cell(_WIDTH, 4.5, text, align="L", dry_run=True, output="HEIGHT")
            if self.get_y() + cast("float", height) + 4.5 > _FOOT:
                self._line(Message("report.pdf.more_reasons", count=len(reasons) - number), 4.5)
                return
            self._block(text)

    def foot(self) -> None:
        """Limits of the page."""
        self.set_y(_FOOT + 2)
        self._use(8)
        self._block(Message("report.pdf.foot", disclaimer=DISCLAIMER))

    def _use(self, size: float, style: str = "") -> None:
        self.set_font(_FONT, style, size)

    def _line(self, text: Message | str, height: float) -> None:
        self.cell(0, height, str(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _block(self, text: Message | str) -> None:
        self.multi_cell(_WIDTH, 4.5, str(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _label(self, text: Message | str, centre: float, top: float, style: str = "") -> None:
        """A label centred on a point of the scale, but within the margins."""
        self._use(8, style)
        width = self.get_string_width(str(text)) + 2
        left = min(max(centre - width / 2, _MARGIN), _MARGIN + _WIDTH - width)
        self.set_xy(left, top)
        self.cell(width, 4, str(text), align="C")

    def _known(self, text: str) -> str:
        """The text with each character that the font lacks replaced; the library would log such characters."""
        known = cast("TTFFont", self.fonts[_FONT.lower()]).cmap
        return drawn(" ".join(text.split()), known)


def _moment(when: datetime) -> str:
    offset = f"{when:%z}"
    return f"{when:%d %B %Y, %H:%M} (UTC{offset[:3]}:{offset[3:5]})"


def _small(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    image = Image.fromarray(pixels)
    image.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE), Image.Resampling.BILINEAR)
    return np.asarray(image)


def _image(reading: Reading) -> Image.Image:
    return Image.fromarray(image_rgb(_small(reading.radiograph.pixels))).convert("L")


def _overlay(reading: Reading) -> Image.Image:
    coded = BytesIO()
    figure = overlay_figure(reading.radiograph.pixels, reading.drawn_heat, reading.heat_range)
    figure.savefig(coded, format="png", dpi=150)
    return Image.open(coded).convert("RGB")
