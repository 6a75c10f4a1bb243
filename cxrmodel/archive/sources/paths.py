"""A text file with one path on each line."""

import os
from collections.abc import Iterator
from pathlib import Path

from cxrmodel.archive.sources.files import as_path, as_text, fetched
from cxrmodel.archive.sources.source import Fetched, Item, SourceKind
from cxrmodel.errors import DataError
from cxrmodel.inputs import InputFile


class Paths:
    """The files that a list names. The id of an image is its absolute path.

    Parameters
    ----------
    listing : Path
        Absolute. UTF-8, one path a line; a relative path starts at the folder of the list. Empty lines, and lines that
        name a file again, are skipped.
    """

    def __init__(self, listing: Path) -> None:
        self.listing = listing

    def items(self) -> Iterator[Item]:
        """List the files in the order of the lines, missing ones too.

        Raises
        ------
        DataError
            When the list cannot be read.
        """
        seen: set[str] = set()
        try:
            with self.listing.open("rb") as lines:
                for line in lines:
                    name = line.rstrip(b"\r\n")
                    path = Path(os.path.normpath(self.listing.parent / os.fsdecode(name)))
                    text = as_text(path)
                    if not name.strip() or text in seen:
                        continue
                    seen.add(text)
                    file = InputFile(path, Path(path.name))
                    file.look()
                    yield Item(text, *(file.state or (None, None)))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise DataError("archive.source.unreadable", place=str(self.listing), reason=reason) from error

    def fetch(self, item: Item) -> Fetched:
        """Read one file.

        Raises
        ------
        CxrError, OSError
            As ``InputFile.read``.
        """
        return fetched(as_path(item.id))


PATHS = SourceKind(
    "paths",
    "a list of paths, LIST.txt",
    takes=lambda argument: argument.lower().endswith(".txt") and os.path.isfile(argument),
    place=lambda argument: as_text(Path(os.path.abspath(argument))),
    open=lambda place: Paths(as_path(place)),
)
