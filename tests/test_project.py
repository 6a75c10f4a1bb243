"""What surrounds the code: pinned requirements, the app's settings, the run on a clean machine."""

import os
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, distribution

import pytest
import streamlit.config
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cxrmodel import __version__

ELSEWHERE = {"colorama"}  # pinned for Windows only


def pins(path) -> dict[str, str]:
    """Name -> version of each requirement of a requirements file, without its hashes."""
    text = re.sub(r"\\\n *--hash=\S+ *", "", path.read_text(encoding="utf-8"))
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    wanted = [Requirement(line) for line in lines if line]
    assert all(re.fullmatch(r"==[\w.]+", str(requirement.specifier)) for requirement in wanted)
    assert not [requirement.name for requirement in wanted if requirement.url]
    found = {canonicalize_name(requirement.name): str(requirement.specifier)[2:] for requirement in wanted}
    assert len(found) == len(wanted)
    return found


def applies(requirement: Requirement) -> bool:
    """Whether a requirement holds on this machine, without extras."""
    return not requirement.marker or requirement.marker.evaluate({"extra": ""})


def needs(name: str) -> set[str]:
    """Names of everything an installed distribution needs, directly or through others."""
    found, waiting = set(), [name]
    while waiting:
        for requirement in map(Requirement, distribution(waiting.pop()).requires or []):
            needed = canonicalize_name(requirement.name)
            if needed not in found and applies(requirement):
                found.add(needed)
                waiting.append(needed)
    return found


@pytest.fixture(scope="module")
def running(project) -> dict[str, str]:
    """What ``make run`` installs."""
    return pins(project / "requirements.txt")


@pytest.fixture(scope="module")
def developing(project) -> dict[str, str]:
    """What ``make test`` installs."""
    return pins(project / "requirements-dev.txt")


@pytest.fixture(scope="module")
def declared(project) -> dict[str, list[Requirement]]:
    """Part -> direct dependencies: "core" and the extras of pyproject.toml."""
    table = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    parts = {"core": table["dependencies"], **table["optional-dependencies"]}
    return {part: [Requirement(line) for line in lines] for part, lines in parts.items()}


def test_every_requirement_and_what_it_needs_is_pinned(running, developing):
    """Nothing is left for the day of the installation to decide."""
    here = {name for name in developing if name not in ELSEWHERE}
    assert set().union(*map(needs, here & set(running))) <= set(running)
    assert set().union(*map(needs, here)) <= set(developing)


def test_development_adds_to_what_runs(project, running, developing):
    """The tests run on the versions that the app and a hospital run on."""
    assert running.items() <= developing.items()
    assert pins(project / "requirements-hospital.txt").items() <= developing.items()


def test_a_hospital_gets_its_extras_and_the_app(project, declared):
    """Everything that these need, and nothing for training."""
    found = pins(project / "requirements-hospital.txt")
    wanted = [requirement for part in ("core", "hospital", "postgres") for requirement in declared[part]]
    names = {canonicalize_name(requirement.name) for requirement in wanted}
    assert names.union(*map(needs, names)) <= set(found)
    assert "tensorflow" not in found


@pytest.mark.parametrize("part", ["core", "train", "compare", "dev"])
def test_the_ranges_hold_the_pins(declared, running, developing, part):
    """The package accepts the tested versions, and make run installs all that a user can choose."""
    pinned = developing if part == "dev" else running
    assert [
        str(wanted) for wanted in declared[part] if pinned[canonicalize_name(wanted.name)] not in wanted.specifier
    ] == []


def test_ranges_end_before_the_next_breaking_version(declared):
    """Versions by date promise nothing and have no upper bound."""
    dated = {"imagecodecs"}
    unbounded = [wanted.name for part in declared.values() for wanted in part if "<" not in str(wanted.specifier)]
    assert set(unbounded) == dated


def test_the_core_needs_no_tensorflow(declared):
    """Reading and the app run on the exported networks alone."""
    core = {canonicalize_name(wanted.name) for wanted in declared["core"]}
    assert not {"tensorflow", "keras", "tf-keras-vis"} & core.union(*map(needs, core))


def test_every_direct_dependency_has_its_reason(project):
    """One line each, in pyproject.toml."""
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    lines = re.findall(r'^    "[a-z][\w-]+>=.*$', text, re.MULTILINE)
    assert lines
    assert [line for line in lines if not re.search(r"# \w+", line)] == []


def test_only_one_opencv_is_installed(running):
    """The two distributions overwrite each other's cv2."""
    assert "opencv-python-headless" in running
    with pytest.raises(PackageNotFoundError):
        distribution("opencv-python")


def test_scipy_stays_below_two(declared):
    """Grad-CAM imports a namespace that SciPy 2 removes."""
    scipy = next(wanted for wanted in declared["core"] if wanted.name == "scipy")
    assert "2.0" not in scipy.specifier


@pytest.fixture(scope="module")
def settings(project) -> dict:
    """The app's Streamlit configuration."""
    return tomllib.loads((project / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def test_every_setting_is_one_that_streamlit_knows(settings):
    """Streamlit only warns of a misspelt name, and goes on without it."""
    known = streamlit.config.get_config_options()
    assert [f"{part}.{name}" for part in settings for name in settings[part] if f"{part}.{name}" not in known] == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("server.address", "localhost"),
        ("server.showEmailPrompt", False),
        ("browser.gatherUsageStats", False),
        ("client.showErrorDetails", "none"),
        ("client.showErrorLinks", False),
    ],
)
def test_the_app_keeps_to_itself(settings, setting, value):
    """Listens on localhost, asks for no e-mail address, reports to nobody, shows no stack trace."""
    part, name = setting.split(".")
    assert settings[part][name] == value


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("upper", "lower", "contrast"),
    [
        ("textColor", "backgroundColor", 7),
        ("textColor", "secondaryBackgroundColor", 7),
        ("linkColor", "backgroundColor", 4.5),
        ("linkColor", "secondaryBackgroundColor", 4.5),
        # what is selected is written in this colour; the app has no button filled with it
        ("primaryColor", "backgroundColor", 4.5),
        ("primaryColor", "secondaryBackgroundColor", 4.5),
    ],
)
def test_the_theme_is_dark_and_legible(settings, upper, lower, contrast):
    """WCAG 2: 4.5 for text (level AA; 7 is AAA), 3 for the parts of a control."""
    theme = settings["theme"]
    bright, dark = sorted((luminance(theme.get(upper, upper)), luminance(theme.get(lower, lower))), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= contrast
    assert luminance(theme["backgroundColor"]) < 0.01


PROGRAMS = {
    "make": 'echo "make $* CXR_DATA=$CXR_DATA CXR_STRICT=$CXR_STRICT"',
    "python3": "exit 0",
    "chromium": "exit 0",
    "ip": "exit 0",
    "Orthanc": "exit 0",
    "storescu": "exit 0",
    "dciodvfy": "exit 0",
    "apt-get": 'echo "apt-get $*"',
    "sudo": 'exec "$@"',
}
SERVERS = ("Orthanc", "storescu", "dciodvfy")
KNOWN_BY_FILES = ("fonts-dejavu-core", "orthanc-dicomweb", "postgresql")


@pytest.mark.parametrize(
    ("present", "installed"),
    [
        (["make", "python3", "chromium", "ip", *SERVERS], []),
        (["make", "python3", "ip", *SERVERS], ["chromium"]),
        (["make", "python3", "chromium", *SERVERS], ["iproute2"]),
        (["make", "chromium", "ip", *SERVERS], ["python3", "python3-venv"]),
        (["make", "python3", "chromium", "ip"], ["orthanc", "dcmtk", "dicom3tools"]),
        (["make"], ["python3", "python3-venv", "chromium", "iproute2", "orthanc", "dcmtk", "dicom3tools"]),
    ],
)
def test_a_clean_machine_gets_what_it_lacks(project, tmp_path, present, installed):
    """No more than that; then every test runs, and none may be skipped."""
    here, programs = tmp_path / "project", tmp_path / "programs"
    (here / ".ci").mkdir(parents=True)
    programs.mkdir()
    shutil.copy(project / ".ci" / "run", here / ".ci" / "run")
    for name in [*present, "apt-get", "sudo"]:
        (programs / name).write_text(f"#!/bin/sh\n{PROGRAMS[name]}\n")
        (programs / name).chmod(0o755)
    for name in ("bash", "dirname", "env"):
        (programs / name).symlink_to(shutil.which(name))
    done = subprocess.run(
        [here / ".ci" / "run"], env={"PATH": str(programs)}, capture_output=True, text=True, cwd=tmp_path, check=True
    )
    *before, lint, last = done.stdout.splitlines()
    asked = [word for line in before for word in line.split() if not word.startswith("-")]
    assert [word for word in asked if word not in ("apt-get", "update", "install", *KNOWN_BY_FILES)] == installed
    assert lint.startswith("make lint ")
    assert last == f"make test CXR_DATA={here}/../shared/data CXR_STRICT=1"


def test_the_run_on_a_clean_machine_is_executable(project):
    """It is called by its path."""
    assert os.access(project / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "SECURITY.md"])
def test_what_a_document_names_exists(project, document):
    """Files, folders and targets of make."""
    text = (project / document).read_text(encoding="utf-8")
    paths = re.findall(r"`((?:cxrmodel|pages|tests|assets|docs|\.ci|\.streamlit)(?:/[\w.-]+)*)`", text)
    assert paths
    assert [path for path in paths if not (project / path).exists()] == []
    targets = re.findall(r"^(?:.*`)?make ([a-z]+)\b", text, re.MULTILINE)
    makefile = (project / "Makefile").read_text(encoding="utf-8")
    assert [name for name in targets if f"\n{name}:" not in makefile] == []


def test_the_citation_is_of_this_version(project):
    """CITATION.cff and the package agree."""
    assert f"\nversion: {__version__}\n" in (project / "CITATION.cff").read_text(encoding="utf-8")
