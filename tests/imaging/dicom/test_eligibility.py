"""What the attributes of a DICOM file rule out is refused; what they do not state gives a note."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from cxrmodel import errors
from cxrmodel.imaging.dicom import image as dicom_module
from cxrmodel.imaging.radiograph import MAX_PIXELS, read_radiograph
from cxrmodel.messages import Message, catalogue
from tests.support.attributes import header, not_known, not_stated
from tests.support.dicom_files import (
    CAPTURE_CLASS,
    DEFLATED,
    EXPLICIT,
    IDENTIFIERS,
    SYNTAXES,
    coded,
    compressed,
    dicom,
    written,
)

IMAGE = np.tile(np.arange(0, 256, 2, np.uint8), (128, 1))
STORAGE = "1.2.840.10008.5.1.4.1.1."


def refusal(data):
    """The refusal of a file, or None where it is read; no identifier is in it."""
    try:
        read_radiograph(data, "image")
    except errors.ImageRefused as refused:
        sentence = str(refused)
        assert sentence.endswith(".")
        assert not any(word in sentence.upper() for word in ("DOE^", "JANE", *IDENTIFIERS))
        return refused
    return None


def outcome(**elements):
    """The class of the refusal of an image with these elements; None where it is read."""
    refused = refusal(dicom(IMAGE, **elements))
    return type(refused) if refused else None


def notes(**elements):
    """Notes on an image that is read."""
    return read_radiograph(dicom(IMAGE, **elements), "image").notes


@pytest.mark.parametrize(
    ("modality", "expected"), [("OT", None), ("SC", None), (None, None), ("CR", None), ("CT", errors.WrongModality)]
)
def test_secondary_captures_are_read_with_a_note(modality, expected):
    """Where they do not name another modality."""
    elements = {"Modality": modality, "SOPClassUID": CAPTURE_CLASS}
    assert outcome(**elements) is expected
    if expected is None:
        assert (Message("imaging.dicom.secondary_capture") in notes(**elements)) is (modality != "CR")


def test_raw_detector_values_get_a_note():
    """They are not meant for viewing."""
    assert notes(PresentationIntentType="FOR PROCESSING") == (Message("imaging.dicom.raw_values"),)
    assert notes(PresentationIntentType="FOR PRESENTATION") == ()


@pytest.mark.parametrize(
    ("code", "scheme", "expected"),
    [
        ("51185008", "SCT", None),
        ("816094009", "SCT", None),
        ("T-D3000", "SRT", None),
        ("85562004", "SCT", errors.WrongBodyPart),
        ("T-D8700", "SRT", errors.WrongBodyPart),
        ("85562004", "99LOCAL", not_stated),
        ("123456789", "SCT", not_known),
        ("80891009", "SCT", not_known),
    ],
)
@pytest.mark.parametrize("part", [None, "UNKNOWN"])
def test_a_coded_region_stands_in_for_the_part_of_the_body(code, scheme, expected, part):
    """A known code that is not the chest is refused; an unknown one gives a note; a local code is ignored."""
    elements = {"BodyPartExamined": part, "AnatomicRegionSequence": coded(code, scheme)}
    if expected is errors.WrongBodyPart:
        assert outcome(**elements) is expected
    else:
        assert notes(**elements) == ((expected("body_part"),) if expected else ())


@pytest.mark.parametrize(
    ("code", "scheme", "expected"),
    [
        ("399348003", "SCT", "AP"),
        ("R-10206", "SNM3", "AP"),
        ("272479007", "SCT", "PA"),
        ("R-10214", "SRT", "PA"),
        ("399173006", "SCT", errors.WrongView),
        ("R-10236", "SRT", errors.WrongView),
        ("399198007", "SCT", errors.WrongView),
        ("R-10232", "SNM3", errors.WrongView),
        ("399173006", "99LOCAL", None),
        ("123456789", "SCT", None),
    ],
)
@pytest.mark.parametrize("position", ["AP", None])
def test_coded_views(code, scheme, expected, position):
    """A code counts beside the view position, and alone."""
    data = dicom(IMAGE, ViewPosition=position, ViewCodeSequence=coded(code, scheme))
    if expected is errors.WrongView:
        assert isinstance(refusal(data), errors.WrongView)
    else:
        assert read_radiograph(data, "image").view_position == (position or expected)


def test_an_orientation_stands_in_for_the_view():
    """Rows to the left and columns to the feet make a frontal view; two rows to the left make none."""
    image = read_radiograph(dicom(IMAGE, ViewPosition=None, PatientOrientation=["L", "F"]), "image")
    assert (image.view_position, image.notes) == ("frontal", ())
    image = read_radiograph(dicom(IMAGE, ViewPosition=None, PatientOrientation=["L", "L"]), "image")
    assert image.view_position is None
    assert image.notes == (not_stated("view"),)


@pytest.mark.parametrize("orientation", [["PORTRAIT"], ["AP"], ["PA", "F"], ["PORTABLE", "ERECT"], ["", ""]])
def test_an_orientation_that_is_no_direction_is_ignored(orientation):
    """Words, and letters that contradict each other."""
    assert header(PatientOrientation=orientation).notes == ()


@pytest.mark.parametrize("orientation", [["P", "F"], ["A", "F"], ["AL", "F"], ["L", "P"], ["R", "A"]])
def test_an_orientation_that_is_no_frontal_one_is_refused(orientation):
    """Rows or columns that run from front to back."""
    assert outcome(PatientOrientation=orientation) is errors.WrongView


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("1.2.840.10008.1.3.10", "directory"),
        (f"{STORAGE}88.11", "report"),
        (f"{STORAGE}88.59", "key_object"),
        (f"{STORAGE}104.1", "document"),
        (f"{STORAGE}11.1", "presentation_state"),
        (f"{STORAGE}9.1.1", "waveform"),
        (f"{STORAGE}481.3", "radiotherapy"),
    ],
)
def test_objects_without_an_image_are_refused_by_kind(kind, code):
    """Each with its own message."""
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID, data.PatientName, data.PatientID = kind, "1.2.3", "DOE^JANE", "4711-PID"
    refused = refusal(written(data, EXPLICIT))
    assert isinstance(refused, errors.NotAnImage)
    assert refused.message.code == f"imaging.dicom.object.{code}"
    assert refused.message.code in catalogue().texts


@pytest.mark.parametrize("keyword", ["DirectoryRecordSequence", "EncapsulatedDocument", "ContentSequence"])
def test_objects_without_an_image_are_recognised_by_their_content(keyword):
    """Where the class is missing."""
    data = Dataset()
    data.Modality = "CR"
    setattr(data, keyword, b"%PDF" if keyword == "EncapsulatedDocument" else [Dataset()])
    assert isinstance(refusal(written(data, EXPLICIT)), errors.NotAnImage)


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"NumberOfFrames": 2}, errors.MultipleImages),
        ({"NumberOfFrames": 1}, None),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, errors.MissingPixelData),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_FULL_422"}, errors.MissingPixelData),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "HSV"}, errors.ColourImage),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, errors.UnsupportedFile),
        ({"PhotometricInterpretation": None}, errors.UnreadableFile),
        ({"Rows": None}, errors.UnreadableFile),
        ({"Columns": 0}, errors.UnreadableFile),
        ({"BitsAllocated": None}, errors.UnreadableFile),
        ({"BitsAllocated": 32}, errors.UnreadableFile),
        ({"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}, errors.UnreadableFile),
        ({"BitsStored": 12}, errors.UnreadableFile),
        ({"BitsStored": None, "HighBit": None, "PixelRepresentation": None, "SamplesPerPixel": None}, None),
        ({"Rows": 129}, errors.MissingPixelData),
        ({"Columns": 40}, errors.ImageTooSmall),
        ({"Rows": 600}, errors.ImplausibleShape),
        ({"Rows": 8000, "Columns": 8000}, errors.ImageTooLarge),
    ],
)
def test_frames_that_are_no_image_are_refused(elements, expected):
    """Several frames, colour, missing attributes, too small, too large, incomplete."""
    assert outcome(**elements) is expected


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_pixel_data_that_end_early_are_refused(syntax):
    """Wherever the copy stopped within the image."""
    data = dicom(IMAGE, syntax)
    start = len(data) - len(data) // 3
    for end in (300, start, start + 200, len(data) - 600, len(data) - 20):
        assert isinstance(refusal(data[:end]), errors.ImageRefused)


@pytest.mark.parametrize(
    "syntax", [name for name in SYNTAXES if name not in ("implicit", "explicit", "big endian", "deflated")]
)
def test_a_frame_that_ends_early_is_refused(syntax):
    """Within an item that is whole."""
    frame = compressed(IMAGE, syntax, 8)
    half = frame[: len(frame) // 2]
    refused = refusal(dicom(IMAGE, syntax, frame=half + b"\0" * (len(half) % 2)))
    assert isinstance(refused, errors.UnreadableFile)


GRAINY = np.clip(IMAGE.astype(int) + np.random.default_rng(0).integers(-9, 9, IMAGE.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("bits", [8, 12])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("syntax", [name for name in SYNTAXES if name.startswith(("JPEG", "HTJ2K"))])
def test_a_frame_that_lacks_its_middle_is_refused(syntax, bits, part):
    """Its end marker is in place, and decoders fill in missing data without an error."""
    if (syntax, bits) == ("JPEG baseline", 12):
        syntax = "JPEG extended"
    image = GRAINY if bits == 8 else GRAINY.astype(np.uint16) * 16
    frame = compressed(image, syntax, bits)
    cut = frame[: int(200 + (len(frame) - 200) * part)].rstrip(b"\xff") + b"\xff\xd9"
    assert refusal(dicom(image, syntax, bits=bits, frame=frame + b"\0" * (len(frame) % 2))) is None
    refused = refusal(dicom(image, syntax, bits=bits, frame=cut + b"\0" * (len(cut) % 2)))
    assert isinstance(refused, errors.UnreadableFile)


@pytest.mark.parametrize(
    "remark", [b"\xff\xe0\0\x10JFIF\0\x80\1\0\0\1\0\1\0\0", b"\xff\xee\0\x0eAdobe\0\xff\xff\xff\xff\xff\2"]
)
@pytest.mark.parametrize("syntax", ["JPEG lossless", "JPEG extended"])
def test_remarks_in_a_codestream_reach_no_decoder(syntax, remark):
    """One of an unknown revision of JFIF made a decoder end the whole process."""
    image = GRAINY.astype(np.uint16) * 16
    frame = compressed(image, syntax, 12)
    frame = frame[:2] + remark + frame[2:]
    assert refusal(dicom(image, syntax, bits=12, frame=frame + b"\0" * (len(frame) % 2))) is None


@pytest.mark.parametrize(
    ("syntax", "frame"),
    [("explicit", b""), *[(s, b"\0\0") for s in ("explicit", "RLE", "JPEG baseline", "JPEG 2000 lossless")]],
)
def test_missing_pixel_data_are_refused(syntax, frame):
    """Empty, or next to it."""
    assert isinstance(refusal(dicom(IMAGE, syntax, frame=frame)), errors.UnreadableFile)


def test_an_image_without_pixel_data_is_refused():
    """As some archives store them."""
    data = dicom(IMAGE)
    assert isinstance(refusal(data[: data.index(b"\xe0\x7f\x10\0OW")]), errors.MissingPixelData)


@pytest.mark.parametrize("syntax", [name for name in SYNTAXES if name.startswith(("JPEG", "HTJ2K"))])
def test_a_codestream_of_another_size_is_refused(syntax):
    """Before it is decoded into a buffer of the stated size."""
    for shape in ((128, 64), (256, 128), (128, 127)):
        frame = compressed(np.zeros(shape, np.uint8), syntax, 8)
        assert isinstance(refusal(dicom(IMAGE, syntax, frame=frame + b"\0" * (len(frame) % 2))), errors.UnreadableFile)


@pytest.mark.parametrize("syntax", ["JPEG baseline", "JPEG-LS lossless", "JPEG 2000 lossless", "HTJ2K lossless"])
def test_a_colour_codestream_is_refused(syntax):
    """The attributes state one component, and the codestream holds three."""
    frame = compressed(np.dstack([IMAGE] * 3), syntax, 8)
    assert isinstance(refusal(dicom(IMAGE, syntax, frame=frame + b"\0" * (len(frame) % 2))), errors.UnreadableFile)


def deflated(body):
    """A file whose data set is a given deflate stream."""
    whole = dicom(IMAGE, "deflated")
    return whole[: whole.index(DEFLATED.encode()) + 22] + body


def test_a_deflate_bomb_is_refused():
    """A few kilobytes that would fill gigabytes are never inflated."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = squeeze.compress(bytes(2**24)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    bomb = block * 60 + squeeze.flush()
    assert len(bomb) < 2**20
    assert isinstance(refusal(deflated(bomb)), errors.UnreadableFile)


def test_a_size_above_the_limit_is_refused_before_decoding(monkeypatch):
    """The attributes alone decide."""
    monkeypatch.setattr(dicom_module, "decode_dicom", None)
    for rows, columns in ((50_000, 2_000), (65_535, 65_535)):
        assert rows * columns > MAX_PIXELS
        assert isinstance(
            refusal(dicom(IMAGE, "RLE", Rows=rows, Columns=columns)), errors.ImageTooLarge | errors.ImplausibleShape
        )


@pytest.mark.parametrize("ratio", [[100, 1], [1, 100], [2**31 - 1, 1]])
def test_an_implausible_aspect_is_refused(ratio):
    """Pixels a hundred times as long as wide make a strip."""
    assert outcome(PixelAspectRatio=ratio) in (errors.ImplausibleShape, errors.ImageTooLarge)


def nested(depth):
    """Sequences within sequences, of unknown end."""
    opening = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return opening * depth


@pytest.mark.parametrize(
    "filling",
    [
        nested(30_000),
        b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\0\0\0\0" * 400_000,
        b"\x09\0\x10\0LO\0\0" * 400_000,
        b"\x08\0\x18\x22SQ\0\0" + struct.pack("<I", 8 * 130_000) + b"\xfe\xff\x00\xe0\0\0\0\0" * 130_000,
    ],
    ids=["deep", "items", "elements", "items of known end"],
)
def test_data_sets_made_to_take_forever_are_refused(filling):
    """Parsing stops at a limit."""
    whole = dicom(IMAGE, BodyPartExamined=None)
    place = whole.index(b"\x08\0\x16\0UI")
    assert isinstance(refusal(whole[:place] + filling + whole[place:]), errors.UnreadableFile)


def test_missing_attributes_give_one_note():
    """With all their names."""
    assert notes(Modality=None, BodyPartExamined=None, ViewPosition=None, PatientAge=None, PatientBirthDate=None) == (
        not_stated("modality", "body_part", "view", "age"),
    )
    assert notes() == ()


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["Modality", "BodyPartExamined", "ViewPosition", "PatientAge"]),
    st.text("ADEJNOLTYX0189 ^\\", max_size=12),
)
def test_no_value_of_a_tag_breaks_anything(keyword, value):
    """It is read or refused, and only terms of the standard are repeated."""
    refusal(dicom(IMAGE, **{keyword: value}))


@pytest.mark.images
def test_real_dicom_files(data_root):
    """Each to its own value."""
    rows = (data_root / "dicom.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(rows) == 12
    for row in rows:
        file, expect = row.split(",")[:2]
        refused = refusal((data_root / file).read_bytes())
        assert (refused is None) == (expect == "read"), file
        assert not isinstance(refused, errors.UnreadableFile | errors.UnsupportedFile), file
