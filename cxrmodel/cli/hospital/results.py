"""The ``results`` command: write the objects that an archive would get, as files."""

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from cxrmodel.cli.command import Command, Status, put, say
from cxrmodel.cli.numbers import prevalence
from cxrmodel.errors import CxrError, ImageRefused, OutputRefused, ResultRefused
from cxrmodel.messages import Message
from cxrmodel.models import DEFAULT_MODEL, MODELS

if TYPE_CHECKING:
    from cxrmodel.inputs import InputFile
    from cxrmodel.reading import Reader, Reading

SUFFIX = ".dcm"
"""End of the name of every result: ``a.dcm.sr.dcm`` and ``a.dcm.sc.dcm`` for ``a.dcm``."""
_IMAGES = 100
"""Images that one decoder process may decode: the files of one call belong to one user."""


def _kinds(text: str) -> tuple[str, ...]:
    from cxrmodel.results.objects import KINDS

    found = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if not set(found) <= set(KINDS):
        raise argparse.ArgumentTypeError(str(Message("cli.results.unknown_kind", text=text, kinds=KINDS)))
    return found


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    write = actions.add_parser("write", help="read DICOM images and write their result objects")
    write.add_argument("paths", nargs="+", type=Path, metavar="IMAGE|DIR", help="DICOM; folders are read recursively")
    write.add_argument(
        "-o",
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for the objects, a.dcm.sr.dcm and a.dcm.sc.dcm for a.dcm, in the same subfolders",
    )
    write.add_argument(
        "--kinds", type=_kinds, default="sr,sc", metavar="sr,sc", help="report, capture, or both; default: %(default)s"
    )
    write.add_argument(
        "--prevalence", type=prevalence, metavar="SHARE", help="as of read; default: CXR_PREVALENCE, else 0.5"
    )
    write.add_argument("--overwrite", action="store_true", help="replace objects that exist")
    write.add_argument("--model", choices=MODELS.names, default=DEFAULT_MODEL, help="default: %(default)s")


def _run(arguments: argparse.Namespace) -> Status:
    from cxrmodel.imaging.sandbox.pool import start_sandbox

    start_sandbox(images=_IMAGES)
    from cxrmodel.extras import need

    need("highdicom", extra="hospital")  # before the first image is read
    from cxrmodel.outputs import locked
    from cxrmodel.reading import Reader, Reading

    if arguments.out.exists() and not arguments.out.is_dir():
        raise OutputRefused("cli.results.not_folder", path=str(arguments.out))
    reader = Reader.load(arguments.model, prevalence=arguments.prevalence)
    files = _files(arguments.paths, arguments.out)
    arguments.out.mkdir(parents=True, exist_ok=True)
    if not files:
        say(Message("cli.results.nothing"))
    done = bool(files)
    with locked(arguments.out):
        for file, data, outcome in _outcomes(reader, files):
            try:
                written = _write(file, data, outcome, reader, arguments)
            except CxrError as error:
                written, outcome = [], error
            done &= isinstance(outcome, Reading)
            put(_line(file, outcome, written, reader))
    return Status.DONE if done else Status.NOT_ALL_READ


def _files(paths: Sequence[Path], out: Path) -> "list[InputFile]":
    """The files to read, without results of earlier runs; no two of them share the names of their results."""
    from cxrmodel.inputs import list_files
    from cxrmodel.results.objects import KINDS

    ends = tuple(f".{kind}{SUFFIX}" for kind in KINDS)
    files: list[InputFile] = []
    named: dict[Path, InputFile] = {}
    for file in list_files(paths):
        if file.path not in paths and file.name.endswith(ends) and file.path.resolve().is_relative_to(out.resolve()):
            continue
        other = named.setdefault(file.relative, file)
        if other.path != file.path:
            raise OutputRefused("cli.results.shared", first=other.name, second=file.name)
        files.append(file)
    return files


def _outcomes(
    reader: "Reader", files: "Sequence[InputFile]"
) -> "Iterator[tuple[InputFile, bytes, Reading | Exception]]":
    """Each file with its bytes and what became of them; only those of images in progress are held."""
    from tqdm import tqdm

    from cxrmodel.imaging.formats.dicom import is_dicom

    held: dict[int, bytes] = {}

    def source(number: int, file: "InputFile") -> bytes:
        data = file.read()
        if not is_dicom(data):
            raise ResultRefused("results.not_dicom")
        held[number] = data
        return data

    sources = [(partial(source, number, file), PurePath(file.name).name) for number, file in enumerate(files)]
    bar = tqdm(total=len(files), desc="reading", unit="image", disable=len(files) < 2)
    with bar:
        for number, (file, outcome) in enumerate(zip(files, reader.read_many(sources), strict=True)):
            yield file, held.pop(number, b""), outcome
            bar.update()


def _write(
    file: "InputFile", data: bytes, outcome: "Reading | Exception", reader: "Reader", arguments: argparse.Namespace
) -> list[Path]:
    """Write the results of a file; where they are."""
    from cxrmodel.outputs import refuse_existing, write
    from cxrmodel.reading import Reading
    from cxrmodel.results.objects import result_objects

    if not isinstance(outcome, Reading | ImageRefused):
        return []
    results = result_objects(data, outcome, reader.spec, prevalence=reader.prevalence, kinds=arguments.kinds)
    folder = arguments.out / file.relative.parent
    places = [folder / f"{file.relative.name}.{result.kind}{SUFFIX}" for result in results]
    for place in places:
        refuse_existing(place, overwrite=arguments.overwrite)
    for place, result in zip(places, results, strict=True):
        write(place, result.data, overwrite=arguments.overwrite)
    return places


def _line(file: "InputFile", outcome: "Reading | Exception", written: Sequence[Path], reader: "Reader") -> str:
    from cxrmodel.reading import Reading
    from cxrmodel.report.table import make_record
    from cxrmodel.sinks import terminal

    record = make_record(file.name, outcome, reader.spec.version)
    values = {"file": terminal(record.file), "written": tuple(terminal(str(place)) for place in written)}
    if isinstance(outcome, Reading):
        return str(Message("cli.results.read", finding=outcome.finding, **values))
    reasons = " ".join(record.reasons)
    code = "cli.results.not_read_written" if written else "cli.results.not_read"
    status = "refused" if isinstance(outcome, CxrError) else record.status
    return str(Message(code, status=status, reasons=reasons, **values))


COMMAND = Command(
    "results",
    "write the DICOM objects that an archive gets",
    _add_arguments,
    _run,
    epilog="Exit status: 0 when every image was read and its objects were written, else 3.",
)
