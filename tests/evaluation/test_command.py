"""``evaluate`` on the command line: what it writes, and what it leaves alone."""

import shutil
from dataclasses import replace

import pytest

from cxrmodel.cli.main import main
from cxrmodel.evaluation import documents as outputs
from cxrmodel.evaluation import own_data as own
from cxrmodel.evaluation import storage as results
from cxrmodel.evaluation.documents import DOCUMENTS
from cxrmodel.evaluation.schema import Provenance
from cxrmodel.evaluation.storage import EVALUATION_FOLDER
from cxrmodel.messages import Message
from cxrmodel.models import MODELS
from cxrmodel.outputs import locked

MADE_WITH = Provenance(code_sha256="ab" * 32, images_sha256={}, python="3.11", libraries={})


@pytest.fixture
def nothing_is_read(monkeypatch):
    """Fails where a reader would be loaded."""
    from cxrmodel.reading import Reader

    monkeypatch.setattr(Reader, "load", lambda *given: pytest.fail("an image was to be read"))


@pytest.fixture
def elsewhere(tmp_path):
    """The shipped evaluations in a folder of their own."""
    for model in MODELS.names:
        shutil.copy(EVALUATION_FOLDER / f"{model}.json", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("nothing_is_read")
def test_report_of_what_is_there(elsewhere, capsys):
    """With --no-read one file comes of the stored evaluations; the table goes to standard error."""
    out = elsewhere / "report.html"
    assert main(["evaluate", "--no-read", "--model", "cnn", "--out", str(elsewhere), "--report", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "| AUC |" in printed.err
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.usefixtures("nothing_is_read")
@pytest.mark.parametrize(
    ("option", "name", "made"), [("--report", "x.html", "x.html"), ("--figures", "x", "x/roc.svg")]
)
def test_a_report_and_figures_are_replaced_only_when_asked(elsewhere, capsys, option, name, made):
    """Which is asked before anything is measured."""
    path = elsewhere / made
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"precious")
    argv = ["evaluate", "--no-read", "--model", "cnn", "--out", str(elsewhere), option, str(elsewhere / name)]
    assert main(argv) == 1
    assert capsys.readouterr().err == f"{Message('outputs.exists', file=str(path))}\n"
    assert path.read_bytes() == b"precious"
    assert main([*argv, "--overwrite"]) == 0
    assert path.read_bytes() != b"precious"


@pytest.mark.usefixtures("nothing_is_read")
@pytest.mark.parametrize("more", [[], ["--explanations"], ["--data", "images"], ["--seeds", "run"]])
def test_two_runs_never_measure_into_one_folder(tmp_path, capsys, more):
    """The second is refused before it reads an image."""
    with locked(tmp_path):
        assert main(["evaluate", "--model", "cnn", "--out", str(tmp_path), *more]) == 1
    assert capsys.readouterr().err == f"{Message('outputs.locked', output=str(tmp_path))}\n"


@pytest.mark.usefixtures("nothing_is_read")
def test_documents_follow_the_shipped_evaluations(monkeypatch, tmp_path):
    """Every document is renewed; one that cannot be is named and left unchanged."""
    copies = [replace(document, target=tmp_path / document.target.name) for document in DOCUMENTS]
    for document, copy in zip(DOCUMENTS, copies, strict=True):
        shutil.copy(document.target, copy.target)
    monkeypatch.setattr(outputs, "DOCUMENTS", copies)
    assert outputs.renew_documents() == []
    for document, copy in zip(DOCUMENTS, copies, strict=True):
        assert copy.target.read_bytes() == document.target.read_bytes()
    (tmp_path / "README.md").write_text("no marks", encoding="utf-8")
    (tmp_path / "MODEL_CARD.md").write_text("stale", encoding="utf-8")
    (kept,) = outputs.renew_documents()
    assert (kept.code, kept.values["file"]) == ("documents.not_renewed", "README.md")
    assert (tmp_path / "MODEL_CARD.md").read_bytes() == DOCUMENTS["model_card"].target.read_bytes()


@pytest.mark.usefixtures("nothing_is_read")
@pytest.mark.parametrize(("installed", "renewed"), [(True, 0), (False, 1)])
def test_only_a_checkout_renews_its_documents(installed, renewed, monkeypatch):
    """An installed package has none."""
    calls = []
    monkeypatch.setattr("cxrmodel.cli.evaluate.INSTALLED", installed)
    monkeypatch.setattr(outputs, "renew_documents", lambda: calls.append("renewed") or [])
    assert main(["evaluate", "--no-read"]) == 0
    assert len(calls) == renewed


@pytest.mark.usefixtures("nothing_is_read")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--no-read", "--report", "report.pdf"], "is an HTML file"),
        (["--no-read", "--name", "no such ward"], "no evaluation named no such ward"),
        (["--name", "ward"], "--data DIR"),
        (["--data", "no-such-folder", "--name", "../x"], "cannot name an evaluation"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(arguments, words, capsys, monkeypatch, tmp_path):
    """And nothing is read or written."""
    monkeypatch.setattr(results, "OWN_FOLDER", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", *arguments]) == 1
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_own_images_from_folder_to_report(reader, archive, tmp_path, monkeypatch, capsys):
    """Measured, stored under their name, shown as a table, and written as a report."""
    from cxrmodel.reading import Reader

    monkeypatch.setattr(Reader, "load", lambda model: reader)
    monkeypatch.setattr(outputs, "load_file", lambda path, model: results.load_file(path, model, reader.spec))
    monkeypatch.setattr(outputs, "load_spec", lambda model: reader.spec)
    monkeypatch.setattr(own, "provenance", lambda images: MADE_WITH)
    arguments = ["--data", str(archive), "--name", "Ward", "--model", "densenet121", "--out", str(tmp_path / "out")]
    assert main(["evaluate", *arguments, "--report", str(tmp_path / "r.html")]) == 0
    assert "Own images, Ward: 48 images of 24 patients" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Ward.densenet121.json"]
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "on own images: Ward" in text
    assert "Kermany 2018" not in text
