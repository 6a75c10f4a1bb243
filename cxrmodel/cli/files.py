"""The image files that arguments name."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["InputFile", "list_files"]


class InputFile(NamedTuple):
    """A file to be read.

    Attributes
    ----------
    path : Path
        As given, or the given folder and the path within it. The file need not exist.
    relative : Path
        Path relative to the argument that named it.
    """

    path: Path
    relative: Path

    @property
    def name(self) -> str:
        """The path as text, with escapes for bytes that are not UTF-8."""
        return os.fsencode(self.path).decode("utf-8", "backslashreplace")


def list_files(paths: Sequence[Path]) -> Iterator[InputFile]:
    """List the files to be read, in the order of the arguments.

    Folders are walked recursively in sorted order, without hidden files and folders. A missing file and a broken link
    are listed too, so that they are reported.
    """
    for path in paths:
        if not path.is_dir():
            yield InputFile(path, Path(path.name))
            continue
        for child in sorted(path.rglob("*")):
            relative = child.relative_to(path)
            broken = child.is_symlink() and not child.exists()
            if (child.is_file() or broken) and not any(part.startswith(".") for part in relative.parts):
                yield InputFile(child, relative)
