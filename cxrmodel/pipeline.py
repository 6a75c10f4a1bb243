"""The way of a film through decoder, lungs and network, one at a time or many at once.

One film alone has every core. Of many films each goes its whole way on one thread, with networks that keep to it, and
there are as many threads as cores: none waits for another, which costs less than sharing one film's work.
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
from cxrmodel.errors import FilmRefused
from cxrmodel.imaging.canonical import FILM_SIDE, canonical_film
from cxrmodel.imaging.gate import Gates
from cxrmodel.imaging.gate_report import Finding, GateReport
from cxrmodel.imaging.lungs import LungFields, LungSegmenter
from cxrmodel.imaging.radiograph import Radiograph, read_radiograph
from cxrmodel.model.engine import Engine
from cxrmodel.model.familiarity import FamiliarityGate
from cxrmodel.model.preprocess import Box, ModelInput, prepare
from cxrmodel.model.spec import ModelSpec

__all__ = ["Pipeline", "ReadyFilm", "Run", "Source", "Ungated"]

AHEAD = 2
"""Films made ready or waiting to be handed back, for each thread: enough to keep it busy, few enough for memory."""

Source = tuple[Callable[[], bytes], str]
"""What gives a file's bytes, and the file's name."""


@dataclass(frozen=True, eq=False)
class ReadyFilm:
    """A film that the network may run on.

    Attributes
    ----------
    radiograph : Radiograph
    canonical : ndarray of uint8, shape (224, 224)
    lungs : LungFields
    ready : ModelInput
    report : GateReport
        Of the gates before the network; empty where they were left out.
    seconds : float
        From bytes in memory.
    """

    radiograph: Radiograph
    canonical: np.ndarray
    lungs: LungFields
    ready: ModelInput
    report: GateReport
    seconds: float


@dataclass(frozen=True, eq=False)
class Run:
    """What the network said of one film.

    Attributes
    ----------
    logit : float
    heat : ndarray of float32, shape (h, w)
        Grad-CAM over the crop.
    familiarity : Finding
        How like the training films the network finds the film.
    seconds : float
        The film's share of its batch's time.
    """

    logit: float
    heat: np.ndarray
    familiarity: Finding
    seconds: float


class Ungated(NamedTuple):
    """What the networks say of canonical films whatever these show.

    Attributes
    ----------
    lungs : ndarray of bool, shape (N, 224, 224)
        By which the films were cropped.
    plausible : ndarray of bool, shape (N,)
        Whether these may be two lungs; where not, reading refuses the film.
    boxes : list of tuple of int, length N
        Top, left, bottom, right of each crop.
    logits : ndarray of float64, shape (N,)
    heat : ndarray of float32, shape (N, 224, 224)
        Grad-CAM on the film.
    """

    lungs: np.ndarray
    plausible: np.ndarray
    boxes: list[Box]
    logits: np.ndarray
    heat: np.ndarray


class Pipeline:
    """Gates, lung segmenter and network of one specification; may be used from several threads.

    Parameters
    ----------
    spec : ModelSpec
    segmenter : LungSegmenter
    engine : Engine
    gates : Gates
        On picture and lungs.
    familiarity : FamiliarityGate
        On the network's features.
    """

    def __init__(
        self,
        spec: ModelSpec,
        segmenter: LungSegmenter,
        engine: Engine,
        gates: Gates,
        familiarity: FamiliarityGate,
    ):
        self.spec, self._segmenter, self._engine = spec, segmenter, engine
        self.gates, self._familiarity = gates, familiarity
        self._narrow, self._making = None, threading.Lock()

    def single_threaded(self) -> "Pipeline":
        """The same pipeline, made once, with networks that keep to the thread which calls them."""
        with self._making:
            if self._narrow is None:
                segmenter, engine = self._segmenter.single_threaded(), self._engine.single_threaded()
                self._narrow = Pipeline(self.spec, segmenter, engine, self.gates, self._familiarity)
            return self._narrow

    def make_ready(self, source: Callable[[], bytes], name: str, gated: bool = True) -> ReadyFilm | Exception:
        """Open and decode one file, find its lungs and crop it to them.

        Parameters
        ----------
        gated : bool
            Whether a gate may change or refuse the film. If not, one without lungs is taken whole.

        Returns
        -------
        ReadyFilm or Exception
            Whatever is raised is handed back: one file must never take the others with it.
        """
        try:
            data = source()
            start = time.perf_counter()
            radiograph = read_radiograph(data, name)
            canonical, report = canonical_film(radiograph.pixels), GateReport()
            if gated:
                radiograph, canonical, report = self.gates.picture(radiograph, canonical)
                report.insist()
            mask = self._segmenter.masks(canonical[None])[0]
            if gated:
                report = report.plus(*self.gates.lungs(canonical, mask))
                report.insist()
            return self._ready(radiograph, canonical, mask, report, start)
        except Exception as error:
            return error

    def examine(self, source: Callable[[], bytes], name: str) -> tuple[GateReport, float] | FilmRefused:
        """Ask every gate about one file, however early one of them refuses it.

        Returns
        -------
        (GateReport, float) or FilmRefused
            All findings, and the logit, which means nothing where a finding refuses; or why the file cannot be decoded.
        """
        try:
            radiograph = read_radiograph(source(), name)
        except FilmRefused as refusal:
            return refusal
        radiograph, canonical, report = self.gates.picture(radiograph, canonical_film(radiograph.pixels))
        mask = self._segmenter.masks(canonical[None])[0]
        report = report.plus(*self.gates.lungs(canonical, mask))
        film = self._ready(radiograph, canonical, mask, report, time.perf_counter())
        (ran,) = self.run([film])
        return report.plus(ran.familiarity), ran.logit

    def _ready(
        self, radiograph: Radiograph, canonical: np.ndarray, mask: np.ndarray, report: GateReport, start: float
    ) -> ReadyFilm:
        lungs = LungFields(mask if mask.any() else np.ones_like(mask))
        ready = prepare(canonical, lungs.box, **self.spec.preparation)
        return ReadyFilm(radiograph, canonical, lungs, ready, report, time.perf_counter() - start)

    def run(self, films: Sequence[ReadyFilm]) -> list[Run]:
        """Run the network.

        Returns
        -------
        list of Run
            In the order of ``films``.
        """
        if not films:
            return []
        start = time.perf_counter()
        logits, maps, features = self._engine.read(np.stack([film.ready.tensor for film in films]))
        found = self._familiarity.examine(features)
        seconds = (time.perf_counter() - start) / len(films)
        rows = zip(logits, maps, found, strict=True)
        return [Run(float(logit), heat, familiarity, seconds) for logit, heat, familiarity in rows]

    def ungated(self, films: np.ndarray, lungs: np.ndarray | None = None) -> Ungated:
        """Run the network on canonical films without judging them, for measurements on disturbed ones.

        Parameters
        ----------
        films : ndarray of uint8, shape (N, 224, 224)
            One batch.
        lungs : ndarray of bool, shape (N, 224, 224), or None
            Where to crop; None asks the segmenter. A film without any lung is not cropped.
        """
        lungs = self._segmenter.masks(films) if lungs is None else lungs
        boxes = [LungFields(mask).box if mask.any() else (0, 0, FILM_SIDE, FILM_SIDE) for mask in lungs]
        ready = [prepare(film, box, **self.spec.preparation) for film, box in zip(films, boxes, strict=True)]
        logits, maps = self._engine.run(np.stack([item.tensor for item in ready]))
        heat = np.stack([item.to_film(heat) for item, heat in zip(ready, maps, strict=True)])
        plausible = np.array([self._segmenter.plausible(film, mask) for film, mask in zip(films, lungs, strict=True)])
        return Ungated(lungs, plausible, [item.box for item in ready], logits, heat)

    def stream(self, sources: Iterable[Source], gated: bool = True) -> Iterator[tuple[ReadyFilm, Run] | Exception]:
        """Read films on as many threads as there are cores, and hand them back in order.

        Parameters
        ----------
        gated : bool
            As for ``make_ready``; it holds for the network's own gate too.

        Yields
        ------
        (ReadyFilm, Run) or Exception
            One for each source; an exception is the film's own: a refusal, or what opening it raised.
        """
        sources = iter(sources)
        first, workers = list(islice(sources, 2)), cores()
        if len(first) < 2:
            yield from (self.go(*source, gated) for source in first)
            return
        go, sources, coming = self.single_threaded().go, chain(first, sources), deque[Future]()
        with ThreadPoolExecutor(workers) as pool:

            def order(count: int) -> None:
                coming.extend(pool.submit(go, *source, gated) for source in islice(sources, count))

            order(AHEAD * workers)
            while coming:
                done = coming.popleft().result()
                order(1)
                yield done

    def go(self, source: Callable[[], bytes], name: str, gated: bool) -> tuple[ReadyFilm, Run] | Exception:
        """Take one film its whole way; a refusal, or whatever opening it raised, is handed back."""
        film = self.make_ready(source, name, gated)
        if isinstance(film, Exception):
            return film
        (run,) = self.run([film])
        try:
            if gated:
                film.report.plus(run.familiarity).insist()
        except FilmRefused as refusal:
            return refusal
        return film, run

    @property
    def engine(self) -> Engine:
        """The network."""
        return self._engine
