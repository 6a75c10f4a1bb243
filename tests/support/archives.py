"""Archives that a test draws and scores with a stand-in: small pictures, broken files, and the rows of an output."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cxrmodel.archive.manifest import Counts, Manifest, Run
from cxrmodel.archive.output import Output, read_table
from cxrmodel.archive.score import score_archive
from cxrmodel.archive.scoring import Scorer
from cxrmodel.archive.sources.registry import source_names
from cxrmodel.archive.tasks import Runner, Settings
from tests.support.stand_ins import SPEC, FakeReader

CONTENTS = {"broken": b"%PDF-1.7", "empty": b"", "failing": b"break"}
"""Files that are no image: the first two are refused, the last one fails."""


def picture(seed: int) -> bytes:
    """A small PNG, other for each seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8), np.uint8)
    return cv2.imencode(".png", pixels)[1].tobytes()


def lay_out(folder: Path, images: int, **others: str) -> Path:
    """Write pictures ``000.png`` ..., and files by name with one of ``CONTENTS`` each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(images):
        (folder / f"{number:03}.png").write_bytes(picture(number))
    for name, content in others.items():
        (folder / name).write_bytes(CONTENTS[content])
    return folder


def run_of(*sources: Path, **changes: Any) -> Run:
    """What is asked of the stand-in, with four images a part."""
    values = {
        "model": SPEC.model,
        "version": SPEC.version,
        "prevalence": SPEC.prevalence,
        "identity": True,
        "heatmaps": False,
        "part_images": 4,
        "sources": source_names(map(str, sources)),
    }
    return Run(**values | changes)


def runner(reader: Any = None) -> Any:
    """A start of a runner in this process, with the stand-in or another reader."""

    @contextmanager
    def start(settings: Settings) -> Iterator[Runner]:
        yield Scorer(reader or FakeReader(), settings)

    return start


def score(out: Path, *sources: Path, reader: Any = None, **options: Any) -> Counts:
    """Score sources into an output with the stand-in; options of the run or of ``score_archive``."""
    ours = {name: options.pop(name) for name in ("retry_failed", "update") if name in options}
    return score_archive(out, run_of(*sources, **options), runner(reader), **ours)


def rows(out: Path) -> list[dict[str, Any]]:
    """Every row of an output's parts, without the time that its reading took, and nothing beside the parts."""
    parts = Output(out).parts()
    found = [row for block in sorted(parts) for row in read_table(parts[block]).to_pylist()]
    return [{name: value for name, value in row.items() if name != "milliseconds"} for row in found]


def begun(out: Path) -> Manifest:
    """The manifest of an output."""
    return Manifest(Output(out))


def files(out: Path) -> set[str]:
    """Paths of all files of an output within it."""
    return {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
