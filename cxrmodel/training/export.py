"""Export: from a finished training to the files that the program reads images with.

Operating points, heat range and out-of-distribution thresholds of a classifier are fixed here, on the held-out patients
of its training; its calibration on the left-out patients of fold trainings, or on the held-out patients too.
"""

import hashlib
import logging
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cxrmodel.artefacts import open_graph
from cxrmodel.checks.feature_distribution import FeatureDistribution, fit_feature_distribution
from cxrmodel.checks.spec import load_check_spec
from cxrmodel.errors import DataError, TrainingError
from cxrmodel.imaging.lung_spec import LungBounds, LungSpec
from cxrmodel.imaging.lungs import LungSegmenter
from cxrmodel.metrics.thresholds import choose_operating_points
from cxrmodel.model.calibration import probability
from cxrmodel.model.manifest import Manifest
from cxrmodel.model.network import for_reading
from cxrmodel.model.spec import FORMAT, ModelSpec, OperatingPoints, OutOfDistribution
from cxrmodel.models import MODELS
from cxrmodel.outputs import draft
from cxrmodel.paths import LUNGS_FOLDER, MODEL_FOLDER
from cxrmodel.prevalence import EVEN_ODDS
from cxrmodel.records import first_problem
from cxrmodel.training.archive import ARCHIVE, Image, load_images, training_split
from cxrmodel.training.calibration import Scores, choose_calibration, intact_scores
from cxrmodel.training.onnx_rewrite import rewrite_graph
from cxrmodel.training.out_of_fold import input_tensor, load_folds
from cxrmodel.training.record import (
    BAD_RECORD,
    UNFINISHED,
    CalibrationChoice,
    FoldTraining,
    TrainingRecord,
    load_training_record,
)
from cxrmodel.training.segmenter import SegmenterRecord

PROBES = 64
"""Held-out images on which the exported graph must agree with the network."""
TOLERANCE = 1e-3
"""By which logits may differ, and other outputs as a share of their range."""
HEAT_PERCENTILE = 99.0
LEAST_SHARE = 0.8
"""Segmented lungs must reach this share of the lowest measures among held-out images."""

FEATURE_IMAGES = 1500
"""Training images that give the distribution of features."""
WARN_PERCENTILE, REJECT_PERCENTILE, REJECT_FACTOR = 95.0, 99.5, 1.35
"""Of the held-out images' distances; an image is rejected beyond the latter percentile times the factor."""
THRESHOLD_SOURCE = (
    f"{WARN_PERCENTILE:g}th percentile of held-out images; {REJECT_FACTOR:g} times their {REJECT_PERCENTILE:g}th"
)

Floats = NDArray[np.float32]


def to_onnx(network: keras.Model, probes: Floats) -> bytes:
    """Convert a network and check the result against it.

    Parameters
    ----------
    network : keras.Model
    probes : ndarray of float32, shape (N, S, S, 1)
        Inputs on which both must agree.

    Returns
    -------
    bytes
        An ONNX graph with a dynamic batch.

    Raises
    ------
    TrainingError
        When the graph disagrees with the network.
    """
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    wanted = [keras.ops.convert_to_numpy(part) for part in keras.tree.flatten(network(probes, training=False))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        network.export(path, format="onnx", verbose=False)
        graph = rewrite_graph(path.read_bytes())
    for place, (found, true) in enumerate(zip(_run_graph(graph, probes, len(probes)), wanted, strict=True)):
        allowed = TOLERANCE * (float(np.ptp(true)) if place else 1.0)
        worst = float(np.abs(found - true).max())
        if not worst <= allowed:
            raise TrainingError("training.graph_differs", network=network.name, difference=worst)
    return graph


def load_network(run: Path, name: str) -> tuple[keras.Model, bytes]:
    """Load the network that a training wrote into its folder, and the bytes of its file.

    Raises
    ------
    TrainingError
        When the file is missing or damaged.
    """
    path = run / f"{name}.keras"
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise TrainingError("training.unfinished", path=str(path), reason=str(error.strerror)) from error
    try:
        return keras.models.load_model(path, compile=False), weights
    except Exception as error:  # a damaged file makes the library raise anything
        raise TrainingError("training.damaged_weights", path=str(path)) from error


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by name into a folder, which is created. Earlier ones are replaced when all are on disk."""
    with ExitStack() as drafts:
        for name, data in files.items():
            drafts.enter_context(draft(folder / name, overwrite=True)).write_bytes(data)


def export_lungs(run: Path, out: Path = LUNGS_FOLDER) -> LungSpec:
    """Export a trained segmenter: ``lungs.onnx``, ``lungs.keras`` and ``spec.json``.

    Parameters
    ----------
    run : Path
        Folder that ``train --model lungs`` wrote.

    Returns
    -------
    LungSpec
        As written.

    Raises
    ------
    TrainingError
        When a file of the run is missing or damaged, or the graph disagrees with the network.
    """
    network, weights = load_network(run, "lungs")
    record = SegmenterRecord.load(run / "report.json", UNFINISHED, BAD_RECORD)
    size = network.input_shape[1]
    graph = to_onnx(network, np.random.default_rng(0).random((8, size, size, 1), np.float32))
    minimum = {name: round(LEAST_SHARE * value, 4) for name, value in record.held_out.least}
    spec = LungSpec(
        input_size=size,
        minimum=LungBounds(**minimum),
        weights_sha256=hashlib.sha256(graph).hexdigest(),
        parameters=network.count_params(),
        held_out=record.held_out,
        test=record.test,
        **record.model_dump(mode="json", include={"recipe", "history"}),
    )
    write_files(out, {"lungs.onnx": graph, "lungs.keras": weights, "spec.json": spec.to_json().encode()})
    return spec


def export_reader(run: Path, root: Path, out: Path = MODEL_FOLDER, folds: Sequence[Path] = ()) -> ModelSpec:
    """Export a classifier: network, graph, statistics of features, specification, training record and manifest.

    Parameters
    ----------
    run : Path
        Folder that ``train`` wrote.
    root : Path
        The archive it was trained on.
    folds : sequence of Path
        Folders of the trainings of all folds, whose left-out patients fix the calibration; without them the held-out
        patients do.

    Raises
    ------
    DataError, ModelError, TrainingError
        When an image of the archive or a file of the run is missing or damaged, the labels were shuffled, the graph
        disagrees with the network, the network separates the classes too badly to be calibrated, or the checks were
        fixed with another lung segmenter.
    """
    record = load_training_record(run / "training.json")
    if record.options.shuffle_labels:
        raise TrainingError("training.shuffled_labels", run=str(run))
    model = record.recipe.model
    out_of_fold = load_folds(folds, record) if folds else None
    trained, weights = load_network(run, model)
    segmenter, split = LungSegmenter.load(), training_split(root, record.split.seed)
    if load_check_spec().lungs_sha256 != segmenter.sha256:
        raise TrainingError("training.other_lungs")
    held_out = _inputs(split.held_out, segmenter, record)
    training = _inputs(split.train[:: max(1, len(split.train) // FEATURE_IMAGES)], segmenter, record)
    graph = to_onnx(for_reading(trained, model), held_out.tensors[:PROBES])
    distribution = fit_feature_distribution(_run_graph(graph, training.tensors)[2])
    stored = distribution.to_bytes()
    identity = {
        "bias": float(keras.ops.convert_to_numpy(trained.get_layer("logit").bias)[0]),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "graph_sha256": hashlib.sha256(graph).hexdigest(),
        "lungs_sha256": segmenter.sha256,
    }
    try:
        outputs = _run_graph(graph, held_out.tensors)
        out_of_distribution = _out_of_distribution(distribution, outputs[2], stored)
        spec, choice = _specification(record, held_out, outputs, out_of_fold, out_of_distribution, identity)
    except (ValueError, DataError) as error:
        raise TrainingError("training.not_usable", run=str(run), reason=first_problem(error)) from error
    files = {
        "keras": weights,
        "onnx": graph,
        "features.npz": stored,
        "training.json": record.replace(calibration=choice).to_json().encode(),
        "spec.json": spec.to_json().encode(),
    }
    write_files(out, {f"{model}.{kind}": data for kind, data in files.items()})
    return write_manifest(spec, out)


def write_manifest(spec: ModelSpec, folder: Path = MODEL_FOLDER) -> ModelSpec:
    """Identify an exported model by its own files, the lung segmenter's and the checks'.

    Returns
    -------
    ModelSpec
        With its version.

    Raises
    ------
    MissingWeights
        When a specification is absent.
    """
    manifest = Manifest.of_files(spec.model, folder)
    write_files(folder, {f"{spec.model}.manifest.json": manifest.to_json().encode()})
    return spec.replace(version=manifest.version)


@dataclass(frozen=True, eq=False)
class _Inputs:
    """Images with plausible lungs and their network inputs, shape (N, S, S, 1)."""

    images: tuple[Image, ...]
    tensors: Floats


def _inputs(images: Sequence[Image], segmenter: LungSegmenter, record: TrainingRecord) -> _Inputs:
    found, tensors = [], []
    for image, pixels in zip(images, load_images(images), strict=True):
        mask = segmenter.masks(pixels[None])[0]
        if segmenter.plausible(pixels, mask):
            found.append(image)
            tensors.append(input_tensor(pixels, mask, record))
    return _Inputs(tuple(found), np.stack(tensors))


def _run_graph(graph: bytes, tensors: Floats, batch: int = 32) -> list[Floats]:
    """Outputs of a graph; of an exported classifier logits, contributions and features."""
    session = open_graph(graph)
    name = session.get_inputs()[0].name
    parts = [session.run(None, {name: tensors[i : i + batch]}) for i in range(0, len(tensors), batch)]
    return [np.concatenate(output) for output in zip(*parts, strict=True)]


def _specification(
    record: TrainingRecord,
    held_out: _Inputs,
    outputs: Sequence[Floats],
    out_of_fold: tuple[Scores, tuple[FoldTraining, ...]] | None,
    out_of_distribution: OutOfDistribution,
    identity: dict[str, Any],
) -> tuple[ModelSpec, CalibrationChoice]:
    """Fix the calibration, and everything that held-out images decide.

    Raises
    ------
    ValueError
        When they do not allow it.
    """
    labels, (logits, contributions, _) = np.array([image.label for image in held_out.images]), outputs
    files, patients = zip(*((image.name, image.patient) for image in held_out.images), strict=True)
    scores, trainings = out_of_fold or (intact_scores(labels, logits[:, 0], files, patients), ())
    choice, temperature, intercept = choose_calibration(scores)
    probabilities = probability(logits[:, 0].astype(np.float64), temperature, EVEN_ODDS, intercept)
    spec = ModelSpec(
        format=FORMAT,
        model=record.recipe.model,
        labels=ARCHIVE.labels,
        ages=ARCHIVE.ages,
        trained_on=ARCHIVE.title,
        input_size=record.recipe.final_size,
        mean=record.mean,
        std=record.std,
        margin=record.options.margin,
        cam_layer=MODELS[record.recipe.model].cam_layer,
        temperature=temperature,
        intercept=intercept,
        prevalence=EVEN_ODDS,
        operating_points=OperatingPoints(**choose_operating_points(labels, probabilities)),
        heat_range=float(np.percentile(np.maximum(contributions[labels == 1], 0), HEAT_PERCENTILE)),
        heat_percentile=HEAT_PERCENTILE,
        out_of_distribution=out_of_distribution,
        split_seed=record.split.seed,
        held_out_patients=record.split.held_out_patients,
        **identity,
    )
    return spec, choice.replace(trainings=trainings)


def _out_of_distribution(distribution: FeatureDistribution, features: Floats, stored: bytes) -> OutOfDistribution:
    """Thresholds on the distances of held-out images."""
    warn, last = np.percentile(distribution.scores(features), [WARN_PERCENTILE, REJECT_PERCENTILE])
    return OutOfDistribution(
        warn=round(float(warn), 5),
        reject=round(float(max(warn, REJECT_FACTOR * last)), 5),
        source=THRESHOLD_SOURCE,
        sha256=hashlib.sha256(stored).hexdigest(),
    )
