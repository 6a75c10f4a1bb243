"""Trained Keras files -> what the program ships."""

import hashlib
import json
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from cxrmodel.artefacts import open_graph
from cxrmodel.checks.feature_distribution import FeatureDistribution, fit_feature_distribution
from cxrmodel.errors import TrainingError
from cxrmodel.imaging.lungs import LUNGS_FOLDER, LungFields, LungSegmenter
from cxrmodel.metrics.thresholds import choose_operating_points
from cxrmodel.model.calibration import probability
from cxrmodel.model.network import for_reading
from cxrmodel.model.preprocess import prepare
from cxrmodel.model.spec import (
    FORMAT,
    MODEL_FOLDER,
    AgeRange,
    Labels,
    ModelSpec,
    OperatingPoints,
    OutOfDistribution,
    save_spec,
)
from cxrmodel.models import MODELS
from cxrmodel.training.archive import Image, load_images, training_split
from cxrmodel.training.calibration import choose_calibration
from cxrmodel.training.onnx_rewrite import rewrite_graph

__all__ = ["export_lungs", "export_reader", "to_onnx"]

PROBES = 64
"""Held-out images on which the exported graph must agree with the network."""
HEAT_PERCENTILE = 99.0
LABELS, AGES = Labels(positive="pneumonia", negative="normal"), AgeRange(low=1, high=5)
TRAINED_ON = "Guangzhou paediatric chest radiographs (Kermany et al. 2018), antero-posterior"

FAMILIAR_IMAGES = 1500
"""Training images from which the spread of features is learnt."""
WARN_PERCENTILE, REFUSE_PERCENTILE, REFUSE_FACTOR = 95.0, 99.5, 1.35
"""Of held-out images' scores; an image is refused beyond the latter times the factor."""
FAMILIARITY_SOURCE = (
    f"{WARN_PERCENTILE:g}th percentile of held-out images; {REFUSE_FACTOR:g} times their {REFUSE_PERCENTILE:g}th"
)

TOLERANCE = 1e-3
LEAST_SHARE = 0.8
"""What measures less than this share of the least among held-out images is not taken for lungs."""


def to_onnx(network: keras.Model, probes: np.ndarray) -> bytes:
    """Convert a network and check the result against it.

    Parameters
    ----------
    network : keras.Model
    probes : ndarray of float32, shape (N, S, S, 1)
        Inputs on which both must agree: logits to a thousandth, a map to a thousandth of its range.

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
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "network.onnx"
        network.export(path, format="onnx", verbose=False)
        graph = rewrite_graph(path.read_bytes())
    opened = open_graph(graph)
    given = opened.run(None, {opened.get_inputs()[0].name: probes})
    for place, (found, true) in enumerate(zip(given, wanted, strict=True)):
        allowed = TOLERANCE * (float(np.ptp(true)) if place else 1.0)
        worst = float(np.abs(found - true).max())
        if not worst <= allowed:
            raise TrainingError(f"The exported graph differs from {network.name} by {worst:.2g}; nothing was written.")
    return graph


def export_lungs(run: Path, out: Path = LUNGS_FOLDER) -> dict:
    """Ship a trained segmenter: ``lungs.onnx``, ``lungs.keras`` and ``spec.json``.

    Parameters
    ----------
    run : Path
        Folder that ``train --model lungs`` wrote.

    Returns
    -------
    dict
        The specification as written.
    """
    network = keras.models.load_model(run / "lungs.keras", compile=False)
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    size = network.input_shape[1]
    probes = np.random.default_rng(0).random((8, size, size, 1), np.float32)
    graph = to_onnx(network, probes)
    spec = {
        "input_size": size,
        "least": {bound: round(LEAST_SHARE * value, 4) for bound, value in report["held_out"]["least"].items()},
        "weights_sha256": hashlib.sha256(graph).hexdigest(),
        "parameters": network.count_params(),
        "held_out": report["held_out"],
        "test": report["test"],
        "recipe": report["recipe"],
        "history": report["history"],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "lungs.onnx").write_bytes(graph)
    (out / "lungs.keras").write_bytes((run / "lungs.keras").read_bytes())
    (out / "spec.json").write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")
    return spec


def export_reader(run: Path, root: Path, out: Path = MODEL_FOLDER) -> ModelSpec:
    """Ship a trained reader: its ``.keras``, ``.onnx``, ``.features.npz``, ``.spec.json`` and ``.training.json``.

    Calibration, operating points, heat range and the out-of-distribution thresholds are fixed here, on the held-out
    patients of that training.

    Parameters
    ----------
    run : Path
        Folder that ``train --model densenet121|cnn`` wrote.
    root : Path
        The archive it was trained on.

    Raises
    ------
    DataError, ModelError, TrainingError
    """
    try:
        report = json.loads((run / "training.json").read_text(encoding="utf-8"))
        model = report["recipe"]["model"]
        weights = (run / f"{model}.keras").read_bytes()
    except OSError as error:
        raise TrainingError(f"{error.filename} cannot be read. Finish the training in {run} first.") from error
    if report["recipe"]["options"].get("shuffle_labels", False):
        raise TrainingError(f"The network in {run} was trained on shuffled labels and must never read an image.")
    segmenter, split = LungSegmenter.load(), training_split(root, report["split"]["seed"])
    preparation = {
        "margin": report["recipe"]["options"]["margin"],
        "size": report["recipe"]["stages"][-1][0],
        "mean": report["mean"],
        "std": report["std"],
    }
    held_out, inputs = _inputs(split.held_out, segmenter, preparation)
    _, learnt = _inputs(split.train[:: max(1, len(split.train) // FAMILIAR_IMAGES)], segmenter, preparation)
    network = for_reading(keras.models.load_model(run / f"{model}.keras", compile=False), model)
    graph = to_onnx(network, inputs[:PROBES])
    (logits, maps, features), (_, _, known) = _outputs(graph, inputs), _outputs(graph, learnt)
    labels, logits = np.array([image.label for image in held_out]), logits[:, 0].astype(np.float64)
    prevalence = round(float(labels.mean()), 4)
    try:
        _, temperature, intercept = choose_calibration(
            labels, logits, [image.patient for image in held_out], prevalence
        )
        distribution = fit_feature_distribution(known)
        spread = distribution.to_bytes()
        points = choose_operating_points(labels, probability(logits, temperature, prevalence, intercept))
        spec = ModelSpec(
            format=FORMAT,
            model=model,
            labels=LABELS,
            weights_sha256=hashlib.sha256(weights).hexdigest(),
            graph_sha256=hashlib.sha256(graph).hexdigest(),
            lungs_sha256=segmenter.sha256,
            input_size=preparation["size"],
            mean=preparation["mean"],
            std=preparation["std"],
            margin=preparation["margin"],
            cam_layer=MODELS[model].cam_layer,
            temperature=temperature,
            prevalence=prevalence,
            intercept=intercept,
            operating_points=OperatingPoints(**points),
            heat_range=float(np.percentile(maps[labels == 1], HEAT_PERCENTILE)),
            heat_percentile=HEAT_PERCENTILE,
            ages=AGES,
            trained_on=TRAINED_ON,
            split_seed=split.seed,
            held_out_patients=tuple(report["split"]["held_out_patients"]),
            out_of_distribution=_out_of_distribution(distribution, features, spread),
        )
    except ValueError as error:
        raise TrainingError(
            f"The network in {run} has learnt too little to be shipped: {error}. Train it longer; nothing was written."
        ) from error
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{model}.keras").write_bytes(weights)
    (out / f"{model}.onnx").write_bytes(graph)
    (out / f"{model}.features.npz").write_bytes(spread)
    (out / f"{model}.training.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    save_spec(spec, out)
    return spec


def _inputs(images: Sequence[Image], segmenter: LungSegmenter, preparation: dict) -> tuple[list[Image], np.ndarray]:
    """Those images that have lungs, and what the network sees of them."""
    kept, inputs = [], []
    for image, picture in zip(images, load_images(images), strict=True):
        mask = segmenter.masks(picture[None])[0]
        if segmenter.plausible(picture, mask):
            kept.append(image)
            inputs.append(prepare(picture, LungFields(mask).box, **preparation).tensor)
    return kept, np.stack(inputs)


def _outputs(graph: bytes, inputs: np.ndarray, batch: int = 32) -> list[np.ndarray]:
    """Logits, maps and features of images."""
    opened = open_graph(graph)
    name = opened.get_inputs()[0].name
    parts = [opened.run(None, {name: inputs[i : i + batch]}) for i in range(0, len(inputs), batch)]
    return [np.concatenate(output) for output in zip(*parts, strict=True)]


def _out_of_distribution(distribution: FeatureDistribution, features: np.ndarray, stored: bytes) -> OutOfDistribution:
    """Thresholds on the scores of held-out images."""
    scores = distribution.scores(features)
    warn, last = np.percentile(scores, [WARN_PERCENTILE, REFUSE_PERCENTILE])
    refuse = max(warn, REFUSE_FACTOR * last)
    return OutOfDistribution(
        warn=round(float(warn), 5),
        reject=round(float(refuse), 5),
        source=FAMILIARITY_SOURCE,
        sha256=hashlib.sha256(stored).hexdigest(),
    )
