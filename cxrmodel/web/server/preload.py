"""Libraries, model and figures are made ready in the background, in the order in which visitors need them.

Some libraries keep the traceback of an import that failed within them for the life of the process, and with it
everything that the importing thread held at that moment: a visitor's session. So no page imports on a visitor's thread:
it waits until this module has done so on one of its own.
"""

import gc
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Final

LIBRARIES: Final = {
    "read": ("cxrmodel.web.shell", "cxrmodel.web.reading.page"),
    "room": tuple(f"cxrmodel.web.server.room.{part}" for part in ("queue", "images", "maps", "outputs")),
    "about": ("cxrmodel.web.about",),
    "heatmap": ("cxrmodel.imaging.dicom.image", "cxrmodel.web.heatmap.page"),
    "evaluation": ("cxrmodel.web.evaluation.page",),
}
"""What each page and the addresses below ``/room`` import, also late, TensorFlow apart; in the order of their turn."""
_PAUSE: Final = 1.5
"""Seconds without a run of a page after which work goes on that no visitor waits for."""
_INTERVAL: Final = 0.0005
"""Seconds after which an import lets the threads that answer visitors go on; there are many small files to send."""
_LONGEST_PAUSE: Final = 15.0


class Preparation:
    """Makes pages ready on a thread of its own."""

    def __init__(self) -> None:
        self._ready = {page: threading.Event() for page in LIBRARIES}
        self._wanted: set[str] = set()
        self._visited = time.monotonic()
        self._begun = False

    def begin(self) -> None:
        """Start the thread. It holds no session, since no visitor has come yet."""
        self._begun, self._visited = True, time.monotonic()
        threading.Thread(target=self._run, name="preparation", daemon=True).start()

    def wait(self, page: str) -> None:
        """Wait until a page is ready; not where nothing makes it so, nor for a page that needs nothing."""
        self._visited = time.monotonic()
        if self._begun and page in self._ready:
            self._wanted.add(page)
            self._ready[page].wait()
            self._visited = time.monotonic()

    def _run(self) -> None:
        usual = sys.getswitchinterval()
        sys.setswitchinterval(_INTERVAL)
        try:
            self._import("read")
            self._let_visitors_first(["room"])
            self._import("room")
            _try(_read_once)
            while waiting := [page for page, ready in self._ready.items() if not ready.is_set()]:
                self._let_visitors_first(waiting)
                self._import(next((page for page in waiting if page in self._wanted), waiting[0]))
            # After every run of a page Streamlit looks for circular references; it need not look among the libraries.
            gc.collect()
            gc.freeze()
            self._let_visitors_first([])
            _try(_measure_once)
            import_module("cxrmodel.report.pdf")
        finally:
            sys.setswitchinterval(usual)
            # A page that could not be made ready fails by itself, and says so.
            for event in self._ready.values():
                event.set()

    def _import(self, page: str) -> None:
        for library in LIBRARIES[page]:
            import_module(library)
        self._ready[page].set()

    def _let_visitors_first(self, waiting: list[str]) -> None:
        """Wait while pages are being opened, unless a visitor waits for one of these."""
        end = time.monotonic() + _LONGEST_PAUSE
        while self._wanted.isdisjoint(waiting) and time.monotonic() < min(self._visited + _PAUSE, end):
            time.sleep(0.05)


def _read_once() -> None:
    """Load the model, and read an image with it: a network's first run is its slowest."""
    from cxrmodel.demo import demo_images
    from cxrmodel.web.engine import reader

    image = demo_images()[0]
    reader().read(image.path.read_bytes(), image.title)


def _measure_once() -> None:
    """Compute what the Evaluation page shows first."""
    from cxrmodel.web.evaluation.cache import compute_first

    compute_first()


def _try(work: Callable[[], None]) -> None:
    """Do what only saves time later; whoever needs it then meets the error and says so."""
    try:
        work()
    except Exception:
        return


PREPARATION: Final = Preparation()
"""Of this server."""
