"""Whether the server is ready: the model is loaded, the store answers with the right schema, a worker is alive."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Final, Literal

from pydantic import BaseModel, Field

from cxrmodel.errors import CxrError
from cxrmodel.logs import event, log_failure
from cxrmodel.monitoring.endpoint import LOOPBACK
from cxrmodel.web import engine

ModelState = Literal["loading", "loaded", "failed"]
StoreState = Literal["none", "reachable", "unreachable"]
WorkerState = Literal["none", "alive", "silent"]
_KEPT: Final = 1.0
"""Seconds for which an answer of the store counts."""


class Ready(BaseModel):
    """What the server needs, and how each part stands."""

    ready: bool = Field(description="Whether the model is loaded, and the store answers where one is configured.")
    model: ModelState = Field(description="Of the site.")
    store: StoreState = Field(description="none where no configuration names one.")
    worker: WorkerState = Field(
        description="Of this computer, by the port of its metrics; none where no configuration names the port. It does "
        "not count for ready."
    )


class Health:
    """Loads the model in the background, and looks at the store when it is asked.

    Parameters
    ----------
    model : str
        Name of the model of the site.
    loaded : callable
        Takes the version of the model once it is loaded.
    check : callable or None
        Raises a ``CxrError`` where the store cannot be used; None where there is no store.
    worker_port : int or None
        Where the worker of this computer publishes its metrics.
    """

    def __init__(
        self,
        model: str,
        loaded: Callable[[str], None],
        check: Callable[[], object] | None,
        worker_port: int | None = None,
    ) -> None:
        self._model, self._loaded, self._check, self._worker_port = model, loaded, check, worker_port
        self._state: ModelState = "loading"
        self._store: tuple[float, StoreState] = (-_KEPT, "none")
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Load the model on a thread of its own."""
        threading.Thread(target=self._load, name="loads the model", daemon=True).start()

    def ready(self) -> Ready:
        """Say how everything stands; a store that is down may keep the caller waiting."""
        store = self._store_state()
        ready = self._state == "loaded" and store != "unreachable"
        return Ready(ready=ready, model=self._state, store=store, worker=self._worker_state())

    def _load(self) -> None:
        try:
            version = engine.reader(self._model).spec.version
        except CxrError as error:
            event("logs.model_failed", cause=error.message.code)
            self._state = "failed"
        except Exception as error:
            log_failure(error)
            self._state = "failed"
        else:
            self._loaded(version)
            self._state = "loaded"
            event("logs.model_loaded", model=version)

    def _worker_state(self) -> WorkerState:
        if self._worker_port is None:
            return "none"
        try:
            socket.create_connection((LOOPBACK, self._worker_port), timeout=1).close()
        except OSError:
            return "silent"
        return "alive"

    def _store_state(self) -> StoreState:
        if self._check is None:
            return "none"
        with self._lock:  # monitors that ask at one time share one look
            at, state = self._store
            if time.monotonic() - at < _KEPT:
                return state
            try:
                self._check()
                state = "reachable"
            except CxrError as error:
                event("logs.store_unusable", cause=error.message.code)
                state = "unreachable"
            self._store = time.monotonic(), state
        return state
