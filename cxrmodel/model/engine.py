"""Runs the artefact: inputs in, logits out."""

import threading
from pathlib import Path

import keras
import numpy as np

from cxrmodel.errors import AlteredWeights
from cxrmodel.model.spec import MODEL_FOLDER, ModelSpec, read_weights

__all__ = ["KerasEngine"]


class KerasEngine:
    """The trained network under Keras.

    Attributes
    ----------
    network : keras.Model
        Input (N, size, size, 1) float32, output (N, 1) float32.
    lock : threading.RLock
        Held while the network runs: sessions share one engine, and Keras promises no thread safety.

    Raises
    ------
    MissingWeights, AlteredWeights
    """

    def __init__(self, spec: ModelSpec, folder: Path = MODEL_FOLDER):
        path = read_weights(spec, folder)
        try:
            self.network = keras.models.load_model(path, compile=False)
        except (OSError, ValueError, TypeError) as error:
            raise AlteredWeights(f"The weights {path} cannot be loaded. Install the program again.") from error
        self.lock = threading.RLock()

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """Logits of a batch.

        Parameters
        ----------
        inputs : ndarray of float32, shape (N, size, size, 1)

        Returns
        -------
        ndarray of float64, shape (N,)
        """
        with self.lock:
            return self.network.predict_on_batch(inputs)[:, 0].astype(np.float64)
