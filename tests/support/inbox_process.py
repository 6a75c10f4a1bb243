"""An inbox in a process of its own, to be killed: ``python -m tests.support.inbox_process FOLDER CONFIGURATION``.

CONFIGURATION is the text of a configuration file with one inbox. The data folder is FOLDER.
"""

import subprocess
import sys
import threading
from pathlib import Path

from cxrmodel.configuration.load import parse_configuration
from cxrmodel.exchange.admission import Admission
from cxrmodel.exchange.inbox.inboxes import make_inbox
from cxrmodel.store.store import Store
from tests.support.server import PROJECT


def start(folder: Path, configuration: str) -> subprocess.Popen[bytes]:
    """Start the process."""
    command = [sys.executable, "-m", "tests.support.inbox_process", str(folder), configuration]
    return subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL)


def main() -> None:
    """Run until killed."""
    folder, text = Path(sys.argv[1]), sys.argv[2]
    settings = parse_configuration(text, folder / "configuration.toml")
    (entry,) = settings.inbox.all
    store = Store.open(None, folder)
    make_inbox(entry).run(threading.Event(), Admission(store, "model", settings.filters))


if __name__ == "__main__":
    main()
