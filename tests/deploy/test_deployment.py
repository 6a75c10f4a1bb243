"""Containers, units and the trial hospital: what can be held to without a container engine or an init system."""

import configparser
import re
import shlex
import shutil
import socket
import stat
import subprocess

import pytest
import yaml

from cxrmodel.cli.commands import COMMANDS
from cxrmodel.configuration.load import load_configuration
from deploy import hospital

UNITS = ("cxrmodel-serve", "cxrmodel-work")
HARDENED = {
    "NoNewPrivileges": "true",
    "ProtectSystem": "strict",
    "ProtectHome": "true",
    "PrivateTmp": "true",
    "PrivateDevices": "true",
    "CapabilityBoundingSet": "",
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
    "UMask": "0077",
    "StateDirectoryMode": "0700",
}


def unit(project, name: str) -> configparser.ConfigParser:
    """A unit of systemd."""
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str
    parser.read(project / "deploy" / "systemd" / f"{name}.service", encoding="utf-8")
    return parser


@pytest.mark.parametrize("name", UNITS)
def test_units_run_a_command_without_privileges(project, name):
    """As an account of its own, with little more than its own folder."""
    service = unit(project, name)["Service"]
    command = shlex.split(service["ExecStart"])
    assert command[1] in COMMANDS
    assert service["User"] not in ("", "root", "0")
    assert {key: service[key] for key in HARDENED} == HARDENED


@pytest.mark.parametrize("name", UNITS)
def test_units_are_accepted_by_systemd(project, tmp_path, name):
    """Nothing is misspelt; the program stands in for one that is installed."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze")
    text = (project / "deploy" / "systemd" / f"{name}.service").read_text(encoding="utf-8")
    copy = tmp_path / f"{name}.service"
    copy.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={shutil.which('true')}", text, flags=re.MULTILINE))
    done = subprocess.run([program, "verify", str(copy)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def services(project):
    """The services of the compose file."""
    return yaml.safe_load((project / "deploy" / "compose.yaml").read_text(encoding="utf-8"))["services"]


def test_containers_publish_on_this_computer_alone(services):
    """Every port names the loopback address; the program itself publishes none."""
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == 3
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    assert "ports" not in services["serve"]


@pytest.mark.parametrize("name", ["serve", "work"])
def test_the_program_has_no_privileges_in_its_container(services, name):
    """Another account than root, no capability, a file system that it cannot write to."""
    service = services[name]
    assert service["read_only"] is True
    assert service["user"].split(":")[0] not in ("0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service
    assert service["command"][0] in COMMANDS


def test_the_configuration_of_the_containers_fits_their_ports_and_files(project, services, monkeypatch):
    """It is valid, its servers are those that are published, and its secrets are those that are mounted."""
    monkeypatch.delenv("CXR_STORE", raising=False)
    configuration = load_configuration(project / "deploy" / "cxrmodel.toml")
    published = {port.split(":")[1] for service in services.values() for port in service.get("ports", [])}
    text = (project / "deploy" / "cxrmodel.toml").read_text(encoding="utf-8")
    assert set(re.findall(r"(?:127\.0\.0\.1):(\d+)", text)) <= published
    mounted = {volume.split(":")[1] for volume in services["serve"]["volumes"]}
    assert set(re.findall(r'_file = "(.+)"', text)) <= mounted
    assert str(configuration.store.folder).startswith("/data/")
    assert str(configuration.worker.metrics_port) in services["work"]["healthcheck"]["test"][-1]


def instructions(project) -> list[tuple[str, str]]:
    """Instructions of the Containerfile with their arguments."""
    text = (project / "deploy" / "Containerfile").read_text(encoding="utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines if line.strip()]


def test_the_image_runs_as_an_account_of_its_own(project):
    """With a health check, and only files of which the hash is pinned or that stand in the checkout."""
    found = instructions(project)
    last = [index for index, (name, _) in enumerate(found) if name == "FROM"][-1]
    final = dict(found[last:])
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", final["USER"])
    assert "/readyz" in final["HEALTHCHECK"]
    assert final["ENTRYPOINT"] == '["cxrmodel"]'
    assert yaml.safe_load(final["CMD"])[0] in COMMANDS
    assert not [name for name, _ in found if name == "ADD"]
    assert any("--require-hashes" in value and "requirements-hospital.txt" in value for _, value in found)
    for name, value in found:
        if name == "COPY" and not value.startswith("--from="):
            assert [path for path in value.split()[:-1] if not (project / path).exists()] == []


def test_missing_servers_are_named_with_their_packages(monkeypatch, tmp_path):
    """All in one sentence, with the command that installs them."""
    monkeypatch.setattr(hospital.shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(hospital, "DICOMWEB", tmp_path / "none.so")
    with pytest.raises(hospital.Failed, match=r"orthanc, orthanc-dicomweb.*apt-get install orthanc orthanc-dicomweb"):
        hospital.find_programs()


def test_a_hospital_keeps_its_secrets_and_its_configuration(tmp_path, monkeypatch):
    """The same at every start, valid, and readable by its own account alone."""
    monkeypatch.delenv("CXR_STORE", raising=False)
    made = hospital.Hospital(tmp_path / "hospital", hospital.free_ports())
    made.configure()
    again = hospital.Hospital(tmp_path / "hospital", made.ports)
    again.configure()
    files = [path for path in (made.folder / "secrets").iterdir() if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert made.secret("api") == again.secret("api")
    assert len({made.secret(name)[1] for name in ("api", "archive", "database")}) == 3
    configuration = load_configuration(made.configuration)
    assert made.secret("database")[1] in configuration.store.address()
    assert made.secret("database")[1] not in made.configuration.read_text()
    assert {entry.name for entry in configuration.inbox.all} == {"archive", "receiver"}
    assert configuration.api.port == made.ports["app"]


def test_taken_ports_are_named(tmp_path):
    """Before anything is started."""
    ports = hospital.free_ports()
    assert hospital.taken_ports(ports) == []
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports["app"]))
        other.listen()
        assert hospital.taken_ports(ports) == [ports["app"]]
