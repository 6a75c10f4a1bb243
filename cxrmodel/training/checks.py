"""Training images and held-out patients -> the checks: spaces of images, and every threshold."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from cxrmodel.checks.lung_fields import lie_of_lungs
from cxrmodel.checks.orientation import ORIENTATIONS, OrientationNetwork
from cxrmodel.checks.picture import clipped_share, margin_share
from cxrmodel.checks.report import Rule
from cxrmodel.checks.subspace import Likeness, around_lungs, whole_image
from cxrmodel.checks.suite import CHECK_FOLDER
from cxrmodel.errors import TrainingError
from cxrmodel.imaging.canonical import IMAGE_SIDE, contrast
from cxrmodel.imaging.lungs import LungFields, LungSegmenter, plausibility
from cxrmodel.imaging.margins import image_box
from cxrmodel.training.archive import load_images, training_split
from cxrmodel.training.augment import random_affine
from cxrmodel.training.export import to_onnx

__all__ = ["export_checks", "fit_likeness"]

IMAGE_AXES, LUNG_AXES = 96, 64
"""Dimensions of the spaces of whole images and of their parts around the lungs."""
LUNG_IMAGES = 1500
"""Training images whose lungs are looked for."""
FRAME = {"degrees": 8.0, "stretch": 0.3, "shift": 0.08}
"""How far images are reframed for the former."""
_LEAST_PAGE = 0.3
_BATCH = 64


def export_checks(run: Path, root: Path, out: Path = CHECK_FOLDER) -> dict:
    """Ship the checks: ``orientation.onnx``, ``orientation.keras``, ``likeness.npz`` and ``spec.json``.

    Parameters
    ----------
    run : Path
        Folder that ``train --model orientation`` wrote.
    root : Path
        The archive that it was trained on.

    Returns
    -------
    dict
        The specification as written.

    Raises
    ------
    DataError, ModelError, TrainingError
    """
    try:
        report = json.loads((run / "report.json").read_text(encoding="utf-8"))
        weights = (run / "orientation.keras").read_bytes()
    except OSError as error:
        raise TrainingError(f"{error.filename} cannot be read. Finish the training in {run} first.") from error
    network = keras.models.load_model(run / "orientation.keras", compile=False)
    side = network.input_shape[1]
    graph = to_onnx(network, np.random.default_rng(0).normal(size=(8, side, side, 1)).astype(np.float32))
    split, segmenter = training_split(root, report["recipe"]["seed"]), LungSegmenter.load()
    images, held = load_images(split.train), load_images(split.held_out)
    rng = np.random.default_rng(split.seed)
    image = fit_likeness(
        np.stack(
            [whole_image(shown) for picture in images for shown in (picture, random_affine(picture, rng, **FRAME))]
        )
    )
    lungs = fit_likeness(_lung_parts(images[:: max(1, len(images) // LUNG_IMAGES)], segmenter), LUNG_AXES)
    measured = _measure(held, segmenter, OrientationNetwork(graph), image, lungs)
    spaces = BytesIO()
    np.savez(spaces, image_mean=image.mean, image_axes=image.axes, lungs_mean=lungs.mean, lungs_axes=lungs.axes)
    spec = {
        "orientation_sha256": hashlib.sha256(graph).hexdigest(),
        "likeness_sha256": hashlib.sha256(spaces.getvalue()).hexdigest(),
        "lungs_sha256": segmenter.sha256,
        "rules": {rule.name: _stored(rule) for rule in _rules(measured)},
        "fixed_on": {"train_images": len(images), "held_out_images": len(held), "split_seed": split.seed},
        "orientation": {key: report[key] for key in ("recipe", "held_out", "history")},
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "orientation.onnx").write_bytes(graph)
    (out / "orientation.keras").write_bytes(weights)
    (out / "likeness.npz").write_bytes(spaces.getvalue())
    (out / "spec.json").write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")
    return spec


def fit_likeness(pictures: np.ndarray, axes: int = IMAGE_AXES) -> Likeness:
    """The space in which pictures vary most.

    Parameters
    ----------
    pictures : ndarray of float32, shape (N, P)

    Returns
    -------
    Likeness
        Of ``axes`` dimensions, the leading principal components.
    """
    mean = pictures.mean(0)
    centred = (pictures - mean).astype(np.float64)
    directions = np.linalg.eigh(centred.T @ centred)[1][:, ::-1]
    return Likeness(mean, np.ascontiguousarray(directions[:, :axes].T, np.float32))


def _lung_parts(images: np.ndarray, segmenter: LungSegmenter) -> np.ndarray:
    masks = np.concatenate([segmenter.masks(images[i : i + _BATCH]) for i in range(0, len(images), _BATCH)])
    pairs = zip(images, map(_fields, masks), strict=True)
    return np.stack([around_lungs(image, lungs) for image, lungs in pairs if lungs])


def _fields(mask: np.ndarray) -> LungFields | None:
    return LungFields(mask) if mask.any() else None


def _measure(
    images: np.ndarray, segmenter: LungSegmenter, orientation: OrientationNetwork, image: Likeness, lungs: Likeness
) -> dict[str, np.ndarray]:
    """Everything that a rule measures, over images that lie as they should."""
    rows = []
    for picture in tqdm(images, desc="measuring held-out images", unit="image", disable=None):
        mask = segmenter.masks(picture[None])[0]
        shares, inverse = orientation.probabilities(picture), orientation.probabilities(255 - picture)
        row = {f"upright {name}": shares[name] for name in ORIENTATIONS} | {"inverse inverted": inverse["inverted"]}
        row["turned"] = sum(shares[name] for name in ("turned left", "upside down", "turned right"))
        row |= {"margins": margin_share(image_box(picture)), "contrast": contrast(picture)}
        row |= {"clipped": clipped_share(picture), "image likeness": image.distance(whole_image(picture))}
        row |= plausibility(picture, mask) | lie_of_lungs(mask)
        row["lung likeness"] = lungs.distance(around_lungs(picture, _fields(mask)))
        rows.append(row)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _rules(measured: Mapping[str, np.ndarray]) -> list[Rule]:
    """Fix every threshold on held-out images."""

    def top(name: str, percentile: float) -> float:
        return float(np.nanpercentile(measured[name], percentile))

    def odds(name: str, percentile: float) -> float:
        return max(0.5, top(name, percentile))

    quarter, beyond = "a quarter beyond the {} held-out image", "{} percentile of held-out images"
    least, most = quarter.format("least"), quarter.format("greatest")
    even = "even odds, or the {} percentile of held-out images where that is more"
    sure = "1st percentile of inverted held-out images, between even odds and nine in ten"
    certain = "ninety-nine in a hundred, or the greatest of held-out images where that is more"
    return [
        Rule("size", "below", IMAGE_SIDE, IMAGE_SIDE / 2, "side of the images that the model learnt from; half of it"),
        Rule(
            "contrast", "below", top("contrast", 0.5), top("contrast", 0) / 1.25, f"{beyond.format('0.5th')}; {least}"
        ),
        Rule("margins", "above", 1.5 * top("margins", 100), None, "half as much again as on any held-out image"),
        Rule("page", "below", None, _LEAST_PAGE, "set by hand"),
        Rule("inverted", "above", min(0.9, max(0.5, top("inverse inverted", 1))), None, sure),
        Rule("polarity", "above", None, odds("upright inverted", 99.8), even.format("99.8th")),
        Rule("turned", "above", None, odds("turned", 99.8), even.format("99.8th")),
        Rule("mirrored", "above", odds("upright mirrored", 99), None, even.format("99th")),
        Rule("strange", "above", None, max(0.99, top("upright strange", 100)), certain),
        Rule("clipped", "above", top("clipped", 99.5), 0.5, f"{beyond.format('99.5th')}; half of the image"),
        Rule(
            "image likeness",
            "above",
            None,
            1.25 * top("image likeness", 99.5),
            f"a quarter beyond the {beyond.format('99.5th')}",
        ),
        Rule("lung area", "below", None, top("area", 0) / 1.25, least),
        Rule("lung balance", "below", None, top("balance", 0) / 1.25, least),
        Rule("lung distance", "below", None, top("distance", 0) / 1.25, least),
        Rule("lung level", "above", None, 1.25 * top("level", 100), most),
        Rule("lung likeness", "above", None, top("lung likeness", 99.8), beyond.format("99.8th")),
        Rule("cut off", "above", top("edge", 99), None, beyond.format("99th")),
    ]


def _stored(rule: Rule) -> dict:
    values = asdict(rule)
    del values["name"]
    return values | {key: None if values[key] is None else round(values[key], 5) for key in ("warn", "refuse")}
