"""``results write``: the objects of DICOM images as files, and what becomes of everything else."""

import json
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

from cxrmodel.cli.main import main
from tests.support.dicom_files import IDENTIFIERS, dicom


@pytest.fixture(scope="module")
def images(project, tmp_path_factory) -> Path:
    """A radiograph, one upside down, one of the hand, a PNG, and a radiograph without study."""
    place = tmp_path_factory.mktemp("images")
    data = (project / "assets" / "demo" / "synthetic-pneumonia-1.png").read_bytes()
    upright = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    (place / "sub").mkdir()
    (place / "sub" / "a").write_bytes(dicom(upright, SOPInstanceUID="1.2.3.1"))
    (place / "b.dcm").write_bytes(dicom(np.ascontiguousarray(upright[::-1]), SOPInstanceUID="1.2.3.2"))
    (place / "hand.dcm").write_bytes(dicom(upright, BodyPartExamined="HAND"))
    (place / "no study.dcm").write_bytes(dicom(upright, StudyInstanceUID=""))
    (place / "plain.png").write_bytes(data)
    return place


def test_every_image_gets_what_is_due_to_it_and_a_line(images, tmp_path, capsys):
    """Report and capture; a report alone where a check rejects; nothing but the reason for all else."""
    out = tmp_path / "out"
    assert main(["results", "write", str(images), "-o", str(out), "--prevalence", "20%"]) == 3
    printed = capsys.readouterr()
    written = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert written == ["b.dcm.sr.dcm", "sub/a.sc.dcm", "sub/a.sr.dcm"]
    lines = printed.out.splitlines()
    assert [Path(line.partition(": ")[0].strip('"')).name for line in lines] == [
        "b.dcm",
        "hand.dcm",
        "no study.dcm",
        "plain.png",
        "a",
    ]
    assert [line.partition(": ")[2].split(".")[0] for line in lines] == [*["refused"] * 4, "pneumonia"]
    assert "no patient and no study" in lines[3]
    assert not any(identifier in printed.out + printed.err for identifier in IDENTIFIERS)

    capsys.readouterr()
    assert main(["read", "--json", "--prevalence", "20%", str(images / "sub" / "a")]) == 0
    record = json.loads(capsys.readouterr().out)
    report = pydicom.dcmread(out / "sub" / "a.sr.dcm")
    (measurements,) = (item for item in report.ContentSequence if item.ValueType == "CONTAINER")
    numbers = [item for item in measurements.ContentSequence[0].ContentSequence if item.ValueType == "NUM"]
    percent = float(numbers[0].MeasuredValueSequence[0].NumericValue)
    assert percent == pytest.approx(100 * record["probability"], abs=1e-9)


def test_nothing_is_replaced_unless_asked_and_results_are_not_read(images, tmp_path, capsys):
    """In the folder of the images itself: a second run meets the results of the first."""
    place = tmp_path / "a.dcm"
    place.write_bytes((images / "sub" / "a").read_bytes())
    write = ["results", "write", str(tmp_path), "-o", str(tmp_path), "--kinds", "sr"]
    assert main(write) == 0
    first = (tmp_path / "a.dcm.sr.dcm").read_bytes()
    assert main(write) == 3
    assert (tmp_path / "a.dcm.sr.dcm").read_bytes() == first
    assert main([*write, "--overwrite"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.dcm", "a.dcm.sr.dcm"]
    capsys.readouterr()
    assert main(["results", "write", str(tmp_path / "a.dcm.sr.dcm"), "-o", str(tmp_path / "out")]) == 3
    assert "refused" in capsys.readouterr().out


@pytest.mark.parametrize("kinds", ["pdf", "sr,", ""])
def test_unknown_kinds_are_wrong_usage(kinds, tmp_path):
    with pytest.raises(SystemExit) as ended:
        main(["results", "write", "a.dcm", "-o", str(tmp_path), "--kinds", kinds])
    assert ended.value.code == 2


def test_files_that_would_share_names_are_refused_before_any_is_read(images, tmp_path, capsys):
    (tmp_path / "a").write_bytes(b"x")
    out = tmp_path / "out"
    status = main(["results", "write", str(images / "sub" / "a"), str(tmp_path / "a"), "-o", str(out)])
    assert (status, list(out.rglob("*.dcm"))) == (1, [])
    assert "share" in capsys.readouterr().err
