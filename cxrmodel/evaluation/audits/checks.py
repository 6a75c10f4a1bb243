"""Audit of the checks: how often each rejects and warns, on images that should be read and on others."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard, TypeVar

import cv2
import numpy as np
from PIL import Image as PilImage
from tqdm import tqdm

from cxrmodel.checks.report import PASSED, REJECTED, WARNING, CheckReport
from cxrmodel.errors import DataError, ImageRefused
from cxrmodel.evaluation.audits.hard_cases import CHANGED, SYNTHETIC
from cxrmodel.evaluation.audits.schema import CheckAudit, CheckSet, Inversion
from cxrmodel.evaluation.audits.valid_cases import LARGEST_DIFFERENCE, VALID
from cxrmodel.evaluation.storage import EVALUATION_FOLDER, load_evaluation, save_evaluation
from cxrmodel.metrics.bootstrap import SEED
from cxrmodel.metrics.estimate import significant
from cxrmodel.metrics.performance import Performance, evaluate_scores
from cxrmodel.records import read_rows
from cxrmodel.training.archive import Image, find_images, training_split
from cxrmodel.training.references import held_out_kinds

if TYPE_CHECKING:
    from cxrmodel.reading import Reader


CASES = 24
"""Hard cases of each kind."""
INVERTED_IMAGES = 100
IMAGE_SIZE = 1024

Item = TypeVar("Item")
Source = tuple[Callable[[], bytes], str]
Examined = tuple[CheckReport, float] | ImageRefused


def audit_checks(reader: "Reader", root: Path, progress: bool = True) -> CheckAudit:
    """Examine every collection in the data folder, and the hard cases.

    Every check runs on every picture, also when an earlier one rejects it, so that the share of each is known. Of
    adults, only counts are kept.

    Parameters
    ----------
    reader : Reader
    root : Path
        Holds ``chest_xray`` and, where there are any, ``originals``, ``not_chest``, ``dicom``, adults and
        ``other_hospital``.
    progress : bool
        Whether to show progress bars on standard error.

    Raises
    ------
    DataError
        When images are missing.
    """
    images = find_images(root, ("test",))
    test = list(_examined(reader, map(_file, images), "checks: test" if progress else None))
    sets = [tally("test", test)]
    for name, sources in _collections(reader, root, images):
        sets.append(tally(name, _examined(reader, sources, f"checks: {name}" if progress else None)))
    undisturbed = _chosen(test)
    for name, change in VALID.items():
        sources = [(partial(_changed, change, image, case), name) for case, image in enumerate(_chosen(images))]
        rows = _examined(reader, sources, f"checks: {name}" if progress else None)
        sets.append(tally(name, rows, undisturbed))
    scores = reader.score_many(((image.path.read_bytes(), image.name) for image in images), checked=False)

    def performance(pairs: list[tuple[Image, float]]) -> Performance:
        labels, values, patients = zip(*((image.label, value, image.patient) for image, value in pairs), strict=True)
        points = reader.spec.operating_points
        return evaluate_scores(labels, values, patients, points, prevalence=reader.spec.prevalence)

    return CheckAudit(
        sets=tuple(sets),
        inversion=_inversion(reader, images),
        all_images=performance(
            [
                (image, score.probability)
                for image, score in zip(images, scores, strict=True)
                if not isinstance(score, ImageRefused)
            ]
        ),
        read_images=performance([(image, row[1]) for image, row in zip(images, test, strict=True) if _read(row)]),
    )


def measure_checks(reader: "Reader", root: Path, out: Path = EVALUATION_FOLDER, progress: bool = True) -> CheckAudit:
    """Put the audit of the checks into a model's evaluation.

    Raises
    ------
    DataError, EvaluationError
        When images are missing, or there is no evaluation of these weights in ``out``.
    """
    evaluation = load_evaluation(reader.spec.model, out, reader.spec)
    audited = audit_checks(reader, root, progress)
    save_evaluation(evaluation.replace(checks=audited), out)
    return audited


def tally(name: str, rows: Iterable[Examined], undisturbed: Sequence[Examined] | None = None) -> CheckSet:
    """Count the outcomes on one set of pictures.

    Parameters
    ----------
    name : str
        Of the set.
    rows : iterable of (CheckReport, float) or ImageRefused
        The report of every check, or why the file could not be decoded: it counts under the refusal's name.
    undisturbed : sequence of (CheckReport, float) or ImageRefused, or None
        Of valid hard cases: of the same images without the change.
    """
    examined = list(rows)
    reports = [row[0] for row in examined if not isinstance(row, ImageRefused)]
    undecodable = Counter(type(row).__name__ for row in examined if isinstance(row, ImageRefused))
    rejected = sum(report.outcome == REJECTED for report in reports)
    return CheckSet(
        name=name,
        images=len(examined),
        read=len(reports) - rejected,
        warned=sum(report.outcome == WARNING for report in reports),
        rejected=rejected + undecodable.total(),
        measured=tuple(sorted({item.check for report in reports for item in report.results})),
        rejected_by=dict(sorted((undecodable + _by_check(reports, REJECTED)).items())),
        warned_by=dict(sorted(_by_check(reports, WARNING).items())),
        silent=None if undisturbed is None else sum(map(_silent, examined, undisturbed)),
    )


def _silent(row: Examined, undisturbed: Examined) -> bool:
    """Whether a change of the probability stands without a warning."""
    if isinstance(row, ImageRefused) or isinstance(undisturbed, ImageRefused):
        return False
    return row[0].outcome == PASSED and abs(row[1] - undisturbed[1]) > LARGEST_DIFFERENCE


def _chosen(items: Sequence[Item]) -> Sequence[Item]:
    """As many as there are hard cases of a kind, spread evenly."""
    return items[:: max(1, len(items) // CASES)][:CASES]


def _by_check(reports: Iterable[CheckReport], outcome: str) -> Counter[str]:
    """Reports with an outcome of each check, every report once."""
    found = ({item.check for item in report.results if item.outcome == outcome} for report in reports)
    return Counter(chain.from_iterable(found))


def grey_at_image_size(data: bytes) -> bytes:
    """Make a picture grey and 1,024 pixels a side, so that checks of size and colour no longer apply."""
    with PilImage.open(BytesIO(data)) as opened:
        grey = opened.convert("L").resize((IMAGE_SIZE, IMAGE_SIZE), PilImage.Resampling.BICUBIC)
    return _png(np.asarray(grey))


def _examined(reader: "Reader", sources: Iterable[Source], title: str | None) -> Iterator[Examined]:
    for source in tqdm(list(sources), title, file=sys.stderr, unit="image", disable=title is None):
        yield reader.examine(*source)


def _collections(reader: "Reader", root: Path, images: list[Image]) -> Iterator[tuple[str, Iterable[Source]]]:
    held_out = training_split(root, reader.spec.split_seed).held_out
    yield "held_out", map(_file, held_out)
    originals = sorted((root / "originals").glob("*/*.jpeg"))
    if originals:
        yield "originals", [(path.read_bytes, path.name) for path in originals]
    others = sorted(path for path in (root / "not_chest").glob("*/*") if path.is_file())
    if others:
        yield "not_chest", [(path.read_bytes, path.name) for path in others]
        yield "not_chest_grey", [(partial(_grey_file, path), path.name) for path in others]
    for kind, paths in held_out_kinds(root).items():
        if paths:
            yield f"unseen_{kind}", [(partial(_grey_file, path), path.name) for path in paths]
    yield from _dicom(root)
    # None of them is trained on.
    for name, pattern in (("adults", "adult_rsna/*/*.jpg"), ("other_hospital", "other_hospital/*.jpg")):
        paths = sorted(root.glob(pattern))
        if paths:
            yield name, [(path.read_bytes, "adult") for path in paths]
    yield from _hard_cases(images)


def _dicom(root: Path) -> Iterator[tuple[str, Iterable[Source]]]:
    if not (root / "dicom.csv").is_file() or find_spec("cxrmodel.imaging.dicom.image") is None:
        return
    try:
        listed = [(row["file"], row["expect"]) for row in read_rows(root / "dicom.csv")]
    except (KeyError, ValueError) as error:
        raise DataError("evaluation.error.dicom_table", file=str(root / "dicom.csv")) from error
    for name, expected in (("dicom_not_chest", "refuse"), ("dicom_chest", "read")):
        paths = [root / file for file, expectation in listed if expectation == expected]
        yield name, [(path.read_bytes, path.name) for path in paths]


def _hard_cases(images: list[Image]) -> Iterator[tuple[str, Iterable[Source]]]:
    for name, draw in SYNTHETIC.items():
        rngs = [np.random.default_rng((SEED, case)) for case in range(CASES)]
        yield name, [(partial(_drawn, draw, rng), name) for rng in rngs]
    chosen = _chosen(images)
    for name, change in CHANGED.items():
        yield name, [(partial(_changed, change, image, case), name) for case, image in enumerate(chosen)]


def _inversion(reader: "Reader", images: list[Image]) -> Inversion:
    """Compare the probabilities of images and of their inverses."""
    chosen = images[:: max(1, len(images) // INVERTED_IMAGES)][:INVERTED_IMAGES]
    differences = []
    for image in chosen:
        changes = (lambda pixels, rng: pixels, CHANGED["inverted"])
        rows = [reader.examine(partial(_changed, change, image, 0), image.name) for change in changes]
        read = [row[1] for row in rows if _read(row)]
        if len(read) == 2:
            differences.append(abs(read[0] - read[1]))
    if not differences:
        raise DataError("evaluation.error.no_inverse")
    return Inversion(images=len(chosen), compared=len(differences), max_difference=significant(max(differences)))


def _read(row: Examined) -> TypeGuard[tuple[CheckReport, float]]:
    return not isinstance(row, ImageRefused) and row[0].outcome != REJECTED


def _file(image: Image) -> Source:
    return image.path.read_bytes, image.name


def _grey_file(path: Path) -> bytes:
    return grey_at_image_size(path.read_bytes())


def _drawn(draw: Callable[[np.random.Generator], np.ndarray], rng: np.random.Generator) -> bytes:
    return _png(draw(rng))


def _changed(change: Callable[[np.ndarray, np.random.Generator], np.ndarray], image: Image, case: int) -> bytes:
    with PilImage.open(image.path) as opened:
        pixels = np.asarray(opened.convert("L"))
    return _png(change(pixels, np.random.default_rng((SEED, case))))


def _png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(pixels))[1].tobytes()
