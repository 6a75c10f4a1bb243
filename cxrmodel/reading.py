"""Bytes -> Reading: the one way by which page, command line, evaluation and tests read a film."""

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from cxrmodel.errors import AlteredWeights, FilmRefused
from cxrmodel.imaging.canonical import canonical_film
from cxrmodel.imaging.lungs import LungFields, LungSegmenter
from cxrmodel.imaging.radiograph import Radiograph, read_radiograph
from cxrmodel.model.calibration import finding, probability
from cxrmodel.model.engine import Engine, load_engine
from cxrmodel.model.preprocess import ModelInput, prepare
from cxrmodel.model.spec import MODEL_FOLDER, ModelSpec, load_spec

__all__ = ["Reader", "Reading", "Score", "read"]

OPERATING_POINT = "balanced"
BATCH = 32
MOSTLY = 0.5
"""Share of heat in the lungs below which a reading says that most of it lies elsewhere."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What the program says of one film.

    Attributes
    ----------
    radiograph : Radiograph
    lungs : LungFields
    logit : float
        The network's output.
    probability : float
        Calibrated, 0..1, at the stated ``prevalence``.
    finding : {"pneumonia", "normal", "uncertain"}
    operating_point, threshold : str, float
        The named point that a yes or no would use, and its threshold on the probability.
    operating_points : dict of str to float
    prevalence : float
        Share of pneumonia that the probability assumes.
    heat : ndarray of float32, shape (224, 224)
        Raw Grad-CAM on the canonical film, zero or above.
    heat_range : float
        Top of the colour range, the same for every film.
    heat_in_lungs : float or None
        Share of heat within the lungs, 0..1; None for an all-zero map.
    reasons : tuple of str
        Sentences that belong beside the number.
    model, ages : str
        Version, and the ages that it was trained on.
    milliseconds : float
        From bytes in memory to this reading, model loaded.
    """

    radiograph: Radiograph
    lungs: LungFields
    logit: float
    probability: float
    finding: str
    operating_point: str
    threshold: float
    operating_points: dict
    prevalence: float
    heat: np.ndarray
    heat_range: float
    heat_in_lungs: float | None
    reasons: tuple[str, ...]
    model: str
    ages: str
    milliseconds: float

    @property
    def name(self) -> str:
        """The film's file name, as given."""
        return self.radiograph.name

    def as_record(self) -> dict:
        """The reading as one JSON object of the command line, without ``file``."""
        return {
            "status": "read",
            "probability": round(self.probability, 6),
            "finding": self.finding,
            "operating_point": self.operating_point,
            "threshold": round(self.threshold, 6),
            "reasons": list(self.reasons),
            "heat_in_lungs": None if self.heat_in_lungs is None else round(self.heat_in_lungs, 4),
            "model": self.model,
            "milliseconds": round(self.milliseconds, 1),
        }


@dataclass(frozen=True)
class Score:
    """A film's numbers alone: logit, and calibrated probability, 0..1."""

    logit: float
    probability: float


class Reader:
    """A model ready to read: loaded once, shared by all.

    Parameters
    ----------
    spec : ModelSpec
    segmenter : LungSegmenter
    engine : Engine
    """

    def __init__(self, spec: ModelSpec, segmenter: LungSegmenter, engine: Engine):
        self.spec, self._segmenter, self._engine = spec, segmenter, engine

    @classmethod
    def load(cls, model: str = "densenet121", folder: Path = MODEL_FOLDER) -> "Reader":
        """Load a shipped model.

        Raises
        ------
        MissingWeights, AlteredWeights
            When a file is absent or not the one that the specification names.
        """
        spec, segmenter = load_spec(model, folder), LungSegmenter.load()
        if segmenter.sha256 != spec.lungs_sha256:
            raise AlteredWeights(
                f"{model} was fixed with another lung segmenter than the one in assets/lungs. Export the model again."
            )
        return cls(spec, segmenter, load_engine(spec, folder))

    def read(self, data: bytes, name: str) -> Reading:
        """Read one film.

        Parameters
        ----------
        data : bytes
            A whole file, of any origin.
        name : str
            Its name, for display alone.

        Raises
        ------
        FilmRefused
            When the file is not a film that may be read; no number was computed.
        """
        start = time.perf_counter()
        spec = self.spec
        radiograph = read_radiograph(data, name)
        film = canonical_film(radiograph.pixels)
        lungs = self._segmenter.find(film)
        ready = self._prepare(film, lungs)
        logits, maps = self._engine.run(ready.tensor[None])
        logit = float(logits[0])
        value = probability(logit, spec.temperature, spec.prevalence)
        heat = ready.to_film(maps[0])
        total = float(heat.sum())
        inside = float(heat[lungs.mask].sum()) / total if total > 0 else None
        named = finding(value, spec.operating_points)
        return Reading(
            radiograph=radiograph,
            lungs=lungs,
            logit=logit,
            probability=value,
            finding=named,
            operating_point=OPERATING_POINT,
            threshold=spec.operating_points[OPERATING_POINT],
            operating_points=dict(spec.operating_points),
            prevalence=spec.prevalence,
            heat=heat,
            heat_range=spec.heat_range,
            heat_in_lungs=inside,
            reasons=radiograph.notes + _reasons(named, inside),
            model=spec.version,
            ages=spec.ages,
            milliseconds=1000.0 * (time.perf_counter() - start),
        )

    def score_many(self, items: Iterable[tuple[bytes, str]]) -> Iterator[Score | FilmRefused]:
        """Score many films in batches: the numbers of ``read``, without heat maps.

        Parameters
        ----------
        items : iterable of (bytes, str)
            File contents and names.

        Yields
        ------
        Score or FilmRefused
            One for each item, in order; refusals are handed back, not raised.
        """
        items = iter(items)
        with ThreadPoolExecutor(2) as pool:
            while chunk := list(islice(items, BATCH)):
                films = list(pool.map(self._film, chunk))
                accepted = [film for film in films if not isinstance(film, FilmRefused)]
                masks = iter(self._segmenter.masks(np.stack(accepted)) if accepted else ())
                ready = [film if isinstance(film, FilmRefused) else self._ready(film, next(masks)) for film in films]
                inputs = [item.tensor for item in ready if isinstance(item, ModelInput)]
                logits = iter(self._engine.run(np.stack(inputs))[0] if inputs else ())
                for item in ready:
                    yield item if isinstance(item, FilmRefused) else self._score(float(next(logits)))

    def _film(self, item: tuple[bytes, str]) -> np.ndarray | FilmRefused:
        try:
            return canonical_film(read_radiograph(*item).pixels)
        except FilmRefused as refusal:
            return refusal

    def _ready(self, film: np.ndarray, mask: np.ndarray) -> ModelInput | FilmRefused:
        try:
            return self._prepare(film, self._segmenter.accept(film, mask))
        except FilmRefused as refusal:
            return refusal

    def _prepare(self, film: np.ndarray, lungs: LungFields) -> ModelInput:
        spec = self.spec
        return prepare(film, lungs.box, margin=spec.margin, size=spec.input_size, mean=spec.mean, std=spec.std)

    def _score(self, logit: float) -> Score:
        return Score(logit, probability(logit, self.spec.temperature, self.spec.prevalence))


def _reasons(named: str, inside: float | None) -> tuple[str, ...]:
    reasons = []
    if named == "uncertain":
        reasons.append(
            "The probability lies between the high-sensitivity and the high-specificity threshold: "
            "the model cannot tell, so judge the film without it."
        )
    if inside is None:
        reasons.append("The heat map is empty: nothing on the film speaks for pneumonia to the model.")
    elif inside < MOSTLY:
        reasons.append(
            f"Only {inside:.0%} of the heat lies within the lung fields: "
            "the probability may rest on something other than the lungs."
        )
    return tuple(reasons)


_default: Reader | None = None
_loading = threading.Lock()


def read(data: bytes, name: str) -> Reading:
    """Read one film with the shipped DenseNet, loading it on the first call.

    Raises
    ------
    FilmRefused, ModelError
    """
    global _default
    with _loading:
        if _default is None:
            _default = Reader.load()
    return _default.read(data, name)
