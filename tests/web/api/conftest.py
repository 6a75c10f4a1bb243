"""The interface behind the server's guards, without a server."""

import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from cxrmodel.configuration.schema import ApiSection
from cxrmodel.imaging.sandbox.pool import end_sandbox
from cxrmodel.monitoring.metrics import Metrics
from cxrmodel.web.api.app import ADDRESSES, make_api
from cxrmodel.web.api.health import Health
from cxrmodel.web.api.readings import Readings
from cxrmodel.web.api.request_log import RequestLog
from cxrmodel.web.server.guards import GUARDS
from tests.support.asgi import Answer, Client


@dataclass
class Interface:
    """An interface and a client with its token.

    Attributes
    ----------
    token_file : Path
    settings : dict
        Of ``ApiSection``, beside the token's file.
    """

    token_file: Path
    settings: dict[str, Any] = field(default_factory=dict)
    look: Any = None

    def __post_init__(self):
        self.write_token(secrets.token_hex(32))
        self.metrics = Metrics()
        section = ApiSection(**{"token_file": self.token_file} | self.settings)
        self.health = Health("densenet121", self.metrics.model, self.look)
        self.api = make_api(Readings(section, "densenet121", self.metrics), self.health, self.metrics)
        routes = [Route(address, self.api) for address in ADDRESSES]
        log = Middleware(RequestLog, metrics=self.metrics)
        self.app = Starlette(routes=routes, middleware=[log, *GUARDS])

    def write_token(self, token: str, mode: int = 0o600) -> None:
        """Put a token into the file."""
        self.token = token
        self.token_file.touch(mode=0o600)
        self.token_file.write_text(f"{token}\n")
        self.token_file.chmod(mode)

    def ask(self, method: str, path: str, content: bytes = b"", headers=None, stalls: bool = False) -> Answer:
        """Ask with the token."""
        client = Client(self.app, {"authorization": f"Bearer {self.token}"})
        return client.ask(method, path, content, headers, stalls)

    def read(self, content: bytes, query: str = "", headers=None, stalls: bool = False) -> Answer:
        """Ask for a reading."""
        return self.ask("POST", f"/api/v1/readings{query}", content, headers, stalls)

    def wait_for(self, line: str) -> None:
        """Wait until a line stands among the metrics."""
        end = time.monotonic() + 60
        while line not in self.metrics.text().decode():
            assert time.monotonic() < end, line
            time.sleep(0.01)

    def readings_end(self, reader) -> None:
        """Wait until no place is taken, and let the reader go."""
        self.wait_for("cxrmodel_held_requests 0.0")
        reader.end.set()


@pytest.fixture
def make_interface(tmp_path):
    """A function ``make_interface(**settings)``, also ``look=`` at the store."""

    def make(look=None, **settings) -> Interface:
        return Interface(tmp_path / "token", settings, look)

    return make


@pytest.fixture
def interface(make_interface):
    """An interface with the usual settings."""
    yield make_interface()
    end_sandbox()
