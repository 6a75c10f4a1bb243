"""The film viewer: a Streamlit component of its own, whose every movement happens in the browser."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import streamlit as st

from cxrmodel.reading import Reading
from cxrmodel.records.wording import DISCLAIMER, OPERATING_POINTS, heat_sentence, threshold_percent
from cxrmodel.web import films
from cxrmodel.web.viewer_data import FilmLevels, film_levels, pack

__all__ = ["GRAD_CAM", "SIDES_ASSUMED", "assets", "badges_of", "packed", "viewer"]

VIEWER_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "viewer"

_SCRIPTS = ("pack", "outlines", "canvas", "webgl", "view", "marks", "picture", "controls", "hands", "viewer")
GRAD_CAM = "Grad-CAM: what each place adds to the logit"
_UNCERTAIN = "Finding: uncertain, whatever the map shows."
SIDES_ASSUMED = "R and L by convention: the file does not tell the sides."
_BADGES = {
    "inverted": "Inverted",
    "mirrored": "Mirrored",
    "flipped": "Flipped",
    "turned": "Turned",
    "tint": "Tint removed",
    "transparent": "Transparency filled",
}


def badges_of(notes: Sequence[str]) -> list[tuple[str, str]]:
    """Name in a word what was done to a film before it is shown.

    Parameters
    ----------
    notes : sequence of str
        Sentences of the radiograph.

    Returns
    -------
    list of (str, str)
        Word and whole sentence. A sentence that has no word of its own is "Corrected".
    """
    return [(next((word for part, word in _BADGES.items() if part in note), "Corrected"), note) for note in notes]


def viewer(reading: Reading, *, overlay: bool, own_window: tuple[float, float] | None = None, **shown) -> None:
    """Draw the viewer of one film.

    Parameters
    ----------
    reading : Reading
    overlay : bool
        Whether the page is about the heatmap: it then starts with overlay and lung outline on, beside the film
        alone where there is room. What the user chose elsewhere comes first.
    own_window : (float, float), optional
        The window that the file itself asks for, 0..1.
    **shown
        Whatever else ``packed`` takes.
    """
    radiograph, mask = reading.radiograph, reading.lungs.mask
    film = films.kept(
        f"{radiograph.sha256} {own_window}",
        lambda: film_levels(radiograph.pixels, radiograph.bits, mask, own_window),
    )
    # One key for all films: the next one is drawn in the place of the last, without a new viewer.
    _component()(key="film viewer", data=packed(reading, film, overlay=overlay, **shown))


def packed(
    reading: Reading,
    film: FilmLevels,
    *,
    overlay: bool,
    heat: np.ndarray | None = None,
    heat_range: float | None = None,
    heat_title: str = GRAD_CAM,
    badges: Sequence[tuple[str, str]] | None = None,
    pixel_spacing: tuple[float, float] | None = None,
    sides: str = SIDES_ASSUMED,
) -> bytes:
    """Pack everything that the viewer shows of one film.

    Parameters
    ----------
    reading : Reading
    film : FilmLevels
        Of its radiograph.
    overlay : bool
        As of ``viewer``.
    heat, heat_range : ndarray of float32 and float, optional
        Another map than the reading's own, covering the whole film, and its colour range.
    heat_title : str
        What the colour bar measures.
    badges : sequence of (str, str), optional
        Word and sentence on whatever was done to the film; by default of its notes.
    pixel_spacing : (float, float), optional
        Millimetres between rows and between columns.
    sides : str
        How the sides of the patient are known.
    """
    radiograph = reading.radiograph
    said = _said(reading) | {
        "title": heat_title,
        "key": radiograph.sha256,
        "badges": badges_of(radiograph.notes) if badges is None else list(badges),
        "spacing": pixel_spacing,
        "sides": sides,
        "overlay": overlay,
    }
    heat = reading.heat if heat is None else heat
    return pack(film, heat, reading.heat_range if heat_range is None else heat_range, reading.lungs.mask, said)


def _said(reading: Reading) -> dict:
    radiograph = reading.radiograph
    height, width = radiograph.pixels.shape
    return {
        "remark": " ".join(filter(None, [heat_sentence(reading), _below(reading), _uncertain(reading)])),
        "description": f"Chest film, {width} by {height} pixels, {radiograph.bits} bits. Finding: {reading.finding}.",
        "provenance": f"{DISCLAIMER}. Model {reading.model}. Film {radiograph.sha256[:12]}.",
        "file": f"film {radiograph.sha256[:8]} heatmap.png",
    }


def _below(reading: Reading) -> str:
    if reading.probability >= reading.threshold:
        return ""
    point = OPERATING_POINTS.get(reading.operating_point, reading.operating_point)
    threshold = threshold_percent(reading.threshold)
    return f"The film is below the {point} threshold of {threshold}: whatever heat is shown did not suffice for it."


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
    return st.components.v2.component("film_viewer", **assets())
