"""Read one image: bytes in, ``Reading`` out. Used by the app, the command line, the evaluation and the tests."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cxrmodel.artefacts import cores, leave_cores_to_networks
from cxrmodel.checks.report import CheckReport
from cxrmodel.checks.suite import Checks
from cxrmodel.errors import ImageRefused
from cxrmodel.explain.faithfulness import heat_in_lungs
from cxrmodel.explain.interpolation import CropMap
from cxrmodel.explain.shares import EvidenceShares, evidence_shares
from cxrmodel.imaging.canonical import canonical_image
from cxrmodel.imaging.lungs import LungFields, LungSegmenter
from cxrmodel.imaging.radiograph import Radiograph
from cxrmodel.imaging.repairs import AS_STORED, Repairs
from cxrmodel.messages import Message
from cxrmodel.metrics.formatting import Percentages, floor_percent, percentages
from cxrmodel.model.calibration import finding, probability, rounded, with_thresholds
from cxrmodel.model.engine import Engine, load_engine
from cxrmodel.model.manifest import load_manifest
from cxrmodel.model.preprocess import ModelInput, prepare
from cxrmodel.model.spec import UNCERTAIN, AgeRange, Labels, ModelSpec, OperatingPoints, load_spec
from cxrmodel.models import DEFAULT_MODEL
from cxrmodel.paths import MODEL_FOLDER
from cxrmodel.pipeline import Pipeline, Prediction, PreparedImage, Source, Unchecked
from cxrmodel.prevalence import EVEN_ODDS, site_prevalence
from cxrmodel.scheduling import Client, Notify, Turns

OPERATING_POINT = "balanced"
"""The operating point of a binary decision."""
AT_ONCE = 2 * cores()
"""Readings that run at one time: some decode while one runs the network."""
FAINT = 0.05
"""Peak of a map, as a share of the colour range, below which its location has no meaning."""
HALF = 0.5
"""Share of attribution inside the lungs below which a reading warns."""


class Attribution(StrEnum):
    """Where the attribution of a Grad-CAM map lies."""

    NONE = "none"
    """The map is zero."""
    FAINT = "faint"
    """Its peak is below 5 % of the colour range, so its location has no meaning."""
    OUTSIDE = "outside"
    """More than half lies outside the lungs."""
    INSIDE = "inside"
    """At least half lies inside the lungs."""

    @classmethod
    def of(cls, peak: float, inside: float | None) -> "Attribution":
        """Classify a map.

        Parameters
        ----------
        peak : float
            Share of the colour range, 0 or above.
        inside : float or None
            Share of attribution inside the lungs, 0..1; None for an all-zero map.
        """
        if inside is None:
            return cls.NONE
        if peak < FAINT:
            return cls.FAINT
        return cls.OUTSIDE if inside < HALF else cls.INSIDE


@dataclass(frozen=True)
class ReadingRecord:
    """Result of one file as plain values: a JSON object of the command line, and a row of its table.

    docs/reference/command-line.md describes the keys. Without a reading most are None. ``codes`` and ``reasons`` are in
    the same order.
    """

    file: str
    status: Literal["read", "refused", "error"]
    probability: float | None = None
    finding: str | None = None
    uncertain_from: float | None = None
    uncertain_to: float | None = None
    operating_point: str | None = None
    threshold: float | None = None
    reasons: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    heat_in_lungs: float | None = None
    evidence_shares: EvidenceShares | None = None
    model: str | None = None
    prevalence: float | None = None
    milliseconds: float | None = None
    file_bytes: int | None = None
    file_modified: int | None = None


@dataclass(frozen=True, eq=False)
class Reading:
    """The result for one image.

    Attributes
    ----------
    radiograph : Radiograph
    lungs : LungFields
    logit : float
        Output of the network.
    probability : float
        Calibrated, 0..1, at the stated ``prevalence``.
    finding : str
        One of ``labels.findings``; the same at every prevalence.
    labels : Labels
        Names of the positive and the negative class.
    operating_point : str
        The operating point of a binary decision.
    operating_points : OperatingPoints
        Thresholds on the probability, at the same ``prevalence``.
    prevalence : float
        Prevalence of the positive class that the probability and the thresholds assume, 0..1.
    heat : ndarray of float32, shape (224, 224)
        Grad-CAM on the canonical image: raw, zero or above, in units of the logit. Every number comes from it.
    heat_range : float
        Top of the colour range, the same for every image.
    heat_in_lungs : float or None
        Share of attribution inside the lungs, 0..1; None for an all-zero map.
    reasons : tuple of Message
        Notes of the decoder, warnings of the checks, then those of the reading itself.
    model : str
        Version.
    ages : AgeRange
        Of the training patients.
    milliseconds : float
        From bytes in memory to this reading, model loaded.
    check : CheckReport
        Findings of the checks; its warnings are among the reasons.
    crop_map : CropMap or None
        The map of which ``heat`` was made, to be drawn smoothly; None draws ``heat``.
    """

    radiograph: Radiograph
    lungs: LungFields
    logit: float
    probability: float
    finding: str
    labels: Labels
    operating_point: str
    operating_points: OperatingPoints
    prevalence: float
    heat: NDArray[np.float32]
    heat_range: float
    heat_in_lungs: float | None
    reasons: tuple[Message, ...]
    model: str
    ages: AgeRange
    milliseconds: float
    check: CheckReport = field(default_factory=CheckReport)
    crop_map: CropMap | None = None

    @property
    def name(self) -> str:
        """The image's file name, as given."""
        return self.radiograph.name

    @property
    def threshold(self) -> float:
        """Threshold of the operating point on the probability."""
        return self.operating_points[self.operating_point]

    def at(self, prevalence: float) -> "Reading":
        """The same reading at another prevalence: probability and thresholds move together, the finding stays.

        Parameters
        ----------
        prevalence : float
            Strictly between 0 and 1.
        """
        if prevalence == self.prevalence:
            return self
        value, points = with_thresholds(self.probability, self.operating_points, self.prevalence, prevalence)
        moved = replace(self, probability=value, operating_points=points, prevalence=prevalence)
        moved.__dict__["shares"] = self.shares  # the map is the same: they are computed once for every prevalence
        return moved

    @property
    def shown(self) -> Percentages:
        """Probability and thresholds as every page, line and sheet writes them."""
        return percentages(self.probability, self.operating_points)

    @property
    def heat_peak(self) -> float:
        """Peak of the map as a share of the colour range, 0 or above."""
        return float(self.heat.max()) / self.heat_range

    @property
    def drawn_heat(self) -> NDArray[np.float32]:
        """The map as every page, report and picture draws it: ``heat`` with smooth contours and soft edges."""
        return self.crop_map.drawn() if self.crop_map else self.heat

    @property
    def attribution(self) -> Attribution:
        """Where the attribution lies."""
        return Attribution.of(self.heat_peak, self.heat_in_lungs)

    @cached_property
    def shares(self) -> EvidenceShares | None:
        """Shares of the map by lung and zone; None for an all-zero map."""
        return evidence_shares(self.heat, self.lungs.mask)

    def as_record(self, file: str) -> ReadingRecord:
        """Give the reading of a file as plain values. Rounding moves the probability across no threshold."""
        points = self.operating_points
        return ReadingRecord(
            file=file,
            status="read",
            probability=rounded(self.probability, points.values()),
            finding=self.finding,
            uncertain_from=points.high_sensitivity,
            uncertain_to=points.high_specificity,
            operating_point=self.operating_point,
            threshold=self.threshold,
            reasons=tuple(str(reason) for reason in self.reasons),
            codes=tuple(reason.code for reason in self.reasons),
            heat_in_lungs=None if self.heat_in_lungs is None else round(self.heat_in_lungs, 4),
            evidence_shares=self.shares and self.shares.rounded(1_000_000),
            model=self.model,
            prevalence=self.prevalence,
            milliseconds=round(self.milliseconds, 1),
        )


@dataclass(frozen=True)
class Score:
    """Logit and calibrated probability (0..1, at the specification's prevalence) of an image: no whole reading."""

    logit: float
    probability: float


class Reader:
    """A loaded model, shared by all threads and sessions.

    Parameters
    ----------
    spec : ModelSpec
    pipeline : Pipeline
        Of that specification.
    prevalence : float
        Of every reading, strictly between 0 and 1, whatever the specification was fitted at.
    """

    def __init__(self, spec: ModelSpec, pipeline: Pipeline, prevalence: float = EVEN_ODDS) -> None:
        self.spec, self._pipeline, self.prevalence = spec, pipeline, prevalence
        self._turns, self._running = Turns(AT_ONCE), threading.Lock()

    @classmethod
    def load(cls, model: str = DEFAULT_MODEL, folder: Path = MODEL_FOLDER, prevalence: float | None = None) -> "Reader":
        """Load a shipped model.

        Parameters
        ----------
        prevalence : float or None
            Of every reading; None takes that of the site.

        Raises
        ------
        SettingError
            When the prevalence of the site cannot be used.
        MissingWeights, AlteredWeights
            When a file is absent, or not the one that the manifest or a specification names.
        """
        prevalence = site_prevalence() if prevalence is None else prevalence
        leave_cores_to_networks()
        manifest = load_manifest(model, folder)
        manifest.check(folder)
        spec = load_spec(model, folder)
        checks = Checks.load(spec, model_folder=folder)
        reader = cls(spec, Pipeline(spec, LungSegmenter.load(), load_engine(spec, folder), checks), prevalence)
        manifest.check(folder)  # no file was exchanged while they were read
        return reader

    def read(
        self,
        data: bytes,
        name: str,
        client: Client | None = None,
        notify: Notify | None = None,
        repairs: Repairs = AS_STORED,
        prevalence: float | None = None,
    ) -> Reading:
        """Read one image, once its turn has come.

        Parameters
        ----------
        data : bytes
            A whole file; it is not trusted.
        name : str
            Its name, for display only.
        client : Client, optional
            Whose turn it is, where several images of one user are read one after the other.
        notify : callable, optional
            Called from time to time with the place in the queue.
        repairs : Repairs
            Made to the decoded image before it is checked.
        prevalence : float, optional
            Of this reading, strictly between 0 and 1; None takes that of the reader.

        Raises
        ------
        ImageRefused
            When the file is not an image that may be read. One that a check rejects is in its ``seen``.
        """
        with self._turns.turn(client or Client(), notify):
            image = self._pipeline.prepare(lambda: data, name, repairs=repairs)
            if isinstance(image, Exception):
                raise image
            with self._running:  # a run uses every core; two at once would slow each other down
                (prediction,) = self._pipeline.predict([image])
        image.report.extended(prediction.results).raise_if_rejected()
        return self._reading(image, prediction, prevalence)

    def read_beside_others(self, data: bytes, name: str) -> Reading:
        """Read one image on the calling thread alone, without waiting for those that other threads read.

        Raises
        ------
        ImageRefused
            When the file is not an image that may be read.
        """
        item = self._pipeline.single_threaded().process(lambda: data, name, checked=True)
        if isinstance(item, Exception):
            raise item
        return self._reading(*item)

    @property
    def engine(self) -> Engine:
        """The network."""
        return self._pipeline.engine

    def probabilities(self, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """Calibrated probabilities of a batch of the network's inputs, at the specification's prevalence.

        (N, size, size, 1) float32 -> (N,) float64.
        """
        return probability(self.engine.run(inputs)[0], **self.spec.calibration)

    def model_input(self, reading: Reading) -> ModelInput:
        """The network's input for an image that was read."""
        image = canonical_image(reading.radiograph.pixels)
        return prepare(image, reading.lungs.box, **self.spec.preparation)

    def read_many(self, sources: Iterable[Source], repairs: Repairs = AS_STORED) -> Iterator[Reading | Exception]:
        """Read many images on all cores and return them in order.

        Parameters
        ----------
        sources : iterable of (callable, str)
            A function that gives the bytes of a file, called on a thread, and the name of the file.
        repairs : Repairs
            Made to every image.

        Yields
        ------
        Reading or Exception
            One for each source: a reading, the ``ImageRefused`` with the reason, or another exception of opening or
            decoding the file.
        """
        for item in self._pipeline.stream(sources, repairs=repairs):
            yield item if isinstance(item, Exception) else self._reading(*item)

    def score_many(self, items: Iterable[tuple[bytes, str]], checked: bool = True) -> Iterator[Score | ImageRefused]:
        """Score many images: the numbers of ``read`` alone, at the specification's prevalence.

        Parameters
        ----------
        items : iterable of (bytes, str)
            File contents and names.
        checked : bool
            Whether checks may correct or reject an image. Without them every file that can be decoded gets a number,
            to measure the network alone; it must not be shown as a reading.

        Yields
        ------
        Score or ImageRefused
            One for each item, in order; refusals are returned, not raised.
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
        """Findings of every check on one file, and its probability; see ``Pipeline.examine``."""
        found = self._pipeline.examine(source, name)
        return found if isinstance(found, ImageRefused) else (found[0], self._probability(found[1]))

    def unchecked(self, images: NDArray[np.uint8], lungs: NDArray[np.bool_] | None = None) -> Unchecked:
        """Run the networks on a batch of canonical images without any check; see ``Pipeline.unchecked``."""
        return self._pipeline.unchecked(images, lungs)

    def _probability(self, logit: float) -> float:
        return probability(logit, **self.spec.calibration)

    def _reading(self, image: PreparedImage, prediction: Prediction, prevalence: float | None = None) -> Reading:
        start, spec = time.perf_counter(), self.spec
        report = image.report.extended(prediction.results)
        value = self._probability(prediction.logit)
        named = finding(value, spec.operating_points, spec.labels)
        crop_map = CropMap(prediction.heat, image.model_input.box)
        heat = crop_map.on_image()
        inside = heat_in_lungs(heat, image.lungs.mask)
        attribution = Attribution.of(float(heat.max()) / spec.heat_range, inside)
        return Reading(
            radiograph=image.image.radiograph,
            lungs=image.lungs,
            logit=prediction.logit,
            probability=value,
            finding=named,
            labels=spec.labels,
            operating_point=OPERATING_POINT,
            operating_points=spec.operating_points,
            prevalence=spec.prevalence,
            heat=heat,
            heat_range=spec.heat_range,
            heat_in_lungs=inside,
            reasons=(
                *report.warnings,
                *image.image.radiograph.notes,
                *reasons_of(named, attribution, inside, spec.labels),
            ),
            model=spec.version,
            ages=spec.ages,
            milliseconds=1000.0 * (image.seconds + prediction.seconds + time.perf_counter() - start),
            check=report,
            crop_map=crop_map,
        ).at(self.prevalence if prevalence is None else prevalence)


def reasons_of(named: str, attribution: Attribution, inside: float | None, labels: Labels) -> tuple[Message, ...]:
    """Reasons that follow from the finding and the map.

    Parameters
    ----------
    named : str
        The finding.
    attribution : Attribution
    inside : float or None
        Share of attribution inside the lungs, 0..1.
    labels : Labels
    """
    reasons = []
    if named == UNCERTAIN:
        reasons.append(Message("reading.uncertain"))
    if attribution is Attribution.NONE:
        reasons.append(Message("reading.no_attribution", positive=labels.positive))
    elif attribution is Attribution.OUTSIDE and inside is not None:
        reasons.append(Message("reading.outside_lungs", share=floor_percent(inside)))
    return tuple(reasons)


_default: Reader | None = None
_loading = threading.Lock()


def read(data: bytes, name: str) -> Reading:
    """Read one image with the default model, which is loaded on the first call.

    Raises
    ------
    ImageRefused, ModelError
    """
    global _default
    with _loading:
        if _default is None:
            _default = Reader.load()
    return _default.read(data, name)
