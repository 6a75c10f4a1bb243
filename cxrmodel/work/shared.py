"""What the parts of a worker share."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cxrmodel.monitoring.metrics import Metrics
from cxrmodel.store.store import Store
from cxrmodel.work.leases import Leases
from cxrmodel.work.waiting import Bell

POLL_SECONDS = 1.0
"""Between two looks for work that another process has made. Work of this process rings the bell."""
UNEXPECTED = "work.unexpected"
"""Code of an error that the program does not foresee."""


@dataclass(frozen=True)
class Shared:
    """What the parts of a worker share.

    Attributes
    ----------
    worker : str
        Name of the worker in the store: 32 random hexadecimal digits.
    store : Store
    leases : Leases
    metrics : Metrics
    bell : Bell
        Rings when there is an image to read or a result to send.
    """

    worker: str
    store: Store
    leases: Leases
    metrics: Metrics
    bell: Bell

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Measure a ``with`` block that ends without an error as a stage of the work."""
        start = time.perf_counter()
        yield
        self.metrics.stage("worker", stage, time.perf_counter() - start)
