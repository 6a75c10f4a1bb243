"""The public archive of chest radiographs: its images, their labels and patients, and the split by patient.

Layout: ``chest_xray/{train,val,test}/{NORMAL,PNEUMONIA}/*.jpeg`` (Kermany et al., Cell 2018; Mendeley Data
10.17632/rscbjbr9sj.2). Folder and file name give label, organism and patient.
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
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from cxrmodel.errors import CxrError, DataError
from cxrmodel.imaging.canonical import IMAGE_SIDE, canonical_image
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.model.spec import AgeRange, Labels
from cxrmodel.paths import HOME
from cxrmodel.training.record import Fold, TrainingSplit


@dataclass(frozen=True)
class Collection:
    """Title, labels and ages of a collection of images; the spec of every model that is trained on it copies them.

    Attributes
    ----------
    title : str
        For readers.
    labels : Labels
        Names of the classes 1 (positive) and 0 (negative).
    ages : AgeRange
        Of the patients.
    """

    title: str
    labels: Labels
    ages: AgeRange


ARCHIVE = Collection(
    title="Guangzhou paediatric chest radiographs (Kermany et al. 2018), antero-posterior",
    labels=Labels(positive="pneumonia", negative="normal"),
    ages=AgeRange(low=1, high=5),
)
LABELS = {"NORMAL": 0, "PNEUMONIA": 1}
"""Label of each folder of the archive: 0 negative, 1 positive."""
FOLDERS = ("train", "val", "test")
_PNEUMONIA_NAME = re.compile(r"person(\d+)_(bacteria|virus)_\d+")
_NORMAL_NAME = re.compile(r"(?:NORMAL2-)?IM-\d+")


@dataclass(frozen=True)
class Image:
    """One image of the archive.

    Attributes
    ----------
    path : Path
    name : str
        Path inside the archive, with forward slashes; unique.
    folder : str
        ``train``, ``val`` or ``test``.
    label : int
        0 negative, 1 positive.
    organism : str
        ``bacteria``, ``virus`` or empty (negative images).
    patient : str
        Images of one patient are never on both sides of a split.
    """

    path: Path
    name: str
    folder: str
    label: int
    organism: str
    patient: str

    @property
    def stratum(self) -> str:
        """Organism, or the negative label without one, for stratified splits."""
        return self.organism or ARCHIVE.labels.negative


@dataclass(frozen=True)
class Split:
    """The images of one training.

    Attributes
    ----------
    train, held_out : tuple of Image
        Of different patients. Calibration and thresholds are fixed on the latter.
    repeats : tuple of str
        Names of files left out because their bytes repeat another file's.
    seed : int
        Of the split.
    fold : Fold or None
    left_out : tuple of Image
        The images of that fold of the training patients, which are not in ``train``.
    """

    train: tuple[Image, ...]
    held_out: tuple[Image, ...]
    repeats: tuple[str, ...]
    seed: int
    fold: Fold | None = None
    left_out: tuple[Image, ...] = ()

    @property
    def held_out_patients(self) -> tuple[str, ...]:
        """Sorted."""
        return tuple(sorted({image.patient for image in self.held_out}))

    def describe(self, used_images: int | None = None) -> TrainingSplit:
        """Counts and held-out patients, for the training record."""
        return TrainingSplit(
            seed=self.seed,
            train_images=len(self.train),
            train_patients=len({image.patient for image in self.train}),
            train_strata=dict(Counter(image.stratum for image in self.train)),
            held_out_images=len(self.held_out),
            held_out_strata=dict(Counter(image.stratum for image in self.held_out)),
            held_out_patients=self.held_out_patients,
            repeats_dropped=self.repeats,
            used_images=used_images,
            fold=self.fold,
        )


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
        0 negative, 1 positive, from the folder.

    Returns
    -------
    organism, patient : str
        Bacterial and viral images number their patients separately, so the organism is part of the patient.
    """
    if label:
        match = _PNEUMONIA_NAME.match(stem)
        return (match[2], f"{match[2]}-{match[1]}") if match else ("", stem.lower())
    match = _NORMAL_NAME.match(stem)
    return "", (match[0] if match else stem).lower()


def follows_archive(stem: str, label: int) -> bool:
    """Whether a file name follows the archive's pattern and so identifies the patient."""
    return bool((_PNEUMONIA_NAME if label else _NORMAL_NAME).match(stem))


def find_images(root: Path, folders: Sequence[str] = FOLDERS) -> list[Image]:
    """List the archive's images, sorted by name.

    Raises
    ------
    DataError
        When a folder is missing or empty.
    """
    base = root / "chest_xray"
    images = []
    for folder in folders:
        for name, label in LABELS.items():
            paths = sorted(p for p in (base / folder / name).glob("*") if p.is_file() and not p.name.startswith("."))
            if not paths:
                raise DataError("training.no_images", folder=str(base / folder / name), base=str(base))
            for path in paths:
                organism, patient = identify(path.stem, label)
                images.append(Image(path, f"chest_xray/{folder}/{name}/{path.name}", folder, label, organism, patient))
    return images


def without_repeats(images: Sequence[Image]) -> tuple[list[Image], list[str]]:
    """Drop files whose bytes repeat an earlier file's, keeping the first by name.

    Returns
    -------
    unique : list of Image
    repeats : list of str
        Names of the dropped files.

    Raises
    ------
    DataError
        When a file cannot be read.
    """
    seen: set[str] = set()
    unique: list[Image] = []
    repeats: list[str] = []
    for image in images:
        try:
            digest = hashlib.sha256(image.path.read_bytes()).hexdigest()
        except OSError as error:
            raise DataError("training.unreadable_image", path=str(image.path), reason=str(error.strerror)) from error
        if digest in seen:
            repeats.append(image.name)
        else:
            seen.add(digest)
            unique.append(image)
    return unique, repeats


def hold_out(images: Sequence[Image], seed: int, folds: int = 10, number: int = 1) -> tuple[list[Image], list[Image]]:
    """Hold out one of ``folds`` parts of the images, by whole patients, stratified by label and organism.

    Parameters
    ----------
    number : int
        Of the part, from 1.

    Returns
    -------
    train, held_out : list of Image
    """
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    strata = [image.stratum for image in images]
    patients = [image.patient for image in images]
    train, held_out = list(splitter.split(np.zeros(len(images)), strata, patients))[number - 1]
    return [images[i] for i in train], [images[i] for i in held_out]


def training_split(root: Path, seed: int = 0, fold: Fold | None = None) -> Split:
    """Split the archive's folders ``train`` and ``val``, without repeats, into training and held-out patients.

    Parameters
    ----------
    fold : Fold or None
        Part of the training patients to leave out besides the held-out ones.

    Raises
    ------
    DataError
        When a folder is missing or empty, a file cannot be read, or a class has fewer than two patients, or fewer
        training patients than there are folds.
    """
    images, repeats = without_repeats(find_images(root, ("train", "val")))
    fewest = _fewest_patients(images)
    if fewest < 2:
        raise DataError("training.too_few_patients", root=str(root))
    train, held_out = hold_out(images, seed, folds=min(10, fewest))
    left_out: list[Image] = []
    if fold:
        if _fewest_patients(train) < fold.of:
            raise DataError("training.too_many_folds", folds=fold.of)
        train, left_out = hold_out(train, seed, fold.of, fold.number)
    return Split(tuple(train), tuple(held_out), tuple(repeats), seed, fold, tuple(left_out))


def _fewest_patients(images: Sequence[Image]) -> int:
    """Patients of the class that has fewest."""
    return min(len({image.patient for image in images if image.label == label}) for label in LABELS.values())


def load_images(images: Iterable[Image]) -> NDArray[np.uint8]:
    """Decode images of the archive; see `load_files`."""
    return load_files(image.path for image in images)


def load_files(paths: Iterable[Path], workers: int = 8) -> NDArray[np.uint8]:
    """Decode images, as in a reading, into their canonical form.

    Returns
    -------
    ndarray of uint8, shape (N, 224, 224)

    Raises
    ------
    DataError
        When files are missing or damaged; the message names all of them.
    """

    def load(path: Path) -> NDArray[np.uint8] | str:
        try:
            return canonical_image(read_radiograph(path.read_bytes(), path.name).pixels)
        except OSError as error:
            return f"{path}: {error.strerror}"
        except CxrError as error:
            return f"{path}: {error}"

    with ThreadPoolExecutor(workers) as pool:
        loaded = list(pool.map(load, paths))
    problems = [item for item in loaded if isinstance(item, str)]
    if problems:
        raise DataError("training.unusable_images", images=len(problems), problems=tuple(problems))
    images = [item for item in loaded if not isinstance(item, str)]
    return np.stack(images) if images else np.empty((0, IMAGE_SIDE, IMAGE_SIDE), np.uint8)


def load_masks(root: Path, images: Sequence[Image], side: int = IMAGE_SIDE) -> dict[str, NDArray[np.bool_]]:
    """Read the lung masks beside the archive: ``lung_masks/{NORMAL,PNEUMONIA}/STEM.png``.

    Returns
    -------
    dict of str to ndarray of bool, shape (side, side)
        By image name; images without a mask are left out.

    Raises
    ------
    DataError
        When a mask is damaged.
    """
    masks = {}
    for image in images:
        path = root / "lung_masks" / image.path.parent.name / f"{image.path.stem}.png"
        if not path.is_file():
            continue
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise DataError("training.damaged_mask", path=str(path))
        masks[image.name] = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA) > 127
    return masks
