"""What a source of images is: it lists its images cheaply, and gives the bytes of any of them in any process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import Field

from cxrmodel.records import Record


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a source, before it is fetched.

    Attributes
    ----------
    id : str
        All that its source needs to fetch it. Unique within the source, and the same in every listing.
    size : int or None
        Bytes, where the listing tells.
    modified : int or None
        Time of the last change in milliseconds since 1970, where the listing tells.
    version : str or None
        What changes with the content, such as an entity tag, where the listing tells.
    """

    id: str
    size: int | None = None
    modified: int | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Fetched:
    """The bytes of an image, and what the source said of them when they were fetched.

    Attributes
    ----------
    data : bytes
        A whole file. It is not trusted.
    modified : int or None
        As of ``Item``.
    version : str or None
        As of ``Item``.
    """

    data: bytes
    modified: int | None = None
    version: str | None = None


class Source(Protocol):
    """An open source. ``fetch`` is called from several threads at once."""

    def items(self) -> Iterator[Item]:
        """List every image once, in the same order each time nothing changed. Pixels are not read.

        Raises
        ------
        DataError
            When the place is missing, cannot be listed, or is not of this kind.
        SourceUnavailable
            When it cannot be reached.
        """
        ...

    def fetch(self, item: Item) -> Fetched:
        """Give the bytes of one image.

        Raises
        ------
        SourceUnavailable
            When the source itself cannot be reached, and trying again did not help. The run ends, and goes on from
            there when it is started again. Never raised because of one image.
        CxrError, OSError
            When this image cannot be had: it is gone, changes, is damaged or too large. It becomes its row.
        """
        ...


class SourceName(Record):
    """A source as text, from which every process opens it. It holds no credentials.

    Attributes
    ----------
    kind : str
        Name in the registry.
    place : str
        Path or address.
    """

    kind: Annotated[str, Field(min_length=1)]
    place: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True)
class SourceKind:
    """One kind of source.

    Attributes
    ----------
    name : str
    help : str
        How it is written on the command line, in a few words.
    takes : callable
        Whether an argument of the command line names such a source.
    place : callable
        Turns the argument into the text that means the same place in every process of this user: a path becomes
        absolute, credentials are refused.
    open : callable
        Opens the source of a place. Imports what it needs. Raises DataError, SettingError or MissingExtra.
    """

    name: str
    help: str
    takes: Callable[[str], bool]
    place: Callable[[str], str]
    open: Callable[[str], Source]
