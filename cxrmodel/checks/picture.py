"""Checks on the picture alone: its size, its margins, how it lies, and its grey levels."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from cxrmodel.checks.report import ACCEPT, REFUSE, WARN, Finding, Rule, finding, judge
from cxrmodel.imaging.canonical import IMAGE_SIDE
from cxrmodel.imaging.radiograph import Radiograph

__all__ = ["clipped_share", "cropped", "examine_margins", "examine_orientation", "inverted", "margin_share"]

_BLACK, _WHITE = 1, 254


def clipped_share(image: np.ndarray) -> float:
    """Share of a canonical image's pixels within a level of black or white, 0..1."""
    return float(((image <= _BLACK) | (image >= _WHITE)).mean())


def margin_share(box: tuple[int, int, int, int]) -> float:
    """Share of a canonical image outside a box, 0..1."""
    top, left, bottom, right = box
    return 1.0 - (bottom - top) * (right - left) / IMAGE_SIDE**2


def examine_margins(
    box: tuple[int, int, int, int], shape: tuple[int, int], rules: Mapping[str, Rule]
) -> tuple[Finding, ...]:
    """Judge a picture's even margins.

    Parameters
    ----------
    box : tuple of int
        Top, left, bottom, right of what lies inside them, on the canonical image.
    shape : tuple of int
        Height and width of the picture itself, in pixels.

    Returns
    -------
    tuple of Finding
        Wide margins are cut off ("cropped") where enough is left, and the picture is refused otherwise.
    """
    share = margin_share(box)
    if not rules["margins"].beyond(share, rules["margins"].warn):
        return (finding(rules["margins"], ACCEPT, share),)
    top, left, bottom, right = box
    inside = judge(rules["page"], min(bottom - top, right - left) / IMAGE_SIDE)
    if inside.outcome == REFUSE:
        return (finding(rules["margins"], ACCEPT, share), inside)
    pixels = min((bottom - top) * shape[0], (right - left) * shape[1]) / IMAGE_SIDE
    return finding(rules["margins"], WARN, share, "cropped"), inside, judge(rules["size"], pixels)


def examine_orientation(
    shares: Mapping[str, float], inverse: Mapping[str, float], rules: Mapping[str, Rule]
) -> tuple[Finding, ...]:
    """Judge how an image lies.

    Parameters
    ----------
    shares, inverse : mapping of str to float
        Belief in each orientation, of the image and of its inverse.

    Returns
    -------
    tuple of Finding
        ``inverted`` carries the correction where the image is surely inverted: then the orientations judged are those
        of its inverse. An image that may be inverted and is not surely so is refused.
    """
    sure = rules["inverted"]
    corrected = sure.beyond(shares["inverted"], sure.warn) and not rules["polarity"].beyond(
        inverse["inverted"], rules["polarity"].refuse
    )
    first = finding(sure, WARN if corrected else ACCEPT, shares["inverted"], "inverted" if corrected else "")
    seen = inverse if corrected else shares
    return (
        first,
        judge(rules["polarity"], seen["inverted"]),
        judge(rules["turned"], seen["turned left"] + seen["upside down"] + seen["turned right"]),
        judge(rules["mirrored"], seen["mirrored"]),
        judge(rules["strange"], seen["strange"]),
    )


def cropped(radiograph: Radiograph, box: tuple[int, int, int, int]) -> Radiograph:
    """Cut an image down to a box of its canonical copy."""
    height, width = radiograph.pixels.shape
    top, left, bottom, right = box
    rows = slice(round(top * height / IMAGE_SIDE), round(bottom * height / IMAGE_SIDE))
    columns = slice(round(left * width / IMAGE_SIDE), round(right * width / IMAGE_SIDE))
    return replace(radiograph, pixels=radiograph.pixels[rows, columns])


def inverted(radiograph: Radiograph) -> Radiograph:
    """Exchange black and white. Doing so twice gives the image back, to rounding."""
    return replace(radiograph, pixels=np.float32(1) - radiograph.pixels)
