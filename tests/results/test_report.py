"""The structured report: its numbers are those of the reading, its codes those of the reference page."""

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.checks.check import CheckResult
from cxrmodel.errors import ImageRejected
from cxrmodel.messages import Message
from cxrmodel.reading import Reading
from tests.support.stand_ins import POINTS, SPEC, fake_reading

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "result-objects.md"
NAMES = ("Present", "Absent", "Indeterminate", "Not Evaluated")


def items(node) -> list:
    """All content items below a node, in their order."""
    found = []
    for item in node.get("ContentSequence", []):
        found += [item, *items(item)]
    return found


def name(item) -> str:
    return item.ConceptNameCodeSequence[0].CodeMeaning


def value(item) -> str:
    """The value of an item in words; of a number, its decimal string."""
    match item.ValueType:
        case "CODE":
            return item.ConceptCodeSequence[0].CodeMeaning
        case "NUM":
            return str(item.MeasuredValueSequence[0].NumericValue.original_string)
        case "TEXT":
            return item.TextValue
    return ""


def values(report, wanted: str) -> list[str]:
    return [value(item) for item in items(report) if name(item) == wanted]


def parameters(report) -> dict[str, Decimal]:
    pairs = (text.removesuffix("%").split("=") for text in values(report, "Algorithm Parameters"))
    return {key: Decimal(number) for key, number in pairs}


@pytest.fixture(scope="module")
def report(results, parsed):
    """A function ``report(outcome=None, **options)``: the report as pydicom reads it."""
    return lambda outcome=None, **options: parsed(results(outcome, kinds=("sr",), **options)["sr"])


@pytest.mark.parametrize(
    ("probability", "presence"),
    [(0.8, "Present"), (0.79999, "Indeterminate"), (0.2, "Indeterminate"), (0.19999, "Absent")],
)
def test_the_finding_is_coded_and_never_called_normal(report, pixels, probability, presence):
    written = report(fake_reading(pixels, probability=probability))
    assert values(written, "Pneumonia") == [presence]
    assert values(written, "Comment")[:2] == [
        "Not for diagnosis; research use only",
        "Only pneumonia was assessed. No other disease was assessed.",
    ]
    assert not any("normal" in value(item).casefold() for item in items(written))


@pytest.mark.parametrize("prevalence", [0.001, 0.2, 0.5, 0.999])
@pytest.mark.parametrize(
    "probability", [0.0, 1e-12, 0.123456789, 0.2, 0.45, np.nextafter(0.45, 0), 0.8, 1 - 1e-12, 1.0]
)
def test_numbers_equal_those_of_read(report, pixels, probability, prevalence):
    """The same digits, and the same side of every threshold."""
    reading = replace(fake_reading(pixels), probability=float(probability))
    record = reading.at(prevalence).as_record("")
    written = report(reading, prevalence=prevalence)
    (certainty,) = (Decimal(text) for text in values(written, "Certainty of Finding"))
    stated = parameters(written)
    assert abs(certainty / 100 - Decimal(repr(record.probability))) < Decimal("1e-13")
    thresholds = {"balanced": record.threshold}
    thresholds |= {"high_sensitivity": record.uncertain_from, "high_specificity": record.uncertain_to}
    assert stated == {
        "prevalence": Decimal(repr(record.prevalence)) * 100,
        **{key: Decimal(repr(threshold)) * 100 for key, threshold in thresholds.items()},
    }
    for key, threshold in thresholds.items():
        assert (certainty >= stated[key]) == (record.probability >= threshold)


def test_shares_equal_those_of_read(report, pixels):
    reading = fake_reading(pixels)
    shares = reading.as_record("").evidence_shares
    found = {}
    for item in items(report(reading)):
        if name(item).startswith("Share of attribution"):
            below = items(item)
            site = [value(inner) for inner in below if name(inner) in ("Finding Site", "Laterality")]
            assert [value(inner) for inner in below if name(inner) == "Measurement Method"] == [
                "Gradient-weighted class activation"
            ]
            found[" ".join(site)] = Decimal(value(item))
    assert found == {
        place: Decimal(repr(share)) * 100
        for place, share in {
            "Lung Right": shares.right,
            "Lung Left": shares.left,
            "Upper zone of lung": shares.upper,
            "Middle zone of lung": shares.middle,
            "Lower zone of lung": shares.lower,
            "": shares.outside,
        }.items()
    }


def test_shares_without_meaning_are_left_out(report, pixels):
    """Of an empty map and a faint one all; of an image that may be mirrored those by side."""
    heat = fake_reading(pixels).heat
    for map_without_place in (heat * 0, heat * np.float32(0.04)):
        reading = fake_reading(pixels, heat=map_without_place, heat_in_lungs=0.9 if map_without_place.any() else None)
        assert values(report(reading), "Share of attribution") == []
    assert len(values(report(), "Share of attribution")) == 5
    assert values(report(mirrored(fake_reading(pixels))), "Laterality") == []


def mirrored(reading: Reading) -> Reading:
    """The same reading with a warning that the image may be mirrored."""
    found = CheckResult("mirroring", "warning", Message("imaging.empty"), 1.0, 0.5)
    return replace(reading, check=replace(reading.check, results=(found,)))


def test_every_reason_of_a_reading_is_a_comment(report, pixels):
    reasons = (Message("imaging.empty"), Message("reading.outside_lungs", share="< 1\u00a0%"))
    written = report(fake_reading(pixels, reasons=reasons))
    assert values(written, "Comment")[3:] == [str(reason).replace("\u00a0", " ") for reason in reasons]
    assert values(written, "Algorithm Version") == [SPEC.version]


def test_an_image_that_was_not_read_has_its_reason_and_no_number(report):
    refusal = ImageRejected("imaging.too_small", limit=64, width=3, height=4)
    written = report(refusal)
    assert values(written, "Pneumonia") == ["Not Evaluated"]
    assert values(written, "Comment")[-1] == f"This image was not read. {refusal}"
    assert [item for item in items(written) if item.ValueType == "NUM"] == []
    assert values(written, "Algorithm Parameters") == []


def test_a_report_refers_to_its_image_alone(report):
    written = report()
    (study,) = written.CurrentRequestedProcedureEvidenceSequence
    (series,) = study.ReferencedSeriesSequence
    (instance,) = series.ReferencedSOPSequence
    assert (study.StudyInstanceUID, series.SeriesInstanceUID) == ("1.2.3", "1.2.3.4")
    assert instance.ReferencedSOPInstanceUID == "1.2.3.4.5"
    (image,) = (item for item in items(written) if item.ValueType == "IMAGE")
    assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.3.4.5"
    assert (written.CompletionFlag, written.PreliminaryFlag, written.VerificationFlag) == (
        "COMPLETE",
        "PRELIMINARY",
        "UNVERIFIED",
    )


@given(st.text(max_size=40))
def test_no_text_of_a_report_needs_a_character_set(text):
    from cxrmodel.results.plain import plain

    assert plain(text).isascii()
    assert "\\" not in plain(text)


def test_the_reference_lists_all_that_is_written(report, pixels):
    """Concept, code and type of every item; and every coded value that a report may have."""
    outcomes = [fake_reading(pixels, probability=share) for share in (0.1, *POINTS.values(), 0.9)]
    written = [report(outcome) for outcome in (*outcomes, ImageRejected("imaging.empty"))]
    found, coded = set(), {}
    for root in written:
        for item in [root, *items(root)]:
            code = item.ConceptNameCodeSequence[0]
            concept = f"{code.CodeValue} {code.CodingSchemeDesignator}"
            found.add((code.CodeMeaning, concept, item.ValueType))
            if item.ValueType == "CODE":
                coded.setdefault(code.CodeMeaning, set()).add(value(item))
    text = REFERENCE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([\w-]+ [A-Z0-9]+) \| ([A-Z]+) \| ([^|]+) \|$", text, re.MULTILINE)
    assert sorted(row[:3] for row in rows) == sorted(found)
    described = {row[0]: row[3] for row in rows}
    assert set(NAMES) == coded["Pneumonia"]
    for concept, meanings in coded.items():
        if concept != "Language of Content Item and Descendants":
            assert {meaning for meaning in meanings if meaning not in described[concept]} == set()
