"""Admission: the one way by which a received file becomes a job.

The file is on disk, under the name of its checksum, before the store has the job, and the store has the job before the
sender gets its answer. Whatever fails on the way, the sender keeps the image and sends it again.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, fields
from enum import StrEnum

from cxrmodel.configuration.schema import FilterSection
from cxrmodel.errors import UnreadableFile
from cxrmodel.exchange.filters import why_skipped
from cxrmodel.exchange.image_header import ImageHeader, read_image_header
from cxrmodel.messages import Message
from cxrmodel.store.records import ImageTags, Received
from cxrmodel.store.store import Store


class Outcome(StrEnum):
    """What became of a received file. The sender need not send it again, whichever it is."""

    RECEIVED = "received"
    """It has a job."""
    KNOWN = "known"
    """It had one already."""
    SKIPPED = "skipped"
    """It is not for this reader; the store knows why."""


@dataclass(frozen=True)
class Receipt:
    """What became of a received file.

    Attributes
    ----------
    outcome : Outcome
    reason : Message or None
        Why it was skipped.
    """

    outcome: Outcome
    reason: Message | None = None


class Admission:
    """Takes received files in. Safe to call from several threads.

    Every method raises ``StoreUnavailable`` where the database or the disk does not take what it is given.

    Parameters
    ----------
    store : Store
    model : str
        Version of the model that is to read the images.
    filters : FilterSection
    """

    def __init__(self, store: Store, model: str, filters: FilterSection) -> None:
        self._store, self._model, self._filters = store, model, filters

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those that this site wants to be read, in capitals; empty for every one."""
        return tuple(modality.strip().upper() for modality in self._filters.modalities)

    def known(self, keys: Collection[str]) -> set[str]:
        """Those of the keys (SOP Instance UIDs) that were taken in before."""
        return self._store.known(keys, self._model)

    def deliver(self, data: bytes, source: str, expected: str | None = None) -> Receipt:
        """Take a file in.

        Parameters
        ----------
        data : bytes
            A whole file.
        source : str
            Name of the inbox.
        expected : str, optional
            SOP Instance UID under which the sender announced the object.

        Raises
        ------
        ImageRefused
            It is no image, or so damaged that it cannot be told which. Nothing is recorded: ``reject`` or ``skip``
            does that, after the sender has got its answer or the object was asked for again.
        """
        header = read_image_header(data, hashlib.sha256(data).hexdigest())
        if expected not in (None, header.key):
            raise UnreadableFile("exchange.other_instance")
        if self.known([header.key]):
            return Receipt(Outcome.KNOWN)
        reason = why_skipped(header, self._filters)
        sha256 = self._store.files.keep(data) if reason is None else ""
        return self._receive(_received(header, sha256, source), reason)

    def skip(self, key: str, source: str, reason: Message) -> Receipt:
        """Record an object that could not be had, so that it is not asked for again."""
        return self._receive(Received(key=key, sha256="", source=source), reason)

    def reject(self, source: str, reason: Message) -> None:
        """Record something that was refused before it was an image."""
        self._store.reject(source, reason)

    def _receive(self, received: Received, reason: Message | None) -> Receipt:
        if not self._store.receive(received, self._model, skipped=reason):
            return Receipt(Outcome.KNOWN)
        return Receipt(Outcome.SKIPPED, reason) if reason else Receipt(Outcome.RECEIVED)


def _received(header: ImageHeader, sha256: str, source: str) -> Received:
    tags = {field.name: getattr(header, field.name) for field in fields(ImageTags)}
    return Received(header.key, sha256, source, **tags)
