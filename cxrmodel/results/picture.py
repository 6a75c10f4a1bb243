"""The picture of a reading, in the look of the app: the image under its map, and the result beside it.

Nothing is written on the image. Its letters stand above it, its colour bar below it, everything else beside it.
"""

from collections.abc import Sequence
from dataclasses import asdict

import cv2
import matplotlib
import numpy as np
from PIL import Image

from cxrmodel.explain.overlay import COLOUR_MAPS, EMPTY, LEGEND, overlay
from cxrmodel.messages import Message
from cxrmodel.metrics.formatting import share_percent
from cxrmodel.model.spec import UNCERTAIN
from cxrmodel.prevalence import prevalence_percent, prevalence_words
from cxrmodel.reading import Attribution, Reading
from cxrmodel.report.wording import DISCLAIMER, band, heat_sentence, other_reasons, sides
from cxrmodel.results.canvas import (
    BORDER,
    DIM,
    PALE,
    TEXT,
    WARNING,
    WARNING_EDGE,
    WARNING_TEXT,
    Box,
    Canvas,
    line_height,
    text_width,
    wrapped,
)

WIDTH, HEIGHT = 1440, 1080
_IMAGE = Box(16, 92, 1004, 1008)
"""Where the image stands, as large as it fits."""
_CARD = Box(1028, 60, 1424, 1064)
_BODY, _SMALL = 20, 17

_FINDINGS = {"present": ("#f0a070", "!"), "absent": ("#7cc4f0", "\u2713"), "indeterminate": ("#e8c85c", "?")}
"""Colour and symbol of a finding."""
_NEGATIVE, _POSITIVE, _BAND, _BAND_DARK = "#1f4a57", "#7a3a1c", "#6a5818", "#42370f"
_LUNGS = {"right": "#4f9fd0", "left": "#9bd0ee", "outside": ""}
_ZONES = {"upper": "#2f8f74", "middle": "#63b798", "lower": "#a6dcc4", "outside": ""}
"""Colours of the parts of a bar; what is outside the lungs is striped."""
_STRIPE, _STRIPE_DARK = "#8a97a3", "#4a5661"


def draw(reading: Reading) -> Image.Image:
    """Draw a reading.

    Parameters
    ----------
    reading : Reading

    Returns
    -------
    PIL.Image.Image
        RGB, ``WIDTH`` x ``HEIGHT``, the same for the same reading.
    """
    canvas = Canvas(WIDTH, HEIGHT)
    _head(canvas, reading)
    _image(canvas, reading)
    _colour_bar(canvas, reading)
    _card(canvas, reading)
    return canvas.picture


def presence(reading: Reading) -> str:
    """The finding as results name it: ``present``, ``absent`` or ``indeterminate``, never a word for health."""
    return {reading.labels.positive: "present", UNCERTAIN: "indeterminate"}.get(reading.finding, "absent")


def _head(canvas: Canvas, reading: Reading) -> None:
    """What this picture is, and its limits."""
    canvas.text((_IMAGE.left, 28), Message("results.capture.title"), _BODY, DIM, anchor="lm")
    notice = Message("results.capture.notice", disclaimer=DISCLAIMER, model=reading.model)
    left = _CARD.right - 24 - text_width(notice, _SMALL, bold=True)
    canvas.draw.rounded_rectangle((left, 10, _CARD.right, 46), 8, WARNING, WARNING_EDGE, 2)
    canvas.text((left + 12, 28), notice, _SMALL, WARNING_TEXT, bold=True, anchor="lm")


def _image(canvas: Canvas, reading: Reading) -> None:
    """The image under its map, as large as fits, with the letters of the sides above it."""
    canvas.draw.rectangle((_IMAGE.left, 56, _IMAGE.right - 1, _IMAGE.bottom - 1), "black", BORDER)
    pixels = reading.radiograph.pixels
    scale = min((_IMAGE.width - 2) / pixels.shape[1], (_IMAGE.height - 2) / pixels.shape[0])
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    longest = -(-max(pixels.shape) // max(1, int(1 / scale)))  # no smaller than it will be shown
    mixed = overlay(pixels, reading.drawn_heat, reading.heat_range, longest=longest)
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    shown = cv2.resize(np.ascontiguousarray(mixed), size, interpolation=smooth)
    place = (_IMAGE.left + (_IMAGE.width - size[0]) // 2, _IMAGE.top + (_IMAGE.height - size[1]) // 2)
    canvas.picture.paste(Image.fromarray(shown), place)
    right, left = sides(reading)
    canvas.text((_IMAGE.left + 14, 74), right, 26, "white", bold=True, anchor="lm")
    canvas.text((_IMAGE.right - 14, 74), left, 26, "white", bold=True, anchor="rm")
    code = "results.capture.sides_mirrored" if reading.check.has_warning("mirroring") else "results.capture.sides"
    note = Message(code, right=right, left=left)
    canvas.text(((_IMAGE.left + _IMAGE.right) / 2, 74), note, _SMALL, DIM, anchor="mm")


def _colour_bar(canvas: Canvas, reading: Reading) -> None:
    """The colours on the raw scale, below the image."""
    middle, left = 1036, _IMAGE.left
    if not reading.heat.any():
        canvas.text((left, middle), EMPTY, _BODY, PALE, anchor="lm")
        return
    left += round(canvas.text((left, middle), "0", _BODY, PALE, anchor="lm")) + 10
    colours = matplotlib.colormaps[COLOUR_MAPS[0]](np.linspace(0, 1, 240))[None, :, :3].repeat(24, axis=0)
    canvas.picture.paste(Image.fromarray(np.rint(255 * colours).astype(np.uint8)), (left, middle - 12))
    left += 250
    left += round(canvas.text((left, middle), f"\u2265 {reading.heat_range:.3g}", _BODY, PALE, anchor="lm")) + 28
    canvas.text((left, middle), LEGEND, _BODY, PALE, anchor="lm")


def _card(canvas: Canvas, reading: Reading) -> None:
    """Finding, number, scale, limits, shares and warnings, from top to bottom; the facts at the foot."""
    foot = _facts(canvas, reading)
    top = _unlike(canvas, reading, _CARD.top)
    top = _finding(canvas, reading, top)
    top = _scale(canvas, reading, top + 18)
    scope = wrapped(Message("results.scope", positive=reading.labels.positive), _BODY, _CARD.width, bold=True)
    top = canvas.paragraph(_CARD.left, top + 12, scope, _BODY, TEXT, bold=True)
    top = _shares(canvas, reading, top + 18)
    _reasons(canvas, other_reasons(reading), top + 18, foot)


def _unlike(canvas: Canvas, reading: Reading, top: float) -> float:
    """That the image is unlike those of training, in a box of its own, as it weighs more than the number."""
    if not reading.check.unlike:
        return top
    lines = wrapped(reading.check.unlike, _SMALL, _CARD.width - 24)
    bottom = top + len(lines) * line_height(_SMALL) + 18
    canvas.draw.rounded_rectangle((_CARD.left, top, _CARD.right, bottom), 8, WARNING, WARNING_EDGE, 2)
    canvas.paragraph(_CARD.left + 12, top + 8, lines, _SMALL, WARNING_TEXT)
    return bottom + 12


def _finding(canvas: Canvas, reading: Reading, top: float) -> float:
    """The finding with its symbol, and the probability; the number stands back where the image is unlike."""
    name = presence(reading)
    colour, symbol = _FINDINGS[name]
    words = str(Message(f"results.presence.{name}", positive=reading.labels.positive))
    words = words[:1].upper() + words[1:]
    heading = next(size for size in range(27, 1, -1) if text_width(words, size, bold=True) <= _CARD.width - 44)
    canvas.draw.ellipse((_CARD.left, top + 2, _CARD.left + 32, top + 34), outline=colour, width=3)
    canvas.text((_CARD.left + 16, top + 18), symbol, _BODY, colour, bold=True, anchor="mm")
    canvas.text((_CARD.left + 44, top + 18), words, heading, colour, bold=True, anchor="lm")
    size, shade = (30, PALE) if reading.check.unlike else (56, TEXT)
    canvas.text((_CARD.left, top + 46), reading.shown.probability, size, shade, bold=not reading.check.unlike)
    top += 46 + line_height(size)
    of = Message(
        "results.capture.probability", positive=reading.labels.positive, prevalence=prevalence_words(reading.prevalence)
    )
    return canvas.paragraph(_CARD.left, top, wrapped(of, _SMALL, _CARD.width), _SMALL, PALE)


def _scale(canvas: Canvas, reading: Reading, top: float) -> float:
    """The probability on a scale from 0 to 100 %, with the uncertain band and the threshold."""
    points, shown = reading.operating_points, reading.shown.thresholds
    low, high = band(points) or (points[reading.operating_point],) * 2
    box = Box(_CARD.left, round(top), _CARD.right, round(top) + 22)

    def at(share: float) -> int:
        return round(box.left + share * box.width)

    canvas.draw.rectangle((box.left, box.top, at(low), box.bottom), _NEGATIVE)
    canvas.draw.rectangle((at(high), box.top, box.right, box.bottom), _POSITIVE)
    if at(high) > at(low):
        canvas.stripes(Box(at(low), box.top, at(high), box.bottom), _BAND, _BAND_DARK)
    canvas.draw.rectangle((box.left, box.top, box.right, box.bottom), outline=DIM)
    needle, tick = at(reading.probability), at(reading.threshold)
    canvas.draw.polygon([(needle - 9, top - 14), (needle + 9, top - 14), (needle, top)], "white")
    canvas.draw.polygon([(tick - 7, box.bottom + 10), (tick + 7, box.bottom + 10), (tick, box.bottom + 1)], DIM)
    words = Message("results.capture.balanced", threshold=shown[reading.operating_point])
    room = text_width(words, _SMALL)
    canvas.text((min(max(tick - room / 2, box.left), box.right - room), box.bottom + 12), words, _SMALL, DIM)
    edges = {"low": shown["high_sensitivity"], "high": shown["high_specificity"]}
    limits = Message("results.capture.band", **edges) if band(points) else Message("results.capture.no_band")
    top = box.bottom + 12 + line_height(_SMALL)
    return canvas.paragraph(_CARD.left, top, wrapped(limits, _SMALL, _CARD.width), _SMALL, DIM)


def _shares(canvas: Canvas, reading: Reading, top: float) -> float:
    """Shares of the map by lung and by zone as bars; of a faint or an empty map, that it is."""
    top = canvas.paragraph(_CARD.left, top, [str(Message("results.capture.shares"))], _SMALL, PALE, bold=True)
    if reading.shares is None or reading.attribution is Attribution.FAINT:
        return canvas.paragraph(_CARD.left, top, wrapped(heat_sentence(reading), _SMALL, _CARD.width), _SMALL, PALE)
    shares = asdict(reading.shares.rounded())
    for colours in (_LUNGS, _ZONES):
        top = _bar(canvas, {name: shares[name] for name in colours}, colours, top + 4)
    doubt = reading.check.has_warning("mirroring")
    note = Message("results.capture.shares_doubt") if doubt else Message("results.capture.shares_note")
    return canvas.paragraph(_CARD.left, top + 2, wrapped(note, _SMALL, _CARD.width), _SMALL, DIM)


def _bar(canvas: Canvas, shares: dict[str, float], colours: dict[str, str], top: float) -> float:
    left, start, row = float(_CARD.left), _CARD.left, round(top)
    for name, share in shares.items():
        end = left + share * _CARD.width
        _part(canvas, Box(round(left), row, round(end), row + 13), colours[name])
        left = end
    row += 20
    for name, share in shares.items():
        part = Message(f"results.capture.{name}")
        words = Message("results.capture.share", name=part, share=share_percent(share))
        room = 20 + text_width(words, _SMALL)
        if start > _CARD.left and start + room > _CARD.right:
            start, row = _CARD.left, row + line_height(_SMALL)
        _part(canvas, Box(start, row + 4, start + 13, row + 17), colours[name])
        canvas.text((start + 19, row), words, _SMALL, PALE)
        start += round(room) + 14
    return row + line_height(_SMALL) + 4


def _part(canvas: Canvas, box: Box, colour: str) -> None:
    if box.width < 1:
        return
    if colour:
        canvas.draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), colour)
    else:
        canvas.stripes(box, _STRIPE, _STRIPE_DARK, 4)


def _reasons(canvas: Canvas, reasons: Sequence[Message], top: float, bottom: float) -> None:
    """As many warnings and notes as there is room for, and the number of the others."""
    if not reasons:
        return
    top = canvas.paragraph(_CARD.left, top, [str(Message("results.capture.reasons"))], _SMALL, PALE, bold=True)
    texts = [wrapped(reason, _SMALL, _CARD.width) for reason in reasons]
    last = bottom - 2 * line_height(_SMALL)
    for place, lines in enumerate(texts):
        if top + len(lines) * line_height(_SMALL) > (bottom if place + 1 == len(texts) else last):
            more = Message("results.capture.more", count=len(texts) - place)
            canvas.paragraph(_CARD.left, top, [str(more)], _SMALL, DIM)
            return
        top = canvas.paragraph(_CARD.left, top, lines, _SMALL, WARNING_TEXT) + 6


def _facts(canvas: Canvas, reading: Reading) -> float:
    """What the number assumes and which image it is of, at the foot of the card; the place above them."""
    facts = (
        Message("results.capture.prevalence", prevalence=prevalence_percent(reading.prevalence)),
        Message("results.capture.ages", ages=str(reading.ages)),
        Message("results.capture.image", checksum=reading.radiograph.sha256[:12]),
    )
    lines = [line for fact in facts for line in wrapped(fact, _SMALL, _CARD.width)]
    top = _CARD.bottom - len(lines) * line_height(_SMALL)
    canvas.draw.line((_CARD.left, top - 8, _CARD.right, top - 8), BORDER, 2)
    canvas.paragraph(_CARD.left, top, lines, _SMALL, DIM)
    return top - 14
