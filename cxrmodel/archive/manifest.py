"""Manifest of an archive's output: what was asked, and what of it is done, refused or failed.

Images are numbered when they are listed. Each block of numbers becomes one part, whose presence says that the whole
block is done; no other file has to agree with it. Results of a block that is not complete are in segments, which may be
lost or left over without harm: an image is done when a part or a segment has its row, and of two rows the later counts.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field

from cxrmodel import outputs
from cxrmodel.archive.output import Output, read_table
from cxrmodel.archive.sources.source import Item, Source, SourceName
from cxrmodel.archive.tasks import Settings, Task
from cxrmodel.errors import DataError, OutputRefused
from cxrmodel.prevalence import prevalence_words
from cxrmodel.records import Record, Share

LISTED = pa.schema(
    [
        pa.field("item", pa.int64(), nullable=False),
        pa.field("source", pa.int16(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("size", pa.int64()),
        pa.field("modified", pa.int64()),
        pa.field("version", pa.string()),
    ]
)
"""Columns of a listing. Each row group is one block."""
_DAMAGED = (DataError, "archive.damaged_run")


class Run(Record):
    """What a run was asked to do, as kept in ``manifest/run.json``.

    Attributes
    ----------
    format : int
        Of the whole output.
    model, version : str
        Name and version of the model.
    prevalence : float
    identity, heatmaps : bool
        See ``cxrmodel.archive.tasks.Settings``.
    part_images : int
        Images of one part.
    sources : tuple of SourceName
    """

    format: Literal[1] = 1
    model: str
    version: str
    prevalence: Share
    identity: bool
    heatmaps: bool
    part_images: Annotated[int, Field(ge=1)]
    sources: Annotated[tuple[SourceName, ...], Field(min_length=1)]

    @property
    def settings(self) -> Settings:
        """What the processes that score need of it."""
        return Settings(self.model, self.version, self.prevalence, self.identity, self.heatmaps, self.sources)

    def check_same(self, asked: "Run", output: str) -> None:
        """Refuse to continue an output with what would not fit it.

        Raises
        ------
        OutputRefused
        """
        if asked.version != self.version:
            raise OutputRefused("archive.other_model", output=output, model=self.version, asked=asked.version)
        if asked.prevalence != self.prevalence:
            raise OutputRefused("archive.other_prevalence", output=output, prevalence=prevalence_words(self.prevalence))
        if asked.sources != self.sources:
            raise OutputRefused("archive.other_sources", output=output)
        if asked.part_images != self.part_images:
            raise OutputRefused("archive.other_parts", output=output, images=self.part_images)
        for option in ("identity", "heatmaps"):
            if getattr(asked, option) != getattr(self, option):
                code = "archive.without_option" if getattr(asked, option) else "archive.with_option"
                raise OutputRefused(code, output=output, option=f"--{option}")


@dataclass(frozen=True)
class Counts:
    """Images of an output.

    Attributes
    ----------
    asked : int
        Listed.
    read, refused, failed : int
        With a row of that status; ``failed`` is the status ``error``.
    """

    asked: int
    read: int
    refused: int
    failed: int

    @property
    def done(self) -> int:
        """Images that have a row."""
        return self.read + self.refused + self.failed

    @property
    def left(self) -> int:
        """Images without a row."""
        return self.asked - self.done


class Manifest:
    """The state of an output that has been begun.

    Parameters
    ----------
    output : Output

    Raises
    ------
    DataError
        When the folder is no output, or a file of it is damaged.
    """

    def __init__(self, output: Output) -> None:
        self.output = output
        self.run = load_run(output)
        self._listings: list[pq.ParquetFile] = []
        self._blocks: list[tuple[int, int]] = []
        paths = output.listings()
        for number, path in enumerate(paths):
            if path != output.listing(number):
                raise DataError("archive.damaged_listing", file=str(output.listing(number)))
            self._add_listing(path)
        if not paths and (output.parts() or output.segments()):
            raise DataError("archive.damaged_listing", file=str(output.listing(0)))

    def _add_listing(self, path: Path) -> None:
        try:
            file = pq.ParquetFile(path, memory_map=True)
        except (OSError, pa.ArrowException) as error:
            raise DataError("archive.damaged_listing", file=str(path)) from error
        self._blocks += [(len(self._listings), group) for group in range(file.num_row_groups)]
        self._listings.append(file)

    @property
    def asked(self) -> int:
        """Images that were listed."""
        return sum(file.metadata.num_rows for file in self._listings)

    @property
    def blocks(self) -> int:
        """Blocks of images."""
        return len(self._blocks)

    def block_of(self, number: int) -> int:
        """The block of an image."""
        return number // self.run.part_images

    def numbers(self, block: int) -> range:
        """Numbers of the images of a block."""
        listing, group = self._blocks[block]
        first = block * self.run.part_images
        return range(first, first + int(self._listings[listing].metadata.row_group(group).num_rows))

    def listed(self, block: int) -> pa.Table:
        """What was asked for in a block, with the columns ``LISTED``.

        Raises
        ------
        DataError
            When the listing is damaged.
        """
        listing, group = self._blocks[block]
        try:
            return self._listings[listing].read_row_group(group)
        except (OSError, pa.ArrowException) as error:
            raise DataError("archive.damaged_listing", file=str(self.output.listing(listing))) from error

    def tasks(self, block: int, chosen: Collection[int]) -> Iterator[Task]:
        """Tasks of those images of a block whose number is chosen."""
        for row in self.listed(block).to_pylist():
            if row["item"] in chosen:
                item = Item(row["id"], row["size"], row["modified"], row["version"])
                yield Task(row["item"], row["source"], item)

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
        """Some columns of every row that is there, block by block, each image once; ``item`` is the first of them.

        Yields
        ------
        block : int
        rows : pyarrow.Table
            In order of ``item``.

        Raises
        ------
        DataError
            When a file is damaged.
        """
        parts, segments = self.output.parts(), self.output.segments()
        for block in sorted({*parts, *segments}):
            tables = self._tables(block, parts, segments, columns)
            yield block, tables[0] if len(tables) == 1 else latest(tables)

    @staticmethod
    def _tables(
        block: int, parts: Mapping[int, Path], segments: Mapping[int, Sequence[Path]], columns: Sequence[str]
    ) -> list[pa.Table]:
        paths = [parts[block]] if block in parts else []
        return [read_table(path, ["item", *columns]) for path in (*paths, *segments.get(block, ()))]

    def pending(self, retry_failed: bool = False, changed: Collection[int] = ()) -> Iterator[tuple[int, set[int]]]:
        """Choose what is still to be scored.

        Parameters
        ----------
        retry_failed : bool
            Whether images that failed are tried again.
        changed : collection of int
            Numbers of images to score again.

        Yields
        ------
        block : int
        numbers : set of int
            Never empty.
        """
        parts, segments = self.output.parts(), self.output.segments()
        again: dict[int, set[int]] = {}
        for number in changed:
            again.setdefault(self.block_of(number), set()).add(number)
        for block in range(self.blocks):
            chosen = again.get(block, set())
            if block not in parts or retry_failed:
                tables = self._tables(block, parts, segments, ["status"])
                chosen |= set(self.numbers(block)) - _settled(tables, retry_failed)
            if chosen:
                yield block, chosen

    def counts(self) -> Counts:
        """Count the images by status."""
        by_status = dict.fromkeys(("read", "refused", "error"), 0)
        parts, segments = self.output.parts(), self.output.segments()
        whole = (read_table(path, ["status"]) for block, path in parts.items() if block not in segments)
        mixed = (latest(self._tables(block, parts, segments, ["status"])) for block in segments)
        for rows in chain(whole, mixed):
            for pair in pc.value_counts(rows["status"]).to_pylist():
                by_status[pair["values"]] += pair["counts"]
        return Counts(self.asked, by_status["read"], by_status["refused"], by_status["error"])

    def extend(self, sources: Sequence[Source]) -> tuple[int, set[int]]:
        """List the sources again: ask for images that are new, and find those that changed since they were scored.

        Images that are gone keep their rows.

        Returns
        -------
        added : int
            New images, which are now asked for.
        changed : set of int
            Numbers of images whose size or time of change is no longer that of their row.
        """
        fresh = pa.concat_tables(_listed(sources))
        known = pa.concat_tables([self.listed(block).select(["item", "source", "id"]) for block in range(self.blocks)])
        keys = ["source", "id"]
        new = fresh.join(known, keys, join_type="left anti")
        states = pa.concat_tables([rows for _, rows in self.rows(["file_bytes", "file_modified"])] or [_NO_STATES])
        both = known.join(fresh.select([*keys, "size", "modified"]), keys, join_type="inner").join(
            states, "item", join_type="inner"
        )
        differs = [
            pc.fill_null(pc.not_equal(both[listed], both[row]), False)
            for listed, row in (("size", "file_bytes"), ("modified", "file_modified"))
        ]
        changed = set(both.filter(pc.or_(*differs))["item"].to_pylist())
        if new.num_rows:
            path = self.output.listing(len(self._listings))
            new = new.sort_by([("place", "ascending")]).select(_FRESH.names).cast(_FRESH)
            with outputs.draft(path) as part:
                _write_listing(part, iter([new]), self.run.part_images, self.blocks)
            self._add_listing(path)
        return new.num_rows, changed


def begin(output: Output, run: Run, sources: Sequence[Source]) -> None:
    """List the sources of a new output. It is begun when its listing is there, whole.

    Raises
    ------
    DataError
        When a source cannot be listed, or there is no image at all. Nothing was written.
    SourceUnavailable, OutputFailed
    """
    with outputs.draft(output.listing(0)) as part:
        if not _write_listing(part, _listed(sources), run.part_images, 0):
            raise DataError("archive.no_images")
        outputs.write(output.run, run.to_json(), overwrite=True)  # first, so that a listing never stands alone


def begun_run(output: Output) -> Run | None:
    """What an output was begun with; None for a folder that is not there, or is empty.

    Raises
    ------
    DataError
        When its manifest is damaged.
    """
    return load_run(output) if output.run.exists() else None


def load_run(output: Output) -> Run:
    """What a run was asked to do.

    Raises
    ------
    DataError
        When there is none, or it is damaged.
    """
    return Run.load(output.run, (DataError, "archive.no_output"), _DAMAGED, output=str(output.folder))


def latest(tables: Sequence[pa.Table]) -> pa.Table:
    """Put rows together: one an item, the last one, in order of ``item``."""
    whole = pa.concat_tables(tables)
    items = whole["item"].to_numpy()
    _, last = np.unique(items[::-1], return_index=True)
    return whole.take(len(items) - 1 - last)


_FRESH = LISTED.remove(0).append(pa.field("place", pa.int64(), nullable=False))
_NO_STATES = pa.schema([("item", pa.int64()), ("file_bytes", pa.int64()), ("file_modified", pa.int64())]).empty_table()
_AT_ONCE = 8192
"""Images of a source that are listed before they are written."""


def _listed(sources: Sequence[Source]) -> Iterator[pa.Table]:
    """Everything in the sources, in order, with the columns ``LISTED`` but ``item``, and ``place`` in the whole."""
    place = count()
    for number, source in enumerate(sources):
        items = source.items()
        while batch := list(islice(items, _AT_ONCE)):
            rows = [{"source": number, **asdict(item), "place": next(place)} for item in batch]
            yield pa.Table.from_pylist(rows, _FRESH)


def _write_listing(path: Path, tables: Iterator[pa.Table], part_images: int, first_block: int) -> int:
    """Write a listing, one block a row group, and give its number of images."""
    block, waiting, written = first_block, _FRESH.empty_table(), 0
    with pq.ParquetWriter(path, LISTED, compression="zstd") as writer:

        def put(rows: pa.Table) -> None:
            nonlocal block, written
            start = block * part_images
            numbers = pa.array(range(start, start + rows.num_rows), pa.int64())
            writer.write_table(rows.drop(["place"]).add_column(0, LISTED.field("item"), numbers).cast(LISTED))
            block, written = block + 1, written + rows.num_rows

        for table in tables:
            waiting = pa.concat_tables([waiting, table])
            while waiting.num_rows >= part_images:
                put(waiting.slice(0, part_images))
                waiting = waiting.slice(part_images)
        if waiting.num_rows:
            put(waiting)
    return written


def _settled(tables: Sequence[pa.Table], retry_failed: bool) -> set[int]:
    """Numbers of the images that have a row, of those that failed only where they are not tried again."""
    if not tables:
        return set()
    rows = latest(tables)
    if retry_failed:
        rows = rows.filter(pc.not_equal(rows["status"], "error"))
    return set(rows["item"].to_pylist())
