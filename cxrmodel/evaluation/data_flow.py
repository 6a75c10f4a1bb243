"""From images to figures: what was learnt from, what was chosen on, what was measured, and what was left out."""

import json
from dataclasses import dataclass
from pathlib import Path

from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.model.spec import MODEL_FOLDER

__all__ = ["Box", "flow", "flow_rows", "hash_rows", "training_record"]

_STRATA = {"normal": "normal", "bacteria": "bacterial", "virus": "viral"}


@dataclass(frozen=True)
class Box:
    """A station of the images' way.

    Attributes
    ----------
    title : str
    lines : tuple of str
    lane : {"training", "test"}
    source : str
        Title of the station that its images come from; empty where the way begins.
    kind : {"main", "part", "left out"}
        A part stands beside others of the same source; images that are left out end there.
    """

    title: str
    lines: tuple[str, ...]
    lane: str
    source: str = ""
    kind: str = "main"


def training_record(model: str, folder: Path = MODEL_FOLDER) -> dict:
    """What is kept beside the weights of their training; empty where the file is missing or damaged.

    Returns
    -------
    dict
        As ``cxrmodel.training.classifier`` wrote it; ``history`` begins with that of the trainings before, counts its
        epochs through, and tells of each its ``training``, from 1; ``trainings`` has for each of them, in their order,
        ``first`` epoch (None where its history is not kept) and ``words``.
    """
    try:
        record = json.loads((folder / f"{model}.training.json").read_text(encoding="utf-8"))
        chain = [*record.get("before", []), record]
        epochs = [
            entry | {"training": place}
            for place, part in enumerate(chain, start=1)
            for entry in part.get("history", [])
        ]
        history = [entry | {"epoch": place} for place, entry in enumerate(epochs, start=1)]
        trainings = [
            {"first": next((entry["epoch"] for entry in history if entry["training"] == place), None)}
            | {"words": _training(part, place)}
            for place, part in enumerate(chain, start=1)
        ]
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
    return record | {"history": history, "trainings": trainings}


def _training(part: dict, place: int) -> str:
    stages = part.get("recipe", {}).get("stages")
    sizes = ", ".join(f"{size} pixels for {epochs} epochs" for size, epochs in stages) if stages else "sizes unknown"
    if place > 1:
        return f"{sizes}, from the weights of training {place - 1}"
    init = str(part.get("init", "weights that are not on record"))
    return f"{sizes}, from {'random weights' if init == 'none' else init}"


def flow(evaluation: Evaluation, record: dict) -> list[Box]:
    """List the stations from images to splits, each with its count.

    Parameters
    ----------
    evaluation : Evaluation
    record : dict
        As :func:`training_record` gives it; without its ``split`` the training's stations are left out.
    """
    boxes = []
    split = record.get("split")
    if split:
        kept, repeats = split["train_images"] + split["held_out_images"], len(split["repeats_dropped"])
        held_patients = len(split["held_out_patients"])
        whole, pool = "Folders train and val of the archive", "Training pool, split by patient"
        aside = "Held out: calibration and thresholds"
        learnt = f"{split['train_images']:,} images of {split['train_patients']:,} patients"
        held = f"{split['held_out_images']:,} images of {held_patients:,} patients"
        together = f"{kept:,} images of {split['train_patients'] + held_patients:,} patients"
        boxes += [
            Box(whole, (f"{kept + repeats:,} images",), "training"),
            Box("Left out: repeats of another file", (f"{repeats:,} images",), "training", whole, "left out"),
            Box(pool, (together,), "training", whole),
            Box("Learnt from", (learnt, _strata(split["train_strata"])), "training", pool, "part"),
            Box(aside, (held, _strata(split["held_out_strata"])), "training", pool, "part"),
        ]
    counts = evaluation.data["test"]
    kinds = f"{counts['normal']:,} normal, {counts['pneumonia']:,} with pneumonia"
    title = "Folder test of the archive" if evaluation.dataset is None else f"Own images: {evaluation.dataset['name']}"
    boxes += [
        Box(title, (f"{counts['images']:,} images of {counts['patients']:,} patients", kinds), "test"),
        Box("Left out: could not be scored", (f"{counts['refused']:,} images",), "test", title, "left out"),
        Box("Measured on, checks off", (f"{counts['images'] - counts['refused']:,} images",), "test", title),
    ]
    return boxes


def flow_rows(boxes: list[Box]) -> list[dict[str, str]]:
    """The stations as a table."""
    return [
        {
            "Images of": {"training": "Training", "test": "Test"}[box.lane],
            "Station": box.title,
            "From": box.source,
            "Count": "; ".join(box.lines),
        }
        for box in boxes
    ]


def hash_rows(evaluation: Evaluation) -> list[dict[str, str]]:
    """Hashes of weights, code and images, so that the same evaluation can be made again."""
    rows = [{"Of": "Weights", "sha256": evaluation.weights_sha256}]
    kept = evaluation.provenance or {}
    if "code_sha256" in kept:
        rows.append({"Of": "Source code that evaluated", "sha256": str(kept["code_sha256"])})
    names = {"test": "Test images", "held_out": "Held-out images"}
    rows += [
        {"Of": names.get(split, split), "sha256": str(sha)} for split, sha in kept.get("images_sha256", {}).items()
    ]
    return rows


def _strata(counts: dict[str, int]) -> str:
    return ", ".join(f"{counts[name]:,} {said}" for name, said in _STRATA.items() if counts.get(name))
