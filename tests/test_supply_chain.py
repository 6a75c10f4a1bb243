"""The supply chain: packages with hashes, an honest audit, a bill of materials."""

import hashlib
import json
import re
import subprocess
import sys

import pytest

from tests.support.audit import judge
from tests.test_project import pins

FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}
SOUND = {"name": "sound", "version": "1.0", "vulns": []}
FLAWED = {"name": "flawed", "version": "1.0", "vulns": [FLAW]}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "audited", "vulnerable"),
    [
        ([SOUND], True, False),
        ([SOUND, FLAWED], True, True),
        ([SOUND, UNKNOWN], False, False),
        ([UNKNOWN, FLAWED], False, True),
        ([UNKNOWN], False, False),
        ([], False, False),
    ],
)
def test_a_package_without_an_answer_is_not_audited(packages, audited, vulnerable):
    """Silence of the database is never taken for safety."""
    lines, found = judge(json.dumps({"dependencies": packages}))
    assert found is vulnerable
    assert any(line.startswith("not audited") for line in lines) is not audited
    assert any(FLAW["id"] in line for line in lines) is vulnerable


@pytest.mark.parametrize("report", ["", "{", "[]", "{}", "null"])
def test_a_failed_audit_gives_its_reason(report):
    """The last line of what pip-audit said."""
    assert judge(report, "some words\nno connection\n") == (["not audited: no connection"], False)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-hospital.txt", "requirements-dev.txt"])
def test_every_pin_has_hashes(project, name):
    """Of each package at least one SHA-256, so that pip takes no other file."""
    text = (project / name).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z])", re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE))
    assert len(blocks) == len(pins(project / name))
    assert [block.split()[0] for block in blocks if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", block)] == []


def test_another_file_under_the_same_name_is_not_installed(tmp_path):
    """What make run and make test install with: pip refuses a package whose hash is not the pinned one."""
    wheel = tmp_path / "toy-1.0-py3-none-any.whl"
    wheel.write_bytes(b"not the pinned file")
    digest = hashlib.sha256(b"the pinned file").hexdigest()
    (tmp_path / "requirements.txt").write_text(f"toy==1.0 --hash=sha256:{digest}\n", encoding="utf-8")
    options = ["--no-index", "--find-links", str(tmp_path), "--target", str(tmp_path / "target"), "--require-hashes"]
    command = [sys.executable, "-m", "pip", "install", *options, "-r", str(tmp_path / "requirements.txt")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert digest in run.stderr


def test_both_commands_require_hashes(project):
    """In the one line with which the Makefile installs."""
    (line,) = re.findall(r"^INSTALL = .*$", (project / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert line.endswith("pip install --require-hashes")


def test_the_bill_of_materials_names_every_package(project, tmp_path):
    """Name, version and hashes of all that make run installs, by the command of the Makefile; the same each time."""
    recipe = (project / "Makefile").read_text(encoding="utf-8").split("\nsbom:")[1].split("\n\n")[0]
    options = recipe.replace("\\\n", " ").split("cyclonedx_py")[1].split()
    out = tmp_path / "sbom.json"
    options[options.index("--output-file") + 1] = str(out)
    command = [sys.executable, "-m", "cyclonedx_py", *options]
    written = []
    for _ in range(2):
        subprocess.run(command, cwd=project, capture_output=True, check=True)
        written.append(out.read_bytes())
    assert written[0] == written[1]
    bill = json.loads(written[0])
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "cxrmodel"
    found = {part["name"]: part["version"] for part in bill["components"]}
    assert found == pins(project / "requirements.txt")
    assert all(part["externalReferences"][0]["hashes"] for part in bill["components"])
