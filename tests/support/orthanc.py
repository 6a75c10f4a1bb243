"""The archive server Orthanc with its DICOMweb plug-in, on free ports of this machine and in a folder of its own.

Debian's version (1.10) has no setting for the address that it listens on. Its HTTP server answers this machine alone.
"""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import requests

from tests.support.programs import DICOMWEB_PLUGIN, require_program
from tests.support.server import PATIENCE, free_port

_TRIES = 5
"""Another process may take a free port before Orthanc does."""


class Orthanc:
    """One server, which can be stopped, killed and started again with all that it stores.

    Parameters
    ----------
    program : str
        As ``find_program("Orthanc")``.
    folder : Path
        Where it keeps its files; created if need be.
    ae_title : str
    users : mapping of str to str
        Name and password of those who may ask by HTTP; empty for no sign-in.
    settings : mapping
        Further settings of Orthanc, which replace those made here.

    Attributes
    ----------
    ae_title : str
    http_port, dicom_port : int
        Of the address 127.0.0.1; the same after a new start.
    """

    def __init__(
        self,
        program: str,
        folder: Path,
        ae_title: str = "ORTHANC",
        users: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.ae_title, self.folder = ae_title, folder
        self.http_port = self.dicom_port = 0
        self._program, self._users, self._settings = program, dict(users or {}), dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of the server's own interface, without a slash at the end."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def dicom_web(self) -> str:
        """Address of its DICOMweb service, without a slash at the end."""
        return f"{self.url}/dicom-web"

    def start(self) -> "Orthanc":
        """Start the server and wait until it answers."""
        for _ in range(_TRIES):
            fresh = not self.http_port
            if fresh:
                self.http_port, self.dicom_port = free_port(), free_port()
            self._launch()
            if self._answers():
                return self
            self.kill()
            if fresh:
                self.http_port = self.dicom_port = 0
        raise AssertionError(f"Orthanc does not start:\n{(self.folder / 'log').read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """Stop the server in an orderly way."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the server."""
        self._end(signal.SIGKILL)

    def ask(self, path: str, method: str = "GET", **options: Any) -> requests.Response:
        """An answer of the server's own interface: ``ask("/changes")``; an error status raises."""
        credentials = next(iter(self._users.items()), None)
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(method, self.url + path, auth=credentials, timeout=PATIENCE, **options)
        answer.raise_for_status()
        return answer

    def store(self, file: bytes) -> str:
        """Store a DICOM file; the server's own identifier of the instance."""
        return str(self.ask("/instances", "POST", data=file).json()["ID"])

    def find(self, level: str = "Instance", **query: str) -> list[str]:
        """Identifiers of patients, studies, series or instances whose tags match: ``find("Study", PatientID="1")``."""
        return list(self.ask("/tools/find", "POST", json={"Level": level, "Query": query}).json())

    def tags(self, identifier: str) -> dict[str, Any]:
        """Tags of an instance by keyword."""
        return dict(self.ask(f"/instances/{identifier}/simplified-tags").json())

    def file(self, identifier: str) -> bytes:
        """An instance as it is stored."""
        return self.ask(f"/instances/{identifier}/file").content

    def uids(self, **query: str) -> list[str]:
        """SOP instance UIDs of the stored instances that match, in ascending order."""
        return sorted(self.tags(found)["SOPInstanceUID"] for found in self.find(**query))

    def delete(self, identifier: str, level: str = "instances") -> None:
        """Delete an instance, or one of the ``studies`` or ``patients``."""
        self.ask(f"/{level}/{identifier}", "DELETE")

    def _launch(self) -> None:
        storage = self.folder / "storage"
        storage.mkdir(parents=True, exist_ok=True)
        chosen = {
            "Name": "test",
            "StorageDirectory": str(storage),
            "IndexDirectory": str(storage),
            "HttpPort": self.http_port,
            "DicomPort": self.dicom_port,
            "DicomAet": self.ae_title,
            "DicomCheckCalledAet": True,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": bool(self._users),
            "RegisteredUsers": self._users,
            "Plugins": [str(DICOMWEB_PLUGIN)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False},
            "SyncStorageArea": False,
            "StableAge": 1,
            "HttpThreadsCount": 4,
            **self._settings,
        }
        place = self.folder / "orthanc.json"
        place.write_text(json.dumps(chosen, indent=1), encoding="utf-8")
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, str(place)], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _answers(self) -> bool:
        end = time.monotonic() + PATIENCE
        while self._process is not None and self._process.poll() is None and time.monotonic() < end:
            try:
                self.ask("/system")
                return True
            except requests.ConnectionError:
                time.sleep(0.05)
        return False

    def _end(self, sign: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(sign)
            self._process.wait(PATIENCE)
            self._process = None


def make_orthanc(folder: Path, give_up: Callable[[str], NoReturn], **options: Any) -> Orthanc:
    """A server that is not started yet; gives up on the test where Orthanc or its DICOMweb plug-in is not installed."""
    program = require_program("Orthanc", give_up)
    if not DICOMWEB_PLUGIN.exists():
        give_up("needs the DICOMweb plug-in of Orthanc: install the package orthanc-dicomweb")
    return Orthanc(program, folder, **options)
