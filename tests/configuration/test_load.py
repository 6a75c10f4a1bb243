"""A configuration file is valid as a whole, or every fault of it is named with its line."""

from pathlib import Path

import pytest

from cxrmodel.configuration.load import load_configuration, parse_configuration
from cxrmodel.configuration.schema import Configuration
from cxrmodel.errors import SettingError

FILE = Path("/etc/cxrmodel/hospital.toml")
TWO_INBOXES = """
[[inbox.dicomweb]]
name = "pacs"
url = "http://127.0.0.1:8042/dicom-web/"
token_file = "pacs.token"

[[inbox.scp]]
name = "receiver"
port = 11113
"""


def faults(text: str) -> list[tuple[str, str, str]]:
    """Code, place and key of every fault of a file."""
    with pytest.raises(SettingError) as caught:
        parse_configuration(text, FILE)
    message = caught.value.message
    assert message.code == "configuration.wrong"
    assert message.values["file"] == str(FILE)
    assert str(FILE) in str(message)
    return [(item.code, str(item.values["where"]), item.values["key"]) for item in message.values["faults"]]


def test_without_a_file_every_key_has_its_default(monkeypatch):
    """No inbox and no target, the default model, this computer alone."""
    monkeypatch.delenv("CXR_CONFIG", raising=False)
    found = load_configuration()
    assert found == Configuration()
    assert (found.inbox.all, found.outbox.all, found.api.host) == ((), (), "127.0.0.1")


def test_the_file_is_given_or_named_by_the_environment(tmp_path, monkeypatch):
    """What is given goes first."""
    for name, tries in (("a", 7), ("b", 8)):
        (tmp_path / name).write_text(f"[worker]\ntries = {tries}\n", encoding="utf-8")
    monkeypatch.setenv("CXR_CONFIG", str(tmp_path / "a"))
    assert load_configuration().worker.tries == 7
    assert load_configuration(tmp_path / "b").worker.tries == 8


def test_paths_count_from_the_folder_of_the_file():
    """And an address has no slash at its end."""
    inbox = parse_configuration(TWO_INBOXES, FILE).inbox
    assert [entry.name for entry in inbox.all] == ["pacs", "receiver"]
    assert inbox.dicomweb[0].token_file == FILE.parent / "pacs.token"
    assert inbox.dicomweb[0].url == "http://127.0.0.1:8042/dicom-web"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[stor]\n", ("configuration.unknown_near", "Line 1", "stor")),
        ("\n[store]\nfoldr = 'a'\n", ("configuration.unknown_near", "Line 3", "store.foldr")),
        ("zzz = 1\n", ("configuration.unknown", "Line 1", "zzz")),
        (TWO_INBOXES.replace("11113", "0"), ("configuration.wrong_value", "Line 9", "inbox.scp[1].port")),
        (TWO_INBOXES.replace("11113", "'11113'"), ("configuration.wrong_value", "Line 9", "inbox.scp[1].port")),
        (
            TWO_INBOXES + "[[inbox.scp]]\nport = 2\n",
            ("configuration.missing", "Line 10", "inbox.scp[2].name"),
        ),
        (
            TWO_INBOXES + "[[inbox.scp]]\nname = 'Ä'\n",
            ("configuration.wrong_value", "Line 11", "inbox.scp[2].name"),
        ),
        (
            TWO_INBOXES + "[[inbox.folder]]\nname = 'pacs'\npath = '.'",
            ("configuration.wrong_value", "File", "inbox"),
        ),
        ("[worker]\nlease_seconds = inf\n", ("configuration.wrong_value", "Line 2", "worker.lease_seconds")),
        ("[reader]\nprevalence = 1\n", ("configuration.wrong_value", "Line 2", "reader.prevalence")),
        ("[reader]\nmodel = 'resnet'\n", ("configuration.wrong_value", "Line 2", "reader.model")),
        ("[api]\nhost = '0.0.0.0'\n", ("configuration.wrong_value", "Line 2", "api.host")),
        ("[results]\nkinds = []\n", ("configuration.wrong_value", "Line 2", "results.kinds")),
        ("[filters]\nmodalities = ['CR', 3]\n", ("configuration.wrong_value", "Line 2", "filters.modalities[2]")),
        (
            "[filters]\nleast_age_years = 6\nmost_age_years = 5\n",
            ("configuration.wrong_value", "Line 1", "filters"),
        ),
        ("[store]\nurl = 'postgresql://u:secret@h/d'\n", ("configuration.wrong_value", "Line 2", "store.url")),
        ("[store]\nurl = 'mysql://h/d'\n", ("configuration.wrong_value", "Line 2", "store.url")),
    ],
)
def test_a_fault_is_named_with_its_line_and_key(text, found):
    """And nothing of the file is used."""
    assert faults(text) == [found]


def test_every_fault_is_named_at_once():
    """In the order of the schema."""
    assert [key for _, _, key in faults("[worker]\ntries = 0\n[store]\nx = 1\n[api]\nport = 'a'\n")] == [
        "store.x",
        "worker.tries",
        "api.port",
    ]


def test_a_secret_is_never_quoted():
    """A password in the wrong place is not repeated in the error."""
    with pytest.raises(SettingError) as caught:
        parse_configuration("[store]\nurl = 'postgresql://u:hunter2@h/d'\n", FILE)
    assert "hunter2" not in str(caught.value)


def test_what_is_no_toml_is_refused_with_its_line():
    """As the parser says it."""
    with pytest.raises(SettingError) as caught:
        parse_configuration("[store]\nfolder = \n", FILE)
    assert caught.value.message.code == "configuration.no_toml"
    assert "line 2" in caught.value.message.values["problem"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, content):
    """Absent, or no text."""
    file = tmp_path / "x.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingError) as caught:
        load_configuration(file)
    assert caught.value.message.code == "configuration.unreadable"


def test_the_address_of_the_store(tmp_path, monkeypatch):
    """The environment goes first; the password comes from its file."""
    monkeypatch.delenv("CXR_STORE", raising=False)
    assert Configuration().store.address() is None
    secret = tmp_path / "password"
    secret.write_text("a/b@c\n", encoding="utf-8")
    secret.chmod(0o600)
    text = "[store]\nurl = 'postgresql+psycopg://u@h:5/d'\npassword_file = 'password'\n"
    store = parse_configuration(text, tmp_path / "x.toml").store
    assert store.address() == "postgresql+psycopg://u:a%2Fb%40c@h:5/d"
    monkeypatch.setenv("CXR_STORE", "sqlite:////tmp/a")
    assert Configuration().store.address() == "sqlite:////tmp/a"
