"""An archive's output is evaluated: the figures are those of its images read one by one, and nothing is read again."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pytest

from cxrmodel.archive import evaluation
from cxrmodel.archive.columns import SCHEMA
from cxrmodel.archive.evaluation import Labels, evaluate_output
from cxrmodel.archive.output import Output, read_table, write_table
from cxrmodel.cli.main import main
from cxrmodel.errors import CxrError, UnreadableFile
from cxrmodel.evaluation.own_data import evaluate_folder
from cxrmodel.evaluation.storage import load_file, own_evaluations
from cxrmodel.model.calibration import probability
from cxrmodel.reading import Score
from tests.support.archives import rows, score
from tests.support.stand_ins import SPEC

NAMES = ("a.png", "IM-0001-0001.png", "IM-0001-0002.png", "person7_virus_1.png", "person7_virus_2.png", "deep/z.png")
REFUSED = "NORMAL/~broken.png"


class Reader:
    """Stands for the real reader: a file's bytes are its logit."""

    spec = SPEC

    def score_many(self, items, checked=True):
        """A score, or a refusal, for each file."""
        for data, _ in items:
            try:
                logit = float(data)
            except ValueError:
                yield UnreadableFile("imaging.unsupported.pdf")
            else:
                yield Score(logit, probability(logit, **SPEC.calibration))


@pytest.fixture
def ward(tmp_path):
    """A folder of twelve labelled files whose bytes are their logits, and one that is refused."""
    logits = iter(np.random.default_rng(0).normal(0, 2, 2 * len(NAMES)))
    for label in ("NORMAL", "PNEUMONIA"):
        for name in NAMES:
            path = tmp_path / "ward" / label / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(repr(float(next(logits)) + (label == "PNEUMONIA")))
    (tmp_path / "ward" / REFUSED).write_bytes(b"%PDF")
    return tmp_path / "ward"


@pytest.fixture
def scored(ward, out, monkeypatch):
    """A function ``scored(identity=True)``: the output of that folder, as a real reader would have written it."""
    monkeypatch.setattr(evaluation, "load_spec", lambda model: SPEC)

    def make(identity=True):
        score(out, ward, identity=identity, part_images=5)
        for block, path in Output(out).parts().items():
            table = read_table(path).to_pylist()
            listed = evaluation.Manifest(Output(out)).listed(block).to_pylist()
            for row, asked in zip(table, listed, strict=True):
                if asked["id"] != REFUSED:
                    logit = float((ward / asked["id"]).read_text())
                    row |= {"status": "read", "logit": logit, "reasons": [], "codes": []}
            write_table(path, pa.Table.from_pylist(table, SCHEMA), overwrite=True)
        shutil.rmtree(ward)
        return out

    return make


def test_the_figures_are_those_of_the_folder(ward, scored, tmp_path):
    """Counts, scores, patients, intervals and the hash of the images; the file is offered like any other."""
    expected = evaluate_folder(Reader(), ward, "ward", tmp_path / "folder", progress=False)
    found, notes = evaluate_output(scored(), "ward", out=tmp_path / "archive")
    assert notes == ()
    test, of_folder = found.splits["test"], expected.splits["test"]
    assert (test.performance, test.images, test.counts) == (of_folder.performance, of_folder.images, of_folder.counts)
    assert [refusal.file for refusal in test.refused] == [REFUSED]
    assert found.provenance == expected.provenance
    assert found.dataset.replace(origin="folders") == expected.dataset
    path = own_evaluations(tmp_path / "archive")["ward"][SPEC.model]
    assert load_file(path, SPEC.model, SPEC) == found


def test_without_identity_no_name_is_stored(ward, scored, tmp_path):
    """The figures are the same."""
    expected = evaluate_folder(Reader(), ward, "ward", tmp_path / "folder", progress=False).splits["test"]
    found, _ = evaluate_output(scored(identity=False), "ward", out=tmp_path / "archive")
    assert found.splits["test"].performance == expected.performance
    written = (tmp_path / "archive" / f"ward.{SPEC.model}.json").read_text()
    assert not any(name.partition(".")[0] in written for name in (*NAMES[1:], REFUSED))


@pytest.mark.parametrize("key", ["item", "file", "sha256"])
def test_labels_of_a_table(key, scored, tmp_path):
    """By any name of an image; a patient's images are resampled together; what has no partner is counted."""
    out = scored()
    chosen = [row for row in rows(out) if row["file"] != "NORMAL/a.png"]
    words = {"NORMAL": "Normal", "PNEUMONIA": "1"}
    lines = [f"{row[key]},{words[row['file'].partition('/')[0]]},p{number % 4}" for number, row in enumerate(chosen)]
    table = tmp_path / "labels.csv"
    table.write_text("\n".join([f"{key},label,patient", *lines, "elsewhere,0,"]))
    found, notes = evaluate_output(out, "ward", table, tmp_path / "archive")
    test = found.splits["test"]
    assert {image.file: image.label for image in test.images} == {
        row["file"]: int(row["file"].startswith("P")) for row in chosen if row["status"] == "read"
    }
    assert test.counts.patients == 4
    assert (found.dataset.origin, found.dataset.named) == ("table", 12)
    assert [(note.code, *note.values.values()) for note in notes] == [
        ("archive.labels.left_out", 1),
        ("archive.labels.spare", 1),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("file\na.png", "columns"),
        ("name,label\na.png,1", "columns"),
        ("", "columns"),
        ("file,label\na.png,ill", "unknown"),
        ("file,label\na.png,0\na.png,pneumonia", "contradiction"),
        ("file,label\na.png", "unreadable"),
    ],
)
def test_tables_that_cannot_be_used(text, code, tmp_path):
    """Each is told what it lacks."""
    table = tmp_path / "labels.csv"
    table.write_text(text)
    with pytest.raises(CxrError) as caught:
        Labels.load(table, SPEC.labels)
    assert caught.value.message.code == f"archive.labels.{code}"


def test_a_table_of_other_images(scored, tmp_path):
    """Is not taken for labels of these."""
    table = tmp_path / "labels.csv"
    table.write_text("file,label\nother.png,0")
    with pytest.raises(CxrError) as caught:
        evaluate_output(scored(), "ward", table, tmp_path / "archive")
    assert caught.value.message.code == "archive.labels.none"


def test_an_archive_of_another_version(scored, tmp_path, monkeypatch):
    """Is not mixed with the model that is there."""
    out = scored()
    monkeypatch.setattr(evaluation, "load_spec", lambda model: SPEC.replace(version="another 000000000000"))
    with pytest.raises(CxrError) as caught:
        evaluate_output(out, "ward", out=tmp_path / "archive")
    assert caught.value.message.code == "archive.labels.version"


def test_an_archive_without_labels(images, out, tmp_path, monkeypatch):
    """Needs a table."""
    monkeypatch.setattr(evaluation, "load_spec", lambda model: SPEC)
    score(out, images)
    with pytest.raises(CxrError) as caught:
        evaluate_output(out, "ward", out=tmp_path / "archive")
    assert caught.value.message.code == "archive.labels.no_folders"


@pytest.mark.slow
@pytest.mark.images
def test_real_images(data_root, tmp_path, capsys):
    """Scored as an archive and evaluated, or evaluated as a folder: the same figures, by the command line."""
    for label in ("NORMAL", "PNEUMONIA"):
        (tmp_path / "ward" / label).mkdir(parents=True)
        for path in sorted((data_root / "chest_xray" / "test" / label).glob("*.jpeg"))[:6]:
            shutil.copy(path, tmp_path / "ward" / label)
    ward, out = str(tmp_path / "ward"), str(tmp_path / "out")
    assert main(["archive", "score", ward, "--to", out, "--identity"]) == 0
    for name, data in (("folder", ward), ("archive", out)):
        command = ["evaluate", "--model", "densenet121", "--data", data, "--name", "ward"]
        assert main([*command, "--out", str(tmp_path / name)]) == 0
    found = [json.loads((tmp_path / name / "ward.densenet121.json").read_text()) for name in ("folder", "archive")]
    first, second = (one["splits"]["test"] for one in found)
    assert first["counts"] == second["counts"]
    for one, other in zip(first["images"], second["images"], strict=True):
        assert one.pop("probability") == pytest.approx(other.pop("probability"), abs=1e-6)
        assert one.pop("logit") == pytest.approx(other.pop("logit"), abs=1e-4)
        assert one == other
    for metric, figure in first["performance"]["overall"].items():
        assert figure == pytest.approx(second["performance"]["overall"][metric], abs=1e-4), metric
    assert found[0]["provenance"]["images_sha256"] == found[1]["provenance"]["images_sha256"]
    capsys.readouterr()
    assert main(["evaluate", "--data", ward, "--labels", "x.csv", "--out", str(tmp_path / "no")]) == 1
