"""The image viewer: a Streamlit component of its own, whose every movement happens in the browser."""

from collections.abc import Sequence
from functools import cache

import streamlit as st

from cxrmodel.checks.report import WARN, CheckReport
from cxrmodel.evaluation.explanations.results import FIXED_RANGE
from cxrmodel.explain.overlay import LEGEND
from cxrmodel.paths import ASSETS
from cxrmodel.reading import Reading
from cxrmodel.report.wording import (
    OPERATING_POINTS,
    finding_sentence,
    heat_sentence,
    provenance,
    threshold_percent,
)
from cxrmodel.web import session as images
from cxrmodel.web.components.viewer_data import ImageLevels, image_levels, pack

__all__ = ["assets", "badges_of", "levels_of", "packed", "viewer"]

VIEWER_FOLDER = ASSETS / "viewer"

_SCRIPTS = ("unpack", "contours", "canvas", "webgl", "view_state", "annotations", "picture", "controls", "interaction", "viewer")
_UNCERTAIN = "Finding: uncertain, whatever the map shows."
_SIDES = "{} and {} by convention: the file does not tell the sides."
_DICOM_SIDES = "{} and {} as the file tells the sides, else by convention."
_MIRRORED = "The image may be mirrored: check the side marker."
_SPACING = {"imager": "at the detector", "scanned": "on the scanned image", "unstated": "at an unstated depth"}
_BADGES = {
    "inverted": "Inverted",
    "mirrored": "Mirrored",
    "flipped": "Flipped",
    "turned": "Turned",
    "tint": "Tint removed",
    "transparent": "Transparency filled",
    "The patient is": "Age",
    "does not state": "Not stated",
}
_WARNINGS = {"mirrored": "May be mirrored", "inverted": "Inverted", "margins": "Cropped"}


def badges_of(notes: Sequence[str], check: CheckReport) -> list[tuple[str, str]]:
    """Name in a word what was done to an image before it is shown, and what the checks warn of.

    Parameters
    ----------
    notes : sequence of str
        Sentences of the radiograph.
    check : CheckReport
        On the image.

    Returns
    -------
    list of (str, str)
        Word and whole sentence. A note that has no word of its own is "Note", a warning "Warning".
    """
    told = {note: next((word for part, word in _BADGES.items() if part in note), "Note") for note in notes}
    for found in check.findings:
        if found.outcome == WARN:
            told.setdefault(found.sentence, _WARNINGS.get(found.rule, "Warning"))
    return [(word, sentence) for sentence, word in told.items()]


def viewer(reading: Reading, *, overlay: bool, legend: str = LEGEND, range_note: str = FIXED_RANGE) -> None:
    """Draw the viewer of one image.

    Parameters
    ----------
    reading : Reading
        With the map to be shown and its range.
    overlay : bool
        Whether the page is about the heatmap: it then starts with overlay and lung outline on, beside the image
        alone where there is room, and the page itself says what is to be said of the map. What the user chose elsewhere
        comes first.
    legend, range_note : str
        What the map's values are, and whether its colours can be compared between images.
    """
    levels = images.kept(reading.radiograph.sha256, lambda: levels_of(reading))
    # One key for all images: the next one is drawn in the place of the last, without a new viewer.
    _component()(key="image viewer", data=packed(reading, levels, overlay, legend, range_note))


def levels_of(reading: Reading) -> ImageLevels:
    """Bring the image of a reading to whole grey levels, which takes longer than the rest of the packing.

    Parameters
    ----------
    reading : Reading
    """
    image = reading.radiograph
    # A DICOM image comes through the window of its file, which is thus the image's whole range.
    own = (0.0, 1.0) if image.file_format == "DICOM" else None
    return image_levels(image.pixels, image.bits, reading.lungs.mask, own)


def packed(
    reading: Reading, levels: ImageLevels, overlay: bool, legend: str = LEGEND, range_note: str = FIXED_RANGE
) -> bytes:
    """Pack everything that the viewer shows of one image.

    Parameters
    ----------
    reading : Reading
    levels : ImageLevels
        Of its image.
    overlay, legend, range_note
        As of ``viewer``.
    """
    image = reading.radiograph
    height, width = image.pixels.shape
    mirrored = any(found.rule == "mirrored" and found.outcome == WARN for found in reading.check.findings)
    letters = ["R?", "L?"] if mirrored else ["R", "L"]
    sides = (_DICOM_SIDES if image.file_format == "DICOM" else _SIDES).format(*letters)
    words = f"Chest radiograph, {width} by {height} pixels, {image.bits} bits. Finding: {reading.finding}."
    said = {
        "key": image.sha256,
        "title": legend,
        "range": range_note,
        "remark": " ".join(filter(None, [heat_sentence(reading), _below(reading), _uncertain(reading)])),
        "description": " ".join([words, *image.notes, *reading.check.warnings]),
        "provenance": provenance(reading),
        "finding": finding_sentence(reading),
        "file": f"image {image.sha256[:8]} heatmap.png",
        "badges": badges_of(image.notes, reading.check),
        "spacing": image.pixel_spacing,
        "spacingFrom": _SPACING.get(image.spacing_from, ""),
        "letters": letters,
        "sides": f"{sides} {_MIRRORED}" if mirrored else sides,
        "overlay": overlay,
        "remarkShown": not overlay,
    }
    return pack(levels, reading.heat, reading.heat_range, reading.lungs.mask, said)


def _below(reading: Reading) -> str:
    if reading.probability >= reading.threshold:
        return ""
    point = OPERATING_POINTS.get(reading.operating_point, reading.operating_point)
    threshold = threshold_percent(reading.threshold)
    return f"The image is below the {point} threshold of {threshold}: whatever heat is shown did not suffice for it."


def _uncertain(reading: Reading) -> str:
    return _UNCERTAIN if reading.finding == "uncertain" else ""


def assets() -> dict[str, str]:
    """Read what the component is made of: its markup, its style, and its scripts joined in one module.

    Returns
    -------
    dict of str to str
        ``html``, ``css`` and ``js``.
    """
    return {
        "html": (VIEWER_FOLDER / "viewer.html").read_text(encoding="utf-8"),
        "css": (VIEWER_FOLDER / "viewer.css").read_text(encoding="utf-8"),
        "js": "\n".join((VIEWER_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS),
    }


@cache
def _component():
    """The component, registered at its first use."""
    return st.components.v2.component("image_viewer", **assets())
