"""Training films and held-out patients -> the gates: spaces of films, and every threshold."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from cxrmodel.errors import TrainingError
from cxrmodel.imaging.borders import film_box
from cxrmodel.imaging.canonical import FILM_SIDE, contrast
from cxrmodel.imaging.gate import GATE_FOLDER
from cxrmodel.imaging.gate_lungs import lie_of_lungs
from cxrmodel.imaging.gate_picture import clipped_share, margin_share
from cxrmodel.imaging.gate_report import Rule
from cxrmodel.imaging.likeness import Likeness, around_lungs, whole_film
from cxrmodel.imaging.lungs import LungFields, LungSegmenter, plausibility
from cxrmodel.imaging.posture import POSTURES, PostureNetwork
from cxrmodel.training.augment import reframed
from cxrmodel.training.dataset import load_films, training_split
from cxrmodel.training.export import to_onnx

__all__ = ["export_gates", "fit_likeness"]

FILM_AXES, LUNG_AXES = 96, 64
"""Dimensions of the spaces of whole films and of their parts around the lungs."""
LUNG_FILMS = 1500
"""Training films whose lungs are looked for."""
FRAME = {"degrees": 8.0, "stretch": 0.3, "shift": 0.08}
"""How far films are reframed for the former."""
_LEAST_PAGE = 0.3
_BATCH = 64


def export_gates(run: Path, root: Path, out: Path = GATE_FOLDER) -> dict:
    """Ship the gates: ``posture.onnx``, ``posture.keras``, ``likeness.npz`` and ``spec.json``.

    Parameters
    ----------
    run : Path
        Folder that ``train --model posture`` wrote.
    root : Path
        The archive that it was trained on.

    Returns
    -------
    dict
        The specification as written.

    Raises
    ------
    DataError, ModelError, TrainingError
    """
    try:
        report = json.loads((run / "report.json").read_text(encoding="utf-8"))
        weights = (run / "posture.keras").read_bytes()
    except OSError as error:
        raise TrainingError(f"{error.filename} cannot be read. Finish the training in {run} first.") from error
    network = keras.models.load_model(run / "posture.keras", compile=False)
    side = network.input_shape[1]
    graph = to_onnx(network, np.random.default_rng(0).normal(size=(8, side, side, 1)).astype(np.float32))
    split, segmenter = training_split(root, report["recipe"]["seed"]), LungSegmenter.load()
    films, held = load_films(split.train), load_films(split.held_out)
    rng = np.random.default_rng(split.seed)
    film = fit_likeness(
        np.stack([whole_film(shown) for picture in films for shown in (picture, reframed(picture, rng, **FRAME))])
    )
    lungs = fit_likeness(_lung_parts(films[:: max(1, len(films) // LUNG_FILMS)], segmenter), LUNG_AXES)
    measured = _measure(held, segmenter, PostureNetwork(graph), film, lungs)
    spaces = BytesIO()
    np.savez(spaces, film_mean=film.mean, film_axes=film.axes, lungs_mean=lungs.mean, lungs_axes=lungs.axes)
    spec = {
        "posture_sha256": hashlib.sha256(graph).hexdigest(),
        "likeness_sha256": hashlib.sha256(spaces.getvalue()).hexdigest(),
        "lungs_sha256": segmenter.sha256,
        "rules": {rule.name: _stored(rule) for rule in _rules(measured)},
        "fixed_on": {"train_films": len(films), "held_out_films": len(held), "split_seed": split.seed},
        "posture": {key: report[key] for key in ("recipe", "held_out", "history")},
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "posture.onnx").write_bytes(graph)
    (out / "posture.keras").write_bytes(weights)
    (out / "likeness.npz").write_bytes(spaces.getvalue())
    (out / "spec.json").write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")
    return spec


def fit_likeness(pictures: np.ndarray, axes: int = FILM_AXES) -> Likeness:
    """The space in which pictures vary most.

    Parameters
    ----------
    pictures : ndarray of float32, shape (N, P)

    Returns
    -------
    Likeness
        Of ``axes`` dimensions, the leading principal components.
    """
    mean = pictures.mean(0)
    centred = (pictures - mean).astype(np.float64)
    directions = np.linalg.eigh(centred.T @ centred)[1][:, ::-1]
    return Likeness(mean, np.ascontiguousarray(directions[:, :axes].T, np.float32))


def _lung_parts(films: np.ndarray, segmenter: LungSegmenter) -> np.ndarray:
    masks = np.concatenate([segmenter.masks(films[i : i + _BATCH]) for i in range(0, len(films), _BATCH)])
    pairs = zip(films, map(_fields, masks), strict=True)
    return np.stack([around_lungs(film, lungs) for film, lungs in pairs if lungs])


def _fields(mask: np.ndarray) -> LungFields | None:
    return LungFields(mask) if mask.any() else None


def _measure(
    films: np.ndarray, segmenter: LungSegmenter, posture: PostureNetwork, film: Likeness, lungs: Likeness
) -> dict[str, np.ndarray]:
    """Everything that a rule measures, over films that lie as they should."""
    rows = []
    for picture in tqdm(films, desc="measuring held-out films", unit="film", disable=None):
        mask = segmenter.masks(picture[None])[0]
        shares, inverse = posture.probabilities(picture), posture.probabilities(255 - picture)
        row = {f"upright {name}": shares[name] for name in POSTURES} | {"inverse inverted": inverse["inverted"]}
        row["turned"] = sum(shares[name] for name in ("turned left", "upside down", "turned right"))
        row |= {"margins": margin_share(film_box(picture)), "contrast": contrast(picture)}
        row |= {"clipped": clipped_share(picture), "film likeness": film.distance(whole_film(picture))}
        row |= plausibility(picture, mask) | lie_of_lungs(mask)
        row["lung likeness"] = lungs.distance(around_lungs(picture, _fields(mask)))
        rows.append(row)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _rules(measured: Mapping[str, np.ndarray]) -> list[Rule]:
    """Fix every threshold on held-out films."""

    def top(name: str, percentile: float) -> float:
        return float(np.nanpercentile(measured[name], percentile))

    def odds(name: str, percentile: float) -> float:
        return max(0.5, top(name, percentile))

    quarter, beyond = "a quarter beyond the {} held-out film", "{} percentile of held-out films"
    least, most = quarter.format("least"), quarter.format("greatest")
    even = "even odds, or the {} percentile of held-out films where that is more"
    sure = "1st percentile of inverted held-out films, between even odds and nine in ten"
    certain = "ninety-nine in a hundred, or the greatest of held-out films where that is more"
    return [
        Rule("size", "below", FILM_SIDE, FILM_SIDE / 2, "side of the films that the model learnt from; half of it"),
        Rule(
            "contrast", "below", top("contrast", 0.5), top("contrast", 0) / 1.25, f"{beyond.format('0.5th')}; {least}"
        ),
        Rule("margins", "above", 1.5 * top("margins", 100), None, "half as much again as on any held-out film"),
        Rule("page", "below", None, _LEAST_PAGE, "set by hand"),
        Rule("inverted", "above", min(0.9, max(0.5, top("inverse inverted", 1))), None, sure),
        Rule("polarity", "above", None, odds("upright inverted", 99.8), even.format("99.8th")),
        Rule("turned", "above", None, odds("turned", 99.8), even.format("99.8th")),
        Rule("mirrored", "above", odds("upright mirrored", 99), None, even.format("99th")),
        Rule("strange", "above", None, max(0.99, top("upright strange", 100)), certain),
        Rule("clipped", "above", top("clipped", 99.5), 0.5, f"{beyond.format('99.5th')}; half of the film"),
        Rule(
            "film likeness",
            "above",
            None,
            1.25 * top("film likeness", 99.5),
            f"a quarter beyond the {beyond.format('99.5th')}",
        ),
        Rule("lung area", "below", None, top("area", 0) / 1.25, least),
        Rule("lung balance", "below", None, top("balance", 0) / 1.25, least),
        Rule("lung distance", "below", None, top("distance", 0) / 1.25, least),
        Rule("lung level", "above", None, 1.25 * top("level", 100), most),
        Rule("lung likeness", "above", None, top("lung likeness", 99.8), beyond.format("99.8th")),
        Rule("cut off", "above", top("edge", 99), None, beyond.format("99th")),
    ]


def _stored(rule: Rule) -> dict:
    values = asdict(rule)
    del values["name"]
    return values | {key: None if values[key] is None else round(values[key], 5) for key in ("warn", "refuse")}
