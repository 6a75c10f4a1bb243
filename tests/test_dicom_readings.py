"""A DICOM image goes the same way as any other: reading, command line, page."""

import json
import shutil

import cv2
import numpy as np
import pytest

from cxrmodel.cli.main import main
from cxrmodel.reading import Reader
from tests.support.dicom_files import IDENTIFIERS, dicom


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The shipped DenseNet."""
    return Reader.load()


@pytest.fixture(scope="module")
def levels(project) -> np.ndarray:
    """Grey levels of a demo image."""
    return cv2.imread(str(project / "assets" / "demo" / "synthetic-pneumonia-1.png"), cv2.IMREAD_GRAYSCALE)


@pytest.fixture(scope="module")
def probability(reader, project) -> float:
    """Of the demo image as the PNG it is."""
    return reader.read((project / "assets" / "demo" / "synthetic-pneumonia-1.png").read_bytes(), "image").probability


@pytest.mark.parametrize("syntax", ["implicit", "RLE", "JPEG lossless", "HTJ2K lossless"])
def test_an_image_reads_the_same_as_dicom(reader, levels, probability, syntax):
    """Eight bits without window are the levels of the picture file."""
    assert reader.read(dicom(levels, syntax), "image").probability == probability


@pytest.mark.parametrize(
    "make",
    [
        lambda image: dicom(255 - image, PhotometricInterpretation="MONOCHROME1"),
        lambda image: dicom(image.astype(np.uint16) * 16 + 8, bits=12),
        lambda image: dicom(image.astype(np.int16) * 4 - 300, WindowCenter=210, WindowWidth=1021),
        lambda image: dicom(4095 - image.astype(np.uint16) * 16, bits=12, PhotometricInterpretation="MONOCHROME1"),
        lambda image: dicom(image.astype(np.uint16) * 5 + 700, bits=16),
        lambda image: dicom(image[:, ::-1], PatientOrientation=["R", "F"]),
        lambda image: dicom(image, "JPEG extended"),
    ],
    ids=["inverted", "12 bits", "signed and windowed", "inverted 12 bits", "a part of 16 bits", "mirrored", "lossy"],
)
def test_the_way_an_image_is_stored_hardly_moves_its_probability(reader, levels, probability, make):
    """Within two parts in a hundred."""
    assert reader.read(make(levels), "image").probability == pytest.approx(probability, abs=0.02)


def test_the_command_line_reads_dicom_by_content(project, levels, tmp_path, capsys):
    """With its extension, with none, with a wrong one; a hand is refused in its place."""
    place = tmp_path / "images"
    place.mkdir()
    for name in ("a.dcm", "b", "c.png"):
        (place / name).write_bytes(dicom(levels))
    (place / "d.dcm").write_bytes(dicom(levels, BodyPartExamined="HAND"))
    shutil.copy(project / "assets" / "demo" / "synthetic-pneumonia-1.png", place / "e.dcm")
    assert main(["read", "--json", "--heatmaps", str(tmp_path / "maps"), str(place)]) == 3
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["status"] for line in lines] == ["read", "read", "read", "refused", "read"]
    assert len({line["probability"] for line in lines if line["status"] == "read"}) == 1
    assert "hand" in lines[3]["reasons"][0]
    assert not any(word in out + err for word in (*IDENTIFIERS, "JANE"))
    assert (tmp_path / "maps" / "b.heatmap.png").stat().st_size > 1000
