"""Inference engines: logits, contributions of places and features of a batch in one pass.

``onnx`` (ONNX Runtime, the default) needs no deep-learning framework; ``keras`` is the reference. The environment
variable ``CXR_ENGINE`` chooses.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cxrmodel.artefacts import open_graph
from cxrmodel.errors import AlteredWeights, ModelError
from cxrmodel.model.spec import ModelSpec, read_graph
from cxrmodel.paths import MODEL_FOLDER

Floats = NDArray[np.float32]
Logits = NDArray[np.float64]


class Engine(Protocol):
    """A backend; safe to call from several threads at once. Backends inherit ``run``."""

    def run(self, inputs: Floats) -> tuple[Logits, Floats]:
        """Logits and maps of a batch.

        Parameters
        ----------
        inputs : ndarray of float32, shape (N, size, size, 1)

        Returns
        -------
        logits : ndarray of float64, shape (N,)
        maps : ndarray of float32, shape (N, h, w)
            Grad-CAM of the logit: the contributions above zero, in units of the logit.
        """
        logits, contributions, _ = self.read(inputs)
        return logits, np.maximum(contributions, 0)

    def read(self, inputs: Floats) -> tuple[Logits, Floats, Floats]:
        """Logits, contributions and features of a batch, in the time of ``run``.

        Returns
        -------
        logits : ndarray
            As of ``run``.
        contributions : ndarray of float32, shape (N, h, w)
            What each place of the crop adds to the logit or takes from it; with the specification's ``bias`` they sum
            to the logit.
        features : ndarray of float32, shape (N, F)
            For the out-of-distribution check.
        """

    def single_threaded(self) -> "Engine":
        """The same network for multi-threaded callers: where possible, a call runs on its thread only."""


class OnnxEngine(Engine):
    """The exported graph under ONNX Runtime.

    Parameters
    ----------
    spec : ModelSpec
    folder : Path
        Of its files.
    threads : int
        Threads of a run; 0 takes one for each core.

    Raises
    ------
    MissingWeights, AlteredWeights
        When the graph is absent, altered, or takes images of another size than the specification says.
    """

    def __init__(self, spec: ModelSpec, folder: Path = MODEL_FOLDER, threads: int = 0) -> None:
        self._spec, self._folder = spec, folder
        graph = read_graph(spec, folder)
        try:
            self._session = open_graph(graph, threads)
        except Exception as error:  # the runtime's own exceptions have no common base class
            raise AlteredWeights("model.unusable_graph", path=str(folder / f"{spec.model}.onnx")) from error
        given = self._session.get_inputs()[0]
        self._input = given.name
        expected = [spec.input_size, spec.input_size, 1]
        if given.shape[1:] != expected:
            raise AlteredWeights(
                "model.other_input_size",
                path=str(folder / f"{spec.model}.onnx"),
                expected=_shape(expected),
                found=_shape(given.shape[1:]),
            )

    def read(self, inputs: Floats) -> tuple[Logits, Floats, Floats]:
        """Logits, contributions and features of a batch; see ``Engine``."""
        logits, contributions, features = self._session.run(None, {self._input: inputs})
        return logits[:, 0].astype(np.float64), contributions[..., 0], features

    def single_threaded(self) -> "OnnxEngine":
        """The same graph, opened again with one thread for each call; see ``Engine``."""
        return OnnxEngine(self._spec, self._folder, threads=1)


def _shape(sides: Sequence[object]) -> str:
    return " x ".join(map(str, sides))


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
