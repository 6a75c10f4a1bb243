"""Codes of result objects: those of the standard as pydicom lists them, and the few that it does not list.

A code of the standard that pydicom lacks is an error when this module is imported.
"""

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from cxrmodel.errors import ResultRefused
from cxrmodel.model.spec import Labels

OWN_SCHEME = "99CXRMODEL"
"""Coding scheme of the two concepts that no standard has."""
ATTRIBUTION_SHARE = Code("attribution", OWN_SCHEME, "Share of attribution")
ATTRIBUTION_OUTSIDE = Code("outside-lungs", OWN_SCHEME, "Share of attribution outside the lungs")

PRESENT: Code
ABSENT: Code
INDETERMINATE: Code
NOT_EVALUATED: Code
PRESENT, ABSENT, INDETERMINATE = codes.SCT.Present, codes.SCT.Absent, codes.SCT.Indeterminate
NOT_EVALUATED = codes.SCT.NotEvaluated

SITES: dict[str, tuple[Code, ...]] = {
    "right": (codes.SCT.Lung, codes.SCT.Right),
    "left": (codes.SCT.Lung, codes.SCT.Left),
    "upper": (codes.SCT.UpperZoneOfLung,),
    "middle": (codes.SCT.MiddleZoneOfLung,),
    "lower": (codes.SCT.LowerZoneOfLung,),
}
"""Anatomic location, and its side, by the name of a share of attribution inside the lungs."""

CONDITIONS = {"pneumonia": Code("233604007", "SCT", "Pneumonia")}
"""Code by the positive label of a model. No context group of DICOM has this one, so pydicom does not list it."""


def condition(labels: Labels) -> Code:
    """The code of what a model finds.

    Raises
    ------
    ResultRefused
        When ``CONDITIONS`` has none.
    """
    try:
        return CONDITIONS[labels.positive]
    except KeyError:
        raise ResultRefused("results.no_code", label=labels.positive) from None
