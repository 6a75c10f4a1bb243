"""The metrics of a process: what it counts and measures, and the states of the store.

Every label has a fixed set of values: words of the program, codes of the catalogue, names of the configuration.
Whatever else is given becomes ``other``; so no label can hold identity, and their number is bounded.
"""

from collections.abc import Iterable
from typing import Final, Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.registry import Collector

from cxrmodel import __version__
from cxrmodel.messages import catalogue

# The time at which a counter began, once for each of its labels. The function states no type.
disable_created_metrics()  # type: ignore[no-untyped-call]

OTHER: Final = "other"
Source = Literal["api", "worker"]
SOURCES: Final = ("api", "worker")
OUTCOMES: Final = ("read", "refused", "error")
STAGES: Final = ("receive", "wait", "read", "sr", "sc", "store", "deliver")
"""Receiving a request, waiting for a turn, reading, making each result, storing them, sending one."""
DELIVERIES: Final = ("delivered", "retried", "dead")
_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Counters of one process; safe to use from several threads.

    Parameters
    ----------
    targets : iterable of str
        Names of targets in the configuration.
    *collectors : Collector
        Of states that are looked up when the metrics are asked for, such as that of the store.
    """

    def __init__(self, targets: Iterable[str] = (), *collectors: Collector) -> None:
        self.registry = CollectorRegistry()
        self._targets = frozenset(targets)
        self._build = Info("cxrmodel_build", "Versions of the program and of its model.", registry=self.registry)
        self._build.info({"version": __version__})
        self._images = Counter("cxrmodel_images", "Images by outcome.", ["source", "outcome"], registry=self.registry)
        self._refusals = Counter(
            "cxrmodel_refusals",
            "Reasons why there is no reading, by code.",
            ["source", "code"],
            registry=self.registry,
        )
        self._stages = Histogram(
            "cxrmodel_stage_seconds",
            "Time that each stage takes for an image or a result.",
            ["source", "stage"],
            registry=self.registry,
            buckets=_BOUNDS,
        )
        self._deliveries = Counter(
            "cxrmodel_deliveries",
            "Attempts to send a result, by target and outcome.",
            ["target", "outcome"],
            registry=self.registry,
        )
        self._requests = Counter(
            "cxrmodel_requests",
            "Answered requests to the server, by address and status.",
            ["route", "status"],
            registry=self.registry,
        )
        self._held = Gauge(
            "cxrmodel_held_requests",
            "Readings that the HTTP interface receives, has waiting, or reads.",
            registry=self.registry,
        )
        for source in SOURCES:
            for outcome in OUTCOMES:
                self._images.labels(source, outcome)
        ProcessCollector(registry=self.registry)
        for collector in collectors:
            self.registry.register(collector)

    def model(self, version: str) -> None:
        """State the version of the model that reads."""
        self._build.info({"version": __version__, "model": version})

    def image(self, source: Source, outcome: str, codes: Iterable[str] = ()) -> None:
        """Count an image.

        Parameters
        ----------
        source : {"api", "worker"}
        outcome : str
            One of ``OUTCOMES``.
        codes : iterable of str
            Why there is no reading; of one that was read, nothing.
        """
        self._images.labels(source, _known(outcome, OUTCOMES)).inc()
        if outcome != "read":
            for code in codes:
                self.refusal(source, code)

    def refusal(self, source: Source, code: str) -> None:
        """Count a reason why there is no reading, by the code of its message."""
        self._refusals.labels(source, known_code(code)).inc()

    def stage(self, source: Source, stage: str, seconds: float) -> None:
        """Count how long a stage took; it is one of ``STAGES``."""
        self._stages.labels(source, _known(stage, STAGES)).observe(seconds)

    def delivery(self, target: str, outcome: str) -> None:
        """Count an attempt to send a result; the outcome is one of ``DELIVERIES``."""
        self._deliveries.labels(_known(target, self._targets), _known(outcome, DELIVERIES)).inc()

    def request(self, route: str, status: int) -> None:
        """Count an answered request, by the template of its address."""
        self._requests.labels(route, str(status)).inc()

    def held(self, number: int) -> None:
        """State how many readings the HTTP interface holds."""
        self._held.set(number)

    def text(self) -> bytes:
        """Write all metrics in the text format of Prometheus."""
        return generate_latest(self.registry)


def known_code(code: str) -> str:
    """Give a code of the catalogue, for any other ``other``."""
    return _known(code, catalogue().texts)


def _known(value: str, values: Iterable[str]) -> str:
    return value if value in values else OTHER
