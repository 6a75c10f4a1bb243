"""The image viewer: a Streamlit component that handles every gesture in the browser."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import streamlit as st

from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import WARNING, CheckReport
from cxrmodel.evaluation.explanations.results import FIXED_RANGE
from cxrmodel.explain.overlay import LEGEND
from cxrmodel.messages import Message
from cxrmodel.model.spec import UNCERTAIN
from cxrmodel.paths import ASSETS
from cxrmodel.reading import Reading
from cxrmodel.report.wording import (
    finding_sentence,
    heat_sentence,
    operating_point_title,
    provenance,
)
from cxrmodel.web import session
from cxrmodel.web.components.viewer_data import ImageLevels, image_levels, pack
from cxrmodel.web.text import text

VIEWER_FOLDER = ASSETS / "viewer"

SCRIPTS = (
    "unpack",
    "contours",
    "canvas",
    "webgl",
    "view_state",
    "annotations",
    "picture",
    "controls",
    "interaction",
    "viewer",
)
_CORRECTIONS = {
    "straightened": ":material/crop_rotate:",
    "cropped": ":material/crop:",
    "inverted": ":material/invert_colors:",
}
"""Icon of each correction that a check can make."""
_SPACING = {
    "imager": "web.viewer.spacing_imager",
    "scanned": "web.viewer.spacing_scanned",
    "unstated": "web.viewer.spacing_unstated",
}
_BADGES = {
    "imaging.note.inverted": "web.badge.inverted",
    "imaging.note.mirrored": "web.badge.mirrored",
    "imaging.note.flipped": "web.badge.flipped",
    "imaging.note.rotated_180": "web.badge.rotated",
    "imaging.note.rotated_clockwise": "web.badge.rotated",
    "imaging.note.rotated_anticlockwise": "web.badge.rotated",
    "imaging.note.rotated_and_mirrored": "web.badge.rotated",
    "imaging.note.tint": "web.badge.tint",
    "imaging.note.transparent": "web.badge.transparency",
    "imaging.dicom.not_stated": "web.badge.unstated",
}
"""Badge of a note by its code; any other note has a general one."""


def badges_of(notes: Sequence[Message], check: CheckReport) -> list[tuple[str, str]]:
    """Name each correction of an image and each warning of its checks in a word or two.

    Parameters
    ----------
    notes : sequence of Message
        Of the radiograph.
    check : CheckReport
        On the image.

    Returns
    -------
    list of (str, str)
        Badge and sentence. The badge of a warning is the correction that was made, else the title of its check.
    """
    badges = {str(note): text(_BADGES.get(note.code, "web.badge.note")) for note in notes}
    for result in check.results:
        if result.outcome == WARNING and result.message in check.warnings:
            code = f"web.badge.{result.correction}" if result.correction else CHECKS[result.check].title
            badges.setdefault(str(result.message), text(code))
    return [(badge, sentence) for sentence, badge in badges.items()]


def viewer(
    reading: Reading, *, overlay: bool, legend: Message | str = LEGEND, range_note: Message = FIXED_RANGE
) -> None:
    """Draw the viewer of one image, and a badge for each correction that a check made to it.

    Parameters
    ----------
    reading : Reading
        With the map to be shown and its range.
    overlay : bool
        Whether the page is about the heatmap. It then starts with overlay and lung outline on, beside the bare image
        where there is room, and the page itself describes the map. Choices that the user made elsewhere come first.
    legend, range_note : str
        What the map's values are, and whether its colours can be compared between images.
    """
    levels = session.keep_latest(reading.radiograph.sha256, lambda: levels_of(reading))
    # One key for all images: the next image replaces the last in the same viewer.
    _component()(key="image viewer", data=packed(reading, levels, overlay, legend, range_note))
    for correction in reading.check.corrections:
        st.badge(text(f"web.correction.{correction}"), icon=_CORRECTIONS[correction], color="orange")


def levels_of(reading: Reading) -> ImageLevels:
    """Bring the image of a reading to whole grey levels, the slowest part of the packing.

    Parameters
    ----------
    reading : Reading
    """
    image = reading.radiograph
    # A DICOM image comes through the window of its file, which therefore is the image's whole range.
    file_window = (0.0, 1.0) if image.file_format == "DICOM" else None
    return image_levels(image.pixels, image.bits, reading.lungs.mask, file_window)


def packed(
    reading: Reading,
    levels: ImageLevels,
    overlay: bool,
    legend: Message | str = LEGEND,
    range_note: Message = FIXED_RANGE,
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
    size = {"width": width, "height": height, "bits": image.bits}
    description = text("web.viewer.description", finding=reading.finding, **size)
    letters, sides = _sides(reading)
    header = {
        "key": image.sha256,
        "title": str(legend),
        "range": str(range_note),
        "remark": " ".join([str(heat_sentence(reading)), *_limits(reading)]),
        "description": " ".join(map(str, [description, *image.notes, *reading.check.warnings])),
        "provenance": str(provenance(reading)),
        "finding": str(finding_sentence(reading)),
        "file": text("web.viewer.file", checksum=image.sha256[:8]),
        "badges": badges_of(image.notes, reading.check),
        "spacing": image.pixel_spacing,
        "spacingFrom": text(_SPACING[image.spacing_from]) if image.spacing_from in _SPACING else "",
        "letters": letters,
        "sides": sides,
        "overlay": overlay,
        "remarkShown": not overlay,
    }
    return pack(levels, reading.drawn_heat, reading.heat_range, reading.lungs.mask, header)


def assets() -> dict[str, str]:
    """Read the component: its markup, its style, and its scripts joined into one module.

    Returns
    -------
    dict of str to str
        ``html``, ``css`` and ``js``.
    """
    return {
        "html": (VIEWER_FOLDER / "viewer.html").read_text(encoding="utf-8"),
        "css": (VIEWER_FOLDER / "viewer.css").read_text(encoding="utf-8"),
        "js": "\n".join((VIEWER_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS),
    }


def _sides(reading: Reading) -> tuple[list[str], str]:
    """Letters of the right and left side, and where they come from; with question marks where in doubt."""
    mirrored = reading.check.has_warning("mirroring")
    letters = ["R?", "L?"] if mirrored else ["R", "L"]
    code = "web.viewer.sides_dicom" if reading.radiograph.file_format == "DICOM" else "web.viewer.sides"
    sides = text(code, right=letters[0], left=letters[1])
    return letters, f"{sides} {text('web.viewer.sides_mirrored')}" if mirrored else sides


def _limits(reading: Reading) -> list[str]:
    """Limits of the map that follow from the finding."""
    limits = []
    if reading.probability < reading.threshold:
        point = operating_point_title(reading.operating_point)
        threshold = reading.shown.thresholds[reading.operating_point]
        limits.append(text("web.viewer.below", point=point, threshold=threshold))
    if reading.finding == UNCERTAIN:
        limits.append(text("web.viewer.uncertain"))
    return limits


@cache
def _component() -> Any:
    """The component, registered at its first use."""
    parts = assets()
    return st.components.v2.component("image_viewer", html=parts["html"], css=parts["css"], js=parts["js"])
