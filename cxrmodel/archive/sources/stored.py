"""Images in folders and buckets with tar or Parquet files of images, beside single images or instead of them."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import BinaryIO, cast

from cxrmodel.archive.sources import parquet, tar
from cxrmodel.archive.sources.bucket import SCHEME, Bucket, bucket_place
from cxrmodel.archive.sources.files import as_path, as_text
from cxrmodel.archive.sources.source import Fetched, Item, SourceKind
from cxrmodel.archive.sources.storage import Folder, Storage, StoredFile
from cxrmodel.errors import DataError
from cxrmodel.extras import need

ENDS = (".tar", ".parquet")
"""Ends of the names of files that hold many images."""
_COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tar.lz4")
_SHARD = re.compile(f"(.+?(?:{'|'.join(map(re.escape, (*ENDS, *_COMPRESSED)))}))!", re.IGNORECASE | re.DOTALL)
_OPEN = 4
"""Parquet files that stay open."""

Part = tuple[str, str, int | None]
"""An image within a file: its name, or empty; its place; its size."""


class Stored:
    """Every image of a storage.

    The id of an image is the name of its file; within a tar or Parquet file, ``FILE!NAME``. The version of an image in
    such a file holds its place there. What cannot be listed, such as the rest of a damaged tar file, is an image that
    cannot be fetched, so that it is counted and has a reason.

    Parameters
    ----------
    storage : Storage

    Raises
    ------
    MissingExtra
    """

    def __init__(self, storage: Storage) -> None:
        need("pyarrow.parquet", extra="archive")
        self._storage, self._lock = storage, Lock()
        self._opened_rows = lru_cache(maxsize=_OPEN)(self._open_rows)

    def items(self) -> Iterator[Item]:
        """List the images, file by file."""
        for file in self._storage.files():
            lower = file.name.lower()
            if lower.endswith(ENDS):
                yield from _items(file, self._listed(file))
            elif lower.endswith(_COMPRESSED):
                yield from _items(file, [("", "compressed", None)])
            else:
                yield Item(file.name, file.size, file.modified, file.version)

    def fetch(self, item: Item) -> Fetched:
        """Give the bytes of one image."""
        version, _, place = (item.version or "").partition("@")
        shard = _SHARD.match(item.id)
        if not place or not shard:
            return self._storage.fetch(item.id)
        name = shard[1]
        data = self._storage.ask(lambda: self._content(name, version, place))
        if self._storage.look(name).version != version:
            raise DataError("sources.shard_changed")
        return Fetched(data, item.modified, item.version)

    def _listed(self, file: StoredFile) -> list[Part]:
        """List what a file holds; where it cannot be opened, one image that says so."""
        try:
            return self._storage.ask(lambda: self._parts(file.name))
        except DataError:
            return [("", "unlisted", None)]

    def _parts(self, name: str) -> list[Part]:
        with self._storage.open(name) as opened:
            if name.lower().endswith(".parquet"):
                with parquet.decoding():
                    return _rows(cast(BinaryIO, opened))
            return _members(cast(BinaryIO, opened))

    def _content(self, name: str, version: str, place: str) -> bytes:
        if place.isdigit():
            with self._lock:
                rows = self._opened_rows(name, version)
            with parquet.decoding():
                return rows.read(int(place))
        if "+" in place:
            offset, size = map(int, place.split("+"))
            with self._storage.open(name) as opened:
                return tar.read_member(cast(BinaryIO, opened), offset, size)
        kind, _, members = place.partition(":")
        if kind == "rest":
            raise DataError("sources.damaged_tar", members=int(members))
        if kind == "compressed":
            raise DataError("sources.compressed")
        self._parts(name)
        raise DataError("sources.shard_changed")

    def _open_rows(self, name: str, version: str) -> parquet.RowReader:
        """Open the rows of a version of a file."""
        with parquet.decoding():
            return parquet.RowReader(cast(BinaryIO, self._storage.open(name)))


def _members(file: BinaryIO) -> list[Part]:
    return [
        ("", f"rest:{found.after}", None)
        if isinstance(found, tar.Damage)
        else (found.name, f"{found.offset}+{found.size}", found.size)
        for found in tar.members(file)
    ]


def _rows(file: BinaryIO) -> list[Part]:
    from pyarrow.parquet import ParquetFile

    table = ParquetFile(file)
    column = parquet.image_column(table.schema_arrow)
    return [(image or f"row {row}", str(row), None) for row, image in enumerate(parquet.names(table, column))]


def _items(file: StoredFile, parts: Iterable[Part]) -> Iterator[Item]:
    """Make items of the images in a file. Of those with one name, the second is numbered 2."""
    used: set[str] = set()
    repeated: Counter[str] = Counter()
    for name, place, size in parts:
        unique = name = name.encode("utf-8", "backslashreplace").decode()  # what is no UTF-8 cannot be stored
        while unique in used:
            repeated[name] += 1
            unique = f"{name}#{1 + repeated[name]}"
        used.add(unique)
        yield Item(f"{file.name}!{unique}", size, file.modified, f"{file.version}@{place}")


def _holds_shards(argument: str) -> bool:
    """Whether a path names a tar or Parquet file, or a folder with such files in it."""
    if os.path.isdir(argument):
        with os.scandir(argument) as entries:
            return any(entry.name.lower().endswith((*ENDS, *_COMPRESSED)) for entry in entries)
    return argument.lower().endswith((*ENDS, *_COMPRESSED))


SHARDS = SourceKind(
    "shards",
    "a tar (WebDataset) or Parquet file, or a folder of these",
    takes=_holds_shards,
    place=lambda argument: as_text(Path(os.path.abspath(argument))),
    open=lambda place: Stored(Folder(as_path(place))),
)
BUCKET = SourceKind(
    "bucket",
    "s3://BUCKET/PREFIX, with ?region=, &endpoint_override=, &anonymous=true",
    takes=lambda argument: argument.startswith(f"{SCHEME}://"),
    place=bucket_place,
    open=lambda place: Stored(Bucket(place)),
)
