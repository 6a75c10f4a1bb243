"""Bytes -> Reading: the one way by which page, command line, evaluation and tests read an image."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from cxrmodel.artefacts import leave_cores_to_networks
from cxrmodel.checks.report import CheckReport
from cxrmodel.checks.suite import Checks
from cxrmodel.errors import AlteredWeights, Busy, ImageRefused
from cxrmodel.imaging.canonical import canonical_image
from cxrmodel.imaging.lungs import LungFields, LungSegmenter
from cxrmodel.imaging.radiograph import Radiograph
from cxrmodel.model.calibration import finding, probability
from cxrmodel.model.engine import Engine, load_engine
from cxrmodel.model.preprocess import ModelInput, prepare
from cxrmodel.model.spec import MODEL_FOLDER, AgeRange, Labels, ModelSpec, OperatingPoints, load_spec
from cxrmodel.models import DEFAULT_MODEL
from cxrmodel.pipeline import Pipeline, ReadyImage, Run, Source, Unchecked
from cxrmodel.reasons import reasons_beside

__all__ = ["Reader", "Reading", "Score", "read"]

OPERATING_POINT = "balanced"
QUEUE = 32
"""Readings that may run or wait at one time."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What the program says of one image.

    Attributes
    ----------
    radiograph : Radiograph
    lungs : LungFields
    logit : float
        The network's output.
    probability : float
        Calibrated, 0..1, at the stated ``prevalence``.
    finding : str
        ``labels.positive``, ``labels.negative`` or "uncertain".
    labels : Labels
        Of the two classes.
    operating_point, threshold : str, float
        The named point that a yes or no would use, and its threshold on the probability.
    operating_points : OperatingPoints
    prevalence : float
        Share of pneumonia that the probability assumes.
    heat : ndarray of float32, shape (224, 224)
        Raw Grad-CAM on the canonical image, zero or above.
    heat_range : float
        Top of the colour range, the same for every image.
    heat_in_lungs : float or None
        Share of heat within the lungs, 0..1; None for an all-zero map.
    reasons : tuple of str
        Sentences that belong beside the number.
    model : str
        Version.
    ages : AgeRange
        Of the patients it was trained on.
    milliseconds : float
        From bytes in memory to this reading, model loaded.
    check : CheckReport
        What the checks found; its warnings are among the reasons.
    """

    radiograph: Radiograph
    lungs: LungFields
    logit: float
    probability: float
    finding: str
    labels: Labels
    operating_point: str
    threshold: float
    operating_points: OperatingPoints
    prevalence: float
    heat: np.ndarray
    heat_range: float
    heat_in_lungs: float | None
    reasons: tuple[str, ...]
    model: str
    ages: AgeRange
    milliseconds: float
    check: CheckReport = field(default_factory=CheckReport)

    @property
    def name(self) -> str:
        """The image's file name, as given."""
        return self.radiograph.name

    def as_record(self) -> dict:
        """The reading as one JSON object of the command line, without ``file``."""
        return {
            "status": "read",
            "probability": round(self.probability, 6),
            "finding": self.finding,
            "uncertain_from": round(self.operating_points["high_sensitivity"], 6),
            "uncertain_to": round(self.operating_points["high_specificity"], 6),
            "operating_point": self.operating_point,
            "threshold": round(self.threshold, 6),
            "reasons": [str(reason) for reason in self.reasons],
            "heat_in_lungs": None if self.heat_in_lungs is None else round(self.heat_in_lungs, 4),
            "model": self.model,
            "prevalence": round(self.prevalence, 6),
            "milliseconds": round(self.milliseconds, 1),
        }


@dataclass(frozen=True)
class Score:
    """An image's numbers alone: logit, and calibrated probability, 0..1."""

    logit: float
    probability: float


class Reader:
    """A model ready to read: loaded once, shared by all threads and sessions.

    Parameters
    ----------
    spec : ModelSpec
    pipeline : Pipeline
        Of that specification.
    """

    def __init__(self, spec: ModelSpec, pipeline: Pipeline):
        self.spec, self._pipeline = spec, pipeline
        self._places, self._turn = threading.Semaphore(QUEUE), threading.Lock()

    @classmethod
    def load(cls, model: str = DEFAULT_MODEL, folder: Path = MODEL_FOLDER) -> "Reader":
        """Load a shipped model.

        Raises
        ------
        MissingWeights, AlteredWeights
            When a file is absent or not the one that the specification names.
        """
        leave_cores_to_networks()
        spec, segmenter = load_spec(model, folder), LungSegmenter.load()
        if segmenter.sha256 != spec.lungs_sha256:
            raise AlteredWeights("model.other_lungs", model=model)
        checks = Checks.load(spec, model_folder=folder)
        if segmenter.sha256 != checks.lungs_sha256:
            raise AlteredWeights("model.other_lungs_checks")
        return cls(spec, Pipeline(spec, segmenter, load_engine(spec, folder), checks))

    def read(self, data: bytes, name: str) -> Reading:
        """Read one image.

        Parameters
        ----------
        data : bytes
            A whole file, of any origin.
        name : str
            Its name, for display alone.

        Raises
        ------
        ImageRefused
            When the file is not an image that may be read; no number was computed.
        Busy
            When ``QUEUE`` other readings run or wait.
        """
        if not self._places.acquire(blocking=False):
            raise Busy(f"{QUEUE} images are being read already. Try this one again in a few seconds.")
        try:
            image = self._pipeline.make_ready(lambda: data, name)
            if isinstance(image, Exception):
                raise image
            with self._turn:  # one run has every core; two at once would only slow each other down
                (ran,) = self._pipeline.run([image])
        finally:
            self._places.release()
        image.report.extended(ran.results).raise_if_rejected()
        return self._reading(image, ran)

    @property
    def engine(self) -> Engine:
        """The network, for explanations to ask further."""
        return self._pipeline.engine

    def probabilities(self, inputs: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of a batch of the network's inputs: (N, size, size, 1) float32 -> (N,) float64."""
        return self._probability(self.engine.run(inputs)[0])

    def model_input(self, reading: Reading) -> ModelInput:
        """What the network saw of an image that was read."""
        image = canonical_image(reading.radiograph.pixels)
        return prepare(image, reading.lungs.box, **self.spec.preparation)

    def read_many(self, sources: Iterable[Source]) -> Iterator[Reading | Exception]:
        """Read many images: each on a thread of its own, handed back in order as they come.

        Parameters
        ----------
        sources : iterable of (callable, str)
            What gives a file's bytes, called on a thread, and the file's name.

        Yields
        ------
        Reading or Exception
            One for each source: a reading, the ``ImageRefused`` that says why there is none, or whatever else
            opening or decoding the file raised.
        """
        for item in self._pipeline.stream(sources):
            yield item if isinstance(item, Exception) else self._reading(*item)

    def score_many(self, items: Iterable[tuple[bytes, str]], checked: bool = True) -> Iterator[Score | ImageRefused]:
        """Score many images: the numbers of ``read`` alone.

        Parameters
        ----------
        items : iterable of (bytes, str)
            File contents and names.
        checked : bool
            Whether checks may change or refuse an image. Without them every file that can be decoded gets a number,
            which is for measuring the network alone and never for a reader of images.

        Yields
        ------
        Score or ImageRefused
            One for each item, in order; refusals are handed back, not raised.
        """
        for item in self._pipeline.stream(((partial(bytes, data), name) for data, name in items), checked):
            if isinstance(item, ImageRefused):
                yield item
            elif isinstance(item, Exception):
                raise item
            else:
                logit = item[1].logit
                yield Score(logit, self._probability(logit))

    def examine(self, source: Callable[[], bytes], name: str) -> tuple[CheckReport, float] | ImageRefused:
        """Every check's findings on one file, and its probability; see ``Pipeline.examine``."""
        found = self._pipeline.examine(source, name)
        return found if isinstance(found, ImageRefused) else (found[0], self._probability(found[1]))

    def unchecked(self, images: np.ndarray, lungs: np.ndarray | None = None) -> Unchecked:
        """Run the network on a batch of canonical images without judging them; see ``Pipeline.unchecked``."""
        return self._pipeline.unchecked(images, lungs)

    def _probability(self, logit: float) -> float:
        return probability(logit, **self.spec.calibration)

    def _reading(self, image: ReadyImage, ran: Run) -> Reading:
        start, spec = time.perf_counter(), self.spec
        report = image.report.extended(ran.results)
        value = self._probability(ran.logit)
        named = finding(value, spec.operating_points)
        heat = image.ready.to_image(ran.heat)
        total = float(heat.sum())
        inside = float(heat[image.lungs.mask].sum()) / total if total > 0 else None
        return Reading(
            radiograph=image.checked.radiograph,
            lungs=image.lungs,
            logit=ran.logit,
            probability=value,
            finding=named,
            labels=spec.labels,
            operating_point=OPERATING_POINT,
            threshold=spec.operating_points[OPERATING_POINT],
            operating_points=spec.operating_points,
            prevalence=spec.prevalence,
            heat=heat,
            heat_range=spec.heat_range,
            heat_in_lungs=inside,
            reasons=image.checked.radiograph.notes
            + report.warnings
            + reasons_beside(named, float(heat.max()) / spec.heat_range, inside),
            model=spec.version,
            ages=spec.ages,
            milliseconds=1000.0 * (image.seconds + ran.seconds + time.perf_counter() - start),
            check=report,
        )


_default: Reader | None = None
_loading = threading.Lock()


def read(data: bytes, name: str) -> Reading:
    """Read one image with the shipped DenseNet, loading it on the first call.

    Raises
    ------
    ImageRefused, ModelError
    """
    global _default
    with _loading:
        if _default is None:
            _default = Reader.load()
    return _default.read(data, name)
