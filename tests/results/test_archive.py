"""Results before real judges: the validator of dicom3tools, the toolkit dcmtk, and the archive server Orthanc."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.sequence import Sequence

from cxrmodel.errors import ImageRefused, ImageRejected, NotAnImage
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.results.objects import result_objects
from tests.support.dicom_files import CAPTURE_CLASS, CR_CLASS, dicom
from tests.support.stand_ins import SPEC, fake_reading

DX_CLASS = "1.2.840.10008.5.1.4.1.1.1.1"
HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "results-in-the-pacs.md"
PATIENTS = {
    "plain": {},
    "empty": {"PatientID": "", "PatientName": "", "PatientBirthDate": "", "AccessionNumber": ""},
    "Greek": {"SpecificCharacterSet": "ISO_IR 126", "PatientName": "Διονυσιος"},
    "Japanese": {
        "SpecificCharacterSet": ["", "ISO 2022 IR 87"],
        "PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    },
    "Korean": {"SpecificCharacterSet": ["", "ISO 2022 IR 149"], "PatientName": "Hong^Gildong=洪^吉洞=홍^길동"},
    "Chinese": {"SpecificCharacterSet": "GB18030", "PatientName": "Wang^XiaoDong=王^小东", "StudyDescription": "胸部"},
    "Unicode": {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "Ünal^Şule=ВИКТОР", "PatientID": "P-é"},
}


def other_ids() -> Sequence:
    item = pydicom.Dataset()
    item.PatientID, item.IssuerOfPatientID, item.TypeOfPatientID = "B-2", "CLINIC", "TEXT"
    return Sequence([item])


@pytest.fixture(scope="module")
def verify(program, tmp_path_factory) -> Callable[[bytes], str]:
    """A function ``verify(data)``: fails on any error of dciodvfy; what it says."""
    path = program("dciodvfy")
    place = tmp_path_factory.mktemp("objects") / "object.dcm"

    def run(data: bytes) -> str:
        place.write_bytes(data)
        said = subprocess.run([path, place], capture_output=True, text=True, errors="replace", check=False)
        text = said.stdout + said.stderr
        assert [line for line in text.splitlines() if line.startswith("Error")] == []
        return text

    return run


@pytest.fixture(scope="module")
def stored(pixels) -> np.ndarray:
    return np.rint(pixels * 255).astype(np.uint8)


@pytest.mark.parametrize("patient", PATIENTS)
def test_results_are_valid_whoever_the_patient_is(verify, results, stored, patient):
    image = dicom(stored, **PATIENTS[patient], IssuerOfPatientID="CLINIC", OtherPatientIDsSequence=other_ids())
    made = results(dicom=image)
    said = {kind: verify(result.data).splitlines() for kind, result in made.items()}
    assert "Comprehensive3DSR" in said["sr"]
    assert "SCImage" in said["sc"]


@pytest.mark.parametrize("sop_class", [CR_CLASS, DX_CLASS, CAPTURE_CLASS])
def test_results_of_every_class_of_image_are_valid(verify, results, stored, sop_class):
    elements = {"Laterality": "L", "TimezoneOffsetFromUTC": "-0330"}
    for result in results(dicom=dicom(stored, SOPClassUID=sop_class, Modality="DX", **elements)).values():
        verify(result.data)


def test_results_of_odd_readings_are_valid(verify, results, pixels):
    """Rejected, without a map, with many reasons, at a rare prevalence, with a number of all its digits."""
    reading = fake_reading(pixels)
    exact = replace(reading, probability=float(np.nextafter(0.45, 0)))
    empty = replace(reading, heat=reading.heat * 0, heat_in_lungs=None, reasons=reading.reasons * 30)
    for outcome in (ImageRejected("imaging.too_small", limit=64, width=3, height=4), exact, empty):
        for result in results(outcome, prevalence=0.001).values():
            verify(result.data)


def test_the_report_is_read_by_another_toolkit(program, results, tmp_path):
    """Every item is valid to dcmtk, which prints number, finding and limits."""
    place = tmp_path / "report.dcm"
    place.write_bytes(results()["sr"].data)
    command = [program("dsrdump"), "+Pl", "+Pc", place]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stderr == ""
    for words in (
        '(111012,DCM,"Certainty of Finding")="87" (%,UCUM,"Percent")',
        '(233604007,SCT,"Pneumonia")=(52101004,SCT,"Present")',
        "Only pneumonia was assessed. No other disease was assessed.",
        "high_specificity=80%",
    ):
        assert words in said.stdout


def test_real_images_give_valid_results(verify, data_root):
    """Of every DICOM image at hand that is read: no error, and the picture comes back."""
    read = 0
    for path in sorted([*(data_root / "dicom").glob("*.dcm"), *(data_root / "field_cases").glob("*.dcm")]):
        data = path.read_bytes()
        try:
            image = read_radiograph(data, "image")
        except ImageRefused:
            continue
        read += 1
        for result in result_objects(data, fake_reading(image.pixels), SPEC, prevalence=0.5):
            verify(result.data)
    assert read >= 10


def test_an_archive_files_results_under_patient_and_study_of_the_image(orthanc, results, stored):
    """One patient and one study for each image, whatever its character set; stored twice, nothing doubles."""
    for number, elements in enumerate(PATIENTS.values()):
        uids = {"StudyInstanceUID": f"1.2.{number}", "SeriesInstanceUID": f"1.2.{number}.1"}
        image = dicom(stored, **{"PatientID": f"P{number}"} | elements, **uids, SOPInstanceUID=f"1.2.{number}.1.1")
        for _ in range(2):
            for file in (image, *(result.data for result in results(dicom=image).values())):
                orthanc.store(file)
    assert len(orthanc.find("Patient")) == len(PATIENTS)
    assert len(orthanc.find("Study")) == len(PATIENTS)
    for study in orthanc.find("Study"):
        series = orthanc.ask(f"/studies/{study}/series").json()
        assert sorted(one["MainDicomTags"]["Modality"] for one in series) == ["CR", "OT", "SR"]
        assert [len(one["Instances"]) for one in series] == [1, 1, 1]


def test_the_how_to_sends_results_as_it_says(orthanc, program, results, tmp_path):
    """Its line for storescu, with the port of this archive: both objects arrive."""
    (line,) = re.findall(r"^ *storescu .*$", HOW_TO.read_text(encoding="utf-8"), re.MULTILINE)
    (tmp_path / "results").mkdir()
    for kind, result in results().items():
        (tmp_path / "results" / f"a.{kind}.dcm").write_bytes(result.data)
    words = [str(orthanc.dicom_port) if word == "4242" else word for word in line.split()]
    subprocess.run([program(words[0]), *words[1:]], cwd=tmp_path, check=True, capture_output=True)
    assert orthanc.uids() == sorted(result.uid for result in results().values())


def test_what_an_archive_returns_is_what_was_stored_and_is_never_read(orthanc, results):
    """The same bytes, whose picture is decoded; brought back as an image, each is refused by name."""
    for result in results().values():
        returned = orthanc.file(orthanc.store(result.data))
        assert returned == result.data
        with pytest.raises(NotAnImage) as refused:
            read_radiograph(returned, "image")
        assert refused.value.message.code == "imaging.dicom.object.own_result"


def test_an_archive_shows_the_capture(orthanc, results):
    """Orthanc decodes and renders it as pydicom does."""
    result = results()["sc"]
    shown = orthanc.ask(f"/instances/{orthanc.store(result.data)}/preview").content
    picture = cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_COLOR_RGB)
    expected = pydicom.dcmread(BytesIO(result.data)).pixel_array
    assert picture.shape == expected.shape
    assert np.abs(picture.astype(int) - expected).mean() < 3
