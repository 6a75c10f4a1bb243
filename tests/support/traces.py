"""Traces of an image in a process and in its files: anything from which its pixels could be seen."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

_CHUNK = 2**24


def family(pid: int) -> list[int]:
    """A process and all that it has started."""
    children = [
        int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()
    ]
    return [pid, *(member for child in children for member in family(child))]


def found_in_memory(pid: int, marks: Sequence[bytes]) -> set[bytes]:
    """Those of the marks that stand in the writable memory of a process."""
    longest, found = max(map(len, marks)), set()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end in _writable(pid):
            for position in range(start, end, _CHUNK):
                try:
                    memory.seek(position)
                    data = memory.read(min(_CHUNK + longest - 1, end - position))
                except (OSError, ValueError, OverflowError):  # unmapped in the meantime, or not the process's own
                    break
                found |= {mark for mark in marks if mark in data}
    return found


def _writable(pid: int) -> Iterator[tuple[int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, permissions = line.split()[:2]
        if permissions.startswith("rw"):
            start, end = (int(edge, 16) for edge in span.split("-"))
            yield start, end


def found_in_files(pid: int, folders: Sequence[Path]) -> list[str]:
    """Files in folders, and files that a process has open, deleted ones too."""
    inside = [str(path) for folder in folders for path in folder.rglob("*") if path.is_file()]
    links = [Path(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
    targets = [os.readlink(link) for link in links if link.is_symlink()]
    return inside + [name for name in targets if any(name.startswith(f"{folder}/") for folder in folders)]
