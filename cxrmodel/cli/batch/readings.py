"""Read many images: paths in, one line each out, in the order given."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path, PurePath
from typing import NamedTuple

from tqdm import tqdm

from cxrmodel.cli.batch.table import NO_HEATMAP, Table, check_place
from cxrmodel.cli.command import Status, put, say
from cxrmodel.errors import CxrError, OutputRefused
from cxrmodel.imaging.repairs import AS_STORED, Repairs
from cxrmodel.inputs import InputFile, list_files
from cxrmodel.messages import Message
from cxrmodel.outputs import locked, write
from cxrmodel.prevalence import prevalence_words
from cxrmodel.reading import Reader, Reading, ReadingRecord
from cxrmodel.report.picture import overlay_png
from cxrmodel.report.table import make_record, unexpected
from cxrmodel.report.wording import DISCLAIMER
from cxrmodel.sinks import json_line, terminal

OVERLAY_SUFFIX = ".heatmap.png"
"""Added to the name of an image to name its overlay."""


def read_files(
    reader: Reader,
    paths: Sequence[Path],
    *,
    as_json: bool = False,
    table_path: Path | None = None,
    heatmaps: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    repairs: Repairs = AS_STORED,
) -> Status:
    """Read images and print a line for each when it is done. A failure does not stop the others.

    A line is printed when its row is on disk, so that a killed run continues where it stopped.

    Parameters
    ----------
    reader : Reader
    paths : sequence of Path
        Files and folders. Within folders, the table and earlier overlays in ``heatmaps`` are left out.
    as_json : bool
        Print a JSON object per line instead of a sentence.
    table_path : Path or None
        Table to write, too. An existing one is never overwritten. It has one row for a file that is named twice.
    heatmaps : Path or None
        Folder for overlays, named by the relative path of the image and ``OVERLAY_SUFFIX``.
    resume : bool
        Continue the table, and replace the overlays of images that are read again.
    overwrite : bool
        Replace overlays that exist.
    repairs : Repairs
        Made to every image before it is read.

    Returns
    -------
    Status
        ``DONE`` when every file was read and every overlay written, those already in the table included; else
        ``NOT_ALL_READ``.

    Raises
    ------
    OutputRefused
        When the table cannot be written or continued, ``heatmaps`` is a file, two images would share an overlay, or
        another run writes to the table or to ``heatmaps``. Nothing was written.
    OutputFailed
        When the table cannot be written to. It has the rows of all lines that were printed.
    """
    if heatmaps and heatmaps.exists() and not heatmaps.is_dir():
        raise OutputRefused("cli.read.heatmaps_not_folder", path=str(heatmaps))
    with ExitStack() as stack:
        table = stack.enter_context(_held(table_path, reader, resume)) if table_path else None
        files, empty = _listed(paths, table_path, heatmaps)
        overlays = stack.enter_context(_overlays(heatmaps, files, overwrite or resume)) if heatmaps else None
        for path in empty:
            say(Message("cli.read.empty_folder", folder=str(path)))
        all_read, append = not empty, None
        if table:
            listed, files = len(files), table.pending(files, heatmaps is not None)
            all_read &= table.all_read
            append = stack.enter_context(table.open())
            if resume:
                say(Message("cli.read.resumed", table=str(table_path), skipped=listed - len(files), left=len(files)))
        if files:
            say(_notice(reader))
        bar = stack.enter_context(tqdm(total=len(files), desc="reading", unit="image", disable=len(files) < 2))
        outcomes = reader.read_many(((file.read, PurePath(file.name).name) for file in files), repairs)
        for file, outcome in zip(files, outcomes, strict=True):
            record = _record(file, outcome, reader.spec.version, overlays)
            all_read &= record.status == "read" and NO_HEATMAP not in record.codes
            if append:
                append(record)
            put(_json(record) if as_json else _line(record, outcome))
            bar.update()
    return Status.DONE if all_read else Status.NOT_ALL_READ


@contextmanager
def _held(path: Path, reader: Reader, resume: bool) -> Iterator[Table]:
    check_place(path)
    with locked(path):
        yield Table.load(path, reader.spec.version, reader.prevalence, resume)


def _listed(paths: Sequence[Path], table: Path | None, heatmaps: Path | None) -> tuple[list[InputFile], list[Path]]:
    """The files to be read, without outputs of this run and earlier ones, and the given folders that hold none."""
    given, files, empty = set(paths), [], []
    for path in paths:
        found = [
            file for file in list_files([path]) if file.path in given or not _is_output(file.path, table, heatmaps)
        ]
        files += found
        if not found:
            empty.append(path)
    return files, empty


def _record(file: InputFile, outcome: Reading | Exception, model: str, overlays: "_Overlays | None") -> ReadingRecord:
    """Make the record of a file, and write its overlay."""
    record = make_record(file.name, outcome, model)
    if file.state:
        record = replace(record, file_bytes=file.state[0], file_modified=file.state[1])
    if overlays and isinstance(outcome, Reading):
        try:
            overlays.write(outcome, file)
        except Exception as error:  # whatever it is, the reading is shown and the other images are read
            cause = error.message if isinstance(error, CxrError) else unexpected(error)
            note = Message(NO_HEATMAP, reason=cause)
            record = replace(record, reasons=(*record.reasons, str(note)), codes=(*record.codes, note.code))
    return record


def _notice(reader: Reader) -> Message:
    """Disclaimer, model, training ages and prevalence."""
    spec = reader.spec
    return Message(
        "cli.read.notice",
        disclaimer=DISCLAIMER,
        model=spec.version,
        ages=str(spec.ages),
        prevalence=prevalence_words(reader.prevalence),
    )


def _is_output(path: Path, table: Path | None, heatmaps: Path | None) -> bool:
    """Whether a path is the table, or an overlay of an earlier run."""
    if table is None and heatmaps is None:
        return False
    real = os.path.realpath(path)
    if table is not None and real == os.path.realpath(table):
        return True
    overlay = heatmaps is not None and Path(real).is_relative_to(os.path.realpath(heatmaps))
    return overlay and path.name.endswith(OVERLAY_SUFFIX)


class _Overlays(NamedTuple):
    """Where overlays are written, whether over others, and the images, which none replaces."""

    folder: Path
    overwrite: bool
    images: frozenset[str]

    def write(self, reading: Reading, file: InputFile) -> None:
        """Write the overlay of an image.

        Raises
        ------
        OutputRefused, OutputFailed
        """
        relative = file.relative.with_name(f"{file.relative.name}{OVERLAY_SUFFIX}")
        path = self.folder / relative
        for folder in [*relative.parents][:-1]:
            if (self.folder / folder).is_symlink():
                raise OutputRefused("outputs.link", file=str(self.folder / folder))
        if os.path.realpath(path) in self.images:
            raise OutputRefused("cli.read.overlay_is_image", file=str(path))
        write(path, overlay_png(reading), overwrite=self.overwrite)


@contextmanager
def _overlays(folder: Path, files: Sequence[InputFile], overwrite: bool) -> Iterator[_Overlays]:
    named: dict[Path, InputFile] = {}
    for file in files:
        other = named.setdefault(file.relative, file)
        if other.path != file.path:
            raise OutputRefused("cli.read.shared_overlay", first=other.name, second=file.name)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        yield _Overlays(folder, overwrite, frozenset(os.path.realpath(file.path) for file in files))


def _json(record: ReadingRecord) -> str:
    line = json_line(asdict(record))
    try:
        line.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(asdict(record))
    return line


def _line(record: ReadingRecord, outcome: Reading | Exception) -> str:
    """One file's result as a sentence."""
    reasons = " ".join(record.reasons)
    if not isinstance(outcome, Reading):
        return str(Message("cli.read.not_read", file=terminal(record.file), status=record.status, reasons=reasons))
    shown = outcome.shown
    line = Message(
        "cli.read.line",
        file=terminal(record.file),
        finding=outcome.finding,
        positive=outcome.labels.positive,
        probability=shown.probability,
        low=shown.thresholds["high_sensitivity"],
        high=shown.thresholds["high_specificity"],
        reasons=reasons,
    )
    return str(line).rstrip()
