"""A small hospital on this computer, to try the program: archive, database, worker and app.

``make hospital`` runs it. Everything answers this computer alone, keeps its files in one folder, and ends with Ctrl-C.
 Not for patients: a real installation is described in docs/how-to/run-in-a-hospital.md.
"""

import argparse
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parents[1]
HERE = "127.0.0.1"
PATIENCE = 120.0
"""Seconds for a server to answer."""
DICOMWEB = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
PORTS = {"app": 8501, "archive": 8042, "archive_dicom": 4242, "receiver": 11112, "database": 5439, "metrics": 9108}


class Failed(Exception):
    """The hospital cannot be started, or a part of it has ended."""


class Programs(NamedTuple):
    """The servers that Debian brings."""

    orthanc: str
    postgres: Path


def find_programs() -> Programs:
    """Find the servers.

    Raises
    ------
    Failed
        With the packages that are missing.
    """
    orthanc = shutil.which("Orthanc", path=f"{os.environ['PATH']}:/usr/sbin")
    databases = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    missing = [
        package
        for package, found in (
            ("orthanc", orthanc),
            ("orthanc-dicomweb", DICOMWEB.exists()),
            ("postgresql", databases),
        )
        if not found
    ]
    if missing or orthanc is None:
        raise Failed(f"Missing: {', '.join(missing)}. Install with: apt-get install {' '.join(missing)}")
    return Programs(orthanc, databases[-1].parent)


class Hospital:
    """The four parts, their ports, and their files.

    Parameters
    ----------
    folder : Path
        Of all files; created if need be, and used again at the next start.
    ports : dict of str to int
        As ``PORTS``.
    """

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        self.folder, self.ports = folder, ports
        self.configuration = folder / "cxrmodel.toml"
        # Root lends the database to an account of its own, which must reach its files.
        folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        self.logs = folder / "logs"
        self.logs.mkdir(mode=0o700, exist_ok=True)

    def secret(self, name: str) -> tuple[Path, str]:
        """Give a secret of this hospital and its file, made at the first start."""
        path = self.folder / "secrets" / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32))
        return path, path.read_text(encoding="ascii")

    def configure(self) -> None:
        """Write the configuration of worker and app."""
        ports, archive = self.ports, f"http://{HERE}:{self.ports['archive']}"
        access = {"username": "cxrmodel", "password_file": str(self.secret("archive")[0])}
        database = f"postgresql+psycopg://cxrmodel@{HERE}:{ports['database']}/cxrmodel"
        tables: dict[str, dict[str, object]] = {
            "[store]": {
                "url": database,
                "password_file": str(self.secret("database")[0]),
                "folder": str(self.folder / "data"),
            },
            "[[inbox.dicomweb]]": {
                "name": "archive",
                "url": f"{archive}/dicom-web",
                **access,
                "every_seconds": 10,
                "changes_url": archive,
                "changes_seconds": 1,
            },
            "[[inbox.scp]]": {"name": "receiver", "ae_title": "CXRMODEL", "host": HERE, "port": ports["receiver"]},
            "[[outbox.stow]]": {"name": "archive", "url": f"{archive}/dicom-web", **access},
            "[worker]": {"metrics_port": ports["metrics"]},
            "[api]": {"host": HERE, "port": ports["app"], "token_file": str(self.secret("api")[0])},
            "[log]": {"format": "json"},
        }
        lines = ["# Written by make hospital at every start."]
        for name, table in tables.items():
            lines += ["", name, *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
        self.configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @contextmanager
    def database(self, programs: Path) -> Iterator[None]:
        """Run PostgreSQL with an empty database, or that of an earlier start."""
        place, (_, password) = self.folder / "database", self.secret("database")
        place.mkdir(mode=0o700, exist_ok=True)
        first = place / "password"
        with open(os.open(first, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(password)
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            for path in (place, first):
                os.chown(path, account.pw_uid, account.pw_gid)

        def run(program: str, *arguments: str) -> None:
            command = [str(programs / program), *arguments]
            if os.geteuid() == 0:
                command = ["runuser", "-u", "postgres", "--", *command]
            # The server keeps what it inherits: a pipe would never end.
            with (self.logs / "database.log").open("ab") as log:
                done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
            if done.returncode:
                raise Failed(f"PostgreSQL cannot be started: {program} failed, see {self.logs / 'database.log'}")

        data = place / "data"
        if not (data / "PG_VERSION").exists():
            how = ("-A", "scram-sha-256", f"--pwfile={first}", "-E", "UTF8", "--no-locale")
            run("initdb", "-D", str(data), "-U", "cxrmodel", *how)
        first.unlink()
        options = f"-c listen_addresses={HERE} -c unix_socket_directories='' -p {self.ports['database']}"
        run("pg_ctl", "-D", str(data), "-l", str(place / "log"), "-w", "-o", options, "start")
        try:
            self._create(password)
            yield
        finally:
            run("pg_ctl", "-D", str(data), "-m", "fast", "-w", "stop")

    def _create(self, password: str) -> None:
        import psycopg

        server = f"host={HERE} port={self.ports['database']} user=cxrmodel dbname=postgres"
        with psycopg.connect(server, password=password, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'cxrmodel'").fetchone():
                connection.execute("CREATE DATABASE cxrmodel")

    def archive(self, program: str) -> subprocess.Popen[bytes]:
        """Start Orthanc. It answers this computer alone, and takes images from the AE title STORESCU."""
        storage, (_, password) = self.folder / "archive", self.secret("archive")
        storage.mkdir(mode=0o700, exist_ok=True)
        settings = {
            "Name": "Trial archive",
            "StorageDirectory": str(storage),
            "IndexDirectory": str(storage),
            "HttpPort": self.ports["archive"],
            "DicomPort": self.ports["archive_dicom"],
            "DicomAet": "ORTHANC",
            "DicomCheckCalledAet": True,
            "DicomCheckModalityHost": True,
            "DicomAlwaysAllowEcho": False,
            "DicomAlwaysAllowStore": False,
            "DicomModalities": {
                "storescu": ["STORESCU", HERE, 104],
                "cxrmodel": ["CXRMODEL", HERE, self.ports["receiver"]],
            },
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {"cxrmodel": password},
            "Plugins": [str(DICOMWEB)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            "StableAge": 1,
        }
        place = self.folder / "secrets" / "orthanc.json"
        place.touch(mode=0o600)
        place.write_text(json.dumps(settings, indent=1), encoding="utf-8")
        return self._start("archive", [program, str(place)])

    def command(self, name: str) -> subprocess.Popen[bytes]:
        """Start a command of the program."""
        return self._start(name, [sys.executable, "-m", "cxrmodel", name, "--config", str(self.configuration)])

    def _start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        environment = {key: value for key, value in os.environ.items() if key not in ("CXR_CONFIG", "CXR_STORE")}
        with (self.logs / f"{name}.log").open("ab") as log:
            # In a session of its own: Ctrl-C reaches this program alone, which then ends the parts in order.
            return subprocess.Popen(
                command,
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def addresses(self) -> str:
        """Say where everything is."""
        ports = self.ports
        return f"""
The hospital runs on this computer. Not for patients.

  app                http://{HERE}:{ports["app"]}
  archive (Orthanc)  http://{HERE}:{ports["archive"]}   user cxrmodel, password in {self.secret("archive")[0]}
  archive, DICOM     ORTHANC at {HERE}:{ports["archive_dicom"]}
  worker, DICOM      CXRMODEL at {HERE}:{ports["receiver"]}
  HTTP interface     http://{HERE}:{ports["app"]}/api/v1/openapi.json   token in {self.secret("api")[0]}
  metrics            http://{HERE}:{ports["app"]}/metrics and http://{HERE}:{ports["metrics"]}/metrics
  configuration      {self.configuration}
  logs               {self.logs}

Send an image:       dcmsend -aet STORESCU -aec ORTHANC {HERE} {ports["archive_dicom"]} IMAGE.dcm
Stop:                Ctrl-C
"""


@contextmanager
def running(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """End a process with a ``with`` block, as its operator would."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], what: str, answers: Sequence[int] = (200,)) -> None:
    """Wait until an address is answered.

    Raises
    ------
    Failed
        When its process ends, or time is over.
    """
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Failed(f"The {what} ended with status {process.returncode}.")
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                if answer.status in answers:
                    return
        except urllib.error.HTTPError as error:
            if error.code in answers:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise Failed(f"The {what} does not answer at {url}.")


def run(hospital: Hospital, programs: Programs) -> None:
    """Start everything, say where it is, and wait until one part ends.

    Raises
    ------
    Failed
    KeyboardInterrupt
    """
    ports = hospital.ports
    hospital.configure()
    with ExitStack() as stack:
        stack.enter_context(hospital.database(programs.postgres))
        parts = {"archive": stack.enter_context(running(hospital.archive(programs.orthanc)))}
        wait_for(f"http://{HERE}:{ports['archive']}/system", parts["archive"], "archive", (200, 401))
        for name in ("work", "serve"):
            parts[name] = stack.enter_context(running(hospital.command(name)))
        wait_for(f"http://{HERE}:{ports['metrics']}/metrics", parts["work"], "worker")
        wait_for(f"http://{HERE}:{ports['app']}/readyz", parts["serve"], "app")
        print(hospital.addresses(), flush=True)
        while True:
            for name, process in parts.items():
                if process.poll() is not None:
                    raise Failed(f"{name} ended with status {process.returncode}; see {hospital.logs / name}.log")
            time.sleep(0.5)


def free_ports() -> dict[str, int]:
    """Give a port that nothing uses for every part."""
    with ExitStack() as stack:
        probes = {name: stack.enter_context(socket.socket()) for name in PORTS}
        for probe in probes.values():
            probe.bind((HERE, 0))
        return {name: int(probe.getsockname()[1]) for name, probe in probes.items()}


def taken_ports(ports: dict[str, int]) -> list[int]:
    """List the ports that something uses already."""
    taken = []
    for port in ports.values():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HERE, port))
            except OSError:
                taken.append(port)
    return taken


def main() -> int:
    """Run the hospital until it is stopped."""
    parser = argparse.ArgumentParser(prog="make hospital", description=__doc__)
    parser.add_argument("--folder", type=Path, default=PROJECT / "hospital", help="of all files; default: %(default)s")
    parser.add_argument("--free-ports", action="store_true", help="take ports that nothing uses")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        programs = find_programs()
        ports = free_ports() if arguments.free_ports else PORTS
        if taken := taken_ports(ports):
            raise Failed(f"Another program uses port {', '.join(map(str, taken))}. Stop it, or add ARGS=--free-ports.")
        run(Hospital(arguments.folder.absolute(), ports), programs)
    except KeyboardInterrupt:
        print("Stopped.", flush=True)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
