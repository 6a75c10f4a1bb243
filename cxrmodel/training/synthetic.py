"""Synthetic demo images that show no patient, drawn from a principal-component model of each class.

An image is the mean image of its class plus components with independent normal coefficients. It mixes all training
images and repeats none; its similarity to each of them is measured before it is written. The model is that of Turk and
Pentland, Eigenfaces for Recognition, J. Cogn. Neurosci. 1991.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL.PngImagePlugin import PngInfo
from sklearn.decomposition import PCA
from tqdm import tqdm

from cxrmodel import outputs
from cxrmodel.demo import IMAGES_FOLDER, Compared, DemoIndex, IndexedImage, OtherPatients
from cxrmodel.errors import DataError
from cxrmodel.imaging.canonical import IMAGE_SIDE
from cxrmodel.messages import Message
from cxrmodel.training.archive import ARCHIVE, LABELS, load_images, training_split

SEED = 0
COMPONENTS = 250
SPREAD = 0.75
# Draws of the seed chosen by eye: clean outlines, no marker over a lung. The first of each class is one that the
# shipped model reads clearly and without a warning; see the README beside the images.
CHOSEN = {"NORMAL": (1970, 284, 518), "PNEUMONIA": (7, 9, 43)}
WIDTH, HEIGHT = 576, 432
NOTICE = Message("training.synthetic_notice")

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Nearness:
    """Similarity of each image to the most similar of others.

    Attributes
    ----------
    rmse : ndarray of float64, shape (N,)
        Lowest root mean square difference, in grey levels of 255.
    correlation : ndarray of float64, shape (N,)
        Highest Pearson correlation of the pixels, -1..1.
    """

    rmse: Floats
    correlation: Floats


def draw_images(images: Pixels, numbers: Sequence[int], seed: int) -> Pixels:
    """Draw images from a principal-component model of given images.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, H, W)
        At least two images.
    numbers : sequence of int
        Which draws of the seed, from 0. A draw is the same whatever others are wanted.
    seed : int

    Returns
    -------
    ndarray of uint8, shape (N, H, W)
        Coefficients are independent normals of 0.75 of each component's standard deviation.
    """
    model = PCA(min(COMPONENTS, len(images) - 1), svd_solver="randomized", random_state=seed)
    model.fit(images.reshape(len(images), -1).astype(np.float32))
    deviations = SPREAD * np.sqrt(model.explained_variance_)
    normals = np.random.default_rng(seed).normal(size=(max(numbers) + 1, len(deviations)))[list(numbers)]
    drawn = model.mean_ + (normals * deviations) @ model.components_
    return np.asarray(np.clip(np.rint(drawn), 0, 255), np.uint8).reshape(-1, *images.shape[1:])


def nearest(
    images: Pixels,
    others: Pixels,
    patients: Sequence[str] | None = None,
    other_patients: Sequence[str] | None = None,
    batch: int = 256,
) -> Nearness:
    """Measure the similarity of each image to the most similar of others.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, H, W)
    others : ndarray of uint8, shape (M, H, W)
    patients, other_patients : sequence of str, of N and of M, or None
        Images of the same patient are not compared; None compares all.

    Returns
    -------
    Nearness
        Of N images; infinity and -1 where there is nothing to compare with.
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


def make_demo_images(root: Path, out: Path = IMAGES_FOLDER, seed: int = SEED) -> DemoIndex:
    """Draw, check and write the demo images and their index.

    Parameters
    ----------
    root : Path
        Folder that holds ``chest_xray``.
    out : Path
        Receives the PNG files and ``index.json``.
    seed : int
        Of the split and of the draws.

    Returns
    -------
    DemoIndex
        As written.

    Raises
    ------
    DataError
        When the archive cannot be read, or a drawn image is more similar to a training image than images of different
        patients are to each other. Nothing is written then.
    """
    split = training_split(root, seed)
    known = split.train + split.held_out
    pixels, patients = load_images(known), [image.patient for image in known]
    labels = np.array([image.label for image in split.train])
    draws = [
        _Draw(image, ARCHIVE.labels.positive if LABELS[folder] else ARCHIVE.labels.negative, number, place)
        for folder, numbers in CHOSEN.items()
        for image, number, place in zip(
            draw_images(pixels[: len(labels)][labels == LABELS[folder]], numbers, seed),
            numbers,
            count(1),
            strict=False,
        )
    ]
    between = nearest(pixels, pixels, patients, patients)
    near = nearest(np.stack([draw.image for draw in draws]), pixels)
    rmse_limit, correlation_limit = np.percentile(between.rmse, 1), np.percentile(between.correlation, 99)
    too_near = (near.rmse <= rmse_limit) | (near.correlation >= correlation_limit)
    if too_near.any():
        names = ", ".join(f"{draws[i].kind} {draws[i].number}" for i in np.flatnonzero(too_near))
        raise DataError("training.too_similar", draws=names)
    images = [
        IndexedImage(
            file=draw.file,
            title=str(Message("training.synthetic_title", kind=draw.kind, number=draw.place)),
            kind=draw.kind,
            sha256=_write_image(draw.image, out / draw.file),
            draw=draw.number,
            nearest_rmse=round(float(rmse), 3),
            nearest_correlation=round(float(correlation), 4),
        )
        for draw, rmse, correlation in zip(draws, near.rmse, near.correlation, strict=True)
    ]
    index = DemoIndex(
        format=1,
        notice=str(NOTICE),
        seed=seed,
        components=COMPONENTS,
        spread=SPREAD,
        compared_with=Compared(images=len(known), patients=len(set(patients)), side=IMAGE_SIDE),
        criterion=str(Message("training.synthetic_criterion")),
        other_patients=OtherPatients(
            rmse=_quantiles(between.rmse, {"minimum": 0, "percentile_1": 1, "median": 50}),
            correlation=_quantiles(between.correlation, {"maximum": 100, "percentile_99": 99, "median": 50}),
        ),
        images=tuple(images),
    )
    outputs.write(out / "index.json", index.to_json(), overwrite=True)
    return index


@dataclass(frozen=True, eq=False)
class _Draw:
    """A drawn image, its class, its number among the draws and its position among the chosen ones, from 1."""

    image: Pixels
    kind: str
    number: int
    place: int

    @property
    def file(self) -> str:
        return f"synthetic-{self.kind}-{self.place}.png"


def _centred(images: Pixels) -> tuple[Floats, NDArray[np.float32], Floats]:
    """Mean grey level of each image, its pixels minus that, and their Euclidean norm."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    levels = flat.mean(1, dtype=np.float64)
    flat -= levels[:, None].astype(np.float32)
    return levels, flat, np.sqrt(np.einsum("ij,ij->i", flat, flat, dtype=np.float64))


def _quantiles(values: Floats, percentiles: dict[str, int]) -> dict[str, float]:
    return {name: round(float(np.percentile(values, rank)), 4) for name, rank in percentiles.items()}


def _write_image(image: Pixels, path: Path) -> str:
    """Enlarge a square image to a usual shape, caption it and write it as PNG; return the file's sha256."""
    shown = np.array(PilImage.fromarray(image).resize((WIDTH, HEIGHT), PilImage.Resampling.BICUBIC))
    # At the lower edge, outside the lungs and outside the crop to them.
    for grey, thickness in ((0, 3), (230, 1)):
        cv2.putText(shown, "SYNTHETIC", (6, HEIGHT - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.4, grey, thickness, cv2.LINE_AA)
    notes = PngInfo()
    notes.add_text("Description", str(NOTICE))
    coded = BytesIO()
    PilImage.fromarray(shown).save(coded, format="PNG", optimize=True, pnginfo=notes)
    outputs.write(path, coded.getvalue(), overwrite=True)
    return hashlib.sha256(coded.getvalue()).hexdigest()
