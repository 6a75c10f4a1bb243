"""Where files are: what a source needs to list them, read them, and open those that hold many images."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from cxrmodel.archive.sources.files import Files, as_path, fetched
from cxrmodel.archive.sources.source import Fetched
from cxrmodel.errors import DataError, SourceUnavailable

if TYPE_CHECKING:
    from pyarrow import NativeFile

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file or object as it was seen.

    Attributes
    ----------
    name : str
        Path or key below the root of its storage; of a root that is a file its own name.
    size, modified : int or None
        As of ``Item``.
    version : str
        Changes when the file does.
    """

    name: str
    size: int | None
    modified: int | None
    version: str


class Storage(Protocol):
    """A folder or the objects below a prefix."""

    def files(self) -> Iterator[StoredFile]:
        """List every file, without hidden ones, in the same order each time.

        Raises
        ------
        DataError
            When there is nothing, or it may not be listed.
        SourceUnavailable
        """
        ...

    def look(self, name: str) -> StoredFile:
        """See what stands there now.

        Raises
        ------
        DataError, SourceUnavailable
        """
        ...

    def fetch(self, name: str) -> Fetched:
        """Read a whole image.

        Raises
        ------
        CxrError, OSError
            When it cannot be had, SourceUnavailable among them.
        """
        ...

    def open(self, name: str) -> "NativeFile":
        """Open a file for reading from any place.

        Raises
        ------
        OSError, DataError
            To be put into words by ``ask``.
        """
        ...

    def ask(self, ask: Callable[[], Answer]) -> Answer:
        """Call a function that reads a file, again where a server does not answer; put its errors into words.

        Raises
        ------
        DataError, SourceUnavailable
            For every OSError.
        """
        ...


class Folder:
    """A folder of this machine, or one file of it.

    Parameters
    ----------
    root : Path
        Absolute.
    """

    def __init__(self, root: Path) -> None:
        self._files = Files(root)
        self._base = root.parent if root.is_file() else root

    def files(self) -> Iterator[StoredFile]:
        """As ``Files.items``, which lists what is no file, too."""
        for item in self._files.items():
            yield StoredFile(item.id, item.size, item.modified, f"{item.size}-{item.modified}")

    def look(self, name: str) -> StoredFile:
        """See what stands there now."""
        state = self.ask((self._base / as_path(name)).stat)
        if not stat.S_ISREG(state.st_mode):
            raise DataError("sources.no_file")
        size, modified = state.st_size, state.st_mtime_ns // 10**6
        return StoredFile(name, size, modified, f"{size}-{modified}")

    def fetch(self, name: str) -> Fetched:
        """As ``Files.fetch``."""
        try:
            return fetched(self._base / as_path(name))
        except FileNotFoundError:
            self._probe()
            raise

    def open(self, name: str) -> "NativeFile":
        """Open a file for reading from any place."""
        import pyarrow as pa

        self.look(name)  # a pipe would block
        return pa.OSFile(str(self._base / as_path(name)))

    def ask(self, ask: Callable[[], Answer]) -> Answer:
        """Call a function that reads a file."""
        try:
            return ask()
        except FileNotFoundError as error:
            self._probe()
            raise DataError("sources.file_gone") from error
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else "damaged"
            raise DataError("sources.file_unreadable", reason=reason) from error

    def _probe(self) -> None:
        if not self._base.exists():
            raise SourceUnavailable("archive.source.gone", place=str(self._base))
