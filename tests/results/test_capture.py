"""The secondary capture: what it shows, which way round, and that nothing lies over the image."""

from dataclasses import replace
from io import BytesIO

import cv2
import numpy as np
import pydicom
import pytest
from PIL import Image

from cxrmodel.checks.check import CheckResult
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.messages import Message
from cxrmodel.reading import Reading
from cxrmodel.results import picture
from cxrmodel.results.canvas import text_width, wrapped
from cxrmodel.results.picture import HEIGHT, WIDTH, draw
from tests.support.dicom_files import dicom
from tests.support.stand_ins import fake_reading

LONG = Message("reading.uncertain")


def pixels_of(data: bytes) -> np.ndarray:
    """The picture of a capture as pydicom decodes it."""
    return pydicom.dcmread(BytesIO(data)).pixel_array


def warned(reading: Reading, check: str) -> Reading:
    """The same reading with a warning of a check."""
    found = CheckResult(check, "warning", Message("imaging.empty"), 1.0, 0.5)
    return replace(reading, check=replace(reading.check, results=(found,)))


def image_part(shown: np.ndarray, shape: tuple[int, int], side: int = 64) -> np.ndarray:
    """An image of some shape within the picture, brought to a square."""
    box = picture._IMAGE
    part = shown[box.top : box.bottom, box.left : box.right]
    scale = min((box.width - 2) / shape[1], (box.height - 2) / shape[0])
    height, width = round(shape[0] * scale), round(shape[1] * scale)
    top, left = (box.height - height) // 2, (box.width - width) // 2
    return cv2.resize(part[top : top + height, left : left + width], (side, side), interpolation=cv2.INTER_AREA)


def test_a_capture_is_what_its_attributes_say(results, parsed):
    capture = parsed(results()["sc"])
    assert (capture.Rows, capture.Columns, capture.SamplesPerPixel) == (HEIGHT, WIDTH, 3)
    assert (capture.Modality, capture.BurnedInAnnotation, list(capture.PatientOrientation)) == ("OT", "NO", ["L", "F"])
    assert (capture.LossyImageCompression, capture.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    assert float(capture.LossyImageCompressionRatio) > 5
    (source,) = capture.SourceImageSequence
    assert (source.ReferencedSOPInstanceUID, source.ReferencedSOPClassUID) == ("1.2.3.4.5", "1.2.840.10008.5.1.4.1.1.1")
    assert capture.BodyPartExamined == "CHEST"
    assert not {"PixelSpacing", "Laterality", "ImageLaterality"} & set(capture.dir())
    assert Image.open(BytesIO(pydicom.encaps.get_frame(capture.PixelData, 0))).format == "JPEG"


def test_the_decoded_capture_is_the_picture(results, pixels):
    """JPEG changes no pixel by much, and the greys of the image hardly."""
    decoded = pixels_of(results()["sc"].data).astype(int)
    drawn = np.asarray(draw(fake_reading(pixels))).astype(int)
    assert decoded.shape == drawn.shape
    assert np.abs(decoded - drawn).mean() < 2


@pytest.mark.parametrize("shape", [(224, 240), (300, 100), (100, 380), (1400, 1100), (2500, 2100)])
def test_nothing_lies_over_the_image(make_image, shape):
    """Of any shape and size, where its map is zero; not even a warning or a long text."""
    image = make_image(1, shape)
    reading = fake_reading(image, heat=np.zeros((224, 224), np.float32), heat_in_lungs=None, reasons=(LONG,) * 40)
    shown = image_part(np.asarray(draw(reading)), shape)
    expected = cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA) * 255
    assert np.abs(shown[..., 0].astype(float) - expected).mean() < 2
    assert (shown.max(axis=2) - shown.min(axis=2)).max() <= 1


def test_the_map_is_where_the_reading_has_it(pixels):
    """Colour is most where the map is highest, and none where it is zero."""
    heat = np.zeros((224, 224), np.float32)
    heat[40:60, 150:170] = 2.5
    shown = image_part(np.asarray(draw(fake_reading(pixels, heat=heat))), pixels.shape, 224).astype(int)
    colour = shown.max(axis=2) - shown.min(axis=2)
    assert colour[45:55, 155:165].min() > 30
    assert colour[100:, :].max() <= 1


def test_of_a_turned_file_the_picture_is_upright(file, results, parsed, pixels):
    """However the file stores the image, the capture shows it as it was read, and says so."""
    stored = np.rint(pixels * 255).astype(np.uint8)
    reference = pixels_of(results()["sc"].data)
    variants = {
        ("R", "F"): stored[:, ::-1],
        ("L", "H"): stored[::-1],
        ("F", "L"): stored.T,
        ("R", "H"): stored[::-1, ::-1],
    }
    for orientation, turned in variants.items():
        image = dicom(np.ascontiguousarray(turned), PatientOrientation=list(orientation))
        read = read_radiograph(image, "image").pixels
        made = results(fake_reading(read), dicom=image)["sc"]
        assert list(parsed(made).PatientOrientation) == ["L", "F"]
        difference = np.abs(
            image_part(pixels_of(made.data), read.shape).astype(int) - image_part(reference, pixels.shape)
        )
        assert difference.mean() < 2


def test_of_oblong_pixels_the_picture_is_stretched_as_the_image_was(results, pixels):
    stored = np.rint(cv2.resize(pixels, (240, 112), interpolation=cv2.INTER_AREA) * 255).astype(np.uint8)
    image = dicom(stored, PixelSpacing=[0.2, 0.1])
    read = read_radiograph(image, "image").pixels
    assert read.shape == (224, 240)
    shown = pixels_of(results(fake_reading(read), dicom=image)["sc"].data)
    expected = pixels_of(results()["sc"].data)
    difference = image_part(shown, read.shape).astype(int) - image_part(expected, pixels.shape)
    assert np.abs(difference).mean() < 3


def test_where_an_image_may_be_mirrored_the_sides_are_not_stated(results, parsed, pixels):
    sure, doubtful = fake_reading(pixels), warned(fake_reading(pixels), "mirroring")
    capture = parsed(results(doubtful)["sc"])
    assert not capture.PatientOrientation
    assert "PatientOrientation" in capture
    assert not np.array_equal(np.asarray(draw(sure)), np.asarray(draw(doubtful)))


def test_every_finding_looks_different_without_its_colours(pixels):
    """In grey, and apart from the number."""
    shown = []
    for probability in (0.1, 0.5, 0.9):
        reading = replace(fake_reading(pixels, probability=probability), probability=0.5)
        symbol = draw(reading).convert("L").crop((1028, 60, 1062, 96))
        shown.append(np.asarray(symbol).astype(int))
    assert all(np.abs(shown[one] - shown[other]).max() > 60 for one, other in ((0, 1), (0, 2), (1, 2)))


def test_as_many_reasons_are_drawn_as_there_is_room_for(pixels):
    """More of them change nothing but their count, and the facts at the foot stay whole."""
    few, many, more = (
        np.asarray(draw(fake_reading(pixels, reasons=(LONG,) * count))).astype(int) for count in (0, 40, 41)
    )
    facts = np.s_[990:, 1028:]
    assert np.array_equal(few[facts], many[facts])
    assert not np.array_equal(many, more)
    assert np.abs(many - more).sum() < 200 * 255 * 3


def test_no_line_is_wider_than_its_room():
    text = "An unusually-" + "long" * 40 + " word among others, 99\u00a0% short"
    for room in (60, 200, 396):
        lines = wrapped(text, 17, room)
        assert all(text_width(line, 17) <= room for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
