"""An engine for many images: parts of a batch run at one time, each on its own core."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cxrmodel.artefacts import cores
from cxrmodel.model.engine import Engine, Floats, Logits


class ParallelEngine(Engine):
    """The same network, without cores that wait for each other within a layer.

    Parameters
    ----------
    engine : Engine
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._pool = engine.single_threaded(), ThreadPoolExecutor(cores())

    def read(self, inputs: Floats) -> tuple[Logits, Floats, Floats]:
        """Outputs of a batch; see ``cxrmodel.model.engine.Engine``."""
        parts = np.array_split(inputs, min(cores(), len(inputs)))
        logits, contributions, features = zip(*self._pool.map(self._engine.read, parts), strict=True)
        return np.concatenate(logits), np.concatenate(contributions), np.concatenate(features)

    def single_threaded(self) -> Engine:
        """The network on the calling thread."""
        return self._engine
