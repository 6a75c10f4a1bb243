"""An inbox in a process of its own, which kills itself at a chosen point.

``python -m tests.support.inbox_process FOLDER CONFIGURATION POINT NUMBER`` takes the data folder and the text of a
configuration file with one inbox. The process ends at the image of that number: before its ``file`` is written, before
the store has its ``job``, or before its sender has the ``answer``.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cxrmodel.configuration.load import parse_configuration
from cxrmodel.exchange.admission import Admission
from cxrmodel.exchange.inbox.inboxes import make_inbox
from cxrmodel.store.store import Store
from tests.support.server import PROJECT

POINTS = ("file", "job", "answer")


def start(folder: Path, configuration: str, point: str, number: int) -> subprocess.Popen[bytes]:
    """Start the process."""
    command = [sys.executable, "-m", "tests.support.inbox_process", str(folder), configuration, point, str(number)]
    return subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL)


def _deadly(call: Callable[..., Any], number: int, before: bool) -> Callable[..., Any]:
    """A function that kills the process at its call of a number, counted from 1."""
    calls = 0

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        result = None if before and calls == number else call(*given, **named)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return counted


def main() -> None:
    """Run until killed."""
    folder, text, point, number = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    settings = parse_configuration(text, folder / "configuration.toml")
    (entry,) = settings.inbox.all
    store = Store.open(None, folder)
    if point == "file":
        store.files.keep = _deadly(store.files.keep, number, before=True)  # type: ignore[method-assign]
    else:
        store.receive = _deadly(store.receive, number, before=point == "job")  # type: ignore[method-assign]
    make_inbox(entry).run(threading.Event(), Admission(store, "model", settings.filters))


if __name__ == "__main__":
    main()
