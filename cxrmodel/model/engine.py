"""Runs the artefact: a batch of inputs in; logits, Grad-CAM maps and features out of one pass.

``onnx`` (ONNX Runtime, the default) needs no deep-learning framework; ``keras`` is the reference. The variable
``CXR_ENGINE`` chooses.
"""

import os
from pathlib import Path
from typing import Protocol

import numpy as np

from cxrmodel.artefacts import open_graph
from cxrmodel.errors import AlteredWeights, ModelError
from cxrmodel.model.spec import MODEL_FOLDER, ModelSpec, read_graph

__all__ = ["Engine", "OnnxEngine", "load_engine"]


class Engine(Protocol):
    """What every backend does. It may be called from several threads at once."""

    def run(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits and maps of a batch.

        Parameters
        ----------
        inputs : ndarray of float32, shape (N, size, size, 1)

        Returns
        -------
        logits : ndarray of float64, shape (N,)
        maps : ndarray of float32, shape (N, h, w)
            Grad-CAM of the logit, zero or above, in units of the logit.
        """

    def read(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Logits, maps and features of a batch, at the price of ``run``.

        Returns
        -------
        logits, maps : ndarray
            As ``run`` gives them.
        features : ndarray of float32, shape (N, F)
            For ``cxrmodel.checks.out_of_distribution``.
        """

    def single_threaded(self) -> "Engine":
        """The same network for callers that bring threads of their own: where it can, a call keeps to its thread."""


class OnnxEngine:
    """The exported graph under ONNX Runtime.

    Parameters
    ----------
    spec : ModelSpec
    folder : Path
        That holds its files.
    threads : int
        Threads of a run; 0 takes one for each core.

    Raises
    ------
    MissingWeights, AlteredWeights
    """

    def __init__(self, spec: ModelSpec, folder: Path = MODEL_FOLDER, threads: int = 0):
        self._spec, self._folder = spec, folder
        graph = read_graph(spec, folder)
        try:
            self._session = open_graph(graph, threads)
        except Exception as error:  # the runtime raises classes of its own, all without a common root
            raise AlteredWeights("model.unusable_graph", path=str(folder / f"{spec.model}.onnx")) from error
        self._input = self._session.get_inputs()[0].name

    def run(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits and maps of a batch; see ``Engine``."""
        return self.read(inputs)[:2]

    def read(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Logits, maps and features of a batch; see ``Engine``."""
        logits, maps, features = self._session.run(None, {self._input: inputs})
        return logits[:, 0].astype(np.float64), maps[..., 0], features

    def single_threaded(self) -> "OnnxEngine":
        """The same graph, opened anew, whose every call keeps to its thread; see ``Engine``."""
        return OnnxEngine(self._spec, self._folder, threads=1)


def load_engine(spec: ModelSpec, folder: Path = MODEL_FOLDER) -> Engine:
    """Load the backend that ``CXR_ENGINE`` names.

    Raises
    ------
    ModelError
        When there is no such backend, or its files are missing or altered.
    """
    backend = os.environ.get("CXR_ENGINE", "onnx")
    if backend == "onnx":
        return OnnxEngine(spec, folder)
    if backend == "keras":
        from cxrmodel.model.keras_engine import KerasEngine

        return KerasEngine(spec, folder)
    raise ModelError("model.unknown_engine", engine=backend)
