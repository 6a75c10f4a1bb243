"""``cxrmodel config check`` tries everything, says what came of it line by line, and ends with a status that fits."""

import pytest

from cxrmodel.cli.main import main
from tests.support.hospital import chest_image, sections, toml


@pytest.fixture
def check(tmp_path, capsys, monkeypatch):
    """A function that checks a configuration of some sections; its status, and its lines as (status, what)."""
    monkeypatch.delenv("CXR_STORE", raising=False)

    def checked(**more) -> tuple[int, list[tuple[str, str]]]:
        file = tmp_path / "hospital.toml"
        file.write_text(toml(sections(tmp_path / "data", **more)), "utf-8")
        status = main(["config", "check", "--config", str(file)])
        lines = capsys.readouterr().out.splitlines()
        return status, [tuple(line.split(": ", 2)[:2]) for line in lines]

    return checked


def test_everything_that_works_has_passed(check, orthanc, tmp_path):
    """By really finding and fetching an image."""
    (tmp_path / "in").mkdir()
    orthanc.store(chest_image(1))
    status, lines = check(
        inbox_dicomweb=[{"name": "poll", "url": orthanc.dicom_web}],
        inbox_folder=[{"name": "dropped", "path": str(tmp_path / "in")}],
        outbox_stow=[{"name": "pacs", "url": orthanc.dicom_web}],
    )
    assert status == 0
    assert {state for state, _ in lines} == {"passed"}
    named = [what for _, what in lines]
    assert list(dict.fromkeys(named)) == [
        "configuration",
        "data folder",
        "store",
        "model",
        "inbox poll",
        "inbox dropped",
        "target pacs",
    ]
    assert named.count("inbox poll") == 2


def test_what_cannot_be_tried_is_not_passed(check, orthanc):
    """An archive without an image: nothing was fetched."""
    status, lines = check(inbox_dicomweb=[{"name": "poll", "url": orthanc.dicom_web}])
    assert status == 3
    assert lines[-1] == ("not tested", "inbox poll")


def test_a_failure_stops_no_other_check(check, tmp_path):
    """A secret that others may read, a folder that is absent, a server that is down."""
    (tmp_path / "token").write_text("secret", "utf-8")
    (tmp_path / "token").chmod(0o644)
    stow = {"name": "pacs", "url": "http://127.0.0.1:1/dicom-web"}
    status, lines = check(
        inbox_folder=[{"name": "dropped", "path": "nowhere"}],
        outbox_stow=[stow | {"token_file": "token"}, stow | {"name": "other"}],
    )
    assert status == 1
    assert [what for state, what in lines if state == "failed"] == [
        "secret outbox.stow[1].token_file",
        "inbox dropped",
        "target pacs",
        "target other",
    ]
    assert [what for state, what in lines if state == "passed"] == ["configuration", "data folder", "store", "model"]


def test_a_wrong_file_is_the_only_line(tmp_path, capsys):
    """Nothing is tried."""
    file = tmp_path / "hospital.toml"
    file.write_text("[stor]\n", "utf-8")
    assert main(["config", "check", "--config", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "store?" in err
