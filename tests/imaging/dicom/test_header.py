"""Attributes of a DICOM image: spacing, shape, orientation, view, age, UIDs."""

import numpy as np
import pytest

from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.messages import Message
from tests.support.dicom_files import dicom

IMAGE = np.tile(np.arange(0, 256, 2, np.uint8), (128, 1))


@pytest.mark.parametrize(
    ("elements", "spacing", "where"),
    [
        ({}, None, None),
        ({"PixelSpacing": [0.2, 0.2]}, (0.2, 0.2), "unstated"),
        ({"ImagerPixelSpacing": [0.2, 0.2]}, (0.2, 0.2), "imager"),
        ({"PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [0.2, 0.2]}, (0.2, 0.2), "imager"),
        ({"PixelSpacing": [0.18, 0.18], "ImagerPixelSpacing": [0.2, 0.2]}, (0.18, 0.18), "calibrated"),
        (
            {"PixelSpacing": [0.2, 0.2], "PixelSpacingCalibrationType": "FIDUCIAL", "ImagerPixelSpacing": [0.2, 0.2]},
            (0.2, 0.2),
            "calibrated",
        ),
        ({"NominalScannedPixelSpacing": [0.3, 0.3]}, (0.3, 0.3), "scanned"),
        ({"PixelSpacing": [0, 0]}, None, None),
        ({"PixelSpacing": [-0.2, 0.2]}, None, None),
        ({"PixelSpacing": [0.2]}, None, None),
        ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.2, 0.2]}, (0.2, 0.2), "imager"),
    ],
)
def test_spacing_comes_with_its_source(elements, spacing, where):
    """A value that is not positive counts as missing."""
    image = read_radiograph(dicom(IMAGE, **elements), "image")
    assert (image.pixel_spacing, image.spacing_from) == (spacing, where)
    assert image.pixels.shape == IMAGE.shape


@pytest.mark.parametrize(
    ("elements", "shape", "spacing"),
    [
        ({"PixelSpacing": [0.4, 0.2]}, (256, 128), (0.2, 0.2)),
        ({"PixelSpacing": [0.2, 0.4]}, (128, 256), (0.2, 0.2)),
        ({"ImagerPixelSpacing": [0.3, 0.2]}, (192, 128), (0.2, 0.2)),
        ({"PixelAspectRatio": [3, 2]}, (192, 128), None),
        ({"PixelAspectRatio": [2, 3]}, (128, 192), None),
        ({"PixelAspectRatio": [1, 1]}, (128, 128), None),
        ({"PixelAspectRatio": [0, 1]}, (128, 128), None),
        ({"PixelAspectRatio": [-2, -1]}, (128, 128), None),
        # PS3.3 C.7.6.3.1.7: the ratio counts only where there is no spacing.
        ({"PixelAspectRatio": [3, 2], "PixelSpacing": [0.2, 0.2]}, (128, 128), (0.2, 0.2)),
    ],
)
def test_the_image_is_shown_in_square_pixels(elements, shape, spacing):
    """Stretched along the coarser direction, with a note."""
    image = read_radiograph(dicom(IMAGE, **elements), "image")
    assert image.pixels.shape == shape
    assert image.pixel_spacing == spacing
    stretched = Message("imaging.dicom.stretched", width=shape[1], height=shape[0])
    assert (stretched in image.notes) is (shape != (128, 128))
    assert image.pixels[:, 0].max() < 0.01
    assert image.pixels[:, -1].min() > 0.98


def test_a_circle_is_round_after_stretching():
    """Square, and of the pixels after stretching."""
    rows, columns = np.mgrid[0:100, 0:200]
    stored = np.uint8(255 * (np.hypot((rows - 49.5) * 2, columns - 99.5) < 60))
    image = read_radiograph(dicom(stored, PixelSpacing=[0.4, 0.2]), "image")
    height, width = (np.ptp(np.flatnonzero((image.pixels > 0.5).any(axis))) for axis in (1, 0))
    assert image.pixels.shape == (200, 200)
    assert abs(height - width) <= 2


@pytest.mark.parametrize(
    ("orientation", "first", "second", "code"),
    [
        (["L", "F"], "top left", "top right", None),
        (["R", "F"], "top right", "top left", "mirrored"),
        (["L", "H"], "bottom left", "bottom right", "flipped"),
        (["R", "H"], "bottom right", "bottom left", "rotated_180"),
        (["F", "L"], "top left", "bottom left", "rotated_and_mirrored"),
        (["H", "R"], "bottom right", "top right", "rotated_and_mirrored"),
        (["F", "R"], "top right", "bottom right", "rotated_clockwise"),
        (["H", "L"], "bottom left", "top left", "rotated_anticlockwise"),
        (["LF", "F"], "top left", "top right", None),
        (["L", "L"], "top left", "top right", None),
        (["RT", "V"], "top left", "top right", None),
        (["R"], "top left", "top right", None),
    ],
)
def test_the_image_is_rotated_to_the_patients_left_on_the_right(orientation, first, second, code):
    """A white mark stored at the top left and a grey one at the top right; with a note."""
    stored = np.zeros((80, 96), np.uint8)
    stored[:32, :32], stored[:32, -32:] = 255, 128
    image = read_radiograph(dicom(stored, PatientOrientation=orientation), "image")
    assert image.pixels.shape == (
        (96, 80) if orientation in (["F", "L"], ["H", "R"], ["F", "R"], ["H", "L"]) else (80, 96)
    )
    middle = {"top": 16, "bottom": -16, "left": 16, "right": -16}
    for corner, level in ((first, 255), (second, 128)):
        row, column = (middle[word] for word in corner.split())
        assert image.pixels[row, column] == pytest.approx(level / 255)
    assert image.notes == ((Message(f"imaging.note.{code}"),) if code else ())


@pytest.mark.parametrize(
    ("age", "born", "years", "stated"),
    [
        ("003Y", "", 3, True),
        ("001Y", "", 1, True),
        ("005Y", "", 5, True),
        ("006Y", "", 6, True),
        ("018M", "", 1.5, True),
        ("011M", "", 11 / 12, True),
        ("070W", "", 70 * 7 / 365.25, True),
        ("010D", "", 10 / 365.25, True),
        ("62", "", 62, True),
        ("3Y", "", 3, True),
        ("3 Y", "", 3, True),
        ("03Y ", "", 3, True),
        ("3y", "", 3, True),
        ("3 YRS", "", 3, True),
        ("3 years", "", 3, True),
        ("3.5Y", "", 3.5, True),
        ("3,5 a\xf1os", "", 3.5, True),
        ("3Y6M", "", 3.5, True),
        ("3 yrs, 6 mo.", "", 3.5, True),
        ("18 months", "", 1.5, True),
        ("18MO", "", 1.5, True),
        ("10 Tage", "", 10 / 365.25, True),
        ("003X", "20170101", 3, True),
        ("-3Y", "20170101", 3, True),
        ("3Y ABC", "20170101", 3, True),
        ("", "2017-01-01", 3, True),
        ("", "2017/01/01", 3, True),
        ("000Y", "", 0, True),
        ("", "20170101", 3, True),
        (None, "20170101", 3, True),
        ("abc", "20170101", 3, True),
        ("", "20190401", 0.75, True),
        ("", "19500101", 70, True),
        ("", "20210101", None, False),
        ("", "18000101", None, False),
        ("", "20171350", None, False),
        ("", "", None, False),
        ("999Y", "", None, False),
    ],
)
def test_the_age_is_stated_or_computed(age, born, years, stated):
    """On the day of the study, 2020-01-01; a note where it is unknown."""
    image = read_radiograph(dicom(IMAGE, PatientAge=age, PatientBirthDate=born), "image")
    assert image.age_years == (None if years is None else pytest.approx(years, abs=0.01))
    unknown = Message("imaging.dicom.not_stated", attributes=Message("imaging.dicom.attribute.age"))
    assert image.notes == (() if stated else (unknown,))


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({}, None),
        ({"Laterality": "L"}, "L"),
        ({"ImageLaterality": "U", "Laterality": "L"}, "U"),
        ({"Laterality": "DOE"}, None),
        ({"Laterality": "left"}, "L"),
        ({"ImageLaterality": "RIGHT"}, "R"),
        ({"Laterality": "BILATERAL"}, "B"),
        ({"Laterality": "LEFT RIGHT"}, None),
    ],
)
def test_laterality(elements, expected):
    """That of the image comes before that of the series; other values than the standard's are ignored."""
    assert read_radiograph(dicom(IMAGE, **elements), "image").laterality == expected


def test_the_object_is_known_by_its_uids():
    """Study, series and instance; an invalid UID counts as missing."""
    image = read_radiograph(dicom(IMAGE), "image")
    assert (image.study_uid, image.series_uid, image.instance_uid) == ("1.2.3", "1.2.3.4", "1.2.3.4.5")
    image = read_radiograph(dicom(IMAGE, StudyInstanceUID="DOE^JANE", SeriesInstanceUID=None), "image")
    assert (image.study_uid, image.series_uid, image.instance_uid) == (None, None, "1.2.3.4.5")


def test_other_formats_have_no_metadata(png):
    """A PNG states nothing about a patient."""
    image = read_radiograph(png(IMAGE / 255), "image")
    known = (image.view_position, image.laterality, image.pixel_spacing, image.spacing_from, image.age_years)
    assert known == (None,) * 5
    assert (image.stored_range, image.study_uid, image.series_uid, image.instance_uid) == (None,) * 4
    assert image.inverted is False
