"""The tags of a DICOM file as the viewer lists them."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cxrmodel.imaging.dicom.attributes import Attributes, read_attributes
from cxrmodel.web.room.tags import tags
from tests.support.dicom_files import IDENTIFIERS, NATIVE, dicom

PIXELS = np.arange(80 * 80, dtype=np.uint16).reshape(80, 80) % 4096


def described(syntax: str = "explicit") -> Attributes:
    """A file with identity, a private element, and codes of its view."""
    view = Dataset()
    view.CodeValue, view.CodingSchemeDesignator, view.CodeMeaning = "R-10206", "SRT", "antero-posterior"
    extra = {
        "ViewCodeSequence": Sequence([view]),
        "Manufacturer": "Maker",
        "StationName": "ROOM-7",
        "ImageComments": "Jane was restless",
        "PatientSex": "F",
    }
    return read_attributes(dicom(PIXELS, syntax, **extra))


def values(attributes: Attributes, identity: bool) -> dict[str, str]:
    """Values by name."""
    return {name: value for _, name, value in tags(attributes, identity)["tags"]}


@pytest.mark.parametrize("syntax", NATIVE)
def test_nothing_identifies_anyone_unless_that_is_asked_for(syntax):
    """Names, numbers, dates, free text and unique identifiers are hidden; technical attributes and age are shown."""
    attributes = described(syntax)
    shown = values(attributes, identity=False)
    assert not any(known in str(shown) for known in (*IDENTIFIERS, "ROOM-7", "Jane"))
    assert shown["Rows"] == "80"
    assert shown["Pixel Representation"] == "0"
    assert (shown["Manufacturer"], shown["Patient's Sex"], shown["Code Meaning"]) == ("Maker", "F", "antero-posterior")
    assert not any("UID" in name for name in shown if "Class" not in name and "Syntax" not in name)
    every = values(attributes, identity=True)
    assert all(any(known in value for value in every.values()) for known in IDENTIFIERS[:3])
    assert every["Image Comments"] == "Jane was restless"


def test_pixels_are_counted_and_not_listed():
    """As bytes; where a tag lies in a sequence, it says so."""
    listed = {tag: value for tag, _, value in tags(described(), False)["tags"]}
    assert listed["(7FE0,0010)"] == "(12,800 bytes)"
    assert listed["(0054,0220) (0008,0104)"] == "antero-posterior"


def test_other_files_have_none_and_damaged_ones_do_no_harm():
    """A sentence says that only DICOM files have tags."""
    assert tags(None, True) == {"tags": [], "note": "Only DICOM files have tags."}
    whole = dicom(PIXELS)
    for end in range(0, len(whole) - PIXELS.nbytes, 37):
        read_attributes(whole[:end])
