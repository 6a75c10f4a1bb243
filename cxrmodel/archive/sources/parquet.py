"""Images as bytes in a column of Parquet files."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from cxrmodel.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

IMAGE = "image"
"""Column of images, where several hold bytes."""
BYTES = "bytes"
"""Field of a struct that holds an image, as Hugging Face's data sets store it."""
_NAMES = ("path", "file_name", "filename", "file", "name", "key", "__key__", "id")
"""Columns, or fields beside ``bytes``, that name an image; the first that there is."""
_ROWS = 16
"""Rows that are decoded together."""
_KEPT = 4
"""Groups of such rows that stay in memory, for readers on several threads."""
_BUFFER = 2**20


@contextmanager
def decoding() -> Iterator[None]:
    """Name a file whose content cannot be decoded; errors of the disk and of the server stay as they are.

    Raises
    ------
    DataError
    """
    from pyarrow import ArrowException

    try:
        yield
    except (ArrowException, OSError) as error:
        if isinstance(error, OSError) and (error.errno is not None or "AWS Error" in str(error)):
            raise
        raise DataError("sources.damaged_parquet") from error


def image_column(schema: "pa.Schema") -> str:
    """Find the column that holds images: ``image``, or the only one, of bytes or of structs with a field ``bytes``.

    Parameters
    ----------
    schema : pyarrow.Schema

    Raises
    ------
    DataError
        When there is no such column, or several.
    """
    found = [field.name for field in schema if _holds_bytes(field.type)]
    if IMAGE in found:
        return IMAGE
    if len(found) != 1:
        raise DataError("sources.no_column", images=IMAGE)
    return str(found[0])


def names(file: "parquet.ParquetFile", column: str) -> Iterator[str | None]:
    """Names of the images in order; None where the file names none. No image is read."""
    from pyarrow import types

    schema = file.schema_arrow
    choices = [name for name in _NAMES if name in schema.names and types.is_string(schema.field(name).type)]
    path = choices[0] if choices else None
    if types.is_struct(schema.field(column).type) and path is None:
        fields = [field.name for field in schema.field(column).type]
        path = next((f"{column}.{name}" for name in _NAMES if name in fields), None)
    if path is None:
        for _ in range(file.metadata.num_rows):
            yield None
        return
    for batch in file.iter_batches(columns=[path]):
        values = batch.column(0)
        values = values.field(0) if types.is_struct(values.type) else values
        if types.is_string(values.type):
            values = values.cast("binary")  # Arrow believes that texts are UTF-8, and fails where they are not
        yield from (None if value is None else _text(value) for value in values.to_pylist())


class RowReader:
    """Rows of one column, cheapest in order: a row far ahead or behind decodes its row group up to it.

    Parameters
    ----------
    file : file
        Can be read from any place; stays open.

    Raises
    ------
    DataError
        When it has no column of images.
    """

    def __init__(self, file: BinaryIO) -> None:
        from pyarrow import parquet

        self._file = parquet.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER)
        self._column, self._lock = image_column(self._file.schema_arrow), threading.Lock()
        groups = [self._file.metadata.row_group(group).num_rows for group in range(self._file.num_row_groups)]
        self._starts = [sum(groups[:group]) for group in range(len(groups) + 1)]
        self._batches: Iterator[Any] = iter(())
        self._group, self._next = -1, 0
        self._kept: OrderedDict[int, list[bytes]] = OrderedDict()

    def read(self, row: int) -> bytes:
        """Read the image of a row; no bytes where it has none.

        Raises
        ------
        DataError
            When there is no such row.
        pyarrow.ArrowException, OSError
            When the file is damaged or cannot be read. What follows is read anew.
        """
        if not 0 <= row < self._starts[-1]:
            raise DataError("sources.no_row")
        with self._lock:
            group = next(index for index, start in enumerate(self._starts[1:]) if row < start)
            within = row - self._starts[group]
            key = self._starts[group] + within // _ROWS * _ROWS
            try:
                while key not in self._kept:
                    self._advance(group, within)
            except BaseException:
                self._group, self._kept = -1, OrderedDict()
                raise
            content: bytes = self._kept[key][within % _ROWS]
            return content

    def _advance(self, group: int, within: int) -> None:
        """Decode the next rows, from the start of the row group where these are beyond the row that is wanted."""
        if group != self._group or within < self._next:
            self._batches = self._file.iter_batches(
                _ROWS, row_groups=[group], columns=[self._column], use_threads=False
            )
            self._group, self._next = group, 0
        batch = next(self._batches)
        self._kept[self._starts[group] + self._next] = [_content(value) for value in batch.column(0).to_pylist()]
        self._next += batch.num_rows
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def _holds_bytes(kind: "pa.DataType") -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(field.name == BYTES and _holds_bytes(field.type) for field in kind)
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _content(value: Any) -> bytes:
    if isinstance(value, dict):
        value = value[BYTES]
    return b"" if value is None else bytes(value)
