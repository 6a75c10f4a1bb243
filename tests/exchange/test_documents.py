"""What the documents say of routes, contexts and answers is what the program does; every example runs."""

import json
import re
import threading
from pathlib import Path

import pytest

from cxrmodel.configuration.load import parse_configuration
from cxrmodel.errors import PermanentFailure, TransientFailure
from cxrmodel.exchange import dicomweb
from cxrmodel.exchange.failures import store_failure, web_failure
from cxrmodel.exchange.inbox import scp
from cxrmodel.exchange.inbox.dicomweb import DicomwebPoll
from cxrmodel.exchange.outbox.targets import make_target
from cxrmodel.imaging.dicom.dataset import KNOWN
from tests.exchange.conftest import image, key, wait_until
from tests.exchange.test_scp import receiving
from tests.support.server import PROJECT, free_port

HOW_TO = (PROJECT / "docs" / "how-to" / "connect-a-pacs.md").read_text(encoding="utf-8")
REFERENCE = (PROJECT / "docs" / "reference" / "dicom-conformance.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", HOW_TO, re.MULTILINE | re.DOTALL))


def example(section: str, language: str) -> str:
    """The example of a section in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", SECTIONS[section], re.MULTILINE | re.DOTALL)
    return found


def archive_settings(section: str, port: int = 104) -> dict:
    """The example for Orthanc, on ports of this test, which takes images from everybody by its own interface."""
    settings = json.loads(example(section, "json"))
    settings.pop("DicomPort", None)
    if "DicomModalities" in settings:
        settings["DicomModalities"]["cxrmodel"][2] = port
    return settings


@pytest.fixture
def entry(tmp_path):
    """A function that gives the only inbox or target of an example, with changes."""

    def read(section, **changes):
        found = parse_configuration(example(section, "toml"), tmp_path / "cxrmodel.toml")
        (one,) = (*found.inbox.all, *found.outbox.all)
        if getattr(one, "password_file", None):
            one.password_file.write_text("a long password\n")
            one.password_file.chmod(0o600)
        return one.replace(**changes)

    return read


def test_every_example_has_a_test():
    """And every kind of entry an example."""
    assert [name for name, text in SECTIONS.items() if "```toml" in text] == [
        "DICOMweb poll",
        "C-STORE",
        "Folder",
        "STOW-RS",
        "C-STORE out",
    ]


def test_the_example_of_a_poll_finds_images(start_orthanc, entry, admission, rows):
    """With the example for Orthanc, sign-in and list of changes included."""
    users = json.loads(example("DICOMweb poll", "json"))["RegisteredUsers"]
    server = start_orthanc(users=users, settings=archive_settings("DICOMweb poll"))
    server.store(image())
    settings = entry("DICOMweb poll", url=server.dicom_web, changes_url=server.url)
    DicomwebPoll(settings).round(threading.Event(), admission)
    assert [row.key for row in rows()] == [key()]


def test_the_example_of_a_receiver_takes_what_orthanc_forwards(start_orthanc, entry, admission, rows, tmp_path):
    """Radiographs alone, by the script."""
    script = tmp_path / "cxrmodel.lua"
    script.write_text(example("C-STORE", "lua"))
    settings = entry("C-STORE", port=free_port())
    server = start_orthanc(settings=archive_settings("C-STORE", settings.port) | {"LuaScripts": [str(script)]})
    with receiving(settings, admission):
        server.store(image(1, Modality="CT"))
        server.store(image(2))
        wait_until(lambda: [row.key for row in rows()] == [key(2)])


def test_the_example_of_a_folder_is_valid(entry):
    """Its path is that of the example."""
    assert entry("Folder").path == Path("/srv/cxrmodel/incoming")


@pytest.mark.parametrize("section", ["STOW-RS", "C-STORE out"])
def test_the_examples_of_targets_store(start_orthanc, entry, section):
    """The archive refuses whoever it does not know."""
    described = "DICOMweb poll" if section == "STOW-RS" else section
    settings = archive_settings(described)
    server = start_orthanc(users=settings.pop("RegisteredUsers", None), settings=settings)
    here = {"url": server.dicom_web} if section == "STOW-RS" else {"port": server.dicom_port}
    make_target(entry(section, **here)).send(image())
    assert server.uids() == [key()]
    stranger = {"username": "stranger"} if section == "STOW-RS" else {"calling_ae_title": "STRANGER"}
    with pytest.raises((TransientFailure, PermanentFailure)):
        make_target(entry(section, **here, **stranger)).send(image(2))
    assert server.uids() == [key()]


def test_the_transfer_syntaxes_are_those_of_the_program():
    """In their order of preference, and which of them are read."""
    rows = re.findall(r"^\| .+? \| ([\d.]{10,}) \| (yes|no) \|$", REFERENCE, re.MULTILINE)
    assert rows == [(uid, "yes" if uid in KNOWN else "no") for uid in scp.TRANSFER_SYNTAXES]
    assert f"All {len(scp.STORAGE_CLASSES)} storage classes" in REFERENCE
    assert f"all {len(scp.TRANSFER_SYNTAXES)} transfer syntaxes" in REFERENCE


def test_the_bounds_are_those_of_the_program():
    """Messages, objects, answers."""
    assert f"| longest message (maximum length received) | {scp.LONGEST_PDU:,} bytes |" in REFERENCE
    assert f"| longest object | {scp.MOST_BYTES // 2**20} MiB;" in REFERENCE
    assert f"An answer has at most {dicomweb.MOST_BYTES // 2**20} MiB." in REFERENCE


def test_the_answers_of_the_receiver_are_those_of_the_program():
    """One row for each status."""
    answers = REFERENCE.partition("### Answers")[2].partition("###")[0]
    listed = {int(status, 16) for status in re.findall(r"^\| 0x(\w{4}) \|", answers, re.MULTILINE)}
    assert listed == {scp.SUCCESS, scp.PROCESSING, scp.NO_RESOURCES, scp.NO_MATCH, scp.NOT_UNDERSTOOD}


def test_the_meaning_of_every_status_is_that_of_the_program():
    """Of all that a server may answer."""
    table = REFERENCE.partition("## Storage SCU")[2].partition("## DICOMweb")[0]
    said = {}
    for statuses, meaning in re.findall(r"^\| (0x.+?) \| (stored|tried again) \|$", table, re.MULTILINE):
        for first, last in re.findall(r"0x(\w{4})(?: to 0x(\w{4}))?", statuses):
            said |= dict.fromkeys(range(int(first, 16), int(last or first, 16) + 1), meaning)
    for status in range(0x10000):
        failure = store_failure(status)
        meaning = {type(None): "stored", TransientFailure: "tried again", PermanentFailure: "refused"}[type(failure)]
        assert said.get(status, "refused") == meaning, hex(status)


def test_the_meaning_of_every_http_status_is_that_of_the_program():
    """Of all but success."""
    (listed,) = re.findall(r"^\| ([\dx, ]+) \| tried again;", REFERENCE, re.MULTILINE)
    patterns = [text.strip().replace("x", r"\d") for text in listed.split(",")]
    for status in range(300, 600):
        again = any(re.fullmatch(pattern, str(status)) for pattern in patterns)
        assert isinstance(web_failure(status), TransientFailure) is again, status
