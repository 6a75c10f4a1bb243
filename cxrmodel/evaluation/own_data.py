"""Evaluate a model on a user's own images: a folder in the layout of the public archive."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from cxrmodel.errors import DataError, EvaluationError
from cxrmodel.evaluation.provenance import provenance
from cxrmodel.evaluation.run import measured, new_evaluation
from cxrmodel.evaluation.schema import DATASET_NAME, Dataset, Evaluation
from cxrmodel.evaluation.storage import OWN_FOLDER, save_evaluation
from cxrmodel.sinks import storable
from cxrmodel.training.archive import LABELS, Image, follows_archive, identify

if TYPE_CHECKING:
    from cxrmodel.reading import Reader


def dataset_name(folder: Path, name: str | None = None) -> str:
    """Name a set of images, by what was given or else by its folder.

    Raises
    ------
    EvaluationError
        When the name cannot be part of a file's name.
    """
    chosen = name if name is not None else re.sub(r"[^A-Za-z0-9 _-]+", "-", folder.resolve().name).strip("- _")
    if not re.fullmatch(DATASET_NAME, chosen):
        raise EvaluationError("evaluation.error.name", name=chosen)
    return chosen


def own_images(folder: Path) -> tuple[list[Image], str, int]:
    """List the images of a folder that holds ``NORMAL`` and ``PNEUMONIA``, itself, in ``test``, or in ``chest_xray``.

    Images whose names follow the archive's are grouped into patients by them; every other file counts as a patient.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    images : list of Image
        In order of their names, which are paths within ``folder``.
    base : str
        Where in ``folder`` the two folders were found; ``.`` for itself.
    named : int
        Images whose name identifies their patient.

    Raises
    ------
    DataError
        When there is no such folder, or a class has no images.
    """
    places = [folder, folder / "test", folder / "chest_xray" / "test", folder / "chest_xray"]
    base = next((place for place in places if all((place / name).is_dir() for name in LABELS)), None)
    if base is None:
        raise DataError("evaluation.error.no_folders", folder=str(folder))
    images = []
    for name, label in LABELS.items():
        paths = sorted(p for p in (base / name).rglob("*") if p.is_file() and not p.name.startswith("."))
        if not paths:
            raise DataError("evaluation.error.empty_folder", folder=str(base / name))
        for path in paths:
            inside = storable(path.relative_to(folder).as_posix())
            organism, patient = identify(path.stem, label) if follows_archive(path.stem, label) else ("", inside)
            images.append(Image(path, inside, "test", label, organism, patient))
    named = sum(follows_archive(image.path.stem, image.label) for image in images)
    return images, base.relative_to(folder).as_posix(), named


def evaluate_folder(
    reader: "Reader", folder: Path, name: str | None = None, out: Path = OWN_FOLDER, progress: bool = True
) -> Evaluation:
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

    Raises
    ------
    DataError
        When images are missing, or all that could be read are of one class.
    EvaluationError
        When the name cannot be used or the file cannot be written.
    """
    title = dataset_name(folder, name)
    images, base, named = own_images(folder)
    splits = {"test": measured(reader, images, title if progress else None)}
    dataset = Dataset(name=title, folder=base, named=named)
    evaluation = new_evaluation(reader.spec, provenance({"test": images}), splits, dataset)
    save_evaluation(evaluation, out)
    return evaluation
