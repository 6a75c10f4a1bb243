"""How often each check refuses and warns: on images that should be read, and on pictures that should not."""

import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image as PilImage
from tqdm import tqdm

from cxrmodel.checks.report import REJECTED, WARNING, CheckReport
from cxrmodel.errors import DataError, ImageRefused
from cxrmodel.evaluation.audits.hard_cases import DRAWN, SPOILT
from cxrmodel.evaluation.metrics import evaluate_scores, significant
from cxrmodel.evaluation.run import RESAMPLES, SEED
from cxrmodel.evaluation.sections import save_section
from cxrmodel.evaluation.storage import EVALUATION_FOLDER
from cxrmodel.training.archive import Image, find_images, training_split

if TYPE_CHECKING:
    from cxrmodel.reading import Reader

__all__ = ["check_section", "grey_at_image_size", "measure_checks", "tally"]

CASES = 24
"""Hard cases of each kind."""
POLARITY_IMAGES = 100
IMAGE_SIZE = 1024

Source = tuple[Callable[[], bytes], str]


def check_section(reader: "Reader", root: Path, resamples: int, progress: bool = True) -> dict:
    """Examine every collection that lies in the data folder, and the hard cases.

    Every rule is asked of every picture, also when an earlier one refuses it already, so that each rule's own share is
    known. Of adults, only counts are kept.

    Parameters
    ----------
    reader : Reader
    root : Path
        Holds ``chest_xray`` and, where there are any, ``originals``, ``not_chest``, ``dicom`` and adults.
    resamples : int
        Of the bootstrap behind the metrics' intervals.

    Returns
    -------
    dict
        ``sets``: counts of each collection, ``polarity``: how far the probability of an image and of its inverse
        differ, ``metrics_off`` and ``metrics_read``: metrics of all official test images with the checks off, and of
        those that are read.
    """
    images = find_images(root, ("test",))
    test = list(_examined(reader, map(_file, images), "checks: test" if progress else None))
    sets = [tally("test", "the official test images", test)]
    for name, description, sources in _collections(reader, root, images):
        rows = _examined(reader, sources, f"checks: {name}" if progress else None)
        sets.append(tally(name, description, rows))
    off = list(reader.score_many(((image.path.read_bytes(), image.name) for image in images), checked=False))
    read = [(image, row[1]) for image, row in zip(images, test, strict=True) if _read(row)]

    def metrics(pairs: list[tuple[Image, float]]) -> dict:
        columns = (
            [image.label for image, _ in pairs],
            [value for _, value in pairs],
            [image.patient for image, _ in pairs],
        )
        return evaluate_scores(*columns, reader.spec.operating_points, resamples, SEED)

    return {
        "sets": sets,
        "polarity": _polarity(reader, images),
        "metrics_off": metrics([(image, score.probability) for image, score in zip(images, off, strict=True)]),
        "metrics_read": metrics(read),
    }


def measure_checks(reader: "Reader", root: Path, out: Path = EVALUATION_FOLDER, progress: bool = True) -> dict:
    """Put the section ``checks`` into a model's evaluation.

    Raises
    ------
    DataError, EvaluationError
        When images are missing, or there is no evaluation of these weights in ``out``.
    """
    section = check_section(reader, root, RESAMPLES, progress)
    save_section(reader.spec.model, reader.spec.version, "checks", section, out)
    return section


def tally(name: str, description: str, rows: Iterable[tuple[CheckReport, float] | ImageRefused]) -> dict:
    """Count outcomes.

    Parameters
    ----------
    rows : iterable of (CheckReport, float) or ImageRefused
        What every rule said, or why the file could not be decoded.

    Returns
    -------
    dict
        ``images``, ``read``, ``warned`` (of those read), ``refused``; ``by_rule`` and ``warned_by_rule``: images that
        each rule refuses, or warns of, by itself. A file that cannot be decoded counts under the refusal's name.
    """
    counts, refused, warned = Counter(), Counter(), Counter()
    for row in rows:
        counts["images"] += 1
        if isinstance(row, ImageRefused):
            counts["refused"] += 1
            refused[type(row).__name__] += 1
            continue
        report = row[0]
        counts["refused" if report.outcome == REJECTED else "read"] += 1
        counts["warned"] += report.outcome == WARNING
        refused.update({item.check for item in report.results if item.outcome == REJECTED})
        warned.update({item.check for item in report.results if item.outcome == WARNING})
    numbers = {key: counts[key] for key in ("images", "read", "warned", "refused")}
    return {
        "name": name,
        "description": description,
        **numbers,
        "by_rule": dict(sorted(refused.items())),
        "warned_by_rule": dict(sorted(warned.items())),
    }


def grey_at_image_size(data: bytes) -> bytes:
    """A picture in grey, squashed to 1,024 px a side: what rules on size and colour say no more of."""
    with PilImage.open(BytesIO(data)) as opened:
        grey = opened.convert("L").resize((IMAGE_SIZE, IMAGE_SIZE), PilImage.Resampling.BICUBIC)
    return _png(np.asarray(grey))


def _examined(reader: "Reader", sources: Iterable[Source], title: str | None) -> Iterator:
    for source in tqdm(list(sources), title, file=sys.stderr, unit="image", disable=title is None):
        yield reader.examine(*source)


def _collections(reader: "Reader", root: Path, images: list[Image]) -> Iterator[tuple[str, str, Iterable[Source]]]:
    held_out = training_split(root, reader.spec.split_seed).held_out
    yield "held out", "the held-out training images, on which thresholds were fixed", map(_file, held_out)
    originals = sorted((root / "originals").glob("*/*.jpeg"))
    if originals:
        yield (
            "originals",
            "training images at their original size",
            [(path.read_bytes, path.name) for path in originals],
        )
    strangers = sorted(path for path in (root / "not_chest").glob("*/*") if path.is_file())
    if strangers:
        yield "not chest", "slices, hands and photographs as they are", [(p.read_bytes, p.name) for p in strangers]
        grey = [(partial(_grey_file, path), path.name) for path in strangers]
        yield "not chest, grey", "the same in grey at 1,024 px, where size and colour tell nothing", grey
    yield from _dicom(root)
    adults = sorted((root / "adult_rsna").glob("*/*.jpg")) + sorted((root / "adult_unlabelled").glob("*.jpg"))
    if adults:
        yield (
            "adults",
            "chest radiographs of adults from another hospital",
            [(path.read_bytes, "adult") for path in adults],
        )
    yield from _hard_cases(images)


def _dicom(root: Path) -> Iterator[tuple[str, str, Iterable[Source]]]:
    if not (root / "dicom.csv").is_file() or find_spec("cxrmodel.imaging.dicom.image") is None:
        return
    with (root / "dicom.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for name, expected, words in (
        ("DICOM, not chest", "refuse", "DICOM objects that are no chest radiograph, or damaged"),
        ("DICOM, chest", "read", "DICOM chest radiographs"),
    ):
        paths = [root / row["file"] for row in rows if row["expect"] == expected]
        yield name, words, [(path.read_bytes, path.name) for path in paths]


def _hard_cases(images: list[Image]) -> Iterator[tuple[str, str, Iterable[Source]]]:
    for name, (words, draw) in DRAWN.items():
        rngs = [np.random.default_rng((SEED, case)) for case in range(CASES)]
        yield name, words, [(partial(_drawn, draw, rng), name) for rng in rngs]
    chosen = images[:: max(1, len(images) // CASES)][:CASES]
    for name, (words, spoil) in SPOILT.items():
        yield name, words, [(partial(_spoilt, spoil, image, case), name) for case, image in enumerate(chosen)]


def _polarity(reader: "Reader", images: list[Image]) -> dict:
    """Probabilities of images and of their inverses."""
    chosen = images[:: max(1, len(images) // POLARITY_IMAGES)][:POLARITY_IMAGES]
    differences = []
    for image in chosen:
        rows = [reader.examine(partial(_spoilt, change, image, 0), image.name) for change in (_same, _inverse)]
        if all(map(_read, rows)):
            differences.append(abs(rows[0][1] - rows[1][1]))
    if not differences:
        raise DataError("No image was read in both polarities. Check that the test images are whole images.")
    return {
        "images": len(chosen),
        "compared": len(differences),
        "max_difference": significant(max(differences)),
    }


def _same(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return image


def _inverse(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return 255 - image


def _read(row: tuple[CheckReport, float] | ImageRefused) -> bool:
    return not isinstance(row, ImageRefused) and row[0].outcome != REJECTED


def _file(image: Image) -> Source:
    return image.path.read_bytes, image.name


def _grey_file(path: Path) -> bytes:
    return grey_at_image_size(path.read_bytes())


def _drawn(draw: Callable, rng: np.random.Generator) -> bytes:
    return _png(draw(rng))


def _spoilt(spoil: Callable, image: Image, case: int) -> bytes:
    with PilImage.open(image.path) as opened:
        pixels = np.asarray(opened.convert("L"))
    return _png(spoil(pixels, np.random.default_rng((SEED, case))))


def _png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(pixels))[1].tobytes()
