"""The public archive on disk -> a table of images, split by patient.

Layout: ``chest_xray/{train,val,test}/{NORMAL,PNEUMONIA}/*.jpeg`` (Kermany et al., Cell 2018; Mendeley Data
10.17632/rscbjbr9sj.2). Label, organism and patient follow from folder and file name alone.
"""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from cxrmodel.errors import CxrError, DataError
from cxrmodel.imaging.canonical import IMAGE_SIDE, canonical_image
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.paths import HOME

__all__ = [
    "Image",
    "Split",
    "data_root",
    "find_images",
    "follows_archive",
    "hold_out",
    "identify",
    "load_images",
    "load_masks",
    "training_split",
    "without_repeats",
]

LABELS = {"NORMAL": 0, "PNEUMONIA": 1}
FOLDERS = ("train", "val", "test")
_PNEUMONIA_NAME = re.compile(r"person(\d+)_(bacteria|virus)_\d+")
_NORMAL_NAME = re.compile(r"(?:NORMAL2-)?IM-\d+")


@dataclass(frozen=True)
class Image:
    """One file of the archive.

    Attributes
    ----------
    path : Path
        Where the file is.
    name : str
        Its path inside the archive, with forward slashes: the key by which images are listed.
    folder : str
        ``train``, ``val`` or ``test``.
    label : int
        0 normal, 1 pneumonia.
    organism : str
        ``bacteria``, ``virus`` or empty (normal images).
    patient : str
        Grouping key; images of one patient never cross a split.
    """

    path: Path
    name: str
    folder: str
    label: int
    organism: str
    patient: str

    @property
    def stratum(self) -> str:
        """Label and organism in one word, for stratified splits."""
        return self.organism or "normal"


@dataclass(frozen=True)
class Split:
    """The images of one training: what is learnt from, what is chosen on, and what was left out."""

    train: tuple[Image, ...]
    held_out: tuple[Image, ...]
    repeats: tuple[str, ...]
    seed: int

    def describe(self) -> dict:
        """Counts and held-out patients, as kept beside the weights."""
        return {
            "seed": self.seed,
            "train_images": len(self.train),
            "train_patients": len({image.patient for image in self.train}),
            "train_strata": dict(Counter(image.stratum for image in self.train)),
            "held_out_images": len(self.held_out),
            "held_out_strata": dict(Counter(image.stratum for image in self.held_out)),
            "held_out_patients": sorted({image.patient for image in self.held_out}),
            "repeats_dropped": list(self.repeats),
        }


def data_root() -> Path:
    """The folder that holds ``chest_xray``: the variable ``CXR_DATA``, else ``data/`` in the project."""
    configured = os.environ.get("CXR_DATA")
    return Path(configured) if configured else HOME / "data"


def identify(stem: str, label: int) -> tuple[str, str]:
    """Organism and patient from a file name.

    Parameters
    ----------
    stem : str
        File name without its extension, for example ``person111_bacteria_537`` or ``NORMAL2-IM-0066-0001``.
    label : int
        0 normal, 1 pneumonia, from the folder.

    Returns
    -------
    organism, patient : str
        The numbers of bacterial and viral images count different persons, so the organism is part of the key.
    """
    if label:
        match = _PNEUMONIA_NAME.match(stem)
        return (match[2], f"{match[2]}-{match[1]}") if match else ("", stem.lower())
    match = _NORMAL_NAME.match(stem)
    return "", (match[0] if match else stem).lower()


def follows_archive(stem: str, label: int) -> bool:
    """Whether a file name is of the archive's kind, so that it tells the patient."""
    return bool((_PNEUMONIA_NAME if label else _NORMAL_NAME).match(stem))


def find_images(root: Path, folders: Sequence[str] = FOLDERS) -> list[Image]:
    """List the archive's images, sorted by name.

    Raises
    ------
    DataError
        When a folder is missing or empty; the sentence names it.
    """
    base = root / "chest_xray"
    images = []
    for folder in folders:
        for name, label in LABELS.items():
            place = base / folder / name
            paths = sorted(p for p in place.glob("*") if p.is_file() and not p.name.startswith("."))
            if not paths:
                raise DataError(
                    f"There are no images in {place}. Unpack the public archive so that "
                    f"{base} holds train, val and test, or point CXR_DATA at the folder above it."
                )
            for path in paths:
                organism, patient = identify(path.stem, label)
                images.append(Image(path, f"chest_xray/{folder}/{name}/{path.name}", folder, label, organism, patient))
    return images


def without_repeats(images: Sequence[Image]) -> tuple[list[Image], list[str]]:
    """Drop files whose bytes repeat an earlier file's, keeping the first by name.

    Returns
    -------
    kept : list of Image
    repeats : list of str
        Names of the dropped files.
    """
    seen: set[str] = set()
    kept, repeats = [], []
    for image in images:
        try:
            digest = hashlib.sha256(image.path.read_bytes()).hexdigest()
        except OSError as error:
            raise DataError(f"{image.path} cannot be read ({error.strerror}). Unpack the archive again.") from error
        if digest in seen:
            repeats.append(image.name)
        else:
            seen.add(digest)
            kept.append(image)
    return kept, repeats


def hold_out(images: Sequence[Image], seed: int, folds: int = 10) -> tuple[list[Image], list[Image]]:
    """Set one part in ``folds`` aside, whole patients at a time, stratified by label and organism.

    Returns
    -------
    train, held_out : list of Image
    """
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    strata = [image.stratum for image in images]
    patients = [image.patient for image in images]
    train, held = next(splitter.split(np.zeros(len(images)), strata, patients))
    return [images[i] for i in train], [images[i] for i in held]


def training_split(root: Path, seed: int = 0) -> Split:
    """The archive's ``train`` and ``val`` folders, repeats dropped, with held-out patients set aside.

    Raises
    ------
    DataError
        When a folder is missing, empty, or holds too few patients to set any aside.
    """
    images, repeats = without_repeats(find_images(root, ("train", "val")))
    fewest = min(len({image.patient for image in images if image.label == label}) for label in LABELS.values())
    if fewest < 2:
        raise DataError(
            f"{root} holds images of fewer than two patients in a class: too few to hold any out. "
            "Add images of more patients."
        )
    train, held = hold_out(images, seed, folds=min(10, fewest))
    return Split(tuple(train), tuple(held), tuple(repeats), seed)


def load_images(images: Iterable[Image], workers: int = 8) -> np.ndarray:
    """Read images through the program's own decoder into their canonical form.

    Returns
    -------
    ndarray of uint8, shape (N, 224, 224)

    Raises
    ------
    DataError
        Naming every file that is missing or damaged.
    """

    def load(image: Image) -> np.ndarray | str:
        try:
            data = image.path.read_bytes()
            return canonical_image(read_radiograph(data, image.path.name).pixels)
        except OSError as error:
            return f"{image.path}: {error.strerror}"
        except CxrError as error:
            return f"{image.path}: {error}"

    with ThreadPoolExecutor(workers) as pool:
        loaded = list(pool.map(load, images))
    damaged = [item for item in loaded if isinstance(item, str)]
    if damaged:
        raise DataError("These images cannot be used; replace or remove them:\n" + "\n".join(damaged))
    return np.stack(loaded)


def load_masks(root: Path, images: Sequence[Image], side: int = IMAGE_SIDE) -> dict[str, np.ndarray]:
    """Lung masks that lie beside the archive, as ``lung_masks/{NORMAL,PNEUMONIA}/STEM.png``.

    Returns
    -------
    dict of str to ndarray of bool, shape (side, side)
        By image name; images without a mask are left out. Empty where there is no such folder.

    Raises
    ------
    DataError
        Naming a mask that is damaged.
    """
    masks = {}
    for image in images:
        path = root / "lung_masks" / image.path.parent.name / f"{image.path.stem}.png"
        if not path.is_file():
            continue
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise DataError(f"The lung mask {path} is damaged. Replace it, or remove it to train without it.")
        masks[image.name] = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA) > 127
    return masks
