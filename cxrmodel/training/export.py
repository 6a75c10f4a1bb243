"""Export: from a finished training to the files that the program reads images with.

Operating points, heat range and thresholds of the population checks of a classifier are fixed here, on the held-out
patients of its training; its calibration on the left-out patients of fold trainings, or on the held-out patients too.
"""

import hashlib
import logging
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cxrmodel.artefacts import open_graph
from cxrmodel.checks.feature_distribution import FeatureDistribution
from cxrmodel.checks.spec import load_check_spec
from cxrmodel.errors import DataError, TrainingError
from cxrmodel.imaging.lung_spec import LungBounds, LungSpec
from cxrmodel.imaging.lungs import LungSegmenter
from cxrmodel.messages import Message
from cxrmodel.metrics.thresholds import choose_operating_points
from cxrmodel.model.calibration import probability
from cxrmodel.model.manifest import Manifest
from cxrmodel.model.network import for_reading
from cxrmodel.model.spec import FORMAT, Levels, ModelSpec, OperatingPoints, Population
from cxrmodel.models import MODELS
from cxrmodel.outputs import draft
from cxrmodel.paths import LUNGS_FOLDER, MODEL_FOLDER
from cxrmodel.prevalence import EVEN_ODDS
from cxrmodel.records import first_problem
from cxrmodel.training.archive import ARCHIVE, Image, load_images, training_split
from cxrmodel.training.calibration import Scores, choose_calibration, intact_scores
from cxrmodel.training.onnx_rewrite import rewrite_graph
from cxrmodel.training.out_of_fold import input_tensor, load_folds
from cxrmodel.training.population import fit_population, load_adults, reencoded
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
SOMEWHAT, CLEARLY, FACTOR = 98.5, 99.5, 1.35
"""Percentile of held-out images beyond which an image is somewhat unlike them; clearly, beyond the other's multiple."""
NEARER = 0.5
"""Similarity from which an image is nearer to the adults than to the training images, so clearly unlike these."""

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
    for place, (found, true) in enumerate(zip(_run_graph(graph, probes), wanted, strict=True)):
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
    graph = to_onnx(for_reading(trained, model), held_out.tensors[:PROBES])
    training = load_images(split.train[:: max(1, len(split.train) // FEATURE_IMAGES)])
    adults, rng = load_adults(root), np.random.default_rng(record.split.seed)
    own, other = (
        _run_graph(graph, _tensors(pixels, segmenter, record)[0])[2]
        for pixels in ([*group, *(reencoded(image, rng) for image in group)] for group in (training, adults))
    )
    distribution = fit_population(own, other)
    stored = distribution.to_bytes()
    identity = {
        "bias": float(keras.ops.convert_to_numpy(trained.get_layer("logit").bias)[0]),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "graph_sha256": hashlib.sha256(graph).hexdigest(),
        "lungs_sha256": segmenter.sha256,
    }
    try:
        outputs = _run_graph(graph, held_out.tensors)
        population = _population(distribution, outputs[2], len(adults), stored)
        spec, choice = _specification(record, held_out, outputs, out_of_fold, population, identity)
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
    tensors, kept = _tensors(load_images(images), segmenter, record)
    return _Inputs(tuple(compress(images, kept)), tensors)


def _tensors(
    images: Iterable[NDArray[np.uint8]], segmenter: LungSegmenter, record: TrainingRecord
) -> tuple[Floats, list[bool]]:
    """Network inputs of the canonical images whose lungs are plausible, and which these are."""
    tensors, kept, size = [], [], record.recipe.final_size
    for pixels in images:
        mask = segmenter.masks(pixels[None])[0]
        kept.append(segmenter.plausible(pixels, mask))
        if kept[-1]:
            tensors.append(input_tensor(pixels, mask, record))
    return np.stack(tensors) if tensors else np.empty((0, size, size, 1), np.float32), kept


def _run_graph(graph: bytes, tensors: Floats, batch: int = 8) -> list[Floats]:
    """Outputs of a graph; of an exported classifier logits, contributions and features."""
    session = open_graph(graph)
    name = session.get_inputs()[0].name
    parts = [session.run(None, {name: tensors[i : i + batch]}) for i in range(0, max(1, len(tensors)), batch)]
    return [np.concatenate(output) for output in zip(*parts, strict=True)]


def _specification(
    record: TrainingRecord,
    held_out: _Inputs,
    outputs: Sequence[Floats],
    out_of_fold: tuple[Scores, tuple[FoldTraining, ...]] | None,
    population: Population,
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
        population=population,
        split_seed=record.split.seed,
        held_out_patients=record.split.held_out_patients,
        **identity,
    )
    return spec, choice.replace(trainings=trainings)


def _population(distribution: FeatureDistribution, features: Floats, adults: int, stored: bytes) -> Population:
    """Thresholds on how far held-out images are from the training images, and on how similar to adults."""
    somewhat, last = np.percentile(distribution.distances(features), [SOMEWHAT, CLEARLY])
    distance = Levels(
        somewhat=round(float(somewhat), 5),
        clearly=round(float(max(somewhat, FACTOR * last)), 5),
        source=str(Message("training.distance_levels", somewhat=SOMEWHAT, clearly=CLEARLY, factor=FACTOR)),
    )
    similarity = Levels(somewhat=NEARER, clearly=NEARER, source=str(Message("training.no_adults")))
    if adults:
        value = round(float(np.percentile(distribution.similarities(features), SOMEWHAT)), 5)
        source = str(Message("training.similarity_levels", somewhat=SOMEWHAT))
        similarity = Levels(somewhat=value, clearly=max(value, NEARER), source=source)
    return Population(
        distance=distance,
        similarity=similarity,
        adult_images=adults,
        sha256=hashlib.sha256(stored).hexdigest(),
    )
