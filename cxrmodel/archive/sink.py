"""Where results are kept: each image once, on disk within seconds, whenever the process is killed."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cxrmodel.archive import columns, heatmaps
from cxrmodel.archive.manifest import Manifest, latest
from cxrmodel.archive.output import read_table, write_table
from cxrmodel.archive.tasks import Scored
from cxrmodel.errors import DataError

HELD_IMAGES = 256
"""Results that are held in memory before they are written."""
HELD_SECONDS = 2.0
"""Seconds after which they are written, few as they are: so much work a killed run loses, at most."""
_HEATMAP = "heatmap"
_SEGMENT = columns.SCHEMA.append(pa.field(_HEATMAP, pa.struct(list(heatmaps.SCHEMA))))


@dataclass(eq=False)
class _Block:
    """A block that is being scored: numbers without a result, and results that are not written."""

    remaining: set[int]
    segments: int
    rows: list[dict[str, Any]] = field(default_factory=list)


class Sink:
    """Takes the results of tasks that were given out.

    Parameters
    ----------
    manifest : Manifest
        Of an output that this process holds.
    clock : callable
        Seconds from any start.
    """

    def __init__(self, manifest: Manifest, clock: Callable[[], float] = time.monotonic) -> None:
        self._manifest, self._output, self._clock = manifest, manifest.output, clock
        self._blocks: dict[int, _Block] = {}
        self._held, self._written = 0, clock()

    def recover(self) -> None:
        """Finish what a killed run left: parts whose segments are still there, and blocks that lack only the part.

        Raises
        ------
        DataError, OutputFailed
        """
        parts = self._output.parts()
        for block, paths in self._output.segments().items():
            done = {number for path in paths for number in read_table(path, ["item"])["item"].to_pylist()}
            if block in parts or done.issuperset(self._manifest.numbers(block)):
                self._publish(block, [])

    def expect(self, block: int, numbers: set[int]) -> None:
        """Say which images of a block will have a result. No two calls name one block."""
        last = self._output.segments().get(block, [])
        segments = 1 + int(last[-1].stem.partition("-")[2]) if last else 0
        self._blocks[block] = _Block(set(numbers), segments)

    def add(self, scored: Scored) -> bool:
        """Keep a result, unless its image has one.

        Returns
        -------
        bool
            Whether it was kept.

        Raises
        ------
        OutputFailed
            When the disk is full. What was written before stays.
        """
        number = self._manifest.block_of(scored.number)
        block = self._blocks.get(number)
        if block is None or scored.number not in block.remaining:
            return False
        block.remaining.remove(scored.number)
        block.rows.append({**scored.row, _HEATMAP: scored.heatmap})
        self._held += 1
        if not block.remaining:
            self._publish(number, block.rows)
            self._held -= len(block.rows)
            del self._blocks[number]
        elif self._held >= HELD_IMAGES or self._clock() - self._written >= HELD_SECONDS:
            self.commit()
        return True

    def commit(self) -> None:
        """Write every result that is held.

        Raises
        ------
        OutputFailed
        """
        for number, block in self._blocks.items():
            if block.rows:
                write_table(self._output.segment(number, block.segments), _table(block.rows))
                self._held -= len(block.rows)
                block.segments, block.rows = block.segments + 1, []
        self._written = self._clock()

    def _publish(self, block: int, rows: list[dict[str, Any]]) -> None:
        """Make the part of a block of its segments, further rows, and an earlier part."""
        output, part = self._output, self._output.part(block)
        segments = output.segments().get(block, [])
        new = [*(read_table(path) for path in segments), _table(rows)]
        before = [read_table(part)] if part.exists() else []
        readings = latest([*before, *(table.drop([_HEATMAP]) for table in new)])
        if not np.array_equal(readings["item"].to_numpy(), np.array(self._manifest.numbers(block))):
            raise DataError("archive.incomplete", file=str(part))
        if self._manifest.run.heatmaps:
            place = output.heatmap_part(block)
            earlier = [read_table(place)] if place.exists() else []
            maps = latest([*earlier, *map(_heatmaps, new)])
            read = readings.filter(pc.equal(readings["status"], "read"))["item"]
            write_table(place, maps.filter(pc.is_in(maps["item"], read)), overwrite=True)
        write_table(part, readings, overwrite=True)  # this is the moment at which the block is done
        for path in segments:
            path.unlink()


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, _SEGMENT)


def _heatmaps(table: pa.Table) -> pa.Table:
    found = table.filter(pc.is_valid(table[_HEATMAP]))[_HEATMAP].combine_chunks()
    return pa.Table.from_struct_array(found).cast(heatmaps.SCHEMA)
