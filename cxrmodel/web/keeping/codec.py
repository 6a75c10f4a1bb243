"""A row of a work list as it is kept: numbers, codes and choices without pixels, and back."""

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
from pydantic import Field

from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import CheckReport, CheckResult, Outcome
from cxrmodel.demo import IMAGES_FOLDER
from cxrmodel.explain.shares import EvidenceShares
from cxrmodel.imaging.canonical import IMAGE_SIDE
from cxrmodel.imaging.formats.image_format import Metadata
from cxrmodel.imaging.lungs import LungFields
from cxrmodel.imaging.radiograph import Radiograph
from cxrmodel.messages import Message
from cxrmodel.model.spec import AgeRange, Labels, OperatingPoints
from cxrmodel.pipeline import RefusedImage
from cxrmodel.reading import Reading
from cxrmodel.records import Record
from cxrmodel.store.packing import pack, unpack
from cxrmodel.store.records import Entry
from cxrmodel.web.room.release import blank
from cxrmodel.web.room.row import Row

if TYPE_CHECKING:
    from cxrmodel.imaging.dicom.attributes import Attributes

Packed = dict[str, Any]
"""A message as JSON."""
Side = Annotated[int, Field(ge=1, le=100_000)]

_METADATA: Final = tuple(field.name for field in fields(Metadata))
_TAGS: Final = {"patient_id": "(0010,0020)", "issuer": "(0010,0021)", "study_uid": "(0020,000D)"}


class KeptCheck(Record):
    """A ``CheckResult``; ``value`` is None where it is no number."""

    check: str
    outcome: Outcome
    message: Packed | None
    value: float | None
    threshold: float | None
    correction: str
    repair: str


class KeptImage(Record):
    """A ``Radiograph`` without its pixels and its name."""

    height: Side
    width: Side
    sha256: str
    file_format: str
    bits: int
    notes: tuple[Packed, ...]
    inverted: bool
    repairs: tuple[str, ...]
    view_position: str | None
    laterality: str | None
    pixel_spacing: tuple[float, float] | None
    spacing_from: str | None
    age_years: float | None
    stored_range: tuple[int, int] | None
    study_uid: str | None
    series_uid: str | None
    instance_uid: str | None


class KeptReading(Record):
    """A ``Reading`` without its arrays; ``heat_peak`` is the highest value of the map."""

    logit: float
    probability: float
    finding: str
    labels: Labels
    operating_point: str
    operating_points: OperatingPoints
    prevalence: float
    heat_peak: float
    heat_range: float
    heat_in_lungs: float | None
    reasons: tuple[Packed, ...]
    model: str
    ages: AgeRange
    milliseconds: float
    shares: EvidenceShares | None


class KeptResult(Record):
    """What became of an image: ``reading`` is None where a check refused it."""

    image: KeptImage
    checks: tuple[KeptCheck, ...]
    reading: KeptReading | None


def entry_of(row: Row, with_images: bool) -> Entry:
    """Give a row as it is kept.

    Parameters
    ----------
    row : Row
    with_images : bool
        Whether pictures may be kept.
    """
    result = _result(row)
    return Entry(
        id=row.id,
        name=row.name,
        size=row.size,
        status=row.status,
        demo=row.demo.name if row.demo else "",
        sha256=row.identity.partition(",")[0],
        has_file=row.has_file,
        repairs=row.repairs,
        result=None if result is None else result.model_dump(mode="json"),
        reason=None if row.reason is None else pack(row.reason),
        read_at=row.read_at,
        thumbnail=row.thumbnail if with_images and row.has_file else None,
        seen=row.seen,
        mark=row.mark,
        note=row.note,
        **{name: stated(row.attributes, tag) for name, tag in _TAGS.items()},
    )


def row_of(entry: Entry) -> Row:
    """Give the row that was kept; its image is not in memory.

    Raises
    ------
    ValueError, KeyError
        When it was not written by a version like this one.
    """
    demo = IMAGES_FOLDER / entry.demo if entry.demo else None
    row = Row(
        id=entry.id,
        name=entry.name,
        size=entry.size,
        status=entry.status if entry.status in ("read", "refused", "failed", "cancelled") else "waiting",  # type: ignore[arg-type]
        demo=demo if demo is not None and demo.is_file() else None,
        wanted=False,
        identity=",".join([entry.sha256, *entry.repairs]) if entry.sha256 else "",
        reason=None if entry.reason is None else _message(entry.reason),
        read_at=None if entry.read_at is None else entry.read_at.astimezone(),
        thumbnail=entry.thumbnail,
        seen=entry.seen,
        mark=entry.mark,  # type: ignore[arg-type]
        note=entry.note,
        repairs=entry.repairs,
        has_file=entry.has_file,
        restored=True,
    )
    if entry.result is not None and row.status in ("read", "refused"):
        kept = KeptResult.model_validate_json(json.dumps(entry.result))
        image, checks = _radiograph(kept.image, entry.name), _report(kept.checks)
        if kept.reading is None:
            row.refused = RefusedImage(image, checks)
        else:
            row.reading = _reading(kept.reading, image, checks)
        row.released = True
    return row


def stated(attributes: "Attributes | None", tag: str) -> str:
    """Give the value of a DICOM attribute; empty where the file has none."""
    listed = () if attributes is None else attributes.listed
    return next((one.value for one in listed if one.tag == tag), "")


def _result(row: Row) -> KeptResult | None:
    if row.reading is not None:
        reading = row.reading
        kept = KeptReading(
            **{name: getattr(reading, name) for name in _SAME},
            heat_peak=float(reading.heat.max()),
            reasons=tuple(pack(reason) for reason in reading.reasons),
        )
        return KeptResult(image=_image(reading.radiograph), checks=_checks(reading.check), reading=kept)
    if row.refused is not None:
        return KeptResult(image=_image(row.refused.radiograph), checks=_checks(row.refused.report), reading=None)
    return None


_SAME: Final = tuple(name for name in KeptReading.model_fields if name not in ("heat_peak", "reasons"))


def _image(image: Radiograph) -> KeptImage:
    height, width = image.pixels.shape
    return KeptImage(
        height=height,
        width=width,
        sha256=image.sha256,
        file_format=image.file_format,
        bits=image.bits,
        notes=tuple(pack(note) for note in image.notes),
        inverted=image.inverted,
        repairs=image.repairs,
        **{name: getattr(image, name) for name in _METADATA},
    )


def _checks(report: CheckReport) -> tuple[KeptCheck, ...]:
    return tuple(
        KeptCheck(
            check=result.check,
            outcome=result.outcome,
            message=None if result.message is None else pack(result.message),
            value=float(result.value) if np.isfinite(result.value) else None,
            threshold=result.threshold,
            correction=result.correction,
            repair=result.repair,
        )
        for result in report.results
    )


def _radiograph(kept: KeptImage, name: str) -> Radiograph:
    values = dict(kept) | {"notes": tuple(_message(note) for note in kept.notes), "name": name}
    shape = values.pop("height"), values.pop("width")
    return blank(Radiograph(pixels=np.zeros((1, 1), np.float32), **values), shape)


def _report(checks: tuple[KeptCheck, ...]) -> CheckReport:
    return CheckReport(
        tuple(
            CheckResult(
                **dict(kept)
                | {
                    "check": CHECKS[kept.check].name,
                    "message": None if kept.message is None else _message(kept.message),
                    "value": float("nan") if kept.value is None else kept.value,
                }
            )
            for kept in checks
        )
    )


def _reading(kept: KeptReading, image: Radiograph, checks: CheckReport) -> Reading:
    side = (IMAGE_SIDE, IMAGE_SIDE)
    reading = Reading(
        **{name: getattr(kept, name) for name in _SAME if name != "shares"},
        radiograph=image,
        lungs=LungFields(np.broadcast_to(np.bool_(False), side)),
        heat=np.broadcast_to(np.float32(kept.heat_peak), side),
        reasons=tuple(_message(reason) for reason in kept.reasons),
        check=checks,
    )
    reading.__dict__["shares"] = kept.shares  # known: it is not computed from the blank map
    return reading


def _message(packed: Packed) -> Message:
    message = unpack(packed)
    str(message)  # a code that this version does not know is found here, not on the page
    return message
