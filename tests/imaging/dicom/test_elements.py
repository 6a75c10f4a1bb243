"""Patient identifiers are never read or shown; only a DICOM file loads the DICOM library."""

import logging
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from pydicom.datadict import keyword_dict

from cxrmodel import errors
from cxrmodel.imaging.dicom.elements import ELEMENTS
from cxrmodel.imaging.radiograph import read_radiograph
from tests.support.dicom_files import IDENTIFIERS, SYNTAXES, dicom

IMAGE = np.tile(np.arange(0, 256, 2, np.uint8), (128, 1))
ODD = {
    "BodyPartExamined": "DOE^JANE",
    "ViewPosition": "DOE^JANE",
    "PatientAge": "DOE^JANE",
    "WindowCenter": "DOE^JANE",
    "Rows": "DOE^JANE",
    "PixelSpacing": "DOE^JANE",
    "PhotometricInterpretation": "DOE^JANE",
    "RescaleSlope": "DOE^JANE",
    "PatientOrientation": "DOE^JANE",
    "PresentationLUTShape": "DOE^JANE",
    "Modality": "DOE^JANE",
}


@pytest.fixture(scope="module")
def variants():
    """Whole, damaged and misused files, each with identifiers in it."""
    files = [dicom(IMAGE, syntax) for syntax in SYNTAXES]
    files += [data[: len(data) * part // 4] for data in files for part in (1, 2, 3)]
    for number in range(0, 1200, 25):
        damaged = bytearray(dicom(IMAGE, "implicit" if number % 2 else "explicit"))
        damaged[number : number + 3] = b"\xff\x00\xff"
        files.append(bytes(damaged))
    swap = {"WindowCenter": b"\x28\0\x50\x10DS", "PixelSpacing": b"\x28\0\x30\0DS", "RescaleSlope": b"\x28\0\x53\x10DS"}
    for keyword, value in ODD.items():
        if keyword in swap:
            data = dicom(IMAGE, **{keyword: [1.25, 1.25] if keyword == "PixelSpacing" else 1.25})
            place = data.index(swap[keyword]) + 8
            files.append(data[:place] + b"JANE" + data[place + 4 :])
        elif keyword != "Rows":
            files.append(dicom(IMAGE, **{keyword: value}))
    return files


def outcome(data):
    """Everything that the program returns for a file."""
    try:
        image = read_radiograph(data, "image")
    except errors.ImageRefused as refusal:
        return f"{refusal!r} {refusal}"
    values = [getattr(image, field.name) for field in fields(image) if field.name != "pixels"]
    return f"{image!r} {values}"


def test_no_identifier_is_ever_looked_at():
    """Neither names, nor numbers, nor free text are among the elements that are read."""
    forbidden = ("Name", "PatientID", "Accession", "Comment", "Description", "Address", "Institution", "Operator")
    assert all(keyword in keyword_dict for keyword in ELEMENTS)
    assert [keyword for keyword in ELEMENTS if any(word in keyword for word in forbidden)] == []
    assert len(set(ELEMENTS)) == len(ELEMENTS)


def test_no_identifier_is_in_a_result_a_log_or_a_warning(variants, caplog, capfd, recwarn):
    """Even if everything is logged and every file is damaged."""
    caplog.set_level(logging.DEBUG)
    warnings.simplefilter("always")
    outputs = [outcome(data) for data in variants]
    streams = capfd.readouterr()
    outputs += [*caplog.messages, *streams, *(str(warning.message) for warning in recwarn)]
    assert not any(word in output.upper() for output in outputs for word in ("DOE^", "JANE", *IDENTIFIERS))
    assert streams.out == ""
    # What a decoder in C says of missing data holds nothing of the file.
    assert set(streams.err.splitlines()) <= {"Corrupt JPEG data: premature end of data segment"}
    assert [warning for warning in recwarn if "pydicom" in warning.filename] == []
    assert [record for record in caplog.records if record.name.startswith(("pydicom", "openjpeg", "jpeg_ls"))] == []


def test_threads_do_not_disturb_each_other(variants):
    """Eight threads at once give the same as one."""
    alone = [outcome(data) for data in variants]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(outcome, variants * 2))
    assert together == alone * 2


SPOKEN = (
    "import logging, sys; from pathlib import Path; from cxrmodel.imaging.radiograph import read_radiograph;"
    "logging.basicConfig(level=logging.DEBUG, stream=sys.stdout);"
    "read_radiograph(Path(sys.argv[1]).read_bytes(), 'image')"
)


def test_a_fresh_process_that_logs_everything_logs_nothing(project, tmp_path):
    """The library sets its logger up when it is imported, after the program has silenced it."""
    data = dicom(IMAGE, "implicit")
    place = data.index(b"1.2.840.10008.1.2\0")
    assert data[place - 8 : place - 4] == b"\x02\0\x10\0"
    odd = data[: place - 2] + b"\x14\0" + b"1.2.840.10008.1.2.1\0" + data[place + 18 :]
    image = tmp_path / "image"
    image.write_bytes(odd)
    done = subprocess.run(
        [sys.executable, "-c", SPOKEN, image], cwd=project, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")


CHECK = (
    "import sys; from pathlib import Path; from cxrmodel.imaging.radiograph import read_radiograph;"
    "read_radiograph(Path(sys.argv[1]).read_bytes(), 'image');"
    "print(sorted({'pydicom', 'gdcm', 'openjpeg', 'jpeg_ls', 'tensorflow', 'streamlit'} & set(sys.modules)))"
)


@pytest.mark.parametrize(("kind", "loaded"), [("png", "[]"), ("dicom", "['gdcm', 'jpeg_ls', 'openjpeg', 'pydicom']")])
def test_only_a_dicom_image_loads_the_dicom_library(project, tmp_path, png, kind, loaded):
    """The first reading of any other image does not wait for it."""
    image: Path = tmp_path / "image"
    image.write_bytes(png(IMAGE / 255) if kind == "png" else dicom(IMAGE))
    done = subprocess.run([sys.executable, "-c", CHECK, image], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == loaded
    assert done.stderr == ""
