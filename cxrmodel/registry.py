"""Registry of things of one kind: ordered, found by name, an unknown name is an error."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """Unique within its registry."""
        ...


Entry = TypeVar("Entry", bound=Named)


class UnknownName(KeyError):
    """A registry has no entry of that name; the text lists the names that it has."""

    def __str__(self) -> str:
        return str(self.args[0])


class Registry(Generic[Entry]):
    """Entries of one kind, in the order in which they were registered.

    Iteration gives the entries. ``name in registry`` and ``registry[name]`` go by name.

    Parameters
    ----------
    kind : str
        What an entry is, for error messages: ``metric``.
    *entries : Entry
        To register, in order.
    """

    def __init__(self, kind: str, *entries: Entry) -> None:
        self.kind = kind
        self._entries: dict[str, Entry] = {}
        for entry in entries:
            self.register(entry)

    def register(self, entry: Entry) -> Entry:
        """Add an entry at the end and return it.

        Raises
        ------
        ValueError
            When the name is taken.
        """
        if entry.name in self._entries:
            raise ValueError(f"a {self.kind} named {entry.name!r} is registered already")
        self._entries[entry.name] = entry
        return entry

    @contextmanager
    def extended(self, entry: Entry) -> Iterator[Entry]:
        """Register an entry for the time of a ``with`` block, for tests."""
        self.register(entry)
        try:
            yield entry
        finally:
            del self._entries[entry.name]

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(self._entries)

    def __getitem__(self, name: str) -> Entry:
        """Give the entry of a name.

        Raises
        ------
        UnknownName
            When there is none; the message lists the known names.
        """
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownName(f"unknown {self.kind} {name!r}; known: {', '.join(self._entries)}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries.values()))

    def __len__(self) -> int:
        return len(self._entries)
