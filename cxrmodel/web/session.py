"""The session's state: its images, each read once, and their computed results. It ends with the session."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar, cast

import streamlit as st

from cxrmodel.errors import CxrError, ImageRefused
from cxrmodel.messages import Message
from cxrmodel.reading import Reader, Reading
from cxrmodel.web.errors import log_failure

Made = TypeVar("Made")
Key = tuple[str, ...]

MOST_IMAGES = 50
MOST_MEGABYTES = 600
MOST_RESULTS = 64
"""Computed results kept; the oldest makes room."""

_IMAGES = "images"
_SELECTED = "selected image"
_DISCARDED = "images discarded"
_LATEST = "latest"
_RESULTS = "computed results"


@dataclass(frozen=True, eq=False)
class Entry:
    """One file from the user.

    Attributes
    ----------
    key : str
        SHA-256 of the bytes and of the weights, and the name: the same file under the same name, read by the same
        model, is the same entry.
    name : str
        Original file name.
    status : {"read", "refused", "failed"}
        Refused: by a check or a decoder. Failed: any other error.
    reading : Reading or None
        Only where the status is "read".
    reason : Message or None
        Why there is no reading, and what to do next.
    read_at : datetime
        When its bytes were read, in local time with its zone.
    """

    key: str
    name: str
    status: str
    reading: Reading | None
    reason: Message | None
    read_at: datetime


def entries() -> list[Entry]:
    """List all files of the session, latest first."""
    return list(reversed(_images().values()))


def readings() -> list[Entry]:
    """List the images that were read, latest first."""
    return [entry for entry in entries() if entry.status == "read"]


def discarded() -> int:
    """Count the images that made room for later ones since the session was last cleared."""
    return int(st.session_state.get(_DISCARDED, 0))


def selected() -> Entry | None:
    """Return the image that the user looks at: the one selected, else the latest one read, else the latest file."""
    entry = _images().get(st.session_state.get(_SELECTED, ""))
    return entry if entry is not None else next(iter(readings() or entries()), None)


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
    entry = _images().pop(key, None)
    if entry is not None:
        _forget_results(entry)


def clear() -> None:
    """Forget every image of the session."""
    for key in (_IMAGES, _SELECTED, _DISCARDED, _LATEST, _RESULTS):
        st.session_state.pop(key, None)


def read_files(reader: Reader, files: Iterable[tuple[str, bytes]], progress: Callable[[int, str], None]) -> list[Entry]:
    """Read every file that the session has not read yet. The same bytes under another name share one reading.

    Parameters
    ----------
    reader : Reader
    files : iterable of (str, bytes)
        Name and content of each.
    progress : callable
        Called before each file with its number, from 1, and its name.

    Returns
    -------
    list of Entry
        One for each file, in their order. The first of them that was read becomes the selected one.
    """
    images, given = _images(), []
    for number, (name, data) in enumerate(files, start=1):
        progress(number, name)
        content = f"{hashlib.sha256(data).hexdigest()} {reader.spec.version} "
        key = content + name
        entry = images.get(key)
        if entry is None or entry.status == "failed":
            known = (other for other in images.values() if other.key.startswith(content) and other.status != "failed")
            twin = next(known, None)
            entry = _read(reader, key, name, data) if twin is None else _renamed(twin, key, name)
            images.pop(key, None)
            images[key] = entry
            _make_room(images)
        given.append(entry)
    if given:
        select(next((entry for entry in given if entry.status == "read"), given[0]).key)
    return given


def compute(key: Key, make: Callable[[], Made]) -> Made:
    """Return a result of the session, computed at most once; an error or a stopped run keeps nothing.

    Parameters
    ----------
    key : tuple of str
        SHA-256 of the image, version of the model, and whatever else the result depends on.
    make : callable
    """
    results = _results()
    if key not in results:
        results[key] = make()
        while len(results) > MOST_RESULTS:
            del results[next(iter(results))]
    return cast(Made, results[key])


def computed(key: Key) -> object | None:
    """Return the result of a key, None where it was not computed."""
    return _results().get(key)


def keep_latest(key: str, make: Callable[[], Made]) -> Made:
    """Return something large computed from the current image; only the latest key is kept.

    Parameters
    ----------
    key : str
        Of the image, and of whatever else the result depends on.
    make : callable
    """
    if st.session_state.get(_LATEST, ("",))[0] != key:
        st.session_state[_LATEST] = key, make()
    return cast(Made, st.session_state[_LATEST][1])


def _images() -> dict[str, Entry]:
    return cast(dict[str, Entry], st.session_state.setdefault(_IMAGES, {}))


def _results() -> dict[Key, object]:
    return cast(dict[Key, object], st.session_state.setdefault(_RESULTS, {}))


def _forget_results(entry: Entry) -> None:
    """Forget the results of a removed image, unless the session holds it under another name."""
    st.session_state.pop(_LATEST, None)
    held = {other.reading.radiograph.sha256 for other in _images().values() if other.reading}
    if entry.reading and entry.reading.radiograph.sha256 not in held:
        results = _results()
        for key in [key for key in results if key[0] == entry.reading.radiograph.sha256]:
            del results[key]


def _renamed(entry: Entry, key: str, name: str) -> Entry:
    reading = entry.reading
    if reading is not None:
        reading = replace(reading, radiograph=replace(reading.radiograph, name=name))
    return replace(entry, key=key, name=name, reading=reading)


def _read(reader: Reader, key: str, name: str, data: bytes) -> Entry:
    now = datetime.now().astimezone()
    try:
        return Entry(key, name, "read", reader.read(data, name), None, now)
    except ImageRefused as refusal:
        return Entry(key, name, "refused", None, refusal.message, now)
    except CxrError as failure:
        return Entry(key, name, "failed", None, failure.message, now)
    except Exception as error:
        reason = Message("web.read.failed", reference=log_failure(error))
        return Entry(key, name, "failed", None, reason, now)


def _megabytes(images: dict[str, Entry]) -> float:
    """Memory that the images' pixels take; entries of the same bytes share theirs."""
    radiographs = (entry.reading.radiograph for entry in images.values() if entry.reading)
    return sum({image.sha256: image.pixels.nbytes for image in radiographs}.values()) / 1e6


def _make_room(images: dict[str, Entry]) -> None:
    """Drop the oldest images until the session is within its bounds; the latest always stays."""
    while len(images) > 1 and (len(images) > MOST_IMAGES or _megabytes(images) > MOST_MEGABYTES):
        _forget_results(images.pop(next(iter(images))))
        st.session_state[_DISCARDED] = discarded() + 1
