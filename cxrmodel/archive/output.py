"""The folder of an archive's output: where each file of it lies, and how parts are written and read."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cxrmodel import outputs
from cxrmodel.errors import DataError, OutputRefused

_DRAFT = re.compile(r"\.[0-9a-f]{16}\.part.*")
_PART = re.compile(r"part-(\d{6,})\.parquet")
_SEGMENT = re.compile(r"(\d{6,})-(\d{6,})\.parquet")
_LISTING = re.compile(r"asked-(\d{6,})\.parquet")


class Output:
    """Paths below one folder.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    readings, heatmaps : Path
        Folders of the parts: one file for each block of images, whole or absent.
    run : Path
        What was asked; ``cxrmodel.archive.manifest.Run``.
    summary : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.readings, self.heatmaps = folder / "readings", folder / "heatmaps"
        self.summary = folder / "summary.html"
        self.manifest = folder / "manifest"
        self.run = self.manifest / "run.json"
        self.unfinished = self.manifest / "unfinished"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder, which is made if need be, against other runs; and clear away drafts of a killed one.

        Raises
        ------
        OutputRefused
            When another run holds it, or it holds something else.
        OutputFailed
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise OutputRefused("outputs.not_a_folder", file=str(self.folder))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise outputs.failed(self.folder, error) from error
        with outputs.locked(self.folder):
            ours = {path.name for path in (self.readings, self.heatmaps, self.manifest, self.summary)}
            foreign = [
                path for path in self.folder.iterdir() if path.name not in ours and not path.name.startswith(".")
            ]
            if foreign and not self.run.exists():
                raise OutputRefused("archive.not_empty", output=str(self.folder))
            self.manifest.mkdir(mode=0o700, exist_ok=True)  # it names files
            for folder in (self.folder, self.readings, self.heatmaps, self.manifest, self.unfinished):
                for path in _entries(folder, _DRAFT):
                    with suppress(OSError):
                        path.unlink()
            yield

    def part(self, block: int) -> Path:
        """Readings of a block of images."""
        return self.readings / f"part-{block:06}.parquet"

    def heatmap_part(self, block: int) -> Path:
        """Heatmaps of a block of images."""
        return self.heatmaps / f"part-{block:06}.parquet"

    def parts(self) -> dict[int, Path]:
        """Parts of readings that are there, by block, in order."""
        return {int(_matched(_PART, path)[1]): path for path in _entries(self.readings, _PART)}

    def listing(self, number: int) -> Path:
        """A listing of images that were asked for."""
        return self.manifest / f"asked-{number:06}.parquet"

    def listings(self) -> list[Path]:
        """Listings that are there, in order."""
        return _entries(self.manifest, _LISTING)

    def segment(self, block: int, number: int) -> Path:
        """Some results of a block that has no part yet."""
        return self.unfinished / f"{block:06}-{number:06}.parquet"

    def segments(self) -> dict[int, list[Path]]:
        """Segments that are there, by block, each in order."""
        found: dict[int, list[Path]] = {}
        for path in _entries(self.unfinished, _SEGMENT):
            found.setdefault(int(_matched(_SEGMENT, path)[1]), []).append(path)
        return found


def write_table(path: Path, table: pa.Table, *, overwrite: bool = False) -> None:
    """Write a Parquet file, whole or not at all.

    Raises
    ------
    OutputFailed
    """
    with outputs.draft(path, overwrite=overwrite) as part:
        pq.write_table(table, part, compression="zstd")


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file, or some of its columns.

    Raises
    ------
    DataError
        When it cannot be read, or is damaged.
    """
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            table = file.read(columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise DataError("archive.damaged", file=str(path)) from error
    if columns is not None and not set(columns) <= set(table.column_names):  # Arrow leaves out what is not there
        raise DataError("archive.damaged", file=str(path))
    return table


def _entries(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if pattern.fullmatch(path.name))


def _matched(pattern: re.Pattern[str], path: Path) -> re.Match[str]:
    found = pattern.fullmatch(path.name)
    assert found
    return found
