"""Stores for tests: in SQLite and in a real PostgreSQL, with a clock that stands until it is moved."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cxrmodel.store.store import Store


class Clock:
    """A time that only the test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Give the time."""
        return self.time

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.time = self.after(seconds)

    def after(self, seconds: float) -> datetime:
        """Give the time some seconds from now."""
        return self.time + timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    """The clock of ``store``."""
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request) -> str | None:
    """Address of an empty database: None for SQLite."""
    return None if request.param == "sqlite" else request.getfixturevalue("postgres").database()


@pytest.fixture
def open_again(url, tmp_path, clock) -> Iterator[Callable[[], Store]]:
    """A function that opens the store of the test, as another process would."""
    opened: list[Store] = []

    def again(folder: Path = tmp_path / "data") -> Store:
        opened.append(Store.open(url, folder, clock=clock))
        return opened[-1]

    yield again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again) -> Store:
    """An empty store."""
    return open_again()
