"""What crosses between the process that keeps an archive's output and those that score: plain values, easy to send."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from cxrmodel.archive.sources.source import Item, SourceName


@dataclass(frozen=True)
class Settings:
    """What every process that scores for one run shares.

    Attributes
    ----------
    model : str
        Name in ``cxrmodel.models.MODELS``.
    version : str
        Of that model; a process that has another one must not score.
    prevalence : float
        Of every reading, 0..1.
    identity : bool
        Whether rows hold file names and DICOM identifiers.
    heatmaps : bool
        Whether maps are kept.
    sources : tuple of SourceName
        By the number that tasks name.
    """

    model: str
    version: str
    prevalence: float
    identity: bool
    heatmaps: bool
    sources: tuple[SourceName, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One image to score.

    Attributes
    ----------
    number : int
        Of the image in the output.
    source : int
        Place of its source in ``Settings.sources``.
    item : Item
    """

    number: int
    source: int
    item: Item


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The result of one task.

    Attributes
    ----------
    number : int
        Of the task.
    row : dict of str to object
        By column of ``cxrmodel.archive.columns.SCHEMA``.
    heatmap : dict of str to object or None
        By column of ``cxrmodel.archive.heatmaps.SCHEMA``; None where there is no reading, or none was asked for.
    """

    number: int
    row: dict[str, Any]
    heatmap: dict[str, Any] | None = None


class Runner(Protocol):
    """Where tasks are scored: in this process (``Scorer``), or on a cluster."""

    def score(self, tasks: Iterator[Task]) -> Iterator[Scored]:
        """Score tasks, in any order. Each gives a result at least once; the first counts.

        Lazy in both directions: tasks are taken, and results made, only as results are asked for, but for a bounded
        number in flight. So a slow disk slows everything down, and memory stays flat.

        Raises
        ------
        SourceUnavailable
            When a source cannot be reached.
        ModelError
            When a process has another version of the model.
        """
        ...
