"""Score an archive: list it, score what has no result, keep every result once."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from itertools import chain
from pathlib import Path

from tqdm import tqdm

from cxrmodel.archive.manifest import Counts, Manifest, Run, begin, load_run
from cxrmodel.archive.output import Output
from cxrmodel.archive.sink import Sink
from cxrmodel.archive.sources.files import as_path
from cxrmodel.archive.sources.registry import open_source
from cxrmodel.archive.sources.source import Source
from cxrmodel.archive.summary import write_summary
from cxrmodel.archive.tasks import Runner, Settings, Task
from cxrmodel.errors import CxrError, OutputRefused

StartRunner = Callable[[Settings], AbstractContextManager[Runner]]
"""Starts what scores; called only where there is something to score."""


def score_archive(
    folder: Path, run: Run, start: StartRunner, *, retry_failed: bool = False, update: bool = False
) -> Counts:
    """Begin an output, or continue it, until every image that was asked for has its row.

    Parameters
    ----------
    folder : Path
        Of the output.
    run : Run
        What is asked. An output that was begun must have been asked the same.
    start : callable
        Gives the runner.
    retry_failed : bool
        Whether images that failed in an earlier run are tried again.
    update : bool
        Whether the sources are listed again: new images are scored too, and changed ones again.

    Returns
    -------
    Counts
        Of the whole output.

    Raises
    ------
    OutputRefused
        When the folder is no output, is held by another run, or was begun with something else.
    OutputFailed
        When the disk is full. Everything that was written stays, and the same call continues.
    SourceUnavailable
        When a source cannot be reached. The same call continues.
    DataError, SettingError, MissingExtra, ModelError
    """
    output = Output(folder)
    _check_apart(folder, run)
    with output.held():
        manifest, changed = _manifest(output, run, update)
        if run.identity:
            output.readings.mkdir(mode=0o700, exist_ok=True)
        sink = Sink(manifest)
        sink.recover()
        before, pending = manifest.counts(), manifest.pending(retry_failed, changed)
        if first := next(pending, None):
            left = before.left + len(changed) + (before.failed if retry_failed else 0)
            with (
                start(manifest.run.settings) as runner,
                tqdm(total=left, desc="scoring", unit="image") as bar,
            ):
                _score(runner, manifest, sink, chain([first], pending), bar.update)
        counts = manifest.counts()
        write_summary(manifest, counts)
        return counts


def _check_apart(folder: Path, run: Run) -> None:
    """Refuse an output among the images, which would be taken for images themselves."""
    for name in run.sources:
        place = as_path(name.place)
        if place.is_dir() and folder.resolve().is_relative_to(place.resolve()):
            raise OutputRefused("archive.within_source", output=str(folder))


def _manifest(output: Output, run: Run, update: bool) -> tuple[Manifest, set[int]]:
    """The manifest of an output, begun if need be, and the images that changed since they were scored."""
    if not output.run.exists():
        begin(output, run, _opened(run))
        return Manifest(output), set()
    load_run(output).check_same(run, str(output.folder))
    manifest = Manifest(output)
    if not manifest.blocks:  # it was killed before the listing was in its place
        begin(output, run, _opened(run))
        return Manifest(output), set()
    return manifest, manifest.extend(_opened(run))[1] if update else set()


def _opened(run: Run) -> list[Source]:
    return [open_source(name) for name in run.sources]


def _score(
    runner: Runner,
    manifest: Manifest,
    sink: Sink,
    pending: Iterable[tuple[int, set[int]]],
    progress: Callable[[int], object],
) -> None:
    def tasks() -> Iterator[Task]:
        for block, numbers in pending:
            sink.expect(block, numbers)
            yield from manifest.tasks(block, numbers)

    try:
        for scored in runner.score(tasks()):
            progress(sink.add(scored))
        sink.commit()
    except BaseException:
        with suppress(CxrError):  # the first error is the one to be told
            sink.commit()
        raise
