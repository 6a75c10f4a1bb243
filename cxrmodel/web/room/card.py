"""What the card beside an image says, as JSON: sentences, and templates for whatever follows the prevalence.

The browser fills the templates (``assets/room/numbers.js``), so that no number waits for the server.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import CheckReport, CheckResult
from cxrmodel.evaluation.nearest import Evidence, shipped_evidence
from cxrmodel.imaging.radiograph import Radiograph
from cxrmodel.imaging.repairs import CROP, INVERT, STEPS, Repairs
from cxrmodel.messages import Message
from cxrmodel.metrics.formatting import NO_BREAK, share_percent
from cxrmodel.reading import Reading
from cxrmodel.report.wording import (
    DISCLAIMER,
    OPEN,
    band,
    evidence_counts,
    evidence_sentence,
    facts,
    heat_sentence,
    operating_point_title,
    other_reasons,
    reason_for_finding,
    shares_sentence,
    unlike_reasons,
    warnings,
)
from cxrmodel.sinks import label
from cxrmodel.web.room.outputs import file_title
from cxrmodel.web.room.row import Row

_LEAST = 0.001
"""Of what is measured; less is not written out."""

Pairs = list[tuple[str, str]]
"""Names and values."""


def card(row: Row) -> dict[str, Any]:
    """Give the card of a file that was read or refused.

    Parameters
    ----------
    row : Row

    Returns
    -------
    dict
        As JSON. What only the status of the row decides is not in it: the browser knows the row.
    """
    if row.reading is not None:
        return _of_reading(row.reading, row)
    image, report = (row.refused.radiograph, row.refused.report) if row.refused else (None, CheckReport())
    return {
        "checks": _checks(report),
        "file": _file(row, image),
        "repair": _repair(row, report, image is not None and not row.is_gone),
    }


def _of_reading(reading: Reading, row: Row) -> dict[str, Any]:
    found = shipped_evidence(reading.model, reading.logit, reading.prevalence)
    return {
        "title": _text("probability", positive=reading.labels.positive, prevalence=OPEN.prevalence),
        "slider": _text("slider_label", positive=reading.labels.positive),
        "unlike": [str(reason) for reason in unlike_reasons(reading)],
        "warnings": [str(reason) for reason in warnings(reading)],
        "notes": [str(note) for note in reading.radiograph.notes],
        "scale": _scale(reading),
        "evidence": None if found is None else _evidence(reading, found),
        "shares": _shares(reading),
        "reason": str(reason_for_finding(reading, OPEN)),
        "facts": [(str(name), str(value)) for name, value in facts(reading, OPEN)],
        "points": [(str(operating_point_title(name)), f"{{{name}}}") for name in reading.operating_points],
        "checks": _checks(reading.check),
        "file": _file(row, reading.radiograph),
        "repair": _repair(row, reading.check, not row.is_gone),
        "report": file_title(reading, "reading.pdf"),
        "text": list(_lines(reading, found)),
    }


def _text(code: str, **values: Any) -> str:
    return str(Message(f"card.{code}", **values))


def _evidence(reading: Reading, found: Evidence) -> dict[str, Any]:
    return {
        "sentence": str(evidence_sentence(reading, found, OPEN)),
        "counts": str(evidence_counts(reading, found)),
        "images": found.images,
        "positives": found.positives,
        "testShare": found.test_share,
    }


def _scale(reading: Reading) -> dict[str, Any]:
    banded = band(reading.operating_points) is not None
    values = {"probability": OPEN.shown.probability, **OPEN.shown.thresholds}
    return {
        "banded": banded,
        "label": _text("scale" if banded else "scale_no_band", **values),
        "balanced": _text("balanced", balanced=OPEN.shown.thresholds["balanced"]),
    }


def _shares(reading: Reading) -> dict[str, Any] | None:
    """Shares of the map in percent, or why there are none; None for an empty map, of which a warning tells."""
    if reading.shares is None:
        return None
    if shares_sentence(reading) is None:
        return {"said": str(heat_sentence(reading))}
    rounded = asdict(reading.shares.rounded())
    return {
        "parts": {name: [round(100 * share), share_percent(share)] for name, share in rounded.items()},
        "doubtful": reading.check.has_warning("mirroring"),
    }


def _checks(report: CheckReport) -> list[dict[str, str]]:
    return [_check(result) for result in report.results]


def _check(result: CheckResult) -> dict[str, str]:
    check = CHECKS[result.check]
    values = {"measures": Message(check.measures), "value": _measured(result.value)}
    outcome = _text(f"outcome.{result.outcome}")
    code = "check.value_alone"
    if result.threshold is not None:
        code, values = "check.value", values | {"threshold": _measured(result.threshold)}
    return {
        "title": str(Message(check.title)),
        "outcome": result.outcome,
        "said": _text("check.corrected", outcome=outcome) if result.correction else outcome,
        "value": _text(code, **values),
    }


def _measured(value: float) -> str:
    return f"<{NO_BREAK}{_LEAST}" if 0 < value < _LEAST else f"{value:.3g}"


def _file(row: Row, image: Radiograph | None) -> Pairs:
    named: Pairs = [(_text("fact.name"), label(row.name))]
    if row.read_at is not None:
        named.append((_text("read_at"), _moment(row.read_at)))
    if image is None:
        return named
    height, width = image.pixels.shape
    named += [
        (_text("fact.format"), _text("fact.format_value", file_format=image.file_format, bits=image.bits)),
        (_text("fact.size"), _text("fact.size_value", width=width, height=height)),
    ]
    if image.pixel_spacing:
        rows, columns = image.pixel_spacing
        named.append((_text("fact.spacing"), _text("fact.spacing_value", rows=rows, columns=columns)))
    if image.view_position:
        named.append((_text("fact.view"), image.view_position))
    return [*named, (_text("fact.checksum"), image.sha256)]


def _moment(when: datetime) -> str:
    return f"{when:%d %B %Y, %H:%M}"


def _repair(row: Row, report: CheckReport, shown: bool) -> dict[str, Any]:
    """Steps that the user may take, the most likely cure first, and what was done.

    What a check has corrected is not offered again: the user would see no change. A crop needs the image as it was
    decoded, which a check that crops or straightens has changed.
    """
    first, corrected = report.repair, set(report.corrections) if row.reading is not None else set()
    withheld = {CROP} if corrected & {"cropped", "straightened"} else set()
    withheld |= {INVERT} if "inverted" in corrected else set()
    offered = [step for step in STEPS if shown and step not in withheld]
    return {
        "offered": offered,
        "first": first if first in offered else "",
        "done": [str(note) for note in Repairs.parse(row.repairs).notes],
    }


def _lines(reading: Reading, found: Evidence | None) -> Iterable[tuple[str, bool]]:
    """The result as text, line by line, and whether a line is a template; names from outside never are."""
    yield _text("text.title", disclaimer=DISCLAIMER), False
    yield _text("text.image", name=label(reading.name)), False
    for reason in unlike_reasons(reading):
        yield str(reason), False
    yield _text("text.finding", finding=reading.finding), False
    values = {"prevalence": OPEN.prevalence, "probability": OPEN.shown.probability}
    yield _text("text.number", positive=reading.labels.positive, **values), True
    yield str(reason_for_finding(reading, OPEN)), True
    if found is not None:
        yield str(evidence_sentence(reading, found, OPEN)), True
    yield str(shares_sentence(reading) or heat_sentence(reading)), False
    for reason in other_reasons(reading):
        yield _text("text.reason", reason=reason), False
    for name, value in facts(reading, OPEN):
        yield _text("text.line", name=name, value=value), True
