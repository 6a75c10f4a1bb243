"""Evaluate a model: images on disk, through the reader that users have, to the stored evaluation."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from cxrmodel.errors import DataError, ImageRefused
from cxrmodel.evaluation.provenance import provenance, read_image
from cxrmodel.evaluation.schema import (
    Agreement,
    Bootstrap,
    Dataset,
    Difference,
    Evaluation,
    Provenance,
    Refusal,
    ScoredImage,
    SplitCounts,
    SplitScores,
)
from cxrmodel.evaluation.storage import EVALUATION_FOLDER, earlier_evaluation, save_evaluation
from cxrmodel.metrics.bootstrap import LEVEL, RESAMPLES, SEED
from cxrmodel.metrics.estimate import significant
from cxrmodel.metrics.performance import evaluate_scores
from cxrmodel.model.calibration import finding, rounded
from cxrmodel.model.spec import ModelSpec
from cxrmodel.training.archive import Image, find_images, training_split

if TYPE_CHECKING:
    from cxrmodel.reading import Reader, Score


ORGANISMS = ("bacteria", "virus")


def evaluate(reader: "Reader", root: Path, out: Path = EVALUATION_FOLDER, progress: bool = True) -> Evaluation:
    """Read the official test images and the held-out training images, and write ``out/<model>.json``.

    No check rejects an image here: these are figures of all images (`cxrmodel.evaluation.audits.checks` measures the
    checks). They follow from the scores as stored, so they can be computed again from the file. Figures of the held-out
    patients are optimistic: calibration and operating points were chosen on them. Audits, checks and explanations of
    an earlier evaluation of the same version are kept.

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

    Raises
    ------
    DataError
        When images are missing, a set lacks a class, or the archive's held-out patients are not those of the weights.
    EvaluationError
        When the file cannot be written.
    """
    images = {"test": find_images(root, ("test",)), "held_out": _held_out(reader, root)}
    pairs = original_pairs(root) if (root / "originals").is_dir() else []
    compared = agreement(reader, pairs, progress) if pairs else None
    splits = {
        split: measured(reader, members, split.replace("_", "-") if progress else None)
        for split, members in images.items()
    }
    evaluation = new_evaluation(reader.spec, provenance(images), splits, agreement=compared)
    earlier = earlier_evaluation(reader.spec.model, reader.spec.version, out)
    if earlier is not None:
        evaluation = evaluation.replace(audits=earlier.audits, checks=earlier.checks, explanations=earlier.explanations)
    save_evaluation(evaluation, out)
    return evaluation


def new_evaluation(
    spec: ModelSpec,
    made_with: Provenance,
    splits: dict[str, SplitScores],
    dataset: Dataset | None = None,
    agreement: Agreement | None = None,
) -> Evaluation:
    """Put what was measured today into an evaluation of a model."""
    return Evaluation(
        model=spec.model,
        version=spec.version,
        weights_sha256=spec.weights_sha256,
        created=date.today(),
        labels=spec.labels,
        prevalence=spec.prevalence,
        operating_points=dict(spec.operating_points),
        bootstrap=Bootstrap(resamples=RESAMPLES, seed=SEED, level=LEVEL),
        provenance=made_with,
        dataset=dataset,
        splits=splits,
        agreement=agreement,
    )


def measured(reader: "Reader", images: Sequence[Image], title: str | None) -> SplitScores:
    """Read images and compute their figures.

    Parameters
    ----------
    reader : Reader
    images : sequence of Image
    title : str or None
        Of a progress bar on standard error; None shows none.

    Raises
    ------
    DataError
        When an image cannot be opened, or those read are of one class.
    """
    scores = _scored(reader, [image.path for image in images], title)
    return split_scores(
        reader.spec,
        [
            (image, Refusal.of(image.name, score) if isinstance(score, ImageRefused) else score)
            for image, score in zip(images, scores, strict=True)
        ],
    )


def split_scores(spec: ModelSpec, outcomes: "Sequence[tuple[Image, Score | Refusal]]") -> SplitScores:
    """Compute the figures of images that were scored.

    Parameters
    ----------
    spec : ModelSpec
        Whose prevalence the probabilities assume.
    outcomes : sequence of (Image, Score or Refusal)

    Raises
    ------
    DataError
        When those with a score are of one class.
    """
    thresholds = tuple(spec.operating_points.values())
    refused = tuple(outcome for _, outcome in outcomes if isinstance(outcome, Refusal))
    rows = tuple(
        ScoredImage(
            file=image.name,
            label=1 if image.label else 0,
            organism=image.organism,
            patient=image.patient,
            logit=significant(score.logit),
            probability=rounded(score.probability, thresholds),
        )
        for image, score in outcomes
        if not isinstance(score, Refusal)
    )
    performance = evaluate_scores(
        [row.label for row in rows],
        [row.probability for row in rows],
        [row.patient for row in rows],
        spec.operating_points,
        prevalence=spec.prevalence,
    )
    counts = _counts([image for image, _ in outcomes], len(refused))
    return SplitScores(counts=counts, performance=performance, refused=refused, images=rows)


def original_pairs(root: Path) -> list[tuple[Path, Path]]:
    """List the files of ``originals/{NORMAL,PNEUMONIA}`` with their copies in ``chest_xray/train``, by name.

    Raises
    ------
    DataError
        When there is no original, or one has no copy.
    """
    originals = sorted((root / "originals").glob("*/*.jpeg"))
    if not originals:
        raise DataError("evaluation.error.no_originals", folder=str(root / "originals"))
    pairs = [(path, root / "chest_xray" / "train" / path.parent.name / path.name) for path in originals]
    alone = [path.name for path, copy in pairs if not copy.is_file()]
    if alone:
        folder = root / "chest_xray" / "train"
        raise DataError("evaluation.error.no_copy", folder=str(folder), files=", ".join(alone))
    return pairs


def agreement(reader: "Reader", pairs: Sequence[tuple[Path, Path]], progress: bool = False) -> Agreement:
    """Compare the readings of original files with those of their small copies.

    Parameters
    ----------
    reader : Reader
    pairs : sequence of (Path, Path)
        An original and its copy.
    progress : bool
        Whether to show a progress bar on standard error.

    Raises
    ------
    DataError
        When a file cannot be opened, or no pair is left.
    """
    paths = [path for pair in pairs for path in pair]
    scores = list(_scored(reader, paths, "originals and copies" if progress else None))
    refused = [
        Refusal.of("/".join(path.parts[-3:]), score)
        for path, score in zip(paths, scores, strict=True)
        if isinstance(score, ImageRefused)
    ]
    both = [
        (first, second)
        for first, second in zip(scores[::2], scores[1::2], strict=True)
        if not isinstance(first, ImageRefused) and not isinstance(second, ImageRefused)
    ]
    if not both:
        raise DataError("evaluation.error.no_pairs")
    points, labels = reader.spec.operating_points, reader.spec.labels
    changed = [finding(a.probability, points, labels) != finding(b.probability, points, labels) for a, b in both]
    return Agreement(
        images=len(both),
        changed_findings=sum(changed),
        logit=_difference([abs(a.logit - b.logit) for a, b in both]),
        probability=_difference([abs(a.probability - b.probability) for a, b in both]),
        refused=tuple(refused),
    )


def _difference(values: Sequence[float]) -> Difference:
    return Difference(mean=significant(float(np.mean(values))), max=significant(max(values)))


def _held_out(reader: "Reader", root: Path) -> list[Image]:
    held_out = list(training_split(root, reader.spec.split_seed).held_out)
    if {image.patient for image in held_out} != set(reader.spec.held_out_patients):
        raise DataError("evaluation.error.other_archive", folder=str(root), model=reader.spec.version)
    return held_out


def _scored(reader: "Reader", paths: Sequence[Path], title: str | None) -> "Iterator[Score | ImageRefused]":
    scores = reader.score_many(((read_image(path), path.name) for path in paths), checked=False)
    return iter(tqdm(scores, title, len(paths), file=sys.stderr, unit="image", disable=title is None))


def _counts(images: Sequence[Image], refused: int) -> SplitCounts:
    labels = Counter(image.label for image in images)
    strata = Counter(image.organism for image in images)
    return SplitCounts(
        images=len(images),
        patients=len({image.patient for image in images}),
        negative=labels[0],
        positive=labels[1],
        refused=refused,
        strata={name: strata[name] for name in ORGANISMS},
    )
