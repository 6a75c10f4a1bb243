"""The log on standard error: events as codes and values, in words or as JSON, without identity.

An event is a code of ``texts/en/logs.toml`` and values. Only the keys of `FIELDS` are written, each only where its
value has the form that its key prescribes; so no name, number or path of a patient can enter. What libraries log is
reduced to the library, the level and, of an error, its kind and its lines of code: their messages quote values.
"""

import json
import logging
import re
import secrets
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from cxrmodel.messages import Message, catalogue

WITHHELD: Final = "withheld"
"""Written in place of a value that does not have the form of its key."""

_LOG = logging.getLogger("cxrmodel")
_MESSAGE = "cxrmodel_message"
"""Attribute of a record that holds the event."""
_names: set[str] = set()


def know(names: Iterable[str]) -> None:
    """Allow names that the operator chose, such as those of inboxes and targets, as values of ``name``.

    Parameters
    ----------
    names : iterable of str
        From the configuration. Others are withheld.
    """
    _names.update(names)


def _matches(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < 1e15


def _is_id(value: Any) -> bool:
    return (isinstance(value, int) and 0 <= value < 2**63) or _RANDOM(value)


_MOST_LINES = 100
_LINE = r"[\w.<> -]{1,80}:\d{1,7}"
_RANDOM = _matches(r"[0-9a-f]{32}")
_WORD = _matches(r"[a-z][a-z_-]{0,31}")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_NUMBERS = ("bytes", "count", "milliseconds", "port", "seconds", "status", "tries", "waiting")
_WORDS = ("kind", "outcome", "stage", "state")
_IDS = ("delivery", "job", "request", "worker")

FIELDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(_NUMBERS, _is_number),
    **dict.fromkeys(_WORDS, _WORD),
    **dict.fromkeys(_IDS, _is_id),
    "cause": lambda value: isinstance(value, str) and value in catalogue().texts,
    "error": _matches(r"[A-Za-z_]\w{0,79}"),
    "library": _matches(r"[a-z_]\w{0,39}"),
    "method": lambda value: value in _METHODS,
    "model": _matches(r"[a-z0-9_-]{1,40} [0-9a-f]{12}"),
    "name": lambda value: value in _names,
    "place": _matches(rf"{_LINE}( > {_LINE}){{0,{_MOST_LINES - 1}}}|no line"),
    "reference": _matches(r"[0-9A-F]{6}"),
    "route": _matches(r"/[\w/{}:.-]{0,79}|other"),
    "version": _matches(r"\d{1,3}(\.\d{1,3}){1,2}([a-z]{1,4}\d{0,3})?"),
}
"""Keys that events may have, and whether a value has the form of its key.

Numbers; words of the program; numbers of the store and random identifiers; codes of the catalogue; names of the
configuration (`know`); addresses of the program as templates, never as they were asked for.
"""


def event(code: str, level: int = logging.INFO, **values: Any) -> None:
    """Log an event.

    Parameters
    ----------
    code : str
        Of ``texts/en/logs.toml``.
    level : int
        Of ``logging``.
    **values
        Keys of `FIELDS`. A value without the form of its key is withheld.

    Raises
    ------
    KeyError
        For a key that no event may have.
    """
    checked = {key: value if FIELDS[key](value) else WITHHELD for key, value in values.items()}
    message = Message(code, **checked)
    _LOG.log(level, "%s", message, extra={_MESSAGE: message})


def log_failure(error: BaseException) -> str:
    """Log an unexpected error: its kind and its lines of code. Its message may quote a patient's name.

    Returns
    -------
    str
        The reference number under which it was logged, six hexadecimal digits.
    """
    reference = secrets.token_hex(3).upper()
    event("logs.failure", logging.ERROR, reference=reference, error=type(error).__name__, place=place_of(error))
    return reference


def place_of(error: BaseException) -> str:
    """Name the lines of code through which an error came, the outermost first."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_LINES:]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames) or "no line"


def start(as_json: bool = False, names: Iterable[str] = ()) -> None:
    """Log to standard error from now on, in the whole process; first of all, before libraries make loggers.

    Parameters
    ----------
    as_json : bool
        Write a JSON object per line, else a sentence.
    names : iterable of str
        As for `know`.
    """
    know(names)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else Sentences())
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or hasattr(record, _MESSAGE))
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    _LOG.setLevel(logging.INFO)
    logging.captureWarnings(True)
    logging.setLoggerClass(_Plain)
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.handlers.clear()
            logger.propagate = True
    sys.excepthook = _uncaught
    threading.excepthook = lambda found: _uncaught(found.exc_type, found.exc_value, found.exc_traceback)
    sys.unraisablehook = lambda found: _uncaught(found.exc_type, found.exc_value, found.exc_traceback)


class _Plain(logging.Logger):
    """A logger without handlers of its own: what it logs reaches the one of the program."""

    def addHandler(self, hdlr: logging.Handler) -> None:
        """Add none."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, True if name == "propagate" else value)


class Sentences(logging.Formatter):
    """Writes a record as time, level and a sentence."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        return f"{_time(record)} {record.levelname.lower()} {_message(record)}"


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object: ``time``, ``level``, ``event``, and the values of the event."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        message = _message(record)
        known = {"time": _time(record), "level": record.levelname.lower(), "event": message.code.removeprefix("logs.")}
        return json.dumps(known | message.values)


def _message(record: logging.LogRecord) -> Message:
    """Give the event of a record; of a library's, what may be known of it."""
    found = getattr(record, _MESSAGE, None)
    if isinstance(found, Message):
        return found
    library = record.name.partition(".")[0]
    values = {"library": library if FIELDS["library"](library) else WITHHELD}
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        place = f"{record.filename}:{record.lineno}"
        return Message("logs.library", **values, place=place if FIELDS["place"](place) else WITHHELD)
    return Message("logs.library_failure", **values, error=type(error).__name__, place=place_of(error))


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _uncaught(_kind: type[BaseException], error: BaseException | None, _traceback: TracebackType | None) -> None:
    if error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
        log_failure(error)
