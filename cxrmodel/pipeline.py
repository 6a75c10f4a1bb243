"""The way of a film through decoder, lungs and network, one at a time or many ahead."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np

from cxrmodel.errors import FilmRefused
from cxrmodel.imaging.canonical import canonical_film
from cxrmodel.imaging.lungs import LungFields, LungSegmenter
from cxrmodel.imaging.radiograph import Radiograph, read_radiograph
from cxrmodel.model.engine import Engine
from cxrmodel.model.preprocess import ModelInput, prepare
from cxrmodel.model.spec import ModelSpec

__all__ = ["DecodedFilm", "Pipeline", "Run", "Source", "decode"]

BATCH = 8
"""Films a run: enough to keep the network busy, few enough that decoded films take little memory."""
DECODERS = 2

Source = tuple[Callable[[], bytes], str]
"""What gives a file's bytes, and the file's name."""


@dataclass(frozen=True, eq=False)
class DecodedFilm:
    """A decoded film.

    Attributes
    ----------
    radiograph : Radiograph
    canonical : ndarray of uint8, shape (224, 224)
    seconds : float
        That decoding took, from bytes in memory.
    """

    radiograph: Radiograph
    canonical: np.ndarray
    seconds: float


@dataclass(frozen=True, eq=False)
class Run:
    """What the networks said of one film.

    Attributes
    ----------
    lungs : LungFields
    ready : ModelInput
    logit : float
    heat : ndarray of float32, shape (h, w)
        Grad-CAM over the crop.
    seconds : float
        The film's share of its batch's time.
    """

    lungs: LungFields
    ready: ModelInput
    logit: float
    heat: np.ndarray
    seconds: float


def decode(source: Callable[[], bytes], name: str) -> DecodedFilm | Exception:
    """Open and decode one file.

    Returns
    -------
    DecodedFilm or Exception
        Whatever is raised is handed back: one file must never take the others with it.
    """
    try:
        data = source()
        start = time.perf_counter()
        radiograph = read_radiograph(data, name)
        canonical = canonical_film(radiograph.pixels)
        return DecodedFilm(radiograph, canonical, time.perf_counter() - start)
    except Exception as error:
        return error


class Pipeline:
    """Lung segmenter and network of one specification.

    Parameters
    ----------
    spec : ModelSpec
    segmenter : LungSegmenter
    engine : Engine
    """

    def __init__(self, spec: ModelSpec, segmenter: LungSegmenter, engine: Engine):
        self.spec, self._segmenter, self._engine = spec, segmenter, engine

    @property
    def engine(self) -> Engine:
        """The network's engine."""
        return self._engine

    def run(self, films: Sequence[DecodedFilm]) -> list[Run | FilmRefused]:
        """Find the lungs of some films and run the network on those that have them.

        Returns
        -------
        list of Run or FilmRefused
            In the order of ``films``.
        """
        if not films:
            return []
        start = time.perf_counter()
        masks = self._segmenter.masks(np.stack([film.canonical for film in films]))
        found: list[tuple[LungFields, ModelInput] | FilmRefused] = []
        for film, mask in zip(films, masks, strict=True):
            try:
                lungs = self._segmenter.accept(film.canonical, mask)
            except FilmRefused as refusal:
                found.append(refusal)
                continue
            found.append((lungs, prepare(film.canonical, lungs.box, **self.spec.preparation)))
        inputs = [item[1].tensor for item in found if not isinstance(item, FilmRefused)]
        outputs = zip(*self._engine.run(np.stack(inputs)), strict=True) if inputs else iter(())
        seconds = (time.perf_counter() - start) / len(films)
        return [item if isinstance(item, FilmRefused) else _joined(*item, *next(outputs), seconds) for item in found]

    def stream(self, sources: Iterable[Source]) -> Iterator[tuple[DecodedFilm, Run] | Exception]:
        """Decode ahead on threads, run in batches, hand back in order.

        Yields
        ------
        (DecodedFilm, Run) or Exception
            One for each source; an exception is the film's own: a refusal, or what opening it raised.
        """
        sources = iter(sources)
        with ThreadPoolExecutor(DECODERS) as pool:
            coming = [pool.submit(decode, *source) for source in islice(sources, BATCH)]
            while coming:
                films = [future.result() for future in coming]
                coming = [pool.submit(decode, *source) for source in islice(sources, BATCH)]
                runs = iter(self.run([film for film in films if isinstance(film, DecodedFilm)]))
                for film in films:
                    if isinstance(film, Exception):
                        yield film
                        continue
                    ran = next(runs)
                    yield ran if isinstance(ran, FilmRefused) else (film, ran)


def _joined(lungs: LungFields, ready: ModelInput, logit: float, heat: np.ndarray, seconds: float) -> Run:
    return Run(lungs, ready, float(logit), heat, seconds)
