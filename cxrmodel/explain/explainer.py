"""Explainer: any method on the crops of a model, one image at a time, with progress."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrmodel.apart import apart
from cxrmodel.explain.interpolation import CropMap
from cxrmodel.explain.method import Context, Floats, Network
from cxrmodel.explain.methods import METHODS
from cxrmodel.messages import Message
from cxrmodel.model.engine import Engine
from cxrmodel.model.preprocess import ModelInput
from cxrmodel.model.spec import ModelSpec
from cxrmodel.paths import MODEL_FOLDER

POLL_SECONDS = 0.2

Report = Callable[[float, Message], None]
"""Takes the share done, 0..1, and the current step. An exception that it raises stops the work."""


@dataclass(eq=False)
class Explainer(Context):
    """Every method over one set of weights; shared by all threads, one image at a time."""

    _running: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @classmethod
    def shipped(cls, spec: ModelSpec, engine: Engine, folder: Path = MODEL_FOLDER, many: bool = False) -> "Explainer":
        """Explainer of the weights in a folder that a specification names."""
        return cls(spec, engine, lambda: apart(_network, spec, folder), many)

    def scores(self, inputs: Floats) -> NDArray[np.float64]:
        """Scores at even prevalence, 0..1: the logistic function of the logits.

        Not the calibrated probability, which hardly changes far above the thresholds.
        """
        return 1.0 / (1.0 + np.exp(-self.logits(inputs)))

    def crop_maps(self, method: str, tensors: Floats, progress: Report | None = None) -> Floats:
        """Maps of crops.

        Parameters
        ----------
        method : str
            Name in ``METHODS``.
        tensors : ndarray of float32, shape (N, size, size, 1)
        progress : callable, optional

        Returns
        -------
        ndarray of float32, shape (N, h, w)
            Zero or above, raw.

        Raises
        ------
        UnknownName
            When there is no such method.
        MissingWeights, AlteredWeights
            When the method needs the Keras weights and they cannot be used.
        """
        chosen = METHODS[method]

        def report(share: float, code: str, **values: float) -> None:
            if progress:
                progress(share, Message(code, title=chosen.title, **values))

        while not self._running.acquire(timeout=POLL_SECONDS):
            report(0.0, "explain.progress.waiting")
        try:
            if chosen.tensorflow and not self.loaded:
                report(0.0, "explain.progress.loading")
            return chosen.explain(
                self, tensors, lambda share: report(share, "explain.progress.done", percent=100 * share)
            )
        finally:
            self._running.release()

    def image_map(self, method: str, model_input: ModelInput, progress: Report | None = None) -> CropMap:
        """Map of one image: as ``crop_maps``, with the place of its crop."""
        return CropMap(self.crop_maps(method, model_input.tensor[None], progress)[0], model_input.box)


def _network(spec: ModelSpec, folder: Path) -> Network:
    """Load the network, and the libraries of every method that uses it."""
    import_module("cxrmodel.explain.methods.keras_vis")
    from cxrmodel.model.keras_engine import KerasEngine

    return KerasEngine(spec, folder).network
