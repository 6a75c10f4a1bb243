"""The reference engine: the trained network under Keras."""

import threading
from pathlib import Path

import keras
import numpy as np

from cxrmodel.errors import AlteredWeights
from cxrmodel.model.engine import Engine, Floats, Logits
from cxrmodel.model.network import for_reading
from cxrmodel.model.spec import ModelSpec, read_weights
from cxrmodel.paths import MODEL_FOLDER


class KerasEngine(Engine):
    """The Keras network, from which the exported graph is derived.

    Attributes
    ----------
    network : keras.Model
        Input (N, size, size, 1) float32, output (N, 1) float32, the logit.

    Raises
    ------
    MissingWeights, AlteredWeights
    """

    def __init__(self, spec: ModelSpec, folder: Path = MODEL_FOLDER) -> None:
        path = read_weights(spec, folder)
        try:
            self.network = keras.models.load_model(path, compile=False)
        except Exception as error:  # a damaged file makes the library raise anything
            raise AlteredWeights("model.unusable_graph", path=str(path)) from error
        self._all = for_reading(self.network, spec.model)
        self._lock = threading.Lock()  # Keras guarantees no thread safety

    def read(self, inputs: Floats) -> tuple[Logits, Floats, Floats]:
        """Logits, contributions and features of a batch; see ``cxrmodel.model.engine.Engine``."""
        with self._lock:
            logits, contributions, features = self._all.predict_on_batch(inputs)
        return logits[:, 0].astype(np.float64), contributions[..., 0], features

    def single_threaded(self) -> "KerasEngine":
        """Return the engine itself: Keras has its own threads, and calls run one at a time."""
        return self
