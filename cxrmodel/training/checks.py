"""Export of the checks: the projection network, and thresholds chosen on validation images."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

import numpy as np
from tqdm import tqdm

from cxrmodel.checks.image.clipping import clipped_share
from cxrmodel.checks.image.local_contrast import local_contrast
from cxrmodel.checks.image.margins import margin_share
from cxrmodel.checks.lungs.cut_off import edge_share
from cxrmodel.checks.lungs.position import centroid_distance
from cxrmodel.checks.projection import KINDS, ProjectionNetwork
from cxrmodel.checks.report import Rule
from cxrmodel.checks.spec import CheckSpec, FittedOn, ProjectionTraining
from cxrmodel.errors import ModelError
from cxrmodel.imaging.canonical import IMAGE_SIDE, contrast
from cxrmodel.imaging.lungs import LungSegmenter, plausibility, regions
from cxrmodel.imaging.margins import image_box
from cxrmodel.model.spec import load_spec
from cxrmodel.models import MODELS
from cxrmodel.paths import CHECK_FOLDER
from cxrmodel.training.archive import load_images, training_split
from cxrmodel.training.export import load_network, to_onnx, write_files, write_manifest
from cxrmodel.training.record import BAD_RECORD, UNFINISHED
from cxrmodel.training.references import adults

_MIN_EXTENT = 0.3
_MIN_TILT = 2.0


def export_checks(run: Path, root: Path, out: Path = CHECK_FOLDER) -> CheckSpec:
    """Write ``projection.onnx``, ``projection.keras`` and ``spec.json``.

    In the folder of the shipped checks, this renews the manifests of the models too.

    Parameters
    ----------
    run : Path
        Folder that ``train --model projection`` wrote.
    root : Path
        The archive that it was trained on.

    Returns
    -------
    CheckSpec
        As written.

    Raises
    ------
    DataError, ModelError, TrainingError
    """
    training_record = ProjectionTraining.load(run / "report.json", UNFINISHED, BAD_RECORD)
    network, weights = load_network(run, "projection")
    side = network.input_shape[1]
    graph = to_onnx(network, np.random.default_rng(0).normal(size=(8, side, side, 1)).astype(np.float32))
    split, segmenter = training_split(root, training_record.recipe["seed"]), LungSegmenter.load()
    validation = load_images(split.held_out)
    shown = _measure_projection(np.concatenate([validation, adults(root, held_out=True)]), ProjectionNetwork(graph))
    spec = CheckSpec(
        projection_sha256=hashlib.sha256(graph).hexdigest(),
        lungs_sha256=segmenter.sha256,
        rules=fit_rules(_measure(validation, segmenter) | shown),
        fitted_on=FittedOn(training_images=len(split.train), validation_images=len(validation), split_seed=split.seed),
        projection=training_record,
    )
    files = {"projection.onnx": graph, "projection.keras": weights, "spec.json": spec.to_json().encode()}
    write_files(out, files)
    if out == CHECK_FOLDER:
        _renew_manifests(segmenter)
    return spec


def _renew_manifests(segmenter: LungSegmenter) -> None:
    """Give every sound model of the same lung segmenter a manifest, and so a version, with the new checks."""
    for name in MODELS.names:
        with suppress(ModelError):  # a missing or altered model stays one
            spec = load_spec(name)
            if spec.lungs_sha256 == segmenter.sha256:
                write_manifest(spec)


def _measure(images: np.ndarray, segmenter: LungSegmenter) -> dict[str, np.ndarray]:
    """Measures of validation images by the name of their check, but for those of the projection network."""
    rows = []
    for one in tqdm(images, desc="measuring validation images", unit="image", disable=None):
        mask = segmenter.masks(one[None])[0]
        areas, centroids = regions(mask)
        lungs = plausibility(one, mask, areas)
        rows.append(
            {
                "contrast": contrast(one),
                "margins": margin_share(image_box(one)),
                "clipping": clipped_share(one),
                "local_contrast": local_contrast(one),
                "lung_area": lungs["area"],
                "lung_balance": lungs["balance"],
                "lung_distance": centroid_distance(centroids, 0),
                "lung_level": centroid_distance(centroids, 1),
                "lungs_cut_off": edge_share(mask),
            }
        )
    return _columns(rows)


def _measure_projection(images: np.ndarray, network: ProjectionNetwork) -> dict[str, np.ndarray]:
    """Measures of validation images by the projection network, by the name of their check.

    ``inverse`` is the probability of an inverted greyscale of the inverted images.
    """
    rows = []
    for one in images:
        shown = network.examine(one)
        rows.append(
            {
                "projection": shown.not_chest,
                "inverse": network.examine(255 - one).orientations["inverted"],
                "greyscale_polarity": shown.orientations["inverted"],
                "rotation": shown.rotated,
                "mirroring": shown.orientations["mirrored"],
            }
        )
    return _columns(rows)


def _columns(rows: list[dict[str, float]]) -> dict[str, np.ndarray]:
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def fit_rules(measured: Mapping[str, np.ndarray]) -> dict[str, Rule]:
    """Choose every threshold on validation images.

    Parameters
    ----------
    measured : mapping of str to ndarray, shape (N,)
        By the name of the check; ``inverse`` holds the probability of inversion of the inverted images.
    """

    def percentile(name: str, at: float) -> float:
        return float(np.nanpercentile(measured[name], at))

    def probability(name: str, at: float) -> float:
        return max(0.5, percentile(name, at))

    smallest, half_of_it = "smallest validation value divided by 1.25", "half of the smallest validation value"
    beyond = {"below": f"{smallest}; {half_of_it}", "above": "1.25 times and twice the largest validation value"}

    def extreme(name: str, side: Literal["above", "below"]) -> Rule:
        """Warn a quarter beyond every validation image, and reject at half or twice the most extreme of them."""
        if side == "below":
            return _rule(side, percentile(name, 0) / 1.25, percentile(name, 0) / 2, beyond[side])
        return _rule(side, 1.25 * percentile(name, 100), 2 * percentile(name, 100), beyond[side])

    at_99_8 = "0.5, or the 99.8th percentile of validation images if larger"
    half = IMAGE_SIDE / 2
    # A kind is never more probable than that there is no chest: naming it refuses nothing that is not refused anyway.
    not_chest = _rule("above", None, probability("projection", 99.8), at_99_8)
    return {
        "size": _rule("below", IMAGE_SIDE, half, "side of the training images; half of it"),
        "screen_photo": _rule("above", 1.0, None, "set by hand"),
        "tilt": _rule("above", _MIN_TILT, None, "set by hand"),
        "contrast": _rule(
            "below",
            percentile("contrast", 0.5),
            percentile("contrast", 0) / 2,
            f"0.5th percentile of validation images; {half_of_it}",
        ),
        "image_extent": _rule("below", None, _MIN_EXTENT, "set by hand"),
        "margins": _rule("above", 1.5 * percentile("margins", 100), None, "1.5 times the largest validation value"),
        "inverted_greyscale": _rule(
            "above",
            min(0.9, probability("inverse", 1)),
            None,
            "1st percentile of inverted validation images, limited to 0.5 to 0.9",
        ),
        "greyscale_polarity": _rule("above", None, probability("greyscale_polarity", 99.8), at_99_8),
        "rotation": _rule("above", None, probability("rotation", 99.8), at_99_8),
        "mirroring": _rule(
            "above", probability("mirroring", 99), None, "0.5, or the 99th percentile of validation images if larger"
        ),
        "projection": not_chest,
        **dict.fromkeys(KINDS[:-1], not_chest),
        "clipping": _rule(
            "above", percentile("clipping", 99.5), 0.5, "99.5th percentile of validation images; half of the image"
        ),
        "local_contrast": _rule(
            "above", percentile("local_contrast", 99.8), None, "99.8th percentile of validation images"
        ),
        "lung_area": extreme("lung_area", "below"),
        "lung_balance": extreme("lung_balance", "below"),
        "lung_distance": extreme("lung_distance", "below"),
        "lung_level": extreme("lung_level", "above"),
        "lungs_cut_off": _rule("above", percentile("lungs_cut_off", 99), None, "99th percentile of validation images"),
    }


def _rule(side: Literal["above", "below"], warning: float | None, rejection: float | None, source: str) -> Rule:
    limits = {name: value and round(value, 5) for name, value in (("warning", warning), ("rejection", rejection))}
    return Rule(side=side, source=source, **limits)
