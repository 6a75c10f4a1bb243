"""Free text in a DICOM file: only what is known to be another modality, part of the body or view is refused."""

import tomllib
from pathlib import Path

import pytest

from cxrmodel import errors
from cxrmodel.imaging.dicom.header import read_dicom_header
from cxrmodel.imaging.dicom.terminology.terms import terms
from cxrmodel.messages import Message, catalogue
from tests.support.attributes import IMAGE, header, not_known, not_stated
from tests.support.dicom_files import CAPTURE_CLASS, dicom

SPELLINGS = tomllib.loads(Path(__file__).with_name("spellings.toml").read_text(encoding="utf-8"))
STORAGE = "1.2.840.10008.5.1.4.1.1."


def test_every_name_has_words():
    """Those of parts and views, which refusals and notes contain."""
    codes = {f"imaging.dicom.part.{name}" for name in terms().parts}
    codes |= {f"imaging.dicom.view.{name}" for table in (terms().views, terms().position_codes) for name in table}
    codes |= {f"imaging.dicom.view.{name}" for name in set(terms().view_codes) - set(terms().frontal)}
    assert codes - set(catalogue().texts) == set()
    assert set(terms().apart) <= set(terms().parts)
    assert set(terms().classes) <= set(terms().modality)


@pytest.mark.parametrize(
    "modality",
    [
        "CR",
        "DX",
        "DR",
        "RG",
        "cr ",
        " DX",
        "XR",
        "XRAY",
        "X-RAY",
        "RTG",
        "RAYOS X",
        "CXR",
        "RX",
        "DX CR",
        "CR/DX",
        "CR,DX",
        "CR^DX",
        "DX PR",
        "RADIOGRAPHY",
        "Digital Radiography",
        "Röntgen",
        "РЕНТГЕН",
        "X線",
    ],
)
@pytest.mark.parametrize("kind", [f"{STORAGE}1", f"{STORAGE}1.1", CAPTURE_CLASS, "1.2.3"])
def test_projection_radiographs_are_read(modality, kind):
    """In every spelling, without a note."""
    assert header(Modality=modality, SOPClassUID=kind).notes == ()


@pytest.mark.parametrize(
    ("modality", "name"),
    [
        ("CT", "CT"),
        ("ct", "CT"),
        ("CBCT", "CT"),
        ("CT CR", "CT"),
        ("DX/CT", "CT"),
        ("PET-CT", "PT"),
        ("MR", "MR"),
        ("MRI", "MR"),
        ("IRM", "MR"),
        ("US", "US"),
        ("ULTRASOUND", "US"),
        ("MG", "MG"),
        ("MAMMOGRAPHY", "MG"),
        ("PX", "PX"),
        ("XA", "XA"),
        ("RF", "RF"),
        ("NM", "NM"),
        ("PT", "PT"),
        ("IO", "IO"),
        ("ES", "ES"),
        ("XC", "XC"),
        ("SM", "SM"),
        ("OP", "OP"),
        ("ECG", "ECG"),
        ("BMD", "BMD"),
        ("КТ", "CT"),
        ("SEG", None),
        ("RTIMAGE", None),
        ("SR", None),
    ],
)
@pytest.mark.parametrize("kind", [f"{STORAGE}1", f"{STORAGE}1.1", CAPTURE_CLASS, "1.2.3"])
def test_other_modalities_are_refused(modality, name, kind):
    """By the modality, whatever the class of the object; the name is one of the standard's."""
    with pytest.raises(errors.WrongModality) as raised:
        header(Modality=modality, SOPClassUID=kind)
    code = f"imaging.dicom.modality.{name}"
    assert raised.value.message.values == ({"modality": Message(code)} if name else {})
    assert not name or code in catalogue().texts


@pytest.mark.parametrize(
    ("modality", "expected"),
    [
        ("OT", (not_stated("modality"),)),
        ("SC", (not_stated("modality"),)),
        ("UNKNOWN", (not_stated("modality"),)),
        ("", (not_stated("modality"),)),
        (None, (not_stated("modality"),)),
        ("DOE", (not_known("modality"),)),
        ("R?NTGEN", (not_known("modality"),)),
        ("OCTOPUS", (not_known("modality"),)),
    ],
)
@pytest.mark.parametrize("kind", [f"{STORAGE}1", f"{STORAGE}1.1", "1.2.3", None])
def test_a_modality_that_says_nothing_gives_a_note(modality, expected, kind):
    """Missing, general or unknown; the class names none either."""
    assert header(Modality=modality, SOPClassUID=kind).notes == expected


@pytest.mark.parametrize(
    ("end", "name"),
    [
        ("2", "CT"),
        ("4", "MR"),
        ("6.1", "US"),
        ("20", "NM"),
        ("128", "PT"),
        ("1.2", "MG"),
        ("12.1", "XA"),
        ("77.1.4", "XC"),
        ("2.2", "CT"),
        ("30", None),
    ],
)
@pytest.mark.parametrize("modality", [None, "OT", "", "DOE"])
def test_without_a_known_modality_the_class_decides(end, name, modality):
    """A CT object remains one; beside a plain modality the contradiction is noted."""
    with pytest.raises(errors.WrongModality) as raised:
        header(Modality=modality, SOPClassUID=STORAGE + end)
    assert raised.value.message.values == ({"modality": Message(f"imaging.dicom.modality.{name}")} if name else {})
    assert header(SOPClassUID=STORAGE + end).notes == (Message("imaging.dicom.class_contradiction"),)


@pytest.mark.parametrize(
    ("table", "expected"),
    [("chest", ()), ("unknown_part", (not_known("body_part"),)), ("unstated_part", (not_stated("body_part"),))],
)
def test_only_a_part_that_is_known_to_be_another_one_is_refused(table, expected):
    """The chest under every name; what is not known, also because its letters were lost; what says nothing."""
    found = {part: header(BodyPartExamined=part).notes for part in SPELLINGS[table]}
    assert {part: notes for part, notes in found.items() if notes != expected} == {}


def test_there_are_many_spellings():
    """Of the chest, and of what is refused."""
    assert len(set(SPELLINGS["chest"])) > 150
    assert sum(map(len, SPELLINGS["other_part"].values())) > 100


@pytest.mark.parametrize("name", SPELLINGS["other_part"])
def test_other_parts_of_the_body_are_refused(name):
    """In several languages, within other words, and by their name."""
    for part in SPELLINGS["other_part"][name]:
        with pytest.raises(errors.WrongBodyPart) as raised:
            header(BodyPartExamined=part)
        assert raised.value.message.values == {"part": Message(f"imaging.dicom.part.{name}")}, part


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("CHESTABDOMEN", ["abdomen"]),
        ("CHEST ABD", ["abdomen"]),
        ("ABDOMEN/CHEST", ["abdomen"]),
        ("TORAX Y ABDOMEN", ["abdomen"]),
        ("CHEST, ARMS UP", ["arm"]),
        ("CHESTABDPELVIS", ["abdomen", "pelvis"]),
        ("NECKCHEST", ["neck"]),
        ("胸腹部", ["abdomen"]),
    ],
)
def test_a_chest_with_another_part_is_read_with_a_note(part, names):
    """It names that part. Infants are often imaged whole."""
    parts = tuple(Message(f"imaging.dicom.part.{name}") for name in names)
    assert header(BodyPartExamined=part).notes == (Message("imaging.dicom.more_parts", parts=parts),)


@pytest.mark.parametrize(
    ("text", "encoding", "stated"),
    [
        ("грудная клетка", "utf-8", None),
        ("грудная клетка", "iso8859-5", "ISO_IR 144"),
        ("胸部", "gb18030", "GB18030"),
        ("胸部", "iso2022_jp", ["", "ISO 2022 IR 87"]),
        ("TÓRAX", "latin-1", None),
        ("TÓRAX", "latin-1", "ISO_IR 100"),
        ("ΘΩΡΑΚΑΣ", "iso8859-7", "ISO_IR 126"),
    ],
)
def test_text_is_read_in_the_character_set_of_the_file(text, encoding, stated):
    """Or in UTF-8 where it is valid."""
    elements = {"BodyPartExamined": text.encode(encoding).decode("latin-1")}
    data = dicom(IMAGE, **elements, **({"SpecificCharacterSet": stated} if stated else {}))
    assert read_dicom_header(data).notes == ()


@pytest.mark.parametrize("view", SPELLINGS["view"])
def test_frontal_views_are_read(view):
    """In many spellings; it travels with the image."""
    found = {position: header(ViewPosition=position) for position in SPELLINGS["view"][view]}
    assert {
        position for position, image in found.items() if (image.metadata.view_position, image.notes) != (view, ())
    } == set()


def test_a_view_that_is_not_known_gives_a_note():
    """Words that only look like a view within, or whose letters were lost."""
    assert {header(ViewPosition=position).notes for position in SPELLINGS["unknown_view"]} == {(not_known("view"),)}
    assert {header(ViewPosition=position).notes for position in ("", "PORTABLE", "SUPINE")} == {(not_stated("view"),)}


@pytest.mark.parametrize("view", SPELLINGS["other_view"])
def test_other_views_are_refused(view):
    """In many spellings, by their name."""
    for position in SPELLINGS["other_view"][view]:
        with pytest.raises(errors.WrongView) as raised:
            header(ViewPosition=position)
        assert raised.value.message.values == {"view": Message(f"imaging.dicom.view.{view}")}, position


@pytest.mark.parametrize(
    "part", ["CHEST LAT", "CHEST, LATERAL", "CHESTLAT", "TORAX PERFIL", "THORAX SEITLICH", "胸部側面", "CHEST DECUB"]
)
@pytest.mark.parametrize("position", [None, "", "AP"])
def test_a_view_beside_the_part_of_the_body_counts(part, position):
    """Where it is not one of several of a study."""
    with pytest.raises(errors.WrongView):
        header(BodyPartExamined=part, ViewPosition=position)
