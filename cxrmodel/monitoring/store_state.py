"""The store as a server sees it: whether it can be used, and its state as metrics, looked up when they are asked."""

import threading
from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from cxrmodel.configuration.schema import StoreSection
from cxrmodel.errors import CxrError
from cxrmodel.monitoring.metrics import known_code
from cxrmodel.store.opening import open_store
from cxrmodel.store.records import DeliveryState, JobState, StoreState
from cxrmodel.store.store import Store


class StoreLink:
    """The store of the configuration, opened when it is needed: a server starts although the database is down.

    Parameters
    ----------
    section : StoreSection
    """

    def __init__(self, section: StoreSection) -> None:
        self._section = section
        self._store: Store | None = None
        self._lock = threading.Lock()

    def state(self) -> StoreState:
        """Give the numbers of the store, which has the schema of this program.

        Raises
        ------
        CxrError
        """
        return self._opened().state()

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None

    def _opened(self) -> Store:
        with self._lock:
            if self._store is None:
                self._store = open_store(self._section.address(), self._section.folder)
            return self._store


class StoreMetrics(Collector):
    """Jobs and deliveries by state, the age of the oldest, and reasons by code.

    Parameters
    ----------
    look : callable
        Gives the state of the store; raises a ``CxrError`` where it cannot be used.
    """

    def __init__(self, look: Callable[[], StoreState]) -> None:
        self._look = look

    def describe(self) -> Iterator[Metric]:
        """Name the metrics without looking at the store."""
        return _families(None)

    def collect(self) -> Iterator[Metric]:
        """Look at the store."""
        try:
            state = self._look()
        except CxrError:
            return _families(None)
        return _families(state)


def _families(state: StoreState | None) -> Iterator[Metric]:
    """The metrics of a store; of one that cannot be used only that."""
    up = GaugeMetricFamily("cxrmodel_store_up", "Whether the store can be used: 1, else 0.")
    up.add_metric([], float(state is not None))
    jobs = GaugeMetricFamily("cxrmodel_store_jobs", "Images in the store by state.", labels=["state"])
    deliveries = GaugeMetricFamily(
        "cxrmodel_store_deliveries", "Results in the outbox by state; dead ones are dead letters.", labels=["state"]
    )
    reasons = GaugeMetricFamily(
        "cxrmodel_store_refusals",
        "Images in the store without a number by code: refused, skipped, given up, never taken in.",
        labels=["code"],
    )
    oldest_job = GaugeMetricFamily(
        "cxrmodel_store_oldest_job_seconds", "Age of the oldest image that is not read yet; 0 where none waits."
    )
    oldest_delivery = GaugeMetricFamily(
        "cxrmodel_store_oldest_delivery_seconds", "Age of the oldest result that is not sent yet; 0 where none waits."
    )
    readers = GaugeMetricFamily(
        "cxrmodel_store_readers", "Workers that read images and gave a sign of life within the last minute."
    )
    if state is not None:
        readers.add_metric([], state.readers)
        for job_state in JobState:
            jobs.add_metric([job_state], state.jobs.get(job_state, 0))
        for delivery_state in DeliveryState:
            deliveries.add_metric([delivery_state], state.deliveries.get(delivery_state, 0))
        counts: dict[str, int] = {}
        for code, count in state.refusals.items():
            counts[known_code(code)] = counts.get(known_code(code), 0) + count
        for code, count in counts.items():
            reasons.add_metric([code], count)
        oldest_job.add_metric([], state.oldest_waiting or 0.0)
        oldest_delivery.add_metric([], state.oldest_delivery or 0.0)
    yield from (up, jobs, deliveries, reasons, oldest_job, oldest_delivery, readers)
