"""``make run`` and ``make test`` on machines with and without a supported Python, with fake programs in its place."""

import os
import shutil
import subprocess

import pytest

FAKE_PYTHON = """#!/bin/sh
case "$*" in
    *'version_info[:3]'*) echo {version} ;;
    *'import ensurepip, venv'*) exit {without_venv} ;;
    '-m venv .venv') mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo "environment by {name}" >> log ;;
    '-m pip install --require-hashes -r '*) echo "$3 $6" >> log; test ! -e no-network ;;
    '-m ruff '* | '-m mypy'*) echo "$*" >> log; test ! -e tests-fail ;;
    '-m streamlit '* | '-m pytest'* | 'deploy/hospital.py'*) echo "$*" >> log; test ! -e tests-fail ;;
esac
"""


@pytest.fixture
def machine(tmp_path, project, strict_skip):
    """A copy of the Makefile in a folder of its own, and a function that puts Pythons on its PATH."""
    make = shutil.which("make") or strict_skip("needs make")

    class Machine:
        folder = tmp_path / "a project"
        programs = tmp_path / "programs"

        def has(self, name: str, version: str, without_venv: int = 0) -> None:
            path = self.programs / name
            path.write_text(FAKE_PYTHON.format(name=name, version=version, without_venv=without_venv))
            path.chmod(0o755)

        def make(self, *arguments: str) -> subprocess.CompletedProcess:
            command = [make, *arguments]
            environment = {"PATH": str(self.programs)}
            return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)

        @property
        def log(self) -> list[str]:
            path = self.folder / "log"
            return path.read_text().splitlines() if path.exists() else []

    machine = Machine()
    machine.folder.mkdir()
    machine.programs.mkdir()
    for name in ("cp", "mkdir", "rm"):
        (machine.programs / name).symlink_to(shutil.which(name))
    for name in ("Makefile", "requirements.txt", "requirements-hospital.txt", "requirements-dev.txt"):
        shutil.copy(project / name, machine.folder / name)
    return machine


@pytest.mark.parametrize(
    ("pythons", "named"),
    [
        ([], "No Python"),
        ([("python3", "3.10.13", 0)], "Python 3.10.13"),
        ([("python3", "3.14.0", 0)], "Python 3.14.0"),
        ([("python3", "3.1.1", 0)], "Python 3.1.1"),
        ([("python3", "3.11.2", 1)], "venv"),
        ([("python3", "3.9.2", 0), ("python3.12", "3.12.1", 1)], "python3.12 is Python 3.12.1"),
        ([("python3", "", 0)], "No Python"),
    ],
)
@pytest.mark.parametrize("target", ["run", "test"])
def test_without_a_supported_python_nothing_is_built(machine, target, pythons, named):
    """One line that names what was found, a status that is not zero, and no environment."""
    for python in pythons:
        machine.has(*python)
    done = machine.make(target)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(lines) == 1
    assert named in lines[0]
    assert not (machine.folder / ".venv").exists()


@pytest.mark.parametrize(
    ("pythons", "taken"),
    [
        ([("python3", "3.11.0", 0), ("python3.13", "3.13.0", 0)], "python3"),
        ([("python3", "3.14.0", 0), ("python3.13", "3.13.0", 0), ("python3.12", "3.12.0", 0)], "python3.13"),
        ([("python3", "3.9.0", 0), ("python3.11", "3.11.9", 0)], "python3.11"),
        ([("python3", "3.11.0", 1), ("python3.12", "3.12.0", 0)], "python3.12"),
        ([("python3.12", "3.12.0", 0)], "python3.12"),
    ],
)
def test_the_first_supported_python_is_used(machine, pythons, taken):
    """python3 if it is supported, otherwise one that names its version."""
    for python in pythons:
        machine.has(*python)
    assert machine.make("run").returncode == 0
    assert machine.log[0] == f"environment by {taken}"


def test_python_can_be_chosen(machine):
    """With make PYTHON=... that one is used, or its version is named."""
    machine.has("python3", "3.11.0")
    machine.has("mine", "3.13.1")
    machine.has("old", "3.8.0")
    assert "old is Python 3.8.0" in machine.make("run", "PYTHON=old").stderr
    assert machine.make("run", "PYTHON=mine").returncode == 0
    assert machine.log[0] == "environment by mine"


def test_requirements_are_installed_once(machine):
    """The second start only starts; tests add what they need."""
    machine.has("python3", "3.12.0")
    start = "-m streamlit run app.py"
    machine.make("run")
    machine.make("run")
    assert machine.log == ["environment by python3", "install requirements.txt", start, start]
    tests = "-m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder"
    machine.make("test")
    machine.make("test", "ARGS=tests/imaging -x")
    assert machine.log[4:] == ["install requirements-dev.txt", tests, f"{tests} tests/imaging -x"]


def test_changed_requirements_are_installed_into_the_same_environment(machine):
    """Only what changed, and the environment stays."""
    machine.has("python3", "3.12.0")
    machine.make("run")
    later = (machine.folder / ".venv" / "for-running").stat().st_mtime + 10
    os.utime(machine.folder / "requirements.txt", (later, later))
    machine.make("run")
    assert machine.log.count("environment by python3") == 1
    assert machine.log.count("install requirements.txt") == 2


@pytest.mark.parametrize("target", ["run", "test"])
def test_an_interrupted_installation_is_repeated(machine, target):
    """In a new environment; nothing starts before it is complete."""
    machine.has("python3", "3.12.0")
    (machine.folder / "no-network").touch()
    assert machine.make(target).returncode != 0
    assert machine.log == ["environment by python3", "install requirements.txt"]
    (machine.folder / "no-network").unlink()
    assert machine.make(target).returncode == 0
    assert machine.log[2:4] == ["environment by python3", "install requirements.txt"]


def test_an_interrupted_installation_for_tests_is_not_used_to_run(machine):
    """After an interrupted make test, make run builds a new environment as well."""
    machine.has("python3", "3.12.0")
    machine.make("run")
    (machine.folder / "no-network").touch()
    machine.make("test")
    (machine.folder / "no-network").unlink()
    before = len(machine.log)
    machine.make("run")
    assert machine.log[before:] == [
        "environment by python3",
        "install requirements.txt",
        "-m streamlit run app.py",
    ]


def test_an_environment_without_its_python_is_rebuilt(machine):
    """As after an upgrade of the system."""
    machine.has("python3", "3.12.0")
    machine.make("run")
    (machine.folder / ".venv" / "bin" / "python").unlink()
    assert machine.make("run").returncode == 0
    assert machine.log.count("environment by python3") == 2


@pytest.mark.parametrize(
    ("settings", "started"),
    [
        ([], "-m streamlit run app.py"),
        (["PORT=8600"], "-m streamlit run app.py --server.port 8600"),
        (["ADDRESS=0.0.0.0"], "-m streamlit run app.py --server.address 0.0.0.0"),
        (["PORT=1", "ADDRESS=::"], "-m streamlit run app.py --server.port 1 --server.address ::"),
        (["HOSTS=a.b c"], "-m streamlit run app.py --server.allowedHosts a.b --server.allowedHosts c"),
    ],
)
def test_port_and_address_are_passed_on(machine, settings, started):
    """Only when given; otherwise the configuration decides."""
    machine.has("python3", "3.13.0")
    machine.make("run", *settings)
    assert machine.log[-1] == started


def test_failing_tests_fail_the_command(machine):
    """The status of the tests is the status of make test."""
    machine.has("python3", "3.13.0")
    assert machine.make("test").returncode == 0
    (machine.folder / "tests-fail").touch()
    assert machine.make("test").returncode != 0


def test_lint_checks_style_format_and_types(machine):
    """Each of them; the first that fails fails the command."""
    machine.has("python3", "3.13.0")
    assert machine.make("lint").returncode == 0
    assert machine.log[-3:] == ["-m ruff check .", "-m ruff format --check .", "-m mypy"]
    (machine.folder / "tests-fail").touch()
    assert machine.make("lint").returncode != 0


def test_a_hospital_gets_its_own_requirements(machine):
    """Neither training nor tools for development are among them; arguments are passed on."""
    machine.has("python3", "3.12.0")
    machine.make("hospital")
    machine.make("hospital", "ARGS=--free-ports")
    assert machine.log[1:] == [
        "install requirements-hospital.txt",
        "deploy/hospital.py",
        "deploy/hospital.py --free-ports",
    ]


def test_pinning_writes_every_file_without_a_registry(machine):
    """From pyproject.toml, all with the versions of the first; no address is written."""
    machine.has("python3", "3.13.0")
    machine.make("test")
    uv = machine.folder / ".venv" / "bin" / "uv"
    uv.write_text('#!/bin/sh\necho "$*" >> log\n')
    uv.chmod(0o755)
    assert machine.make("requirements", "ARGS=--upgrade").returncode == 0
    running, developing, hospital = written = machine.log[-3:]
    assert all("pip compile pyproject.toml" in line and "--no-emit-index-url" in line for line in written)
    assert all("--upgrade" in line.split() for line in written)
    assert running.endswith("--extra train --extra compare --output-file requirements.txt")
    assert developing.endswith("--all-extras --constraint requirements.txt --output-file requirements-dev.txt")
    extras = "--extra hospital --extra postgres --constraint requirements-dev.txt"
    assert hospital.endswith(f"{extras} --output-file requirements-hospital.txt")
