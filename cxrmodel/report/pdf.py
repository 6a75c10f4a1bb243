"""A reading on one sheet of A4, made in memory."""

from datetime import datetime
from io import BytesIO
from pathlib import Path

import matplotlib
import numpy as np
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from PIL import Image

from cxrmodel import __version__
from cxrmodel.explain.overlay import image_rgb, overlay_figure
from cxrmodel.reading import Reading
from cxrmodel.report.wording import (
    DISCLAIMER,
    band,
    facts,
    frequency_sentence,
    probability_percent,
    reason_for_finding,
    threshold_percent,
)

__all__ = ["pdf_report"]

# Millimetres.
_MARGIN = 15.0
_WIDTH = 180.0
_GAP = 4.0
_PICTURE_HEIGHT = 88.0
_FOOT = 266.0

_PICTURE_SIDE = 1200
_FONT = "DejaVu"
_NAME_LENGTH = 90
_ZONES = {"normal": (214, 232, 238), "uncertain": (245, 233, 190), "pneumonia": (247, 214, 196)}


def pdf_report(reading: Reading, read_at: datetime, printed_at: datetime, observed: str = "") -> bytes:
    """Put a reading on one page: image, overlay with its colour bar, probability and what belongs beside it.

    Parameters
    ----------
    reading : Reading
    read_at, printed_at : datetime
        When the image was read and when the sheet is made, both with their time zone.
    observed : str
        A sentence on what was observed of such probabilities.

    Returns
    -------
    bytes
        A PDF of exactly one A4 page. Signs that the font lacks are printed as a replacement sign, and reasons that
        find no room are counted instead.
    """
    sheet = _Sheet()
    sheet.set_creation_date(printed_at)
    sheet.head(reading, read_at, printed_at)
    sheet.pictures(
        (_image(reading), "The image, whole"), (_overlay(reading), "Heatmap: what each place adds to the logit")
    )
    sheet.number(reading, observed)
    sheet.scale(reading)
    sheet.facts(reading)
    sheet.reasons(reading.reasons)
    sheet.foot()
    return bytes(sheet.output())


class _Sheet(FPDF):
    """One A4 page that never grows a second."""

    def __init__(self):
        super().__init__(format="A4")
        self.set_auto_page_break(False)
        self.set_margins(_MARGIN, _MARGIN)
        fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        self.add_font(_FONT, "", fonts / "DejaVuSans.ttf")
        self.add_font(_FONT, "B", fonts / "DejaVuSans-Bold.ttf")
        self.set_title("Chest X-ray reading")
        self.set_creator(f"Chest X-ray reader {__version__}")
        self.set_lang("en-GB")
        self.add_page()
        self._use(10)

    def head(self, reading: Reading, read_at: datetime, printed_at: datetime) -> None:
        """Title, notice, image and times."""
        self._use(16, "B")
        self._line("Chest X-ray reading", 9)
        self._use(10, "B")
        self.set_fill_color(255, 240, 190)
        self.cell(_WIDTH, 8, f"{DISCLAIMER}.", fill=True, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(2)
        self._use(9)
        self._line(f"Image: {self._known(_shortened(reading.name))}", 5)
        self._line(f"Read: {_moment(read_at)}. Printed: {_moment(printed_at)}.", 5)
        self.ln(2)

    def pictures(self, *titled: tuple[Image.Image, str]) -> None:
        """Pictures side by side, of one height, as large as the sheet allows, each with a title beneath."""
        shapes = [picture.width / picture.height for picture, _ in titled]
        height = min(_PICTURE_HEIGHT, (_WIDTH - _GAP * (len(titled) - 1)) / sum(shapes))
        top, left = self.get_y(), _MARGIN
        self._use(8)
        for (picture, title), shape in zip(titled, shapes, strict=True):
            width = height * shape
            self.image(picture, left, top, width, height, alt_text=title)
            self.set_xy(left, top + height + 1)
            self.cell(width, 4, title, align="L")
            left += width + _GAP
        self.set_xy(_MARGIN, top + height + 8)

    def number(self, reading: Reading, observed: str) -> None:
        """Probability and finding, in figures and in words."""
        self._use(13, "B")
        self._line(f"Probability of pneumonia: {_said(reading)}. Finding: {reading.finding}.", 8)
        self._use(9)
        frequency = frequency_sentence(reading.probability, reading.finding, reading.prevalence)
        reason = reason_for_finding(reading.finding, reading.operating_points)
        self._block(" ".join(filter(None, (frequency, observed, reason))))

    def scale(self, reading: Reading) -> None:
        """The probability on a scale from 0 to 100 %, with band and threshold."""
        top, height = self.get_y() + 7, 6.0
        low, high = band(reading.operating_points) or (reading.threshold,) * 2
        for name, start, end in (("normal", 0.0, low), ("uncertain", low, high), ("pneumonia", high, 1.0)):
            width = (end - start) * _WIDTH
            self.set_fill_color(*_ZONES[name])
            self._use(8)
            self.set_xy(_MARGIN + start * _WIDTH, top)
            self.cell(width, height, name if width > 20 else "", border=1, align="C", fill=True)
        place, mark = (_MARGIN + share * _WIDTH for share in (reading.probability, reading.threshold))
        self.set_fill_color(0)
        self.polygon([(place, top), (place - 1.5, top - 2.6), (place + 1.5, top - 2.6)], style="F")
        self.polygon([(mark, top + height), (mark - 1.2, top + height + 2), (mark + 1.2, top + height + 2)], style="D")
        self._label(_said(reading), place, top - 7, "B")
        self._label(
            f"{reading.operating_point} threshold {threshold_percent(reading.threshold)}", mark, top + height + 2
        )
        self.set_xy(_MARGIN, top + height + 8)

    def facts(self, reading: Reading) -> None:
        """What the probability is compared with and assumes."""
        for name, value in facts(reading):
            self._use(9, "B")
            self.cell(48, 5, name)
            self._use(9)
            self._line(value, 5)
        self.ln(2)

    def reasons(self, reasons: tuple[str, ...]) -> None:
        """As many reasons as there is room for, and a count of the rest."""
        self._use(9)
        for number, reason in enumerate(reasons):
            text = f"•  {self._known(str(reason))}"
            lines = self.multi_cell(_WIDTH, 4.5, text, align="L", dry_run=True, output="LINES")
            if self.get_y() + 4.5 * (len(lines) + 1) > _FOOT:
                self._line(f"•  and {len(reasons) - number} more, which the program shows.", 4.5)
                return
            self._block(text)

    def foot(self) -> None:
        """What the sheet is not."""
        self.set_y(_FOOT + 2)
        self._use(8)
        self._block(
            f"{DISCLAIMER}. A heatmap says where the score comes from, not where disease is; its colour range is the "
            "same for every image. A probability holds for images like those the model was trained on, at the stated "
            "prevalence. This sheet is no medical record."
        )

    def _use(self, size: float, style: str = "") -> None:
        self.set_font(_FONT, style, size)

    def _line(self, text: str, height: float) -> None:
        self.cell(0, height, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _block(self, text: str) -> None:
        self.multi_cell(_WIDTH, 4.5, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _label(self, text: str, centre: float, top: float, style: str = "") -> None:
        """A label centred on a place of the scale, but within the margins."""
        self._use(8, style)
        width = self.get_string_width(text) + 2
        left = min(max(centre - width / 2, _MARGIN), _MARGIN + _WIDTH - width)
        self.set_xy(left, top)
        self.cell(width, 4, text, align="C")

    def _known(self, text: str) -> str:
        """The text with every sign that the font lacks replaced: the library would write such signs into its log."""
        known = self.fonts[_FONT.lower()].cmap
        return "".join(sign if ord(sign) in known else "\ufffd" for sign in " ".join(text.split()))


def _said(reading: Reading) -> str:
    return probability_percent(reading.probability, reading.operating_points)


def _moment(when: datetime) -> str:
    offset = f"{when:%z}"
    return f"{when:%d %B %Y, %H:%M} (UTC{offset[:3]}:{offset[3:5]})"


def _shortened(name: str) -> str:
    """A name that fits on one line: its middle gives way, as both ends tell images apart."""
    if len(name) <= _NAME_LENGTH:
        return name
    half = _NAME_LENGTH // 2
    return f"{name[:half]} … {name[-half:]}"


def _small(pixels: np.ndarray) -> np.ndarray:
    image = Image.fromarray(pixels)
    image.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE), Image.Resampling.BILINEAR)
    return np.asarray(image)


def _image(reading: Reading) -> Image.Image:
    return Image.fromarray(image_rgb(_small(reading.radiograph.pixels))).convert("L")


def _overlay(reading: Reading) -> Image.Image:
    coded = BytesIO()
    figure = overlay_figure(reading.radiograph.pixels, reading.heat, reading.heat_range)
    figure.savefig(coded, format="png", dpi=150)
    return Image.open(coded).convert("RGB")
