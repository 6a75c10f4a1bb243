"""Demo images that belong to no patient, drawn from a principal-component model of each class.

An image is the mean image of its class plus components whose coefficients are independent normal draws, so it
mixes all training images and repeats none; how far it stays from each of them is measured before it is written
(Turk & Pentland, Eigenfaces for Recognition, J. Cogn. Neurosci. 1991, is the model; the sampling is plain).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PilImage
from PIL.PngImagePlugin import PngInfo
from sklearn.decomposition import PCA
from tqdm import tqdm

from cxrmodel.demo import IMAGES_FOLDER
from cxrmodel.errors import DataError
from cxrmodel.imaging.canonical import IMAGE_SIDE
from cxrmodel.training.archive import LABELS, Image, load_images, training_split

__all__ = ["SEED", "Nearness", "draw_images", "make_demo_images", "nearest"]

SEED = 0
COMPONENTS = 250
SPREAD = 0.75
# Which of the seed's draws are kept, by eye: clean outlines, no marker over a lung. The normal ones are among those
# of which the shipped model thinks pneumonia least likely; the folder's README says so.
CHOSEN = {"NORMAL": (122, 284, 518), "PNEUMONIA": (7, 9, 43)}
WIDTH, HEIGHT = 576, 432
NOTICE = "Synthetic image, drawn from a statistical model. It shows no patient and is not for diagnosis."


@dataclass(frozen=True, eq=False)
class Nearness:
    """How near each image comes to the nearest of others.

    Attributes
    ----------
    rmse : ndarray of float64, shape (N,)
        Root mean square difference from the nearest image, in grey levels of 255.
    correlation : ndarray of float64, shape (N,)
        Pearson correlation of the pixels with the most similar image, -1..1.
    """

    rmse: np.ndarray
    correlation: np.ndarray


def draw_images(images: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Draw images from a principal-component model of given images.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, H, W)
        At least two images.
    count : int
        How many to draw. The first draws are the same whatever the count.
    seed : int

    Returns
    -------
    ndarray of uint8, shape (count, H, W)
        Coefficients are independent normals of 0.75 of each component's standard deviation.
    """
    model = PCA(min(COMPONENTS, len(images) - 1), svd_solver="randomized", random_state=seed)
    model.fit(images.reshape(len(images), -1).astype(np.float32))
    deviations = SPREAD * np.sqrt(model.explained_variance_)
    coefficients = np.random.default_rng(seed).normal(size=(count, len(deviations))) * deviations
    drawn = model.mean_ + coefficients @ model.components_
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8).reshape(count, *images.shape[1:])


def nearest(
    images: np.ndarray,
    others: np.ndarray,
    patients: Sequence[str] | None = None,
    other_patients: Sequence[str] | None = None,
    batch: int = 256,
) -> Nearness:
    """Measure how near each image comes to any other.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, H, W)
    others : ndarray of uint8, shape (M, H, W)
    patients, other_patients : sequence of str, of N and of M, or None
        Images of the same patient are not compared; None compares all.

    Returns
    -------
    Nearness
        Of N images. Where nothing is left to compare with, infinity and -1.
    """
    levels, centred, lengths = _centred(images)
    other_levels, other_centred, other_lengths = _centred(others)
    pixels = centred.shape[1]
    rmse, correlation = [], []
    for start in tqdm(range(0, len(images), batch), desc="Comparing images", unit="batch", disable=None):
        part = slice(start, start + batch)
        products = (centred[part] @ other_centred.T).astype(np.float64)
        squares = lengths[part, None] ** 2 + other_lengths**2 - 2 * products
        distances = np.sqrt(np.maximum(squares / pixels + (levels[part, None] - other_levels) ** 2, 0))
        similarities = products / np.maximum(lengths[part, None] * other_lengths, 1e-9)
        if patients is not None and other_patients is not None:
            same = np.asarray(patients)[part, None] == np.asarray(other_patients)
            distances[same], similarities[same] = np.inf, -1
        rmse.append(distances.min(1))
        correlation.append(similarities.max(1))
    return Nearness(np.concatenate(rmse), np.concatenate(correlation))


def make_demo_images(root: Path, out: Path = IMAGES_FOLDER, seed: int = SEED) -> list[dict]:
    """Draw, measure and write the demo images and their index.

    Parameters
    ----------
    root : Path
        Folder that holds ``chest_xray``.
    out : Path
        Where the PNG files and ``index.json`` go.
    seed : int
        Of the split and of the draws.

    Returns
    -------
    list of dict
        The images as listed in the index.

    Raises
    ------
    DataError
        When the archive cannot be read, or a drawn image comes nearer to a training image than the images of
        different patients come to each other. Nothing is written then.
    """
    split = training_split(root, seed)
    known = split.train + split.held_out
    pixels = load_images(known)
    drawn, kinds, draws = _draw_chosen(pixels[: len(split.train)], split.train, seed)
    patients = [image.patient for image in known]
    between = nearest(pixels, pixels, patients, patients)
    near = nearest(drawn, pixels)
    limits = {"rmse": np.percentile(between.rmse, 1), "correlation": np.percentile(between.correlation, 99)}
    too_near = [
        f"{kinds[i]} {draws[i]}"
        for i in range(len(drawn))
        if near.rmse[i] <= limits["rmse"] or near.correlation[i] >= limits["correlation"]
    ]
    if too_near:
        raise DataError(
            f"These draws come too near to a training image: {', '.join(too_near)}. Choose others, or another seed."
        )
    out.mkdir(parents=True, exist_ok=True)
    images = []
    for i, image in enumerate(drawn):
        number = 1 + kinds[:i].count(kinds[i])
        name = f"synthetic-{kinds[i]}-{number}.png"
        digest = _write_image(image, out / name)
        images.append(
            {
                "file": name,
                "title": f"Synthetic {kinds[i]} image {number}",
                "kind": kinds[i],
                "sha256": digest,
                "draw": draws[i],
                "nearest_rmse": round(float(near.rmse[i]), 3),
                "nearest_correlation": round(float(near.correlation[i]), 4),
            }
        )
    index = {
        "format": 1,
        "notice": NOTICE,
        "seed": seed,
        "components": COMPONENTS,
        "spread": SPREAD,
        "compared_with": {"images": len(known), "patients": len(set(patients)), "side": IMAGE_SIDE},
        "criterion": (
            "For every training image the nearest image of another patient was found, by root mean square difference "
            "in grey levels and by correlation. Every demo image is farther from all training images than the 1st "
            "percentile of those differences, and correlates less with each than the 99th percentile of those "
            "correlations. Measured on the images as drawn, before the caption."
        ),
        "other_patients": {
            "rmse": _summary(between.rmse, {"minimum": 0, "percentile_1": 1, "median": 50}),
            "correlation": _summary(between.correlation, {"maximum": 100, "percentile_99": 99, "median": 50}),
        },
        "images": images,
    }
    (out / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    return images


def _draw_chosen(pixels: np.ndarray, images: Sequence[Image], seed: int) -> tuple[np.ndarray, list[str], list[int]]:
    labels = np.array([image.label for image in images])
    drawn, kinds, draws = [], [], []
    for folder, chosen in CHOSEN.items():
        of_class = draw_images(pixels[labels == LABELS[folder]], max(chosen) + 1, seed)
        drawn.extend(of_class[list(chosen)])
        kinds.extend([folder.lower()] * len(chosen))
        draws.extend(chosen)
    return np.stack(drawn), kinds, draws


def _centred(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean grey level, pixels about it, and their Euclidean length, of each image."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    levels = flat.mean(1, dtype=np.float64)
    flat -= levels[:, None].astype(np.float32)
    return levels, flat, np.sqrt(np.einsum("ij,ij->i", flat, flat, dtype=np.float64))


def _summary(values: np.ndarray, percentiles: dict[str, int]) -> dict[str, float]:
    return {name: round(float(np.percentile(values, rank)), 4) for name, rank in percentiles.items()}


def _write_image(image: np.ndarray, path: Path) -> str:
    """Enlarge a square image to a usual shape, caption it, write it as PNG; return the sha256 of the file."""
    shown = np.array(PilImage.fromarray(image).resize((WIDTH, HEIGHT), PilImage.Resampling.BICUBIC))
    # At the lowest edge, where no lung is and where the crop to the lungs leaves it out.
    for grey, thickness in ((0, 3), (230, 1)):
        cv2.putText(shown, "SYNTHETIC", (6, HEIGHT - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.4, grey, thickness, cv2.LINE_AA)
    notes = PngInfo()
    notes.add_text("Description", NOTICE)
    PilImage.fromarray(shown).save(path, optimize=True, pnginfo=notes)
    return hashlib.sha256(path.read_bytes()).hexdigest()
