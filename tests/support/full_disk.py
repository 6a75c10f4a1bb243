"""A full disk, for any file system and user."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def disk_with(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size in bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
