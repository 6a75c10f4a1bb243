"""The built wheel in an environment that holds the core dependencies alone, used from an empty folder."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from cxrmodel import __version__
from cxrmodel.cli.main import main
from cxrmodel.demo import demo_images
from cxrmodel.web.launch import flags
from tests.support.server import Client

pytestmark = pytest.mark.slow

PATIENCE = 300  # seconds; guards against hanging


@pytest.fixture(scope="module")
def wheel(project, tmp_path_factory) -> Path:
    """The package, built from the project."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        folder,
        project,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def core_distributions(project: Path) -> set[str]:
    """Names of the core dependencies and of everything they need here."""
    table = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    waiting = [Requirement(line) for line in table["project"]["dependencies"]]
    found: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        if wanted.name not in found and (not wanted.marker or wanted.marker.evaluate({"extra": ""})):
            found.add(wanted.name)
            waiting += map(Requirement, distribution(wanted.name).requires or [])
    return found


@pytest.fixture(scope="module")
def commands(project, wheel, tmp_path_factory) -> Path:
    """Folder of the programs of a new environment: links to the core dependencies, and the wheel installed."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    for name in core_distributions(project):
        found = distribution(name)
        tops = {file.parts[0] for file in found.files or [] if not file.name.endswith((".pth", ".pyc"))}
        for top in tops - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(found.locate_file(top))
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", wheel], check=True, capture_output=True)
    subprocess.run([*pip, "check"], check=True, capture_output=True)
    return folder / "bin"


@pytest.fixture
def environment() -> dict[str, str]:
    """This process's variables without those that lead Python or Streamlit elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "STREAMLIT", "CXR"))}


def test_the_wheel_carries_the_app(project, wheel):
    """Every asset and page, the settings and the recipes; nothing compiled, no test."""
    names = set(zipfile.ZipFile(wheel).namelist())
    carried = [*project.glob("assets/**/*"), *project.glob("pages/*.py"), project / "app.py"]
    wanted = {f"cxrmodel/_app/{path.relative_to(project).as_posix()}" for path in carried if path.is_file()}
    wanted |= {f"cxrmodel/{path.relative_to(project / 'cxrmodel')}" for path in project.glob("cxrmodel/**/*.toml")}
    assert wanted | {"cxrmodel/_app/.streamlit/config.toml", "cxrmodel/py.typed"} <= names
    assert [name for name in names if "__pycache__" in name or "test" in name.split("/")[0]] == []


@pytest.mark.parametrize("command", [["cxrmodel"], ["python", "-m", "cxrmodel"]])
def test_the_version(commands, environment, tmp_path, command):
    """The command and the module are one program."""
    done = subprocess.run(
        [commands / command[0], *command[1:], "--version"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == __version__


def test_reading_is_that_of_the_checkout(commands, environment, tmp_path, capsys):
    """The same object for the same image, timing apart, and nothing written into the folder."""
    image = demo_images()[0].path
    assert main(["read", "--json", str(image)]) == 0
    here = json.loads(capsys.readouterr().out)
    done = subprocess.run(
        [commands / "cxrmodel", "read", "--json", image],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    there = json.loads(done.stdout)
    assert there["status"] == "read"
    assert {**there, "milliseconds": None} == {**here, "milliseconds": None}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "extras"),
    [
        (["explain", "--method", "gradcam++"], "train,compare"),
        (["train"], "train,compare"),
        (["work"], "hospital"),
        (["serve"], "hospital"),
        (["archive", "score", ".", "--to", "out", "--ray"], "archive"),
    ],
    ids=" ".join,
)
def test_a_missing_extra_is_named(commands, environment, tmp_path, arguments, extras):
    """What the core lacks fails with one line that says what to install."""
    image = [demo_images()[0].path, "--out", "out.png"] if arguments[0] == "explain" else []
    done = subprocess.run(
        [commands / "cxrmodel", *arguments, *image], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(f'pip install "cxrmodel[{extras}]"')
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def server(commands, tmp_path_factory) -> Iterator[int]:
    """Port of an app started from a folder whose own settings would open it to everyone."""
    folder = tmp_path_factory.mktemp("anywhere")
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "config.toml").write_text(
        '[server]\naddress = "0.0.0.0"\n[browser]\ngatherUsageStats = true\n', encoding="utf-8"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "STREAMLIT", "CXR"))
    }
    variables |= {"HOME": str(folder), "STREAMLIT_SERVER_HEADLESS": "true", "STREAMLIT_SERVER_ADDRESS": "0.0.0.0"}
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [commands / "cxrmodel", "app", "--port", str(port)],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + PATIENCE
        while not healthy(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


def healthy(port: int) -> bool:
    """Whether the app answers that it is well."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=10) as answer:
            return answer.read() == b"ok"
    except OSError:
        return False


def test_the_app_listens_on_loopback_only(server):
    """127.0.0.2 is this machine too, and answers where a server listens on every address."""
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", server), timeout=5):
        pass


@pytest.mark.parametrize("page", ["", "read", "heatmap", "evaluation", "about"])
def test_a_page_runs_without_usage_statistics(server, page):
    """A visit draws the page, with no error in it, and tells the browser to report nothing."""
    with Client(f"http://127.0.0.1:{server}").connect() as socket_:
        begin = BackMsg()
        begin.rerun_script.page_name = page
        socket_.send(begin.SerializeToString())
        sessions, elements, finished = [], [], False
        while not (finished and elements):
            message = ForwardMsg.FromString(socket_.recv(PATIENCE))
            kind = message.WhichOneof("type")
            finished = kind == "script_finished"
            if kind == "new_session":
                sessions.append(message.new_session)
            if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                elements.append(message.delta.new_element)
    assert {session.config.gather_usage_stats for session in sessions} == {False}
    assert [element for element in elements if element.WhichOneof("type") == "exception"] == []
    assert [element.alert.body for element in elements if element.alert.format == Alert.ERROR] == []


def test_the_settings_are_the_projects_own(project):
    """Every setting becomes a flag; port and address only when they are named."""
    settings = tomllib.loads((project / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    given = dict(re.fullmatch(r"--([\w.]+)=(.*)", flag).groups() for flag in flags())
    named = {f"{section}.{name}" for section, options in settings.items() for name in options}
    assert set(given) == named - {"client.allowedOrigins"}  # an empty list has no flag
    assert given["server.address"] == "localhost"
    assert given["browser.gatherUsageStats"] == "false"
    assert given["theme.base"] == "dark"


def test_port_and_address_replace_the_settings():
    """The operator's word counts."""
    given = flags(8600, "0.0.0.0", ["reader.example.org", "10.0.0.7"])
    assert "--server.port=8600" in given
    assert [flag for flag in given if flag.startswith("--server.address")] == ["--server.address=0.0.0.0"]
    assert [flag for flag in given if "allowedHosts" in flag] == [
        "--server.allowedHosts=reader.example.org",
        "--server.allowedHosts=10.0.0.7",
    ]
