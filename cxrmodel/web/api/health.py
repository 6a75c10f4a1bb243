"""Whether the server is ready: the model is loaded, the store answers with the right schema, a worker is alive."""

import threading
import time
from collections.abc import Callable
from typing import Final, Literal

from pydantic import BaseModel, Field

from cxrmodel.errors import CxrError
from cxrmodel.logs import event, log_failure
from cxrmodel.store.records import StoreState as StoreNumbers
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
        description="alive where a worker that reads gave the store a sign of life within a minute; none without a "
        "store. It does not count for ready."
    )


class Health:
    """Loads the model in the background, and looks at the store when it is asked.

    Parameters
    ----------
    model : str
        Name of the model of the site.
    loaded : callable
        Takes the version of the model once it is loaded.
    look : callable or None
        Gives the state of the store; raises a ``CxrError`` where it cannot be used. None where there is no store.
    """

    def __init__(self, model: str, loaded: Callable[[str], None], look: Callable[[], StoreNumbers] | None) -> None:
        self._model, self._loaded, self._look = model, loaded, look
        self._state: ModelState = "loading"
        self._seen: tuple[float, StoreState, WorkerState] = (-_KEPT, "none", "none")
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Load the model on a thread of its own."""
        threading.Thread(target=self._load, name="loads the model", daemon=True).start()

    def ready(self) -> Ready:
        """Say how everything stands; a store that is down may keep the caller waiting."""
        store, worker = self._looked()
        ready = self._state == "loaded" and store != "unreachable"
        return Ready(ready=ready, model=self._state, store=store, worker=worker)

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

    def _looked(self) -> tuple[StoreState, WorkerState]:
        if self._look is None:
            return "none", "none"
        with self._lock:  # monitors that ask at one time share one look
            at, store, worker = self._seen
            if time.monotonic() - at < _KEPT:
                return store, worker
            try:
                worker = "alive" if self._look().readers else "silent"
                store = "reachable"
            except CxrError as error:
                event("logs.store_unusable", cause=error.message.code)
                store, worker = "unreachable", "silent"
            self._seen = time.monotonic(), store, worker
        return store, worker
