"""What is made ready in the background, and who waits for it."""

import subprocess
import sys
import threading

import pytest

from cxrmodel.web.server import preload
from cxrmodel.web.server.preload import LIBRARIES, Preparation


@pytest.fixture
def imported(monkeypatch):
    """What is imported, instead of being so; the model, figures and memory are left alone."""
    names: list[str] = []
    monkeypatch.setattr(preload, "import_module", names.append)
    monkeypatch.setattr(preload, "_read_once", lambda: None)
    monkeypatch.setattr(preload, "_measure_once", lambda: None)
    monkeypatch.setattr(preload.gc, "freeze", lambda: None)
    return names


def test_nobody_waits_where_nothing_is_made_ready():
    """A page that runs without the server, as in a test, imports for itself."""
    Preparation().wait("read")


def test_every_page_is_made_ready(imported):
    """On a thread of its own, that of the first visit first."""
    preparation = Preparation()
    preparation.begin()
    for page in LIBRARIES:
        preparation.wait(page)
    assert imported[: len(LIBRARIES["read"])] == list(LIBRARIES["read"])
    assert {name for names in LIBRARIES.values() for name in names} <= set(imported)


def test_a_page_is_waited_for(imported, monkeypatch):
    """It goes on once its libraries are there, not before; other pages are of no matter to it."""
    let_go, waited = threading.Event(), threading.Event()

    def slow(name: str) -> None:
        if name in LIBRARIES["evaluation"]:
            let_go.wait(60)

    monkeypatch.setattr(preload, "import_module", slow)
    preparation = Preparation()
    preparation.begin()
    preparation.wait("read")

    def wait() -> None:
        preparation.wait("evaluation")
        waited.set()

    threading.Thread(target=wait).start()
    assert not waited.wait(0.2)
    let_go.set()
    assert waited.wait(60)


def test_what_cannot_be_imported_keeps_nobody_waiting(imported, monkeypatch):
    """The page then fails by itself, in its own words."""

    def broken(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(preload, "import_module", broken)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    preparation = Preparation()
    preparation.begin()
    for page in LIBRARIES:
        preparation.wait(page)


def test_the_server_starts_without_what_pages_need(project):
    """Nothing heavy is imported before the server answers."""
    heavy = {"matplotlib", "onnxruntime", "cv2", "scipy", "pandas", "altair", "fpdf", "tensorflow"}
    code = f"import sys, app; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
