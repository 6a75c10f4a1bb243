"""Evaluate a model on an archive that was scored: its rows, and labels of folders or of a table. No image is read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from cxrmodel.archive.manifest import Manifest
from cxrmodel.archive.output import Output
from cxrmodel.errors import DataError, EvaluationError
from cxrmodel.evaluation.own_data import dataset_name
from cxrmodel.evaluation.provenance import provenance_of, set_sha256
from cxrmodel.evaluation.run import new_evaluation, split_scores
from cxrmodel.evaluation.schema import Dataset, Evaluation, Refusal
from cxrmodel.evaluation.storage import OWN_FOLDER, save_evaluation
from cxrmodel.messages import Message
from cxrmodel.model.calibration import probability
from cxrmodel.model.spec import Labels as ClassNames
from cxrmodel.model.spec import ModelSpec, load_spec
from cxrmodel.reading import Score
from cxrmodel.records import first_problem, read_rows
from cxrmodel.sinks import storable
from cxrmodel.training.archive import LABELS, Image, follows_archive, identify

KEYS = ("item", "file", "sha256")
"""Columns of a table of labels that name an image; the first that it has."""
LABEL, PATIENT = "label", "patient"
_COLUMNS = ("sha256", "status", "logit", "reasons")


@dataclass(frozen=True)
class Labels:
    """Labels of images, from a table.

    Attributes
    ----------
    key : str
        Column that names an image, of ``KEYS``.
    label : dict of str to int
        0 negative, 1 positive, by the key.
    patient : dict of str to str
        By the key; only where the table names one.
    """

    key: str
    label: Mapping[str, int]
    patient: Mapping[str, str]

    @classmethod
    def load(cls, path: Path, names: ClassNames) -> "Labels":
        """Read a table of labels: CSV with the columns ``label``, one of ``KEYS``, and perhaps ``patient``.

        Parameters
        ----------
        path : Path
        names : Labels
            Of the model. A label is one of these, 0 or 1, or the name of a folder of the public archive.

        Raises
        ------
        DataError
            When it cannot be read, lacks a column, or contradicts itself.
        """
        try:
            rows = read_rows(path)
        except (OSError, ValueError) as error:
            raise DataError("archive.labels.unreadable", file=str(path), reason=first_problem(error)) from error
        key = next((name for name in KEYS if rows and name in rows[0]), None)
        if key is None or LABEL not in rows[0]:
            raise DataError("archive.labels.columns", file=str(path), keys=KEYS)
        known = {names.negative.lower(): 0, names.positive.lower(): 1, "0": 0, "1": 1}
        known |= {name.lower(): label for name, label in LABELS.items()}
        labels: dict[str, int] = {}
        for line, row in enumerate(rows, start=2):
            label = known.get(row[LABEL].strip().lower())
            if label is None:
                raise DataError("archive.labels.unknown", file=str(path), line=line, labels=tuple(known))
            if labels.setdefault(row[key], label) != label:
                raise DataError("archive.labels.contradiction", file=str(path), line=line)
        patients = {row[key]: row[PATIENT] for row in rows if row.get(PATIENT)}
        return cls(key, labels, patients)


def is_output(folder: Path) -> bool:
    """Whether a folder is the output of an archive."""
    return Output(folder).run.is_file()


def evaluate_output(
    folder: Path, name: str | None = None, table: Path | None = None, out: Path = OWN_FOLDER
) -> tuple[Evaluation, tuple[Message, ...]]:
    """Evaluate what an output holds, and write the figures to ``out/<name>.<model>.json``, where the app finds them.

    The figures are those of ``evaluate_folder`` on the same images, but for images that a check rejects or sets right:
    these were scored as in a reading.

    Parameters
    ----------
    folder : Path
        Of the output.
    name : str or None
        To show; None takes the folder's.
    table : Path or None
        Labels; None takes the folders NORMAL and PNEUMONIA in the names of the images.
    out : Path
        The folder to write to. Names of images are in the file only where the output has them in its rows.

    Returns
    -------
    Evaluation
    tuple of Message
        What was left out.

    Raises
    ------
    DataError
        When labels are missing, or all images with a score are of one class.
    EvaluationError
        When the output is of another version of the model, or the name cannot be used.
    """
    title, manifest = dataset_name(folder, name), Manifest(Output(folder))
    spec = load_spec(manifest.run.model)
    if spec.version != manifest.run.version:
        raise EvaluationError("archive.labels.version", found=manifest.run.version, expected=spec.version)
    labels = Labels.load(table, spec.labels) if table else None
    images, notes = _images(manifest, labels)
    named = sum(image.known for image in images)
    if not manifest.run.identity:
        images = _without_names(images)
    outcomes = [(image.image, image.outcome(spec)) for image in images]
    splits = {"test": split_scores(spec, outcomes)}
    dataset = Dataset(name=title, folder=".", named=named, origin="table" if labels else "archive")
    digest = set_sha256((image.image.name, image.image.label, image.content) for image in images)
    evaluation = new_evaluation(spec, provenance_of({"test": digest}), splits, dataset)
    save_evaluation(evaluation, out)
    return evaluation, notes


@dataclass(frozen=True)
class _Labelled:
    """An image with its label and its row."""

    image: Image
    known: bool
    row: Mapping[str, Any]

    @property
    def content(self) -> bytes:
        """SHA-256 of its bytes; empty where there were none."""
        return bytes.fromhex(self.row["sha256"] or "")

    def outcome(self, spec: ModelSpec) -> Score | Refusal:
        """Score at the prevalence of the specification, or why there is none."""
        logit = self.row["logit"]
        if self.row["status"] == "read" and logit is not None:
            return Score(logit, probability(logit, **spec.calibration))
        reason = " ".join(self.row["reasons"])
        return Refusal(file=self.image.name, code="evaluation.archive_reason", values={"reason": reason})


def _images(manifest: Manifest, labels: Labels | None) -> tuple[list[_Labelled], tuple[Message, ...]]:
    """Images that have a row and a label, in the order of ``own_images``, and what was left out."""
    found, without, used = list[_Labelled](), 0, set[str]()
    for name, row in _rows(manifest):
        key = None if labels is None else {"item": str(row["item"]), "file": name, "sha256": row["sha256"]}[labels.key]
        label = _folder_label(name) if labels is None else labels.label.get(key or "")
        if label is None:
            without += 1
            continue
        used.add(key or "")
        stem = PurePosixPath(re.split("[/!]", name)[-1]).stem
        organism, patient = "", (labels.patient.get(key or "") if labels else None)
        if labels is None and follows_archive(stem, label):
            organism, patient = identify(stem, label)
        shown = storable(name)
        image = Image(Path(shown), shown, "test", label, organism, shown if patient is None else patient)
        found.append(_Labelled(image, patient is not None, row))
    if not found:
        raise DataError("archive.labels.none" if labels else "archive.labels.no_folders")
    if len({image.image.name for image in found}) < len(found):
        raise DataError("archive.labels.same_names")
    found.sort(key=lambda image: (image.image.label, PurePosixPath(image.image.name)))
    notes = [Message("archive.labels.left_out", images=without)] if without else []
    if labels and (spare := len(labels.label.keys() - used)):
        notes.append(Message("archive.labels.spare", rows=spare))
    return found, tuple(notes)


def _rows(manifest: Manifest) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and row of every image that was scored."""
    for block, table in manifest.rows(_COLUMNS):
        names = {row["item"]: row["id"] for row in manifest.listed(block).to_pylist()}
        for row in table.to_pylist():
            yield names[row["item"]], row


def _folder_label(name: str) -> int | None:
    """Label of the innermost folder that has one."""
    return next((LABELS[part] for part in reversed(re.split("[/!]", name)[:-1]) if part in LABELS), None)


def _without_names(images: Sequence[_Labelled]) -> list[_Labelled]:
    """Images and patients by numbers, in the same order."""
    patients = {patient: place for place, patient in enumerate(sorted({image.image.patient for image in images}))}
    return [
        replace(
            image,
            image=replace(
                image.image, name=f"image {image.row['item']}", patient=f"patient {patients[image.image.patient]:09}"
            ),
        )
        for image in images
    ]
