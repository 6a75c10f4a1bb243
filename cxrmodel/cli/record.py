"""What ``read`` prints of one file: the keys of ``--json`` and the columns of ``--csv``."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from cxrmodel.errors import ImageRefused
from cxrmodel.messages import Message
from cxrmodel.reading import Reading

__all__ = ["COLUMNS", "Record", "make_record"]


@dataclass(frozen=True)
class Record:
    """Result of one file. The keys are described in README.md; without a reading most are None."""

    file: str
    status: Literal["read", "refused", "error"]
    probability: float | None = None
    finding: str | None = None
    uncertain_from: float | None = None
    uncertain_to: float | None = None
    operating_point: str | None = None
    threshold: float | None = None
    reasons: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    heat_in_lungs: float | None = None
    model: str | None = None
    prevalence: float | None = None
    milliseconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The record as a JSON object."""
        return asdict(self)

    def as_row(self) -> dict[str, Any]:
        """The record as a row of a table: ``reasons`` and ``codes`` are joined by semicolons."""
        return asdict(self) | {"reasons": "; ".join(self.reasons), "codes": "; ".join(self.codes)}


COLUMNS = tuple(field.name for field in fields(Record))
"""Keys and columns, in order."""


def make_record(file: str, outcome: Reading | Exception, model: str) -> Record:
    """Make the record of a file.

    Parameters
    ----------
    file : str
        Path as printed.
    outcome : Reading or Exception
        The reading, or why there is none.
    model : str
        Version of the model.
    """
    if isinstance(outcome, Reading):
        return Record(file, **outcome.as_record())
    if isinstance(outcome, ImageRefused):
        return _without_reading(file, "refused", outcome.message, model)
    if isinstance(outcome, OSError):
        reason = Message("cli.read.unreadable", reason=outcome.strerror or str(outcome))
    else:
        reason = Message("cli.read.unexpected", error=type(outcome).__name__)
    return _without_reading(file, "error", reason, model)


def _without_reading(file: str, status: Literal["refused", "error"], reason: Message, model: str) -> Record:
    return Record(file, status, reasons=(str(reason),), codes=(reason.code,), model=model)
