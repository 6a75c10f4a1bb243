"""The server keeps lists only where its configuration says so."""

import subprocess
import sys

import pytest

from cxrmodel.cli.command import Status
from cxrmodel.cli.main import main
from cxrmodel.errors import MissingExtra
from cxrmodel.messages import Message
from cxrmodel.web.keeping import service
from tests.support.server import Client, running_app, visit


def settings(folder, keep: str) -> dict[str, str]:
    """Variables of a server whose data would be in a folder."""
    file = folder / "site.toml"
    file.write_text(f'[worklist]\nkeep = "{keep}"\nlist_days = 2\n')
    return {"CXR_CONFIG": str(file), "CXR_STORE": "", "XDG_DATA_HOME": str(folder / "home")}


def test_nothing_is_stored_unless_it_is_switched_on(tmp_path):
    """And the cookie ends with the browser."""
    with running_app(variables=settings(tmp_path, "nothing")) as address:
        client = Client(address, cookies={})
        status, headers, _ = client.ask("/")
        with client.connect() as connection:
            visit(connection)
    assert status == 200
    assert "Max-Age" not in headers["Set-Cookie"]
    assert [path.name for path in tmp_path.iterdir()] == ["site.toml"]


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    """With what installs it, before the server starts."""
    for name, value in settings(tmp_path, "list").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(MissingExtra) as caught:
        service.open_keeping()
    assert caught.value.message.values["extra"] == "hospital"
    assert not (tmp_path / "home").exists()


def test_a_store_that_cannot_be_opened_is_named(tmp_path, monkeypatch, capsys):
    """In one sentence, before the server starts."""
    file = tmp_path / "site.toml"
    file.write_text('[store]\nfolder = "site.toml"\n[worklist]\nkeep = "list"\n')
    monkeypatch.setenv("CXR_CONFIG", str(file))
    monkeypatch.delenv("CXR_STORE", raising=False)
    assert main(["app"]) == Status.FAILED
    assert capsys.readouterr().err == f"{Message('store.unavailable', reason='File exists')}\n"


def test_without_the_setting_no_library_of_the_store_is_imported(project):
    """Neither by the server nor by what a page needs."""
    lines = "import sys, app, cxrmodel.web.shell, cxrmodel.web.reading.page, cxrmodel.web.server.room.queue"
    checked = "assert not {'sqlalchemy', 'alembic', 'psycopg'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", f"{lines}\n{checked}"], cwd=project, check=True, timeout=120)
