"""Evaluate the attribution methods on the official test images.

Measurements of each method are kept in a working folder, so that an interrupted run continues. The folder's name
follows from all that they depend on, and from nothing else: checks and calibration may change without being measured
again, as long as the same images are positive.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tqdm import tqdm

from cxrmodel import outputs
from cxrmodel.evaluation.explanations import randomisation
from cxrmodel.evaluation.explanations.cases import Case, adult_images, cases, stratified
from cxrmodel.evaluation.explanations.measures import affordable, curve_areas, heat_range, in_boxes, of_maps
from cxrmodel.evaluation.explanations.parallel import ParallelEngine
from cxrmodel.evaluation.explanations.schema import ExplanationAudit, ShuffledLabels, Similarity
from cxrmodel.evaluation.explanations.section import audit_of
from cxrmodel.evaluation.storage import EVALUATION_FOLDER, load_evaluation, save_evaluation
from cxrmodel.explain import faithfulness
from cxrmodel.explain.explainer import Explainer
from cxrmodel.explain.methods import INSTANT, METHODS, scorecam, smoothgrad
from cxrmodel.explain.methods.occlusion import CELLS, WINDOW
from cxrmodel.model.spec import ModelSpec, read_weights
from cxrmodel.models import MODELS
from cxrmodel.paths import RUNS, SHUFFLED_RUN
from cxrmodel.reading import Reader
from cxrmodel.training.archive import find_images, training_split
from cxrmodel.training.record import load_training_record

WORK = RUNS / "explanations"
SEED = 0
RANGE_IMAGES, RANDOMISED_IMAGES = 32, 20
PASSES = {"stability": 1600, "range": 640, "randomisation": 240, "adults": 1600}
"""Passes of the fast engine that one method may take for each part; image counts follow."""


def evaluate_explanations(
    reader: Reader,
    root: Path,
    out: Path = EVALUATION_FOLDER,
    work: Path = WORK,
    shuffled: Path = SHUFFLED_RUN,
    *,
    images: int = 100,
    progress: bool = True,
) -> ExplanationAudit:
    """Test every method and put the results into the evaluation of the same weights.

    Parameters
    ----------
    reader : Reader
    root : Path
        The folder that holds ``chest_xray`` and, where there is one, ``adult_rsna``.
    out : Path
        The folder of the evaluation of these weights.
    work : Path
        Where measurements are kept until the next run.
    shuffled : Path
        A folder that ``train --recipe shuffled.toml`` wrote; it may be absent.
    images : int
        On how many test images the methods are compared; the closed-form map is drawn of every test image.
    progress : bool
        Whether to show progress bars on standard error.

    Raises
    ------
    DataError, ModelError
        When images or weights are missing.
    EvaluationError
        When there is no evaluation of these weights to put the section into, or the shuffled weights cannot be used.
    """
    evaluation = load_evaluation(reader.spec.model, out, reader.spec)
    run = _Run(reader, root, work, images, progress)
    earlier = evaluation.explanations.shuffled if evaluation.explanations else None
    audit = audit_of(
        run.describe(),
        {name: run.measure(name) for name in METHODS.names},
        run.random(),
        {name: run.randomised(name) for name in METHODS.names},
        run.against_shuffled(shuffled) or earlier,
    )
    save_evaluation(evaluation.replace(explanations=audit), out)
    return audit


class _Run:
    """The images of one evaluation, and what is measured of them, each thing once."""

    def __init__(self, reader: Reader, root: Path, work: Path, images: int, progress: bool):
        self.spec, self.progress = reader.spec, progress
        held = [image for image in training_split(root, reader.spec.split_seed).held_out if image.label]
        self.every = cases(reader, stratified(find_images(root, ("test",)), SEED))
        self.sample = self.every[:images]
        self.ranged = cases(reader, stratified(held, SEED)[:RANGE_IMAGES])
        self.adults, self.adults_without_lungs = adult_images(reader, root)
        self.explainer = Explainer.shipped(reader.spec, ParallelEngine(reader.engine), many=True)
        self._network: keras.Model | None = None
        positive = [case.name for case in self.positive(self.sample)]
        seen = (*self.every, *self.ranged, *self.adults)
        self.place = work / f"{self.spec.model}-{digest(self.spec, seen, positive, self._settings())}"
        self.place.mkdir(parents=True, exist_ok=True)

    def describe(self) -> dict[str, Any]:
        """Images and settings, as stored."""
        return {
            "seed": SEED,
            "test": len(self.every),
            "sample": [case.name for case in self.sample],
            "positive": [case.name for case in self.positive(self.sample)],
            "patients": {case.name: case.patient for case in self.every},
            "labels": {case.name: case.label for case in self.every},
            "adult_patients": [case.patient for case in self.adults],
            "adults_without_lungs": self.adults_without_lungs,
            "box_area": [
                float(case.boxes[top:bottom, left:right].mean())
                for case in self.adults
                for top, left, bottom, right in [case.ready.box]
            ],
            "settings": self._settings(),
            "heat_range": self.spec.heat_range,
        }

    def positive(self, images: Sequence[Case]) -> list[Case]:
        """Those that are positive at the balanced threshold: deletion needs a positive finding."""
        return [case for case in images if case.probability >= self.spec.operating_points["balanced"]]

    def measure(self, method: str) -> dict[str, Any]:
        """Everything of one method but its dependence on the model."""

        def make() -> dict[str, Any]:
            images = self.every if method == INSTANT else self.sample
            noisy = affordable(method, len(images), PASSES["stability"])
            adults = self.adults[: affordable(method, len(self.adults), PASSES["adults"])]
            ranged = self.ranged[: affordable(method, len(self.ranged), PASSES["range"])]
            shared = images[: len(self.sample)]
            positive = self.positive(shared)
            total = len(images) + len(positive) + len(adults) + len(ranged)
            with self._bar(METHODS[method].title, total) as bar:
                maps = of_maps(self.explainer, method, images, noisy, bar.update)
                orders = [order for case, order in zip(shared, maps["orders"], strict=False) if case in positive]
                return {
                    "images": [case.name for case in images],
                    "positive": [case.name for case in positive],
                    **{name: maps[name] for name in ("in_lungs", "stability", "seconds")},
                    "grids": maps["grids"][: len(self.sample)],
                    "curves": curve_areas(self.explainer, positive, orders, bar.update),
                    "map_range": None if method == INSTANT else heat_range(self.explainer, method, ranged, bar.update),
                    "range_images": len(ranged),
                    "adults": in_boxes(self.explainer, method, adults, bar.update),
                }

        return self._once(method, make)

    def random(self) -> dict[str, Any]:
        """Curves of random orders, on the images that the methods are compared on."""
        positive = self.positive(self.sample)

        def make() -> dict[str, Any]:
            with self._bar("random order", len(positive)) as bar:
                return {
                    "positive": [case.name for case in positive],
                    "curves": curve_areas(self.explainer, positive, None, bar.update),
                }

        return self._once("random", make)

    def randomised(self, method: str) -> dict[str, Any]:
        """Similarity of a method's maps to those of randomised weights."""

        def make() -> dict[str, Any]:
            tensors = self._tensors(method)
            with self._bar(f"{METHODS[method].title}, weights randomised", len(tensors)) as bar:
                found = randomisation.cascade(self.network, self.spec, tensors, _maps(method), SEED)
                bar.update(len(tensors))
            return {"images": len(tensors), "stages": found}

        return self._once(f"{method}-randomised", make)

    def against_shuffled(self, folder: Path) -> ShuffledLabels | None:
        """Similarity of every method's maps with those of weights trained on shuffled labels; None without such."""
        found = randomisation.shuffled(folder / f"{self.spec.model}.keras", self.spec)
        if found is None:
            return None
        network, digest = found
        explainer, similarity = randomisation.explainer_of(network, self.spec), {}
        for method in METHODS.names:

            def make(method: str = method) -> dict[str, Any]:
                tensors, maps = self._tensors(method), _maps(method)
                trained = randomisation.explainer_of(self.network, self.spec)
                return randomisation.similarity(maps(trained, tensors), maps(explainer, tensors))

            similarity[method] = self._once(f"{method}-shuffled-{digest[:12]}", make)
        record = load_training_record(folder / "training.json")
        return ShuffledLabels(
            weights_sha256=digest,
            recipe=record.recipe,
            final_loss=record.history[-1].loss,
            similarity={method: Similarity(**found) for method, found in similarity.items()},
        )

    @property
    def network(self) -> keras.Model:
        if self._network is None:
            self._network = keras.models.load_model(read_weights(self.spec), compile=False)
        return self._network

    def _tensors(self, method: str) -> np.ndarray:
        count = affordable(method, RANDOMISED_IMAGES, PASSES["randomisation"])
        return np.stack([case.ready.tensor for case in self.positive(self.sample)[:count]])

    def _settings(self) -> dict[str, Any]:
        return {
            "cells": faithfulness.CELLS,
            "steps": faithfulness.STEPS,
            "noise_grey_levels": faithfulness.NOISE,
            "fine_layer": MODELS[self.spec.model].fine_layer,
            "scorecam_layer": MODELS[self.spec.model].score_layer,
            "occlusion": (CELLS, WINDOW),
            "scorecam_channels": scorecam.CHANNELS,
            "smoothgrad_copies": smoothgrad.COPIES,
            "passes": PASSES,
            "draws": randomisation.DRAWS,
            "range_images": RANGE_IMAGES,
        }

    def _once(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        path = self.place / f"{name}.json"
        with suppress(OSError, ValueError, RecursionError, TypeError):  # missing or damaged: measured again
            return dict(json.loads(path.read_text(encoding="utf-8")))
        outputs.write(path, json.dumps(make()), overwrite=True)
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def _bar(self, title: str, total: int) -> "tqdm[Any]":
        return tqdm(desc=title, total=total, unit="image", file=sys.stderr, disable=not self.progress)


def digest(spec: ModelSpec, images: Iterable[Case], positive: Sequence[str], settings: Mapping[str, Any]) -> str:
    """Name everything that the measurements depend on.

    Parameters
    ----------
    spec : ModelSpec
        Of the weights and the graph.
    images : iterable of Case
        Every image measured, as the network sees it, with its lungs, which the segmenter found, and boxes.
    positive : sequence of str
        Names of those that are positive at the balanced threshold.
    settings : mapping of str to object
        Of methods and measures.

    Returns
    -------
    str
        Twelve hexadecimal digits.
    """
    of_spec = [spec.weights_sha256, spec.graph_sha256, spec.std, spec.heat_percentile]
    found = hashlib.sha256(json.dumps([of_spec, positive, settings]).encode())
    for case in images:
        found.update(json.dumps([case.name, case.ready.box]).encode())
        for array in (case.ready.tensor, case.lungs, case.boxes):
            found.update(array.tobytes())
    return found.hexdigest()[:12]


def _maps(method: str) -> randomisation.Maps:
    return lambda explainer, tensors: explainer.crop_maps(method, tensors)
