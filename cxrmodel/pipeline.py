"""Pipeline: decoder, checks, lung segmenter and network, for one image or for many at once.

A single image uses every core. Many images are processed on one thread each, by single-threaded networks, on as many
threads as there are cores. No thread waits for another, which is faster than sharing the work of one image.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxrmodel.artefacts import cores
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.checks.report import CheckReport, CheckResult
from cxrmodel.checks.suite import Checks
from cxrmodel.errors import ImageRefused, ImageTooLarge
from cxrmodel.imaging.canonical import IMAGE_SIDE
from cxrmodel.imaging.lungs import LungFields, LungSegmenter
from cxrmodel.imaging.radiograph import Radiograph, read_radiograph
from cxrmodel.imaging.repairs import AS_STORED, Repairs
from cxrmodel.memory import half_of_memory
from cxrmodel.model.engine import Engine
from cxrmodel.model.preprocess import Box, ModelInput, prepare
from cxrmodel.model.spec import ModelSpec
from cxrmodel.scheduling import Budget, NeverFits

AHEAD = 2
"""Images in progress or waiting to be returned, per thread: enough to keep it busy, and few enough for memory."""
DECODING = Budget(half_of_memory())
"""Memory for decoding, of all threads and models of this process."""

Source = tuple[Callable[[], bytes], str]
"""A function that gives the bytes of a file, and the name of the file."""


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """An image as the network takes it.

    Attributes
    ----------
    image : CheckInput
        Radiograph and canonical image, corrected by the checks.
    lungs : LungFields
    model_input : ModelInput
    report : CheckReport
        Of the checks before the network; empty where they were left out.
    seconds : float
        Since its bytes were in memory.
    """

    image: CheckInput
    lungs: LungFields
    model_input: ModelInput
    report: CheckReport
    seconds: float


@dataclass(frozen=True, eq=False)
class RefusedImage:
    """What is known of an image that a check rejected, so that a user can see it and set it right.

    Attributes
    ----------
    radiograph : Radiograph
        As decoded and repaired, before any correction.
    report : CheckReport
        Of all checks that ran.
    """

    radiograph: Radiograph
    report: CheckReport


@dataclass(frozen=True, eq=False)
class Prediction:
    """The output of the network for one image.

    Attributes
    ----------
    logit : float
    heat : ndarray of float32, shape (h, w)
        Grad-CAM over the crop, zero or above, in units of the logit.
    results : tuple of CheckResult
        Of the checks on the network's features.
    seconds : float
        The image's share of the time of its batch.
    """

    logit: float
    heat: NDArray[np.float32]
    results: tuple[CheckResult, ...]
    seconds: float


Processed = tuple[PreparedImage, Prediction] | Exception
"""An image with its prediction, or the exception that it ended with."""


class Unchecked(NamedTuple):
    """Output of the networks for canonical images, without checks.

    Attributes
    ----------
    lungs : ndarray of bool, shape (N, 224, 224)
        By which the images were cropped.
    plausible : ndarray of bool, shape (N,)
        Whether the lungs pass their check; a reading rejects the image if not.
    boxes : list of tuple of int, length N
        Top, left, bottom, right of each crop.
    logits : ndarray of float64, shape (N,)
    heat : ndarray of float32, shape (N, 224, 224)
        Grad-CAM on the image, zero or above, in units of the logit.
    """

    lungs: NDArray[np.bool_]
    plausible: NDArray[np.bool_]
    boxes: list[Box]
    logits: NDArray[np.float64]
    heat: NDArray[np.float32]


class Pipeline:
    """Checks, lung segmenter and network of one specification; safe to use from several threads.

    Parameters
    ----------
    spec : ModelSpec
    segmenter : LungSegmenter
    engine : Engine
    checks : Checks
        Of that specification.
    """

    def __init__(
        self,
        spec: ModelSpec,
        segmenter: LungSegmenter,
        engine: Engine,
        checks: Checks,
    ) -> None:
        self.spec, self._segmenter, self.engine, self.checks = spec, segmenter, engine, checks
        self._single_threaded: Pipeline | None = None
        self._opening = threading.Lock()

    def single_threaded(self) -> "Pipeline":
        """The same pipeline, made once, with networks that run on the calling thread."""
        with self._opening:
            if self._single_threaded is None:
                segmenter, engine = self._segmenter.single_threaded(), self.engine.single_threaded()
                self._single_threaded = Pipeline(self.spec, segmenter, engine, self.checks)
            return self._single_threaded

    def prepare(
        self, source: Callable[[], bytes], name: str, checked: bool = True, repairs: Repairs = AS_STORED
    ) -> PreparedImage | Exception:
        """Open and decode one file, repair it, find its lungs and crop it to them.

        Parameters
        ----------
        checked : bool
            Whether a check may correct or reject the image. If not, an image without lungs is not cropped.
        repairs : Repairs
            Made before the checks.

        Returns
        -------
        PreparedImage or Exception
            Exceptions are returned, so that one file never stops the others. One of a check shows the image.
        """
        decoded, report = None, CheckReport()
        try:
            data = source()
            start = time.perf_counter()
            with _admitted(data, name) as radiograph:
                decoded = repairs.apply(radiograph)
                image = self.checks.input(decoded)
                if checked:
                    image, report = self.checks.examine_image(image)
            report.raise_if_rejected()
            mask = self._segmenter.masks(image.canonical[None])[0]
            if checked:
                report = report.extended(self.checks.examine_lungs(image, mask))
                report.raise_if_rejected()
            return self._prepared(image, mask, report, start)
        except Exception as error:
            if isinstance(error, ImageRefused) and decoded is not None:
                error.seen = RefusedImage(decoded, report)
            return error

    def examine(self, source: Callable[[], bytes], name: str) -> tuple[CheckReport, float] | ImageRefused:
        """Run every check on one file, even after one of them has rejected it.

        Returns
        -------
        (CheckReport, float) or ImageRefused
            All findings, and the logit, which is meaningless where a check rejects; or why the file was not decoded.
        """
        try:
            with _admitted(source(), name) as radiograph:
                image, report = self.checks.examine_image(self.checks.input(radiograph))
        except ImageRefused as refusal:
            return refusal
        mask = self._segmenter.masks(image.canonical[None])[0]
        report = report.extended(self.checks.examine_lungs(image, mask))
        (prediction,) = self.predict([self._prepared(image, mask, report, time.perf_counter())])
        return report.extended(prediction.results), prediction.logit

    def _prepared(self, image: CheckInput, mask: NDArray[np.bool_], report: CheckReport, start: float) -> PreparedImage:
        lungs = LungFields(mask if mask.any() else np.ones_like(mask))
        model_input = prepare(image.canonical, lungs.box, **self.spec.preparation)
        return PreparedImage(image, lungs, model_input, report, time.perf_counter() - start)

    def predict(self, images: Sequence[PreparedImage]) -> list[Prediction]:
        """Run the network on a batch.

        Returns
        -------
        list of Prediction
            In the order of ``images``.
        """
        if not images:
            return []
        start = time.perf_counter()
        logits, contributions, features = self.engine.read(np.stack([image.model_input.tensor for image in images]))
        pairs = zip(images, features, strict=True)
        results = [self.checks.examine_features(item.image, row) for item, row in pairs]
        seconds = (time.perf_counter() - start) / len(images)
        rows = zip(logits, np.maximum(contributions, 0), results, strict=True)
        return [Prediction(float(logit), heat, found, seconds) for logit, heat, found in rows]

    def unchecked(self, images: NDArray[np.uint8], lungs: NDArray[np.bool_] | None = None) -> Unchecked:
        """Run the networks on canonical images without any check, to measure them on perturbed images.

        Parameters
        ----------
        images : ndarray of uint8, shape (N, 224, 224)
            One batch.
        lungs : ndarray of bool, shape (N, 224, 224), or None
            Where to crop; None runs the segmenter. An image without lungs is not cropped.
        """
        lungs = self._segmenter.masks(images) if lungs is None else lungs
        boxes = [LungFields(mask).box if mask.any() else (0, 0, IMAGE_SIDE, IMAGE_SIDE) for mask in lungs]
        inputs = [prepare(image, box, **self.spec.preparation) for image, box in zip(images, boxes, strict=True)]
        logits, maps = self.engine.run(np.stack([item.tensor for item in inputs]))
        heat = np.stack([item.to_image(heat) for item, heat in zip(inputs, maps, strict=True)])
        plausible = np.array(
            [self._segmenter.plausible(image, mask) for image, mask in zip(images, lungs, strict=True)]
        )
        return Unchecked(lungs, plausible, [item.box for item in inputs], logits, heat)

    def stream(
        self, sources: Iterable[Source], checked: bool = True, repairs: Repairs = AS_STORED
    ) -> Iterator[Processed]:
        """Process images on as many threads as there are cores, and return them in order.

        Parameters
        ----------
        checked : bool
            As in ``prepare``; the network's own check included.
        repairs : Repairs
            Of every image.

        Yields
        ------
        (PreparedImage, Prediction) or Exception
            One for each source. An exception belongs to its image: a refusal, or an error on opening it.
        """
        remaining = iter(sources)
        first, workers = list(islice(remaining, 2)), cores()
        if len(first) < 2:
            yield from (self.process(*source, checked, repairs) for source in first)
            return
        process, remaining = self.single_threaded().process, chain(first, remaining)
        futures: deque[Future[Processed]] = deque()
        with ThreadPoolExecutor(workers) as pool:

            def submit() -> None:
                while not futures or (len(futures) < AHEAD * workers and sum(map(_held, futures)) < DECODING.limit):
                    source = next(remaining, None)
                    if source is None:
                        return
                    futures.append(pool.submit(process, *source, checked, repairs))

            submit()
            while futures:
                done = futures.popleft().result()
                submit()
                yield done

    def process(self, source: Callable[[], bytes], name: str, checked: bool, repairs: Repairs = AS_STORED) -> Processed:
        """Process one file from its bytes to a prediction; a refusal, without the image, or an error is returned."""
        image = self.prepare(source, name, checked, repairs)
        if isinstance(image, Exception):
            return without_image(image)
        (prediction,) = self.predict([image])
        try:
            if checked:
                image.report.extended(prediction.results).raise_if_rejected()
        except ImageRefused as refusal:
            return refusal
        return image, prediction


@contextmanager
def _admitted(data: bytes, name: str) -> Iterator[Radiograph]:
    """Decode a file once there is memory for it, and hold that memory.

    Raises
    ------
    ImageRefused
    """
    with ExitStack() as stack:

        def admit(peak: int) -> None:
            try:
                stack.enter_context(DECODING.claim(peak))
            except NeverFits as error:
                values = {"needed": ceil(peak / 1e6), "limit": error.limit // 10**6}
                raise ImageTooLarge("reading.never_fits", **values) from error

        yield read_radiograph(data, name, admit)


def without_image(error: Exception) -> Exception:
    """The same exception without the pixels that it or its frames hold."""
    if isinstance(error, ImageRefused):
        error.seen = None
    return error.with_traceback(None)


def _held(future: Future[Processed]) -> int:
    """Bytes of pixels that a finished image keeps until it is returned."""
    if not future.done() or isinstance(outcome := future.result(), Exception):
        return 0
    return outcome[0].image.radiograph.pixels.nbytes
