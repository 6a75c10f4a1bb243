"""The public archive on disk -> a table of films, split by patient.

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
from cxrmodel.imaging.canonical import FILM_SIDE, canonical_film
from cxrmodel.imaging.radiograph import read_radiograph

__all__ = [
    "Film",
    "Split",
    "data_root",
    "find_films",
    "follows_archive",
    "hold_out",
    "identify",
    "load_films",
    "load_masks",
    "training_split",
    "without_repeats",
]

LABELS = {"NORMAL": 0, "PNEUMONIA": 1}
FOLDERS = ("train", "val", "test")
_PNEUMONIA_NAME = re.compile(r"person(\d+)_(bacteria|virus)_\d+")
_NORMAL_NAME = re.compile(r"(?:NORMAL2-)?IM-\d+")


@dataclass(frozen=True)
class Film:
    """One file of the archive.

    Attributes
    ----------
    path : Path
        Where the file is.
    name : str
        Its path inside the archive, with forward slashes: the key by which films are listed.
    folder : str
        ``train``, ``val`` or ``test``.
    label : int
        0 normal, 1 pneumonia.
    organism : str
        ``bacteria``, ``virus`` or empty (normal films).
    patient : str
        Grouping key; films of one patient never cross a split.
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
    """The films of one training: what is learnt from, what is chosen on, and what was left out."""

    train: tuple[Film, ...]
    held_out: tuple[Film, ...]
    repeats: tuple[str, ...]
    seed: int

    def describe(self) -> dict:
        """Counts and held-out patients, as kept beside the weights."""
        return {
            "seed": self.seed,
            "train_films": len(self.train),
            "train_patients": len({film.patient for film in self.train}),
            "train_strata": dict(Counter(film.stratum for film in self.train)),
            "held_out_films": len(self.held_out),
            "held_out_strata": dict(Counter(film.stratum for film in self.held_out)),
            "held_out_patients": sorted({film.patient for film in self.held_out}),
            "repeats_dropped": list(self.repeats),
        }


def data_root() -> Path:
    """The folder that holds ``chest_xray``: the variable ``CXR_DATA``, else ``data/`` in the project."""
    configured = os.environ.get("CXR_DATA")
    return Path(configured) if configured else Path(__file__).resolve().parents[2] / "data"


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
        The numbers of bacterial and viral films count different persons, so the organism is part of the key.
    """
    if label:
        match = _PNEUMONIA_NAME.match(stem)
        return (match[2], f"{match[2]}-{match[1]}") if match else ("", stem.lower())
    match = _NORMAL_NAME.match(stem)
    return "", (match[0] if match else stem).lower()


def follows_archive(stem: str, label: int) -> bool:
    """Whether a file name is of the archive's kind, so that it tells the patient."""
    return bool((_PNEUMONIA_NAME if label else _NORMAL_NAME).match(stem))


def find_films(root: Path, folders: Sequence[str] = FOLDERS) -> list[Film]:
    """List the archive's films, sorted by name.

    Raises
    ------
    DataError
        When a folder is missing or empty; the sentence names it.
    """
    base = root / "chest_xray"
    films = []
    for folder in folders:
        for name, label in LABELS.items():
            place = base / folder / name
            paths = sorted(p for p in place.glob("*") if p.is_file() and not p.name.startswith("."))
            if not paths:
                raise DataError(
                    f"There are no films in {place}. Unpack the public archive so that "
                    f"{base} holds train, val and test, or point CXR_DATA at the folder above it."
                )
            for path in paths:
                organism, patient = identify(path.stem, label)
                films.append(Film(path, f"chest_xray/{folder}/{name}/{path.name}", folder, label, organism, patient))
    return films


def without_repeats(films: Sequence[Film]) -> tuple[list[Film], list[str]]:
    """Drop files whose bytes repeat an earlier file's, keeping the first by name.

    Returns
    -------
    kept : list of Film
    repeats : list of str
        Names of the dropped files.
    """
    seen: set[str] = set()
    kept, repeats = [], []
    for film in films:
        try:
            digest = hashlib.sha256(film.path.read_bytes()).hexdigest()
        except OSError as error:
            raise DataError(f"{film.path} cannot be read ({error.strerror}). Unpack the archive again.") from error
        if digest in seen:
            repeats.append(film.name)
        else:
            seen.add(digest)
            kept.append(film)
    return kept, repeats


def hold_out(films: Sequence[Film], seed: int, folds: int = 10) -> tuple[list[Film], list[Film]]:
    """Set one part in ``folds`` aside, whole patients at a time, stratified by label and organism.

    Returns
    -------
    train, held_out : list of Film
    """
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    strata = [film.stratum for film in films]
    patients = [film.patient for film in films]
    train, held = next(splitter.split(np.zeros(len(films)), strata, patients))
    return [films[i] for i in train], [films[i] for i in held]


def training_split(root: Path, seed: int = 0) -> Split:
    """The archive's ``train`` and ``val`` folders, repeats dropped, with held-out patients set aside.

    Raises
    ------
    DataError
        When a folder is missing, empty, or holds too few patients to set any aside.
    """
    films, repeats = without_repeats(find_films(root, ("train", "val")))
    fewest = min(len({film.patient for film in films if film.label == label}) for label in LABELS.values())
    if fewest < 2:
        raise DataError(
            f"{root} holds films of fewer than two patients in a class: too few to hold any out. "
            "Add films of more patients."
        )
    train, held = hold_out(films, seed, folds=min(10, fewest))
    return Split(tuple(train), tuple(held), tuple(repeats), seed)


def load_films(films: Iterable[Film], workers: int = 8) -> np.ndarray:
    """Read films through the program's own decoder into their canonical form.

    Returns
    -------
    ndarray of uint8, shape (N, 224, 224)

    Raises
    ------
    DataError
        Naming every file that is missing or damaged.
    """

    def load(film: Film) -> np.ndarray | str:
        try:
            data = film.path.read_bytes()
            return canonical_film(read_radiograph(data, film.path.name).pixels)
        except OSError as error:
            return f"{film.path}: {error.strerror}"
        except CxrError as error:
            return f"{film.path}: {error}"

    with ThreadPoolExecutor(workers) as pool:
        loaded = list(pool.map(load, films))
    damaged = [item for item in loaded if isinstance(item, str)]
    if damaged:
        raise DataError("These films cannot be used; replace or remove them:\n" + "\n".join(damaged))
    return np.stack(loaded)


def load_masks(root: Path, films: Sequence[Film], side: int = FILM_SIDE) -> dict[str, np.ndarray]:
    """Lung masks that lie beside the archive, as ``lung_masks/{NORMAL,PNEUMONIA}/STEM.png``.

    Returns
    -------
    dict of str to ndarray of bool, shape (side, side)
        By film name; films without a mask are left out. Empty where there is no such folder.

    Raises
    ------
    DataError
        Naming a mask that is damaged.
    """
    masks = {}
    for film in films:
        path = root / "lung_masks" / film.path.parent.name / f"{film.path.stem}.png"
        if not path.is_file():
            continue
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise DataError(f"The lung mask {path} is damaged. Replace it, or remove it to train without it.")
        masks[film.name] = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA) > 127
    return masks
