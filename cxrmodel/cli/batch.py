"""Read many images: paths in, one line each out, in the order given."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from cxrmodel.cli.command import Status, say
from cxrmodel.cli.table import Table, make_record
from cxrmodel.errors import OutputRefused
from cxrmodel.explain.overlay import overlay_figure
from cxrmodel.messages import Message
from cxrmodel.metrics.formatting import percent, probability_percent, threshold_percent
from cxrmodel.model.spec import ModelSpec
from cxrmodel.reading import Reader, Reading, ReadingRecord
from cxrmodel.report.wording import DISCLAIMER, figure_caption

OVERLAY_SUFFIX = ".heatmap.png"
"""Added to the name of an image to name its overlay."""


class InputFile(NamedTuple):
    """A file to be read.

    Attributes
    ----------
    path : Path
        As given, or the given folder and the path within it. The file need not exist.
    relative : Path
        Path relative to the argument that named it.
    """

    path: Path
    relative: Path

    @property
    def name(self) -> str:
        """The path as text, with escapes for bytes that are not UTF-8."""
        return os.fsencode(self.path).decode("utf-8", "backslashreplace")


def read_files(
    reader: Reader,
    paths: Sequence[Path],
    *,
    as_json: bool = False,
    table_path: Path | None = None,
    heatmaps: Path | None = None,
    resume: bool = False,
) -> Status:
    """Read images and print a line for each when it is done. A failure does not stop the others.

    Parameters
    ----------
    reader : Reader
    paths : sequence of Path
        Files and folders. Within folders, the table and earlier overlays in ``heatmaps`` are left out.
    as_json : bool
        Print a JSON object per line instead of a sentence.
    table_path : Path or None
        Table to write, too. An existing one is never overwritten.
    heatmaps : Path or None
        Folder for overlays, named by the relative path of the image and ``OVERLAY_SUFFIX``.
    resume : bool
        Continue the table.

    Returns
    -------
    Status
        ``DONE`` when every file was read, those already in the table included; else ``NOT_ALL_READ``.

    Raises
    ------
    OutputRefused
        When the table cannot be written or continued, ``heatmaps`` is a file, or two images would share an overlay.
        Nothing was written.
    """
    if heatmaps and heatmaps.exists() and not heatmaps.is_dir():
        raise OutputRefused("cli.read.heatmaps_not_folder", path=str(heatmaps))
    table = Table.load(table_path, reader.spec.version, resume) if table_path else None
    given = set(paths)
    files = [
        file for file in list_files(paths) if file.path in given or not _is_output(file.path, table_path, heatmaps)
    ]
    if heatmaps:
        _check_overlays(files)
    empty = [path for path in paths if path.is_dir() and not any(path in file.path.parents for file in files)]
    for path in empty:
        say(Message("cli.read.empty_folder", folder=str(path)))
    with ExitStack() as stack:
        append = stack.enter_context(table.open()) if table else None
        all_read = not empty
        if table:
            all_read &= table.all_read
            files = [file for file in files if file.name not in table.files]
            if resume:
                say(Message("cli.read.resumed", table=str(table_path), skipped=len(table.files), left=len(files)))
        if files:
            say(_notice(reader.spec))
        bar = stack.enter_context(tqdm(total=len(files), desc="reading", unit="image", disable=len(files) < 2))
        outcomes = reader.read_many((file.path.read_bytes, file.path.name) for file in files)
        for file, outcome in zip(files, outcomes, strict=True):
            record = make_record(file.name, outcome, reader.spec.version)
            if heatmaps and isinstance(outcome, Reading):
                _write_overlay(outcome, _overlay_path(heatmaps, file))
            all_read &= record.status == "read"
            print(json.dumps(asdict(record), ensure_ascii=False) if as_json else _line(record, outcome), flush=True)
            if append:
                append(record)
            bar.update()
    return Status.DONE if all_read else Status.NOT_ALL_READ


def list_files(paths: Sequence[Path]) -> Iterator[InputFile]:
    """List the files to be read, in the order of the arguments.

    Folders are walked recursively in sorted order, without hidden files and folders. Missing files and broken links
    are listed too, to be reported.
    """
    for path in paths:
        if not path.is_dir():
            yield InputFile(path, Path(path.name))
            continue
        for child in sorted(path.rglob("*")):
            relative = child.relative_to(path)
            broken = child.is_symlink() and not child.exists()
            if (child.is_file() or broken) and not any(part.startswith(".") for part in relative.parts):
                yield InputFile(child, relative)


def _notice(spec: ModelSpec) -> Message:
    """Disclaimer, model, training ages and assumed prevalence."""
    return Message(
        "cli.read.notice",
        disclaimer=DISCLAIMER,
        model=spec.version,
        ages=str(spec.ages),
        prevalence=percent(spec.prevalence),
    )


def _is_output(path: Path, table: Path | None, heatmaps: Path | None) -> bool:
    """Whether a path is the table, or an overlay of an earlier run."""
    if table is not None and path.resolve() == table.resolve():
        return True
    overlay = heatmaps is not None and path.resolve().is_relative_to(heatmaps.resolve())
    return overlay and path.name.endswith(OVERLAY_SUFFIX)


def _overlay_path(folder: Path, file: InputFile) -> Path:
    return folder / file.relative.parent / f"{file.relative.name}{OVERLAY_SUFFIX}"


def _check_overlays(files: Sequence[InputFile]) -> None:
    named: dict[Path, InputFile] = {}
    for file in files:
        other = named.setdefault(file.relative, file)
        if other.path != file.path:
            raise OutputRefused("cli.read.shared_overlay", first=other.name, second=file.name)


def _write_overlay(reading: Reading, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    caption = figure_caption(reading)
    overlay_figure(reading.radiograph.pixels, reading.heat, reading.heat_range, caption=caption).savefig(path, dpi=150)


def _line(record: ReadingRecord, outcome: Reading | Exception) -> str:
    """One file's result as a sentence."""
    reasons = " ".join(record.reasons)
    if not isinstance(outcome, Reading):
        return str(Message("cli.read.not_read", file=record.file, status=record.status, reasons=reasons))
    points = outcome.operating_points
    line = Message(
        "cli.read.line",
        file=record.file,
        finding=outcome.finding,
        positive=outcome.labels.positive,
        probability=probability_percent(outcome.probability, points),
        low=threshold_percent(points["high_sensitivity"]),
        high=threshold_percent(points["high_specificity"]),
        reasons=reasons,
    )
    return str(line).rstrip()
