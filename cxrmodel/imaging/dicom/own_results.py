"""Marks of this program's own result objects, by which they are known and never read as radiographs.

A result carries the name of its device. Its UIDs carry a mark too, so that a query's answer is enough to know it: they
are UUIDs of version 8 (RFC 9562), whose first 48 bits are the program's and whose others come from a hash. As numbers
under the root 2.25 (PS3.5 section B.2) they are valid DICOM UIDs.
"""

import hashlib
import re
import uuid
from collections.abc import Iterable

MANUFACTURER, MODEL_NAME = "cxrmodel", "Chest X-ray reader"
"""Device of every result object; an archive that changes UIDs leaves these."""

_ROOT = "2.25."
_MARK = int.from_bytes(hashlib.sha256(b"cxrmodel result objects").digest()[:6], "big")
_MARK_SHIFT = 128 - 48
_NUMBER = re.compile(r"2\.25\.([0-9]{1,39})")


def own_uid(*parts: str) -> str:
    """Derive a UID with the program's mark: the same for the same parts, another for any others.

    Parameters
    ----------
    *parts : str
        What identifies the object, in order.
    """
    named = b"".join(hashlib.sha256(part.encode("utf-8", "surrogateescape")).digest() for part in parts)
    rest = int.from_bytes(hashlib.sha256(named).digest()[:10], "big")
    return _ROOT + str(uuid.UUID(int=_with_version(_MARK << _MARK_SHIFT | rest)).int)


def is_own_uid(uid: str) -> bool:
    """Whether a UID carries the program's mark."""
    number = _NUMBER.fullmatch(uid.strip("\0 "))
    return number is not None and int(number[1]) >> _MARK_SHIFT == _MARK


def is_own_result(uids: Iterable[str], manufacturer: str = "") -> bool:
    """Whether an object is a result of this program, by what a header or a query's answer states.

    Parameters
    ----------
    uids : iterable of str
        Of the instance, its series and its device, as far as known.
    manufacturer : str
        Of its device; case and padding do not count.
    """
    return manufacturer.strip("\0 ").casefold() == MANUFACTURER or any(is_own_uid(uid) for uid in uids)


def _with_version(number: int) -> int:
    """A UUID's bits with version 8 and the variant of RFC 9562 set."""
    number = number & ~(0xF << 76) | 0x8 << 76
    return number & ~(0x3 << 62) | 0x2 << 62
