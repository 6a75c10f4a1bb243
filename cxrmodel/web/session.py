"""The images of one session: read once, kept in the session's own memory, and gone when it ends."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import streamlit as st

from cxrmodel.errors import CxrError, ImageRefused
from cxrmodel.reading import Reader, Reading
from cxrmodel.web.errors import log_failure
from cxrmodel.web.heatmap import maps

__all__ = [
    "MOST_IMAGES",
    "MOST_MEGABYTES",
    "Entry",
    "choose",
    "chosen",
    "clear",
    "entries",
    "forgotten",
    "kept",
    "readings",
    "remove",
    "take",
]

Made = TypeVar("Made")

MOST_IMAGES = 50
MOST_MEGABYTES = 600

_IMAGES = "images of this session"
_CHOSEN = "chosen image"
_FORGOTTEN = "images forgotten for want of room"
_KEPT = "what was made of the image last shown"


@dataclass(frozen=True, eq=False)
class Entry:
    """What became of one file that the user gave.

    Attributes
    ----------
    key : str
        SHA-256 of the bytes and of the weights, and the name: the same file under the same name, read by the same
        model, is the same entry.
    name : str
        File name as the user gave it.
    status : str
        "read", "refused" (a refusal by name) or "failed" (anything else).
    reading : Reading or None
        Only where the status is "read".
    message : str
        Why there is no reading, and what to do next; empty where there is one.
    read_at : datetime
        When its bytes were read, in local time with its zone.
    """

    key: str
    name: str
    status: str
    reading: Reading | None
    message: str
    read_at: datetime


def entries() -> list[Entry]:
    """List what became of every file of the session, latest first."""
    return list(reversed(_shelf().values()))


def readings() -> list[Entry]:
    """List the images that were read, latest first."""
    return [entry for entry in entries() if entry.status == "read"]


def forgotten() -> int:
    """Count the images that had to make room for later ones since the session was last cleared."""
    return st.session_state.get(_FORGOTTEN, 0)


def chosen() -> Entry | None:
    """Give the image that the user looks at; the latest one read unless another was chosen."""
    shelf = _shelf()
    entry = shelf.get(st.session_state.get(_CHOSEN, ""))
    return entry if entry is not None else next(iter(readings() or entries()), None)


def choose(key: str) -> None:
    """Make an image the one that the user looks at, on every page.

    Parameters
    ----------
    key : str
        Key of its entry.
    """
    st.session_state[_CHOSEN] = key


def remove(key: str) -> None:
    """Forget one image.

    Parameters
    ----------
    key : str
        Key of its entry.
    """
    entry = _shelf().pop(key, None)
    if entry is not None:
        _forget_maps(entry)


def clear() -> None:
    """Forget every image of the session."""
    for key in (_IMAGES, _CHOSEN, _FORGOTTEN, _KEPT):
        st.session_state.pop(key, None)
    maps.clear()


def kept(key: str, make: Callable[[], Made]) -> Made:
    """Give what was made of the image that is shown. It is kept until another image's takes its place.

    Parameters
    ----------
    key : str
        Of the image, and of whatever else the result depends on.
    make : callable
        Makes it anew.
    """
    if st.session_state.get(_KEPT, ("",))[0] != key:
        st.session_state[_KEPT] = key, make()
    return st.session_state[_KEPT][1]


def take(
    reader: Reader,
    files: Iterable[tuple[str, bytes]],
    working: Callable[[int, str], None],
) -> list[Entry]:
    """Read every file that the session has not read yet. The same bytes under another name share one reading.

    Parameters
    ----------
    reader : Reader
    files : iterable of (str, bytes)
        Name and content of each.
    working : callable
        Called before each file with its number, from 1, and its name.

    Returns
    -------
    list of Entry
        One for each file, in their order. The first of them that was read becomes the chosen one.
    """
    shelf = _shelf()
    taken = []
    for number, (name, data) in enumerate(files, start=1):
        working(number, name)
        content = f"{hashlib.sha256(data).hexdigest()} {reader.spec.weights_sha256} "
        key = content + name
        entry = shelf.get(key)
        if entry is None or entry.status == "failed":
            known = (other for other in shelf.values() if other.key.startswith(content) and other.status != "failed")
            twin = next(known, None)
            entry = _read(reader, key, name, data) if twin is None else _renamed(twin, key, name)
            shelf.pop(key, None)
            shelf[key] = entry
            _make_room(shelf)
        taken.append(entry)
    if taken:
        choose(next((entry for entry in taken if entry.status == "read"), taken[0]).key)
    return taken


def _shelf() -> dict[str, Entry]:
    return st.session_state.setdefault(_IMAGES, {})


def _forget_maps(entry: Entry) -> None:
    """Forget what was computed of an image that has left the shelf, unless it is there under another name."""
    st.session_state.pop(_KEPT, None)
    held = {other.reading.radiograph.sha256 for other in _shelf().values() if other.reading}
    if entry.reading and entry.reading.radiograph.sha256 not in held:
        maps.forget(entry.reading.radiograph.sha256)


def _renamed(entry: Entry, key: str, name: str) -> Entry:
    reading = entry.reading
    if reading is not None:
        reading = replace(reading, radiograph=replace(reading.radiograph, name=name))
    return replace(entry, key=key, name=name, reading=reading)


def _read(reader: Reader, key: str, name: str, data: bytes) -> Entry:
    now = datetime.now().astimezone()
    try:
        return Entry(key, name, "read", reader.read(data, name), "", now)
    except ImageRefused as refusal:
        return Entry(key, name, "refused", None, str(refusal), now)
    except CxrError as failure:
        return Entry(key, name, "failed", None, str(failure), now)
    except Exception as error:
        reference = log_failure(error)
        return Entry(
            key,
            name,
            "failed",
            None,
            f"This image could not be read because of an unexpected error, reference number {reference}. "
            "Try it once more; if it fails again, report the number as the About page describes.",
            now,
        )


def _megabytes(shelf: dict[str, Entry]) -> float:
    """Memory that the images' pixels take; entries of the same bytes share theirs."""
    images = (entry.reading.radiograph for entry in shelf.values() if entry.reading)
    return sum({image.sha256: image.pixels.nbytes for image in images}.values()) / 1e6


def _make_room(shelf: dict[str, Entry]) -> None:
    """Drop the oldest images until the session is within its bounds; the latest always stays."""
    while len(shelf) > 1 and (len(shelf) > MOST_IMAGES or _megabytes(shelf) > MOST_MEGABYTES):
        _forget_maps(shelf.pop(next(iter(shelf))))
        st.session_state[_FORGOTTEN] = forgotten() + 1
