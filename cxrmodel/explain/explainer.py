"""Runs any method on one image's crop, with progress, and loads what it needs when it is first needed."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cxrmodel.explain import methods
from cxrmodel.explain.grid import blurred
from cxrmodel.explain.occlusion import occlusion
from cxrmodel.extras import optional_libraries
from cxrmodel.model.engine import Engine
from cxrmodel.model.mirroring import laid_together, mirrored
from cxrmodel.model.preprocess import ModelInput
from cxrmodel.model.spec import MODEL_FOLDER, ModelSpec
from cxrmodel.models import MODELS

if TYPE_CHECKING:
    import keras

__all__ = ["Explainer", "loading"]

SEED = 0
SMOOTHGRAD_NOISE = 0.1
_WAIT = 0.2

Progress = Callable[[float, str], None]


def loading(explainer: "Explainer", method: str) -> bool:
    """Whether a method would load TensorFlow now."""
    return methods.METHODS[method].tensorflow and not explainer.ready


class Explainer:
    """Every method over one set of weights; shared by all threads, one image at a time.

    Parameters
    ----------
    spec : ModelSpec
    engine : Engine
        The fast one, of those weights.
    network : callable
        Gives the Keras network of those weights; called once, when a method first needs it.
    many : bool
        Whether many images are to be explained, so that it pays to trace gradients first.
    """

    def __init__(self, spec: ModelSpec, engine: Engine, network: Callable[[], "keras.Model"], many: bool = False):
        self.spec, self._engine, self._load, self._many = spec, engine, network, many
        self._network: keras.Model | None = None
        self._turn = threading.Lock()

    @classmethod
    def shipped(cls, spec: ModelSpec, engine: Engine, folder: Path = MODEL_FOLDER, many: bool = False) -> "Explainer":
        """Of the weights in a folder that a specification names."""

        def network():
            from cxrmodel.model.keras_engine import KerasEngine

            return KerasEngine(spec, folder).network

        return cls(spec, engine, network, many)

    @property
    def ready(self) -> bool:
        """Whether the Keras network is loaded."""
        return self._network is not None

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """The network's answers: (N, size, size, 1) float32 -> (N,) float64, on the fast engine."""
        return self._engine.run(inputs)[0]

    def scores(self, inputs: np.ndarray) -> np.ndarray:
        """The network's score at an even prevalence, 0..1: the logistic function of its logits.

        Not the calibrated probability: that hardly moves on an image which is far above the thresholds.
        """
        return 1.0 / (1.0 + np.exp(-self.logits(inputs)))

    def crop_maps(self, method: str, tensors: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """A method's maps over crops.

        Parameters
        ----------
        method : str
            One of ``METHODS``.
        tensors : ndarray of float32, shape (N, size, size, 1)
        progress : callable, optional
            Told the share done, 0..1, and what is being done; what it raises stops the work and leaves nothing behind.

        Returns
        -------
        ndarray of float32, shape (N, h, w)
            Zero or above, raw.

        Raises
        ------
        MissingWeights, AlteredWeights
            When the method needs the Keras weights and they cannot be used.
        MissingExtra
            When the method needs TensorFlow and it is not installed.
        ValueError
            When there is no such method.
        """
        if method not in methods.METHODS:
            raise ValueError(f"unknown method {method!r}; there are {', '.join(methods.METHODS)}")
        title, report = methods.METHODS[method].title, progress or (lambda share, words: None)
        while not self._turn.acquire(timeout=_WAIT):
            report(0.0, f"{title}: waiting for another image to be explained")
        try:
            if loading(self, method):
                report(0.0, "Loading TensorFlow, which takes some seconds, once after each start of the program")
            with optional_libraries():
                return self._run(method, tensors, lambda share: report(share, f"{title}: {share * 100:.0f}\u00a0% done"))
        finally:
            self._turn.release()

    def image_map(self, method: str, ready: ModelInput, progress: Progress | None = None) -> np.ndarray:
        """A method's map on the canonical image: as ``crop_maps``, but of shape (224, 224), zero outside the crop."""
        return ready.to_image(self.crop_maps(method, ready.tensor[None], progress)[0])

    def _run(self, method: str, tensors: np.ndarray, told: Callable[[float], None]) -> np.ndarray:
        told(0.0)
        if method == methods.INSTANT:
            return self._engine.run(tensors)[1]
        if method == "occlusion":
            return np.stack([occlusion(self.logits, tensor, blurred(tensor), progress=told) for tensor in tensors])
        maps = self._one_way(method, tensors, lambda share: told(share / 2))
        turned = np.ascontiguousarray(mirrored(tensors))
        return laid_together(maps, self._one_way(method, turned, lambda share: told((1 + share) / 2)))

    def _one_way(self, method: str, tensors: np.ndarray, told: Callable[[float], None]) -> np.ndarray:
        from cxrmodel.explain import gradients

        if self._network is None:
            self._network = self._load()
        network, fine = self._network, MODELS[self.spec.model].fine_layer
        if method == "gradcam++":
            return gradients.gradcam_plus_plus(network, fine, tensors)
        if method == "layercam":
            return gradients.layercam(network, fine, tensors)
        if method == "scorecam":
            layer, channels = MODELS[self.spec.model].score_layer, methods.SCORECAM_CHANNELS
            return np.concatenate(
                [gradients.scorecam(network, layer, tensor[None], channels, self.logits, told) for tensor in tensors]
            )
        if method == "saliency":
            return gradients.saliency(network, tensors, self._many)
        copies = methods.SMOOTHGRAD_COPIES
        return gradients.smoothgrad(network, tensors, copies, SMOOTHGRAD_NOISE, SEED, told, self._many)
