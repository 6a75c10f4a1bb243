"""Images on disk -> the evaluation of a model, through the same reader that users have."""

import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from cxrmodel.errors import DataError, ImageRefused
from cxrmodel.evaluation.metrics import LEVEL, evaluate_scores, significant
from cxrmodel.evaluation.provenance import provenance
from cxrmodel.evaluation.sections import kept_sections
from cxrmodel.evaluation.storage import EVALUATION_FOLDER, FORMAT, save_evaluation
from cxrmodel.model.calibration import finding
from cxrmodel.training.archive import Image, find_images, training_split

if TYPE_CHECKING:
    from cxrmodel.reading import Reader

__all__ = ["agreement", "evaluate", "measured", "original_pairs"]

RESAMPLES = 2000
SEED = 0


def evaluate(reader: "Reader", root: Path, out: Path = EVALUATION_FOLDER, progress: bool = True) -> dict:
    """Read the official test images and the held-out training images, and write the figures to ``out/<model>.json``.

    No check drops an image (``cxrmodel.evaluation.audits.checks`` measures the checks): these are figures of all images. They are
    computed from the scores as they are stored, so they can be computed again from the file. Those of the held-out
    patients are flattering: calibration and operating points were chosen on them.

    Parameters
    ----------
    reader : Reader
        A loaded model.
    root : Path
        The folder that holds ``chest_xray`` and, where there is one, ``originals``.
    out : Path
        The folder to write to.
    progress : bool
        Whether to show progress bars on standard error.

    Returns
    -------
    dict
        The document as written.

    Raises
    ------
    DataError
        When images are missing, a set lacks a class, or the archive's held-out patients are not those of the weights.
    EvaluationError
        When the file cannot be written.
    """
    images = {"test": find_images(root, ("test",)), "held_out": _held_out(reader, root)}
    document: dict = {
        "format": FORMAT,
        "model": reader.spec.model,
        "version": reader.spec.version,
        "weights_sha256": reader.spec.weights_sha256,
        "created": date.today().isoformat(),
        "prevalence": reader.spec.prevalence,
        "operating_points": dict(reader.spec.operating_points),
        "bootstrap": {"resamples": RESAMPLES, "seed": SEED, "level": LEVEL, "unit": "patient"},
        "provenance": provenance(images),
        "data": {},
        "metrics": {},
        "refused": {},
        "scores": {},
    }
    if (root / "originals").is_dir():
        document["agreement"] = agreement(reader, original_pairs(root), progress)
    for split, members in images.items():
        counts, rows, refused, metrics, _ = measured(reader, members, split.replace("_", "-") if progress else None)
        document["data"][split], document["metrics"][split] = counts, metrics
        document["scores"][split], document["refused"][split] = rows, refused
    if kept := kept_sections(reader.spec.model, reader.spec.version, out):
        document["sections"] = kept
    save_evaluation(document, out)
    return document


def measured(
    reader: "Reader", images: Sequence[Image], title: str | None
) -> tuple[dict[str, int], list[dict], list[dict], dict, dict[str, int]]:
    """Read images and compute their figures.

    Parameters
    ----------
    reader : Reader
    images : sequence of Image
    title : str or None
        Of a progress bar on standard error; None shows none.

    Returns
    -------
    counts, rows, refused, metrics, drawn
        As an evaluation holds them: of the images, their scores, those refused, the figures, and ``resamples`` and
        ``seed`` of their intervals.

    Raises
    ------
    DataError
        When an image cannot be opened, or those read are of one class.
    """
    rows, refused = _read(reader, images, title)
    columns = ([row[name] for row in rows] for name in ("label", "probability", "patient"))
    metrics = evaluate_scores(*columns, reader.spec.operating_points, RESAMPLES, SEED)
    return _counts(images, refused), rows, refused, metrics, {"resamples": RESAMPLES, "seed": SEED}


def original_pairs(root: Path) -> list[tuple[Path, Path]]:
    """List the files of ``originals/{NORMAL,PNEUMONIA}`` with their copies in ``chest_xray/train``, by name.

    Raises
    ------
    DataError
        When there is no original, or one has no copy.
    """
    originals = sorted((root / "originals").glob("*/*.jpeg"))
    if not originals:
        raise DataError(f"There are no images in {root / 'originals'}. Add originals, or remove the folder.")
    pairs = [(path, root / "chest_xray" / "train" / path.parent.name / path.name) for path in originals]
    alone = [path.name for path, copy in pairs if not copy.is_file()]
    if alone:
        raise DataError(f"These originals have no copy in {root / 'chest_xray' / 'train'}: {', '.join(alone)}.")
    return pairs


def agreement(reader: "Reader", pairs: Sequence[tuple[Path, Path]], progress: bool = False) -> dict:
    """Compare the readings of original files with those of their small copies.

    Parameters
    ----------
    reader : Reader
    pairs : sequence of (Path, Path)
        An original and its copy.
    progress : bool
        Whether to show a progress bar on standard error.

    Returns
    -------
    dict
        ``images`` (pairs compared), ``probability`` and ``logit`` with ``mean_difference`` and ``max_difference``
        (absolute), ``flipped_findings`` (pairs whose finding differs: pneumonia, uncertain or normal), and ``refused``:
        ``file`` and ``reason`` of each file that was not read, whose pair is left out.

    Raises
    ------
    DataError
        When a file cannot be opened, or no pair is left.
    """
    paths = [path for pair in pairs for path in pair]
    scores = list(_scored(reader, paths, "originals and copies" if progress else None))
    refused = [
        {"file": "/".join(path.parts[-3:]), "reason": str(score)}
        for path, score in zip(paths, scores, strict=True)
        if isinstance(score, ImageRefused)
    ]
    both = [
        pair
        for pair in zip(scores[::2], scores[1::2], strict=True)
        if not any(isinstance(score, ImageRefused) for score in pair)
    ]
    if not both:
        raise DataError("No original could be read together with its copy. Check that the files are whole images.")
    points = reader.spec.operating_points
    return {
        "images": len(both),
        "flipped_findings": sum(finding(a.probability, points) != finding(b.probability, points) for a, b in both),
        "logit": _difference([abs(a.logit - b.logit) for a, b in both]),
        "probability": _difference([abs(a.probability - b.probability) for a, b in both]),
        "refused": refused,
    }


def _difference(values: Sequence[float]) -> dict[str, float]:
    return {"mean_difference": significant(float(np.mean(values))), "max_difference": significant(max(values))}


def _held_out(reader: "Reader", root: Path) -> list[Image]:
    held_out = list(training_split(root, reader.spec.split_seed).held_out)
    if {image.patient for image in held_out} != set(reader.spec.held_out_patients):
        raise DataError(
            f"The held-out patients of {root} are not those of {reader.spec.version}: it was trained on another "
            "archive. Point CXR_DATA at that archive, or train a model on this one."
        )
    return held_out


def _read(reader: "Reader", images: Sequence[Image], title: str | None) -> tuple[list[dict], list[dict]]:
    rows, refused = [], []
    thresholds = tuple(reader.spec.operating_points.values())
    for image, score in zip(images, _scored(reader, [image.path for image in images], title), strict=True):
        if isinstance(score, ImageRefused):
            refused.append({"file": image.name, "reason": str(score)})
            continue
        rows.append(
            {
                "file": image.name,
                "label": image.label,
                "organism": image.organism,
                "patient": image.patient,
                "logit": significant(score.logit),
                "probability": _stored(score.probability, thresholds),
            }
        )
    return rows, refused


def _scored(reader: "Reader", paths: Sequence[Path], title: str | None) -> Iterator:
    scores = reader.score_many(_files(paths), checked=False)
    return iter(tqdm(scores, title, len(paths), file=sys.stderr, unit="image", disable=title is None))


def _files(paths: Iterable[Path]) -> Iterator[tuple[bytes, str]]:
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error.strerror}). Unpack the archive again.") from error
        yield data, path.name


def _stored(probability: float, thresholds: Sequence[float]) -> float:
    """Round to six significant digits of the probability and of its complement.

    More digits are kept where fewer would carry an image across an operating point, which is often an image's own score.
    """
    small = min(probability, 1 - probability)
    if small <= 0:
        return float(probability)
    for decimals in range(5 - math.floor(math.log10(small)), 18):
        rounded = round(float(probability), decimals)
        if all((rounded >= threshold) == (probability >= threshold) for threshold in thresholds):
            return rounded
    return float(probability)


def _counts(images: Sequence[Image], refused: Sequence[dict]) -> dict[str, int]:
    strata, labels = Counter(image.organism for image in images), Counter(image.label for image in images)
    return {
        "images": len(images),
        "patients": len({image.patient for image in images}),
        "normal": labels[0],
        "pneumonia": labels[1],
        "bacteria": strata["bacteria"],
        "virus": strata["virus"],
        "refused": len(refused),
    }
