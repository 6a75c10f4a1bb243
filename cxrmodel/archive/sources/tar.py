"""Images in uncompressed tar files, such as the shards of WebDataset."""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from cxrmodel.errors import DataError, ImageTooLarge
from cxrmodel.imaging.formats.registry import extensions
from cxrmodel.imaging.radiograph import MAX_BYTES

_BLOCK = tarfile.BLOCKSIZE


@dataclass(frozen=True)
class Member:
    """A file within a tar file.

    Attributes
    ----------
    name : str
        As stored. Several members may have one name.
    offset, size : int
        Bytes: where its content begins in the tar file, and how long it is.
    """

    name: str
    offset: int
    size: int


@dataclass(frozen=True)
class Damage:
    """Where a tar file cannot be followed any further: nothing is known of what comes after.

    Attributes
    ----------
    after : int
        Members before it, of any kind.
    """

    after: int


def members(file: BinaryIO) -> Iterator[Member | Damage]:
    """List the images of a tar file in its order; only headers are read.

    Folders, links, devices, hidden files, and WebDataset's files about an image (``a.json`` and ``a.cls`` beside
    ``a.png``) are left out. A file that is cut short gives its last, incomplete member, too: reading that fails.

    Parameters
    ----------
    file : file
        Can be read from any place.

    Yields
    ------
    Member or Damage
        Damage at most once, at the end.

    Raises
    ------
    OSError
    """
    found: list[Member] = []
    end = file.seek(0, 2)
    file.seek(0)
    damaged, seen = False, 0
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for info in archive:
                seen += 1
                if info.size < 0:
                    raise tarfile.ReadError
                if info.isreg() and not info.issparse() and not _hidden(info.name):
                    found.append(Member(info.name, info.offset_data, min(info.size, end)))
                if info.isreg() and info.offset_data + info.size > end:
                    raise tarfile.ReadError
                cast(Any, archive).members.clear()  # it would hold every header
            damaged = not _ends_well(file, archive.offset, end)
    except OSError:
        raise
    except Exception:  # the library raises anything on damaged headers
        damaged = True
    pictures = {_sample(member.name) for member in found if _is_picture(member.name)}
    for member in found:
        if _is_picture(member.name) or _sample(member.name) not in pictures:
            yield member
    if damaged:
        yield Damage(seen)


def read_member(file: BinaryIO, offset: int, size: int) -> bytes:
    """Read the content of a member.

    Parameters
    ----------
    file : file
    offset, size : int
        Of the member.

    Raises
    ------
    ImageTooLarge
        When it has more than ``MAX_BYTES``. It is not read.
    DataError
        When the tar file ends within it.
    """
    if size > MAX_BYTES:
        raise ImageTooLarge("imaging.too_many_bytes", limit=MAX_BYTES // 2**20)
    file.seek(offset)
    data = file.read(size)
    if len(data) != size:
        raise DataError("sources.cut_short")
    return data


def _ends_well(file: BinaryIO, offset: int, end: int) -> bool:
    """Whether a block of zeros, which marks the end, stands where the headers stop."""
    file.seek(min(offset, end))
    return offset < end and file.read(_BLOCK) == bytes(_BLOCK)


def _hidden(name: str) -> bool:
    return any(part.startswith(".") and part not in (".", "..") for part in PurePosixPath(name).parts)


def _sample(name: str) -> str:
    """The path up to the first dot of its last part, which WebDataset's files of one sample share."""
    path = PurePosixPath(name)
    return str(path.with_name(path.name.partition(".")[0] or path.name)) if path.name else name


def _is_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower().removeprefix(".") in extensions()
