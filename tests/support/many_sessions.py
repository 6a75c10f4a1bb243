"""Many sessions that drop images together on a real server: ``python -m tests.support.many_sessions FOLDER``.

All sessions drop their images at one moment. It prints the time until each session has its
first probability and all of them, compares every number with that of ``read --json``, and gives the server's memory at
its peak and after the sessions have ended. ``--project`` measures another version of the program.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from cxrmodel.metrics.formatting import percentages
from tests.support.server import Server, running_server
from tests.support.streamlit_tab import OPEN, Tab

PROJECT = Path(__file__).resolve().parents[2]
SUFFIXES = (".jpeg", ".jpg", ".png", ".dcm", ".tif", ".tiff")


class Session:
    """One session, and when its results came."""

    def __init__(self, address: str, files: Sequence[Path]) -> None:
        self.files, self.first, self.all = files, float("nan"), float("nan")
        self._tab = Tab(address)

    def drop(self, together: threading.Barrier) -> None:
        """Drop the files at the moment at which all sessions do, and wait for every result."""
        files = [(path.name, path.read_bytes()) for path in self.files]
        together.wait()
        start, tab = time.monotonic(), self._tab
        for row_id, (_, data) in zip(tab.announce(files), files, strict=True):
            tab.send(row_id, data)
        tab.follow(lambda: any(row["status"] not in OPEN for row in tab.rows.values()))
        self.first = time.monotonic() - start
        tab.follow(lambda: len(tab.rows) == len(files) and all(row["status"] not in OPEN for row in tab.rows.values()))
        self.all = time.monotonic() - start

    @property
    def shown(self) -> dict[str, str]:
        """Probability of each file as the page shows it; empty where it was not read."""
        return {
            row["name"]: ""
            if row["probability"] is None
            else percentages(row["probability"], row["points"]).probability
            for row in self._tab.rows.values()
        }

    def close(self) -> None:
        """Close the tab."""
        self._tab.close()


def expected(files: Sequence[Path], project: Path) -> dict[str, str]:
    """Probabilities of the files as the command line of a project gives them, written as the page writes them."""
    command = [sys.executable, "-m", "cxrmodel", "read", "--json", *map(str, files)]
    output = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False).stdout
    records = [json.loads(line) for line in output.splitlines()]
    return {
        Path(record["file"]).name: ""
        if record["probability"] is None
        else percentages(record["probability"], _thresholds(record)).probability
        for record in records
    }


def _thresholds(record: dict[str, float]) -> dict[str, float]:
    names = {"uncertain_from": "high_sensitivity", "threshold": "balanced", "uncertain_to": "high_specificity"}
    return {name: record[key] for key, name in names.items()}


def measure(server: Server, groups: Sequence[Sequence[Path]]) -> list[Session]:
    """Let one session drop each group of files, all at one moment."""
    together = threading.Barrier(len(groups))
    with ThreadPoolExecutor(len(groups)) as pool:
        sessions = list(pool.map(lambda files: Session(server.address, files), groups))
        list(pool.map(lambda session: session.drop(together), sessions))
    return sessions


def _seconds(values: Sequence[float]) -> str:
    return (
        f"median {np.median(values):.1f} s, 95th percentile {np.percentile(values, 95):.1f} s, all {max(values):.1f} s"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="images to draw from, recursively")
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--images", type=int, default=2, help="dropped together by each session")
    parser.add_argument("--project", type=Path, default=PROJECT)
    parser.add_argument(
        "--wait", type=float, default=150, help="seconds from the last closed tab to the last measurement"
    )
    arguments = parser.parse_args()
    paths = [path for path in sorted(arguments.folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    wanted = arguments.sessions * arguments.images
    files = [paths[at] for at in np.linspace(0, len(paths) - 1, min(wanted, len(paths))).astype(int)]
    right = expected(files, arguments.project.resolve())
    files = [files[at % len(files)] for at in range(wanted)]
    groups = [files[at :: arguments.sessions] for at in range(arguments.sessions)]
    project = arguments.project.resolve()
    with running_server(program=project / "app.py", folder=project) as server:
        warm = measure(server, groups[:1])
        warm[0].close()
        print(f"load average {os.getloadavg()[0]:.1f}; memory before {server.megabytes():.0f} MB")
        sessions = measure(server, groups)
        pairs = [(name, value) for session in sessions for name, value in session.shown.items()]
        print(f"numbers right: {sum(right.get(name, '') == value for name, value in pairs)} of {len(pairs)}")
        print(f"images without a number: {sum(not value for _, value in pairs)}")
        print(f"first result of a session: {_seconds([session.first for session in sessions])}")
        print(f"all results of a session: {_seconds([session.all for session in sessions])}")
        print(f"memory: peak {server.megabytes('VmHWM'):.0f} MB, with all sessions {server.megabytes():.0f} MB")
        for session in sessions:
            session.close()
        time.sleep(arguments.wait)
        print(f"memory {arguments.wait:.0f} s after the last tab was closed: {server.megabytes():.0f} MB")


if __name__ == "__main__":
    main()
