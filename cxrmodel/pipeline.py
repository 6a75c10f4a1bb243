"""The way of an image through decoder, lungs and network, one at a time or many at once.

One image alone has every core. Of many images each goes its whole way on one thread, with networks that keep to it, and
there are as many threads as cores: none waits for another, which costs less than sharing one image's work.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

import numpy as np

from cxrmodel.artefacts import cores
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.checks.report import CheckReport, CheckResult
from cxrmodel.checks.suite import Checks
from cxrmodel.errors import ImageRefused
from cxrmodel.imaging.canonical import IMAGE_SIDE
from cxrmodel.imaging.lungs import LungFields, LungSegmenter
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.model.engine import Engine
from cxrmodel.model.preprocess import Box, ModelInput, prepare
from cxrmodel.model.spec import ModelSpec

__all__ = ["Pipeline", "ReadyImage", "Run", "Source", "Unchecked"]

AHEAD = 2
"""Images made ready or waiting to be handed back, for each thread: enough to keep it busy, few enough for memory."""

Source = tuple[Callable[[], bytes], str]
"""What gives a file's bytes, and the file's name."""


@dataclass(frozen=True, eq=False)
class ReadyImage:
    """An image that the network may run on.

    Attributes
    ----------
    checked : CheckInput
        Corrected by the checks.
    lungs : LungFields
    ready : ModelInput
    report : CheckReport
        Of the checks before the network; empty where they were left out.
    seconds : float
        From bytes in memory.
    """

    checked: CheckInput
    lungs: LungFields
    ready: ModelInput
    report: CheckReport
    seconds: float


@dataclass(frozen=True, eq=False)
class Run:
    """What the network said of one image.

    Attributes
    ----------
    logit : float
    heat : ndarray of float32, shape (h, w)
        Grad-CAM over the crop.
    results : tuple of CheckResult
        Of the checks on the network's features.
    seconds : float
        The image's share of its batch's time.
    """

    logit: float
    heat: np.ndarray
    results: tuple[CheckResult, ...]
    seconds: float


class Unchecked(NamedTuple):
    """What the networks say of canonical images whatever these show.

    Attributes
    ----------
    lungs : ndarray of bool, shape (N, 224, 224)
        By which the images were cropped.
    plausible : ndarray of bool, shape (N,)
        Whether these may be two lungs; where not, reading refuses the image.
    boxes : list of tuple of int, length N
        Top, left, bottom, right of each crop.
    logits : ndarray of float64, shape (N,)
    heat : ndarray of float32, shape (N, 224, 224)
        Grad-CAM on the image.
    """

    lungs: np.ndarray
    plausible: np.ndarray
    boxes: list[Box]
    logits: np.ndarray
    heat: np.ndarray


class Pipeline:
    """Checks, lung segmenter and network of one specification; may be used from several threads.

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
    ):
        self.spec, self._segmenter, self._engine = spec, segmenter, engine
        self.checks = checks
        self._narrow, self._making = None, threading.Lock()

    def single_threaded(self) -> "Pipeline":
        """The same pipeline, made once, with networks that keep to the thread which calls them."""
        with self._making:
            if self._narrow is None:
                segmenter, engine = self._segmenter.single_threaded(), self._engine.single_threaded()
                self._narrow = Pipeline(self.spec, segmenter, engine, self.checks)
            return self._narrow

    def make_ready(self, source: Callable[[], bytes], name: str, checked: bool = True) -> ReadyImage | Exception:
        """Open and decode one file, find its lungs and crop it to them.

        Parameters
        ----------
        checked : bool
            Whether a check may change or refuse the image. If not, one without lungs is taken whole.

        Returns
        -------
        ReadyImage or Exception
            Whatever is raised is handed back: one file must never take the others with it.
        """
        try:
            data = source()
            start = time.perf_counter()
            radiograph = read_radiograph(data, name)
            image, report = self.checks.input(radiograph), CheckReport()
            if checked:
                image, report = self.checks.examine_image(image)
                report.raise_if_rejected()
            mask = self._segmenter.masks(image.canonical[None])[0]
            if checked:
                report = report.extended(self.checks.examine_lungs(image, mask))
                report.raise_if_rejected()
            return self._ready(image, mask, report, start)
        except Exception as error:
            return error

    def examine(self, source: Callable[[], bytes], name: str) -> tuple[CheckReport, float] | ImageRefused:
        """Ask every check about one file, however early one of them refuses it.

        Returns
        -------
        (CheckReport, float) or ImageRefused
            All findings, and the logit, which means nothing where a finding refuses; or why the file cannot be decoded.
        """
        try:
            radiograph = read_radiograph(source(), name)
        except ImageRefused as refusal:
            return refusal
        image, report = self.checks.examine_image(self.checks.input(radiograph))
        mask = self._segmenter.masks(image.canonical[None])[0]
        report = report.extended(self.checks.examine_lungs(image, mask))
        (ran,) = self.run([self._ready(image, mask, report, time.perf_counter())])
        return report.extended(ran.results), ran.logit

    def _ready(self, image: CheckInput, mask: np.ndarray, report: CheckReport, start: float) -> ReadyImage:
        lungs = LungFields(mask if mask.any() else np.ones_like(mask))
        ready = prepare(image.canonical, lungs.box, **self.spec.preparation)
        return ReadyImage(image, lungs, ready, report, time.perf_counter() - start)

    def run(self, images: Sequence[ReadyImage]) -> list[Run]:
        """Run the network.

        Returns
        -------
        list of Run
            In the order of ``images``.
        """
        if not images:
            return []
        start = time.perf_counter()
        logits, maps, features = self._engine.read(np.stack([image.ready.tensor for image in images]))
        pairs = zip(images, features, strict=True)
        results = [self.checks.examine_features(image.checked, row) for image, row in pairs]
        seconds = (time.perf_counter() - start) / len(images)
        rows = zip(logits, maps, results, strict=True)
        return [Run(float(logit), heat, found, seconds) for logit, heat, found in rows]

    def unchecked(self, images: np.ndarray, lungs: np.ndarray | None = None) -> Unchecked:
        """Run the network on canonical images without judging them, for measurements on disturbed ones.

        Parameters
        ----------
        images : ndarray of uint8, shape (N, 224, 224)
            One batch.
        lungs : ndarray of bool, shape (N, 224, 224), or None
            Where to crop; None asks the segmenter. An image without any lung is not cropped.
        """
        lungs = self._segmenter.masks(images) if lungs is None else lungs
        boxes = [LungFields(mask).box if mask.any() else (0, 0, IMAGE_SIDE, IMAGE_SIDE) for mask in lungs]
        ready = [prepare(image, box, **self.spec.preparation) for image, box in zip(images, boxes, strict=True)]
        logits, maps = self._engine.run(np.stack([item.tensor for item in ready]))
        heat = np.stack([item.to_image(heat) for item, heat in zip(ready, maps, strict=True)])
        plausible = np.array(
            [self._segmenter.plausible(image, mask) for image, mask in zip(images, lungs, strict=True)]
        )
        return Unchecked(lungs, plausible, [item.box for item in ready], logits, heat)

    def stream(self, sources: Iterable[Source], checked: bool = True) -> Iterator[tuple[ReadyImage, Run] | Exception]:
        """Read images on as many threads as there are cores, and hand them back in order.

        Parameters
        ----------
        checked : bool
            As for ``make_ready``; it holds for the network's own check too.

        Yields
        ------
        (ReadyImage, Run) or Exception
            One for each source; an exception is the image's own: a refusal, or what opening it raised.
        """
        sources = iter(sources)
        first, workers = list(islice(sources, 2)), cores()
        if len(first) < 2:
            yield from (self.go(*source, checked) for source in first)
            return
        go, sources, coming = self.single_threaded().go, chain(first, sources), deque[Future]()
        with ThreadPoolExecutor(workers) as pool:

            def order(count: int) -> None:
                coming.extend(pool.submit(go, *source, checked) for source in islice(sources, count))

            order(AHEAD * workers)
            while coming:
                done = coming.popleft().result()
                order(1)
                yield done

    def go(self, source: Callable[[], bytes], name: str, checked: bool) -> tuple[ReadyImage, Run] | Exception:
        """Take one image its whole way; a refusal, or whatever opening it raised, is handed back."""
        image = self.make_ready(source, name, checked)
        if isinstance(image, Exception):
            return image
        (run,) = self.run([image])
        try:
            if checked:
                image.report.extended(run.results).raise_if_rejected()
        except ImageRefused as refusal:
            return refusal
        return image, run

    @property
    def engine(self) -> Engine:
        """The network."""
        return self._engine
