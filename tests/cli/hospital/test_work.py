"""``cxrmodel work`` as a process: it starts, says so without identity, and stops when asked."""

import json
import signal

import pytest

from cxrmodel.cli.main import main
from cxrmodel.store.records import JobState
from cxrmodel.store.store import Store
from tests.support.dicom_files import IDENTIFIERS
from tests.support.hospital import WorkProcess, chest_image, image_uid, sections, toml
from tests.support.waiting import wait_until


def test_without_a_configuration_it_says_what_to_do(monkeypatch, capsys):
    """In one sentence."""
    monkeypatch.delenv("CXR_CONFIG", raising=False)
    assert main(["work"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "CXR_CONFIG" in line


@pytest.mark.slow
def test_it_stops_when_asked(tmp_path):
    """Its log is JSON and names no patient; an image that came is read."""
    watched = {"name": "dropped", "path": str(tmp_path / "in"), "every_seconds": 0.05, "settle_seconds": 0.05}
    (tmp_path / "in").mkdir()
    image = chest_image(1, PatientName=IDENTIFIERS[0], PatientID=IDENTIFIERS[1])
    (tmp_path / "in" / f"{IDENTIFIERS[0]}.dcm").write_bytes(image)
    file = tmp_path / "hospital.toml"
    file.write_text(toml(sections(tmp_path / "data", inbox_folder=[watched], log={"format": "json"})), "utf-8")
    process = WorkProcess(file, tmp_path / "log").start()
    store = Store.open(None, tmp_path / "data")
    try:
        wait_until(lambda: store.state().jobs[JobState.READ] == 1)
        assert process.end(signal.SIGTERM) == 0
    finally:
        process.kill()
        store.close()
    text = (tmp_path / "log").read_text("utf-8")
    events = [json.loads(line)["event"] for line in text.splitlines()]
    assert [event for event in events if event.startswith("work")] == ["work_started", "work_stopping", "work_stopped"]
    assert "finished" in events
    assert [word for word in (*IDENTIFIERS, image_uid(1)) if word in text] == []
