"""From films to figures: what was learnt from, what was chosen on, what was measured, and what was left out."""

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path

from cxrmodel.evaluation.document import Evaluation
from cxrmodel.model.spec import MODEL_FOLDER

__all__ = ["Box", "flow", "flow_rows", "flow_svg", "hash_rows", "training_record"]

_STRATA = {"normal": "normal", "bacteria": "bacterial", "virus": "viral"}


@dataclass(frozen=True)
class Box:
    """A station of the films' way.

    Attributes
    ----------
    title : str
    lines : tuple of str
    lane : {"training", "test"}
    excluded : bool
        Whether films end here.
    """

    title: str
    lines: tuple[str, ...]
    lane: str
    excluded: bool = False


def training_record(model: str, folder: Path = MODEL_FOLDER) -> dict:
    """What is kept beside the weights of their training; empty where the file is missing or damaged.

    Returns
    -------
    dict
        As ``cxrmodel.training.reader`` wrote it; ``history`` begins with that of the trainings before, and counts
        its epochs through.
    """
    try:
        record = json.loads((folder / f"{model}.training.json").read_text(encoding="utf-8"))
        parts = [part.get("history", []) for part in (*record.get("before", []), record)]
        epochs = [dict(entry) for part in parts for entry in part]
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
    return record | {"history": [entry | {"epoch": place} for place, entry in enumerate(epochs, start=1)]}


def flow(evaluation: Evaluation, record: dict) -> list[Box]:
    """List the stations from films to splits, each with its count.

    Parameters
    ----------
    evaluation : Evaluation
    record : dict
        As :func:`training_record` gives it; without its ``split`` the training's stations are left out.
    """
    boxes = []
    split = record.get("split")
    if split:
        kept, repeats = split["train_films"] + split["held_out_films"], len(split["repeats_dropped"])
        held_patients = len(split["held_out_patients"])
        boxes += [
            Box("Folders train and val of the archive", (f"{kept + repeats:,} films",), "training"),
            Box("Left out: repeats of another file", (f"{repeats:,} films",), "training", excluded=True),
            Box(
                "Kept, split by patient",
                (f"{kept:,} films of {split['train_patients'] + held_patients:,} patients",),
                "training",
            ),
            Box(
                "Learnt from",
                (
                    f"{split['train_films']:,} films of {split['train_patients']:,} patients",
                    _strata(split["train_strata"]),
                ),
                "training",
            ),
            Box(
                "Held out: calibration and thresholds",
                (f"{split['held_out_films']:,} films of {held_patients:,} patients", _strata(split["held_out_strata"])),
                "training",
            ),
        ]
    counts = evaluation.data["test"]
    kinds = f"{counts['normal']:,} normal, {counts['pneumonia']:,} with pneumonia"
    title = "Folder test of the archive" if evaluation.dataset is None else f"Own films: {evaluation.dataset['name']}"
    boxes += [
        Box(title, (f"{counts['films']:,} films of {counts['patients']:,} patients", kinds), "test"),
        Box("Left out: refused by the program", (f"{counts['refused']:,} films",), "test", excluded=True),
        Box("Measured on", (f"{counts['films'] - counts['refused']:,} films",), "test"),
    ]
    return boxes


def flow_rows(boxes: list[Box]) -> list[dict[str, str]]:
    """The stations as a table."""
    return [
        {
            "Films of": {"training": "Training", "test": "Test"}[box.lane],
            "Station": box.title,
            "Count": "; ".join(box.lines),
        }
        for box in boxes
    ]


def flow_svg(boxes: list[Box], dark: bool = True) -> str:
    """Draw the stations as a diagram, narrow enough for a phone.

    Parameters
    ----------
    boxes : list of Box
    dark : bool
        Whether it stands on a dark page.

    Returns
    -------
    str
        An SVG of its own.
    """
    ink, soft, fill, out = (
        ("#dfe5ea", "#8a97a3", "#1a2129", "#3a2c12") if dark else ("#1a1a1a", "#666666", "#f2f5f8", "#fbeed5")
    )
    parts, y, previous = [], 10, None
    for box in boxes:
        if previous is not None and box.lane != previous:
            y += 22
        elif previous is not None:
            parts.append(
                f'<path d="M210 {y - 18}V{y - 4}m-5 -7l5 7l5 -7" stroke="{soft}" fill="none" stroke-width="1.5"/>'
            )
        height = 30 + 19 * len(box.lines)
        left, width = (60, 340) if box.excluded else (20, 380)
        dash = ' stroke-dasharray="5 4"' if box.excluded else ""
        parts.append(
            f'<rect x="{left}" y="{y}" width="{width}" height="{height}" rx="8" fill="{out if box.excluded else fill}" '
            f'stroke="{soft}"{dash}/>'
        )
        parts.append(_text(left + 14, y + 21, box.title, ink, "600"))
        parts += [_text(left + 14, y + 21 + 19 * (i + 1), line, ink, "400") for i, line in enumerate(box.lines)]
        y += height + 20
        previous = box.lane
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 {y - 8}" width="420" height="{y - 8}" '
        f'font-family="sans-serif" font-size="14.5">{"".join(parts)}</svg>'
    )


def hash_rows(evaluation: Evaluation) -> list[dict[str, str]]:
    """Hashes of weights, code and films, so that the same evaluation can be made again."""
    rows = [{"Of": "Weights", "sha256": evaluation.weights_sha256}]
    kept = evaluation.provenance or {}
    if "code_sha256" in kept:
        rows.append({"Of": "Source code that evaluated", "sha256": str(kept["code_sha256"])})
    names = {"test": "Test films", "held_out": "Held-out films"}
    rows += [{"Of": names.get(split, split), "sha256": str(sha)} for split, sha in kept.get("films_sha256", {}).items()]
    return rows


def _text(x: int, y: int, words: str, colour: str, weight: str) -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}" font-weight="{weight}">{escape(words)}</text>'


def _strata(counts: dict[str, int]) -> str:
    return ", ".join(f"{counts[name]:,} {said}" for name, said in _STRATA.items() if counts.get(name))
