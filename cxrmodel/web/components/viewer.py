"""The image viewer: a component that handles every gesture in the browser, and what it is sent of an image."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import WARNING, CheckReport
from cxrmodel.evaluation.explanations.results import FIXED_RANGE
from cxrmodel.explain.overlay import LEGEND
from cxrmodel.imaging.radiograph import Radiograph
from cxrmodel.messages import Message, catalogue
from cxrmodel.reading import Reading
from cxrmodel.report.wording import DISCLAIMER, heat_sentence, operating_point_title, provenance
from cxrmodel.web.components import room
from cxrmodel.web.components.viewer_data import ImageLevels, image_levels, pack
from cxrmodel.web.text import text

SCRIPTS = (
    "scene/unpack",
    "scene/contours",
    "scene/orientation",
    "scene/scenes",
    "drawing/canvas",
    "drawing/webgl",
    "view_state",
    "drawing/annotations",
    "drawing/picture",
    "tools/measure",
    "tools/magnifier",
    "tools/crop",
    "tools/tags",
    "tools/screen",
    "controls",
    "interaction",
    "tile",
    "viewer",
    "maps/tests",
    "maps/evidence",
    "maps/maps",
    "follow",
)
"""In the order in which they are joined."""
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
    "imaging.repair.rotate_left": "web.badge.rotated",
    "imaging.repair.rotate_right": "web.badge.rotated",
    "imaging.repair.rotate_180": "web.badge.rotated",
    "imaging.repair.flip": "web.badge.flipped",
    "imaging.repair.invert": "web.badge.inverted",
    "imaging.repair.crop": "web.badge.cropped",
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


def viewer(maps: Mapping[str, Any] | None = None, **page: Any) -> None:
    """Draw the viewer, which follows the selected image of the session.

    Parameters
    ----------
    maps : mapping, optional
        What the page offers beside the default map; see ``cxrmodel.web.heatmap.methods``.
    **page
        What the viewer starts with on this page: ``overlay``, ``outline``, ``layout``. The user's choices come first.
    """
    given = {"page": page} if maps is None else {"page": page, "maps": dict(maps)}
    room.draw("viewer", SCRIPTS, words(), **given)


def words() -> dict[str, str]:
    """Give the viewer's words by the names that its markup and scripts use."""
    found = catalogue().texts
    names = [code.removeprefix("viewer.") for code in found if code.startswith("viewer.")]
    return {name: found[f"viewer.{name}"] for name in names}


def levels_of(reading: Reading) -> ImageLevels:
    """Bring the image of a reading to whole grey levels, the slowest part of the packing.

    Parameters
    ----------
    reading : Reading
    """
    image = reading.radiograph
    return image_levels(image.pixels, image.bits, reading.lungs.mask, _file_window(image))


def _file_window(image: Radiograph) -> tuple[float, float] | None:
    """A DICOM image comes through the window of its file, which therefore is the image's whole range."""
    return (0.0, 1.0) if image.file_format == "DICOM" else None


def packed(
    reading: Reading,
    levels: ImageLevels,
    legend: Message | str = LEGEND,
    range_note: Message = FIXED_RANGE,
) -> bytes:
    """Pack everything that the viewer shows of one image. No number in it depends on the prevalence.

    Parameters
    ----------
    reading : Reading
    levels : ImageLevels
        Of its image.
    legend, range_note : str
        What the map's values are, and whether its colours can be compared between images.
    """
    image = reading.radiograph
    header = _header(image, reading.check, text("web.viewer.finding", finding=reading.finding)) | {
        "title": str(legend),
        "range": str(range_note),
        "remark": " ".join([str(heat_sentence(reading)), *_limits(reading)]),
        "provenance": str(provenance(reading)),
        "mapped": True,
    }
    return pack(levels, reading.drawn_heat, reading.heat_range, reading.lungs.mask, header)


def packed_image(image: Radiograph, check: CheckReport, reason: Message) -> bytes:
    """Pack an image that was not read, without a map and without lungs.

    Parameters
    ----------
    image : Radiograph
    check : CheckReport
        On the image, as far as it was checked.
    reason : Message
        Why it was not read.
    """
    nothing = np.zeros((1, 1), np.float32)
    header = _header(image, check, str(reason)) | {
        "title": "",
        "range": "",
        "remark": "",
        "provenance": text("web.viewer.unread", disclaimer=DISCLAIMER, image=image.sha256[:12]),
        "mapped": False,
        "letters": ["", ""],  # it may be rotated or mirrored, which nothing has set right
        "sides": text("web.viewer.sides_unknown"),
    }
    levels = image_levels(image.pixels, image.bits, nothing > 0, _file_window(image))
    return pack(levels, nothing, 1.0, nothing > 0, header)


def assets() -> dict[str, str]:
    """Read the component: its markup, its style, and its scripts, joined with those of the store into one module.

    Returns
    -------
    dict of str to str
        ``html``, ``css`` and ``js``.
    """
    return room.assets("viewer", SCRIPTS)


def _header(image: Radiograph, check: CheckReport, said: str) -> dict[str, Any]:
    """What every image brings along; ``said``: the sentence on it in its description."""
    height, width = image.pixels.shape
    description = text("web.viewer.description", width=width, height=height, bits=image.bits)
    letters, sides = _sides(image, check)
    return {
        "key": image.identity,
        "description": " ".join(map(str, [description, said, *image.notes, *check.warnings])),
        "file": text("web.viewer.file", checksum=image.sha256[:8]),
        "badges": badges_of(image.notes, check),
        "spacing": image.pixel_spacing,
        "spacingFrom": text(_SPACING[image.spacing_from]) if image.spacing_from in _SPACING else "",
        "letters": letters,
        "sides": sides,
    }


def _sides(image: Radiograph, check: CheckReport) -> tuple[list[str], str]:
    """Letters of the right and left side, and where they come from; with question marks where in doubt."""
    mirrored = check.has_warning("mirroring")
    letters = ["R?", "L?"] if mirrored else ["R", "L"]
    code = "web.viewer.sides_dicom" if image.file_format == "DICOM" else "web.viewer.sides"
    sides = text(code, right=letters[0], left=letters[1])
    return letters, f"{sides} {text('web.viewer.sides_mirrored')}" if mirrored else sides


def _limits(reading: Reading) -> list[str]:
    """Limits of the map that follow from the finding."""
    if reading.probability >= reading.threshold:
        return []
    return [text("web.viewer.below", point=operating_point_title(reading.operating_point))]
