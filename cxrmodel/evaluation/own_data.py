"""A user's own images: a folder in the layout of the public archive -> the evaluation of a model on them."""

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from cxrmodel.errors import DataError, EvaluationError
from cxrmodel.evaluation.metrics import LEVEL
from cxrmodel.evaluation.provenance import provenance
from cxrmodel.evaluation.run import measured
from cxrmodel.evaluation.storage import FORMAT, OWN_FOLDER, save_evaluation
from cxrmodel.training.archive import LABELS, Image, follows_archive, identify

if TYPE_CHECKING:
    from cxrmodel.reading import Reader

__all__ = ["dataset_name", "evaluate_folder", "own_images"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,60}")


def dataset_name(folder: Path, name: str | None = None) -> str:
    """Name a set of images, by what was given or else by its folder.

    Raises
    ------
    EvaluationError
        When the name cannot be part of a file's name.
    """
    chosen = name if name is not None else re.sub(r"[^A-Za-z0-9 _-]+", "-", folder.resolve().name).strip("- _")
    if not _NAME.fullmatch(chosen):
        raise EvaluationError(
            f"'{chosen}' cannot name an evaluation. Give --name letters, digits, blanks, - or _, at most 61."
        )
    return chosen


def own_images(folder: Path) -> tuple[list[Image], str, str]:
    """List the images of a folder that holds ``NORMAL`` and ``PNEUMONIA``, itself, in ``test``, or in ``chest_xray``.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    images : list of Image
        In order of their names, which are paths within ``folder``.
    layout, patients : str
        In words: where the images were found, and how patients were told apart. Images whose names follow the archive's
        are grouped by them; every other file counts as a patient.

    Raises
    ------
    DataError
        When there is no such folder, or a class has no images.
    """
    places = [folder, folder / "test", folder / "chest_xray" / "test", folder / "chest_xray"]
    base = next((place for place in places if all((place / name).is_dir() for name in LABELS)), None)
    if base is None:
        raise DataError(
            f"There are no folders NORMAL and PNEUMONIA in {folder}, nor in its folders test and chest_xray/test. Sort "
            "the images into two folders of these names."
        )
    images = []
    for name, label in LABELS.items():
        paths = sorted(p for p in (base / name).rglob("*") if p.is_file() and not p.name.startswith("."))
        if not paths:
            raise DataError(f"There are no images in {base / name}. An evaluation needs images of both kinds.")
        for path in paths:
            inside = path.relative_to(folder).as_posix()
            organism, patient = identify(path.stem, label) if follows_archive(path.stem, label) else ("", inside)
            images.append(Image(path, inside, "test", label, organism, patient))
    named = sum(follows_archive(image.path.stem, image.label) for image in images)
    layout = f"found in {base.relative_to(folder).as_posix()}/NORMAL and PNEUMONIA".replace("in ./", "in ")
    return images, layout, _grouping(named, len(images))


def evaluate_folder(
    reader: "Reader", folder: Path, name: str | None = None, out: Path = OWN_FOLDER, progress: bool = True
) -> dict:
    """Read a user's own images and write the figures to ``out/<name>.<model>.json``, where the app finds them.

    The file holds the path of each image within the folder, its label and its score, and no picture.

    Parameters
    ----------
    reader : Reader
        A loaded model.
    folder : Path
        As :func:`own_images` takes it.
    name : str or None
        To show; None takes the folder's.
    out : Path
        The folder to write to.
    progress : bool
        Whether to show a progress bar on standard error.

    Returns
    -------
    dict
        The document as written.

    Raises
    ------
    DataError
        When images are missing, or all that could be read are of one class.
    EvaluationError
        When the name cannot be used or the file cannot be written.
    """
    called = dataset_name(folder, name)
    images, layout, patients = own_images(folder)
    counts, rows, refused, metrics, drawn = measured(reader, images, called if progress else None)
    document = {
        "format": FORMAT,
        "model": reader.spec.model,
        "version": reader.spec.version,
        "weights_sha256": reader.spec.weights_sha256,
        "created": date.today().isoformat(),
        "dataset": {"name": called, "layout": layout, "patients": patients},
        "prevalence": reader.spec.prevalence,
        "operating_points": dict(reader.spec.operating_points),
        "bootstrap": {**drawn, "level": LEVEL, "unit": "patient"},
        "provenance": provenance({"test": images}),
        "data": {"test": counts},
        "metrics": {"test": metrics},
        "refused": {"test": refused},
        "scores": {"test": rows},
    }
    save_evaluation(document, out)
    return document


def _grouping(named: int, images: int) -> str:
    if named == images:
        return "Patients were told apart by file names, which follow the archive's."
    if not named:
        return (
            "File names do not follow the archive's, so each image counts as a patient; intervals are then too narrow "
            "where a patient has several images."
        )
    return (
        f"Of {images} file names {named} follow the archive's and tell patients apart; each other image counts as a "
        "patient."
    )
