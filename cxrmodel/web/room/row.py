"""One file that a user gave: what is known of it, and how the browser gets to know it."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cxrmodel.checks.report import UNLIKE_CLEARLY
from cxrmodel.messages import Message
from cxrmodel.model.spec import UNCERTAIN
from cxrmodel.pipeline import RefusedImage
from cxrmodel.reading import Reading
from cxrmodel.report.wording import warnings
from cxrmodel.sinks import label
from cxrmodel.web.room.release import blank, without_image

if TYPE_CHECKING:
    from cxrmodel.imaging.dicom.attributes import Attributes

Status = Literal["waiting", "reading", "read", "refused", "failed", "cancelled"]
Mark = Literal["agree", "disagree"]


@dataclass(eq=False)
class Row:
    """One file of a session.

    Attributes
    ----------
    id : str
        Random, made by the browser.
    name : str
        Original file name.
    size : int
        Bytes, as announced.
    status : str
        Refused: by a check or a decoder. Failed: any other error.
    demo : Path or None
        Of the demo image that it is.
    data : bytes or None
        The file, from its arrival until it is read.
    wanted : bool
        Whether the browser should send the file.
    identity : str
        Tells images apart: checksum of the file and the repairs, once it was read.
    reading : Reading or None
        Only where the status is "read".
    refused : RefusedImage or None
        Where a check rejected an image that could be decoded.
    reason : Message or None
        Why there is no reading, and what to do next.
    read_at : datetime or None
        When its bytes were read, in local time with its zone.
    thumbnail : str or None
        A data URL.
    released : bool
        Whether the pixels made room for those of later images. The numbers stay.
    attributes : Attributes or None
        What a DICOM file states.
    has_file : bool
        Whether the site keeps the file.
    restored : bool
        Whether the row comes from an earlier page: the browser has no file for it.
    seen : bool
    mark : {"agree", "disagree"} or None
    note : str
        Of the user.
    repairs : tuple of str
        What the user did to the image before it was read.
    version : int
        Of the room when it last changed.
    outcome : int
        Of the room when its image was last read.
    """

    id: str
    name: str
    size: int
    status: Status = "waiting"
    demo: Path | None = None
    data: bytes | None = None
    wanted: bool = True
    identity: str = ""
    reading: Reading | None = None
    refused: RefusedImage | None = None
    reason: Message | None = None
    read_at: datetime | None = None
    thumbnail: str | None = None
    released: bool = False
    attributes: "Attributes | None" = None
    has_file: bool = False
    restored: bool = False
    seen: bool = False
    mark: Mark | None = None
    note: str = ""
    repairs: tuple[str, ...] = field(default=())
    version: int = 0
    outcome: int = 0

    @property
    def has_image(self) -> bool:
        """Whether its pixels are in memory."""
        return (self.reading is not None or self.refused is not None) and not self.released

    @property
    def is_gone(self) -> bool:
        """Whether only the user can bring its image back, by adding the file again."""
        return self.restored and self.released and not self.has_file and self.demo is None

    @property
    def bytes(self) -> int:
        """Memory that its image takes; rows of the same image share it."""
        if not self.has_image:
            return 0
        refused = self.refused.radiograph.pixels.nbytes if self.refused else 0
        if self.reading is None:
            return refused
        return sum(
            array.nbytes for array in (self.reading.radiograph.pixels, self.reading.heat, self.reading.lungs.mask)
        )

    def release(self) -> None:
        """Let its image go; what is known of it stays."""
        if not self.has_image:
            return
        self.reading = self.reading and without_image(self.reading)
        self.refused = self.refused and RefusedImage(blank(self.refused.radiograph), self.refused.report)
        self.released = True

    def as_json(self) -> dict[str, Any]:
        """Give the row as the browser gets it; numbers are at the prevalence ``assumed``."""
        reading = self.reading
        return {
            "id": self.id,
            "name": label(self.name),
            "size": self.size,
            "status": self.status,
            "wanted": self.wanted,
            "reason": None if self.reason is None else str(self.reason),
            "thumb": self.thumbnail,
            "seen": self.seen,
            "mark": self.mark,
            "note": self.note,
            "released": self.released,
            "gone": self.is_gone,
            "hasImage": self.has_image,
            "demo": self.demo is not None,
            "repairs": list(self.repairs),
            "outcome": self.outcome,
            "version": self.version,
            **(_NUMBERS if reading is None else _numbers(reading)),
        }


_NUMBERS = dict.fromkeys(("finding", "kind", "probability", "points", "assumed", "unlike")) | {"warnings": 0}


def _numbers(reading: Reading) -> dict[str, Any]:
    unlike = reading.check.unlike
    return {
        "finding": reading.finding,
        "kind": _kind(reading),
        "probability": reading.probability,
        "points": dict(reading.operating_points),
        "assumed": reading.prevalence,
        "warnings": len(warnings(reading)) + bool(unlike),
        "unlike": None if unlike is None else "clearly" if unlike.code == UNLIKE_CLEARLY else "somewhat",
    }


def _kind(reading: Reading) -> str:
    if reading.finding == UNCERTAIN:
        return "uncertain"
    return "positive" if reading.finding == reading.labels.positive else "negative"
