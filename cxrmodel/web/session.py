"""The session's state: its images, each read once, and their computed results. It ends with the session."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar, cast

import streamlit as st
from streamlit import config

from cxrmodel.errors import CxrError, ImageRefused
from cxrmodel.messages import Message
from cxrmodel.prevalence import site_prevalence
from cxrmodel.reading import Reader
from cxrmodel.scheduling import Client, Notify
from cxrmodel.web.errors import log_failure
from cxrmodel.web.kept import SHELF, Entry, Kept, Key

Made = TypeVar("Made")

MOST_IMAGES = 50
MOST_MEGABYTES = 600
MOST_RESULTS = 64
"""Computed results kept; the oldest makes room."""

_KEPT = "kept images"
_SELECTED = "selected image"
_BATCH = "batch"
_PREVALENCE = "prevalence"


@dataclass(eq=False)
class Batch:
    """Files given together, and their entries so far.

    Attributes
    ----------
    waiting : deque of (str, bytes)
        Name and content of each file that was not read yet.
    entries : list of Entry
        One for each file that was read, in their order.
    client : Client
        Who takes turns in the queue of the server.
    """

    waiting: deque[tuple[str, bytes]] = field(default_factory=deque)
    entries: list[Entry] = field(default_factory=list)
    client: Client = field(default_factory=Client)

    @property
    def total(self) -> int:
        """Number of files, read or not."""
        return len(self.entries) + len(self.waiting)


def minutes_kept() -> float:
    """Minutes for which a session is kept after its tab was closed."""
    return float(config.get_option("server.disconnectedSessionTTL")) / 60


def prevalence() -> float:
    """Prevalence of every number that the session shows: the one set on a page, else that of the site."""
    chosen = st.session_state.get(_PREVALENCE)
    return site_prevalence() if chosen is None else float(chosen)


def set_prevalence(prevalence: float) -> None:
    """Set the prevalence of every number that the session shows.

    Parameters
    ----------
    prevalence : float
        Strictly between 0 and 1.
    """
    st.session_state[_PREVALENCE] = prevalence


def entries() -> list[Entry]:
    """List all files of the session, latest first; their readings at the session's prevalence."""
    wanted = prevalence()
    return [_at(entry, wanted) for entry in reversed(list(_kept().images.values()))]


def readings() -> list[Entry]:
    """List the images that were read, latest first."""
    return [entry for entry in entries() if entry.status == "read"]


def discarded() -> int:
    """Count the images that made room for later ones since the session was last cleared."""
    return _kept().discarded


def selected() -> Entry | None:
    """Return the image that the user looks at: the one selected, else the latest one read, else the latest file."""
    entry = _kept().images.get(st.session_state.get(_SELECTED, ""))
    return _at(entry, prevalence()) if entry is not None else next(iter(readings() or entries()), None)


def select(key: str) -> None:
    """Make an image the one that the user looks at, on every page.

    Parameters
    ----------
    key : str
        Key of its entry.
    """
    st.session_state[_SELECTED] = key


def remove(key: str) -> None:
    """Forget one image.

    Parameters
    ----------
    key : str
        Key of its entry.
    """
    _kept().remove(key)


def clear() -> None:
    """Forget every image of the session."""
    for key in (_KEPT, _SELECTED, _BATCH):
        st.session_state.pop(key, None)


def give(files: Iterable[tuple[str, bytes]]) -> None:
    """Add files to those that wait to be read.

    Parameters
    ----------
    files : iterable of (str, bytes)
        Name and content of each.
    """
    st.session_state.setdefault(_BATCH, Batch()).waiting.extend(files)


def batch() -> Batch | None:
    """Return the batch that is being read, or was read last and not taken."""
    return cast(Batch | None, st.session_state.get(_BATCH))


def take_batch() -> Batch | None:
    """Return the batch once all of it was read, and forget that it was one."""
    current = batch()
    return cast(Batch, st.session_state.pop(_BATCH)) if current and not current.waiting else None


def read_next(reader: Reader, notify: Notify | None = None) -> None:
    """Read the next file of the batch, unless the session has read it before.

    The same bytes under another name share one reading. The first of a batch that was read becomes the selected one.

    Parameters
    ----------
    reader : Reader
    notify : callable, optional
        Called with the place in the server's queue. An exception that it raises leaves the file waiting.
    """
    current, images = st.session_state[_BATCH], _kept().images
    name, data = current.waiting[0]
    content = f"{hashlib.sha256(data).hexdigest()} {reader.spec.version} "
    key = content + name
    entry = images.get(key)
    if entry is None or entry.status == "failed":
        known = [other for other in list(images.values()) if other.key.startswith(content) and other.status != "failed"]
        entry = _renamed(known[0], key, name) if known else _read(reader, key, name, data, current.client, notify)
        _kept().add(entry)
        _make_room()
    current.waiting.popleft()
    first = not current.entries
    if first or (entry.status == "read" and all(other.status != "read" for other in current.entries)):
        select(entry.key)
    current.entries.append(entry)


def compute(key: Key, make: Callable[[], Made]) -> Made:
    """Return a result of the session, computed at most once; an error or a stopped run keeps nothing.

    Parameters
    ----------
    key : tuple of str
        SHA-256 of the image, version of the model, and whatever else the result depends on.
    make : callable
    """
    known = _kept().results
    if key not in known:
        made = make()
        results = _kept().results
        results[key] = made
        while len(results) > MOST_RESULTS:
            del results[next(iter(results))]
        return made
    return cast(Made, known[key])


def computed(key: Key) -> object | None:
    """Return the result of a key, None where it was not computed."""
    return _kept().results.get(key)


def keep_latest(key: str, make: Callable[[], Made]) -> Made:
    """Return something large computed from the current image; only the latest key is kept.

    Parameters
    ----------
    key : str
        Of the image, and of whatever else the result depends on.
    make : callable
    """
    latest = _kept().latest
    if latest is None or latest[0] != key:
        latest = _kept().latest = key, make()
    return cast(Made, latest[1])


def _kept() -> Kept:
    return cast(Kept, st.session_state.setdefault(_KEPT, Kept()))


def _at(entry: Entry, prevalence: float) -> Entry:
    reading = entry.reading and entry.reading.at(prevalence)
    return entry if reading is entry.reading else replace(entry, reading=reading)


def _renamed(entry: Entry, key: str, name: str) -> Entry:
    reading = entry.reading
    if reading is not None:
        reading = replace(reading, radiograph=replace(reading.radiograph, name=name))
    return replace(entry, key=key, name=name, reading=reading)


def _read(reader: Reader, key: str, name: str, data: bytes, client: Client, notify: Notify | None) -> Entry:
    now = datetime.now().astimezone()
    try:
        return Entry(key, name, "read", reader.read(data, name, client, notify), None, now)
    except ImageRefused as refusal:
        return Entry(key, name, "refused", None, refusal.message, now)
    except CxrError as failure:
        return Entry(key, name, "failed", None, failure.message, now)
    except Exception as error:
        reason = Message("web.read.failed", reference=log_failure(error))
        return Entry(key, name, "failed", None, reason, now)


def _make_room() -> None:
    """Drop the oldest images until session and server are within their bounds; the latest always stays."""
    kept = _kept()
    while len(kept.images) > 1 and (len(kept.images) > MOST_IMAGES or kept.bytes() > MOST_MEGABYTES * 1e6):
        kept.discard_oldest()
    SHELF.make_room(kept)
