"""What the viewer is sent of a reading."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import PASSED, WARNING, CheckReport, CheckResult
from cxrmodel.evaluation.explanations.results import OWN_RANGE
from cxrmodel.explain.methods import METHODS
from cxrmodel.explain.overlay import LEGEND
from cxrmodel.messages import Message, catalogue
from cxrmodel.report.wording import heat_sentence, provenance
from cxrmodel.web.components.viewer import SCRIPTS, assets, badges_of, levels_of, packed, packed_image, words
from tests.support.stand_ins import fake_reading
from tests.support.viewer_buffer import unpack

READING = fake_reading(np.full((60, 80), 0.5), "Jane Doe.png")


def described(width: int, height: int) -> str:
    """The description of a positive reading for a screen reader."""
    size = {"width": width, "height": height, "bits": 8}
    return f"{Message('web.viewer.description', **size)} {Message('web.viewer.finding', finding='pneumonia')}"


def header_of(reading=None, **shown) -> dict:
    """The header of what is sent for a reading."""
    reading = reading or READING
    return unpack(packed(reading, levels_of(reading), **shown))[0]


def of_image(**changes):
    """A reading of an image whose fields are changed."""
    reading = fake_reading(np.zeros((64, 64)))
    return replace(reading, radiograph=replace(reading.radiograph, **changes))


def test_header_of_a_reading():
    """Image in words, model, disclaimer, a file name; never the name of the image, which may be a patient's."""
    header = header_of()
    checksum = header["key"][:8]
    assert header["description"] == described(80, 60)
    assert header["provenance"] == str(provenance(READING))
    assert header["file"] == f"image {checksum} heatmap.png"
    assert header["remark"] == str(heat_sentence(READING))
    assert header["title"] == str(LEGEND)
    assert header["heat"]["range"] == 2.5
    assert header["mapped"] is True
    assert header["spacing"] is None
    assert header["sides"] == str(Message("web.viewer.sides", right="R", left="L"))
    assert header["windows"]["file"] is None
    assert "Jane" not in str(header)


@pytest.mark.parametrize(("probability", "below"), [(0.1, True), (0.44, True), (0.45, False), (0.9, False)])
def test_overlay_below_the_operating_point_says_so(probability, below):
    """The balanced threshold of the stand-in is 45 %."""
    remark = header_of(fake_reading(np.zeros((64, 64)), probability=probability))["remark"]
    assert (str(Message("web.viewer.below", point="balanced")) in remark) is below


def test_nothing_sent_depends_on_the_prevalence():
    """The number is computed in the browser: a scene that stays there can never show a stale one."""
    for probability in (0.1, 0.5, 0.9):
        reading = fake_reading(np.zeros((64, 64)), probability=probability)
        moved = reading.at(0.02)
        assert packed(reading, levels_of(reading)) == packed(moved, levels_of(moved))


def test_an_image_that_was_not_read_is_sent_without_a_map():
    """With the reason, and what the checks know of it."""
    reason = Message("checks.mirroring.warning")
    header, parts = unpack(packed_image(READING.radiograph, warned("mirroring"), reason))
    assert header["mapped"] is False
    assert str(reason) in header["description"]
    assert header["letters"] == ["", ""]  # a rotated image has no right at its left
    assert not parts["heat"].any()
    assert "Jane" not in str(header)


def test_range_is_not_stretched_to_the_image():
    """An image with little heat keeps the range of every image."""
    header = header_of(fake_reading(np.zeros((64, 64)), heat=np.full((224, 224), 0.1, np.float32)))
    assert (header["heat"]["range"], round(header["heat"]["peak"], 3)) == (2.5, 0.1)


def test_another_map_can_be_shown():
    """Another method brings its map and range in the reading, its legend, and whether images can be compared."""
    reading = fake_reading(np.zeros((64, 64)), heat=np.ones((14, 10), np.float32), heat_range=4.0)
    header = header_of(reading, legend=METHODS["occlusion"].legend, range_note=OWN_RANGE)
    assert header["heat"] == {"width": 10, "height": 14, "range": 4.0, "peak": 1.0}
    assert (header["title"], header["range"]) == (str(METHODS["occlusion"].legend), str(OWN_RANGE))


def test_what_a_dicom_file_states():
    """Spacing and where it was measured; its own window, through which the image came; its sides."""
    image = {"file_format": "DICOM", "bits": 12, "pixel_spacing": (0.14, 0.15)}
    header = header_of(of_image(**image, spacing_from="imager"))
    assert (header["spacing"], header["spacingFrom"]) == ([0.14, 0.15], str(Message("web.viewer.spacing_imager")))
    assert header["windows"]["file"] == [0, header["image"]["top"]]
    assert header["sides"] == str(Message("web.viewer.sides_dicom", right="R", left="L"))
    assert header_of(of_image(**image, spacing_from="calibrated"))["spacingFrom"] == ""
    assert header_of(of_image(**image, spacing_from="unstated"))["spacingFrom"] == str(
        Message("web.viewer.spacing_unstated")
    )


def test_notes_have_badges():
    """By their code, with the whole sentence, which a screen reader gets too; an unknown code has a general badge."""
    notes = (
        Message("imaging.note.inverted"),
        Message("imaging.note.rotated_180"),
        Message("imaging.dicom.not_stated", attributes="view"),
        Message("imaging.dicom.zero_width"),
    )
    names = ("inverted", "rotated", "unstated", "note")
    expected = [(str(Message(f"web.badge.{name}")), str(note)) for name, note in zip(names, notes, strict=True)]
    assert badges_of(notes, CheckReport()) == expected
    header = header_of(of_image(notes=notes[:1]))
    assert header["badges"] == [list(expected[0])]
    assert header["description"].endswith(str(notes[0]))


def warning(check: str) -> Message:
    """What a check warns of."""
    return Message(f"checks.{check}.warning", ages="all ages")


def warned(*checks: str) -> CheckReport:
    """A report whose checks warn, but for one that finds nothing and stands first."""
    found = [CheckResult(check, WARNING, warning(check), 1.0, 0.5) for check in checks]
    return CheckReport((CheckResult("contrast", PASSED, None, 1.0, 0.5), *found))


@pytest.mark.parametrize("checks", [(), ("mirroring",), ("margins", "lungs_cut_off", "lungs_cut_off")])
def test_every_warning_of_the_checks_is_a_badge(checks):
    """The check's title, once, with the whole sentence, which a screen reader gets too."""
    header = header_of(fake_reading(np.zeros((64, 64)), check=warned(*checks)))
    names = list(dict.fromkeys(checks))
    sentences = [str(warning(check)) for check in names]
    titles = [str(Message(CHECKS[check].title)) for check in names]
    assert header["badges"] == [list(pair) for pair in zip(titles, sentences, strict=True)]
    assert header["description"] == " ".join([described(64, 64), *sentences])


def test_a_correction_is_the_badge_of_its_warning():
    """Rather than the check's title."""
    results = (CheckResult("margins", WARNING, warning("margins"), 1.0, 0.5, "cropped"),)
    header = header_of(fake_reading(np.zeros((64, 64)), check=CheckReport(results)))
    assert header["badges"] == [[str(Message("web.badge.cropped")), str(warning("margins"))]]


def test_a_registered_check_has_a_badge(monkeypatch):
    """With the title and the message of its entry."""
    texts = {"title": "Toy check", "warning": "A toy warning."}
    for name, sentence in texts.items():
        monkeypatch.setitem(catalogue().texts, f"checks.toy.{name}", sentence)
    with CHECKS.extended(replace(CHECKS["contrast"], name="toy")):
        header = header_of(fake_reading(np.zeros((64, 64)), check=warned("toy")))
    assert header["badges"] == [["Toy check", "A toy warning."]]


@pytest.mark.parametrize("file_format", ["PNG", "DICOM"])
@pytest.mark.parametrize("rule", ["mirroring", "lungs_cut_off"])
def test_sides_are_in_doubt_where_the_image_may_be_mirrored(file_format, rule):
    """A mirroring warning puts question marks on the side letters; no other warning does."""
    header = header_of(replace(of_image(file_format=file_format), check=warned(rule)))
    doubtful = rule == "mirroring"
    assert header["letters"] == (["R?", "L?"] if doubtful else ["R", "L"])
    assert header["sides"].endswith(str(Message("web.viewer.sides_mirrored"))) is doubtful


def test_every_file_of_the_viewer_is_used_and_loads_nothing(project):
    """The scripts are joined in one module that imports nothing and names no other server."""
    folder, parts = project / "assets" / "viewer", assets()
    scripts = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.js")}
    assert scripts == set(SCRIPTS)
    for path in filter(Path.is_file, folder.rglob("*")):
        text = path.read_text(encoding="utf-8")
        assert text in "".join(parts.values())
        assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg)|\bimport\b|\bfetch\(|(local|session)Storage", text)
    assert parts["js"].count("export ") == 1


def test_every_word_of_the_viewer_is_sent_and_used(project):
    """What markup and scripts name is in the catalogue, and what is there for the browser is named."""
    folder, known = project / "assets" / "viewer", words()
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())
    named = set(re.findall(r'data-(?:word|title|label|placeholder)="(\w+)"', text))
    named |= set(re.findall(r"\bwords\.(\w+)", text))
    assert named - set(known) == set()
    by_name = re.compile("(key|gesture|share|crop)_|(length|angle)_hint|map_(failed|stopped|waiting)")
    server = ("tags_none", "tags_all", "tags_without")
    assert [word for word in known if word not in named and not by_name.match(word) and word not in server] == []


COLOURS = {
    "--ground": "#0e1217",
    "--raised": "#1a2129",
    "--ink": "#dfe5ea",
    "--muted": "#b8c3cc",
    "--chosen": "#1f4a57",
    "--accent": "#6cb4e0",
    "--line": "#56636e",
}


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("upper", "lower", "contrast"),
    [
        ("--ink", "--ground", 7),
        ("--ink", "--raised", 7),
        ("--muted", "--ground", 7),
        ("--muted", "--raised", 7),
        ("--ink", "--chosen", 7),
        ("--accent", "--raised", 4.5),
        ("#8c98a2", "--raised", 4.5),
        ("#f0e3a8", "#2b2611", 7),
        ("#eaf6fb", "--chosen", 7),
    ],
)
def test_words_are_legible(upper, lower, contrast):
    """WCAG 2: 4.5 for text at level AA; words of the viewer that are not off have 7."""
    css = assets()["css"]
    for name in (upper, lower):
        assert re.search(rf"{name}: [^;]*{COLOURS[name]}" if name in COLOURS else name, css)
    bright, dark = sorted((luminance(COLOURS.get(name, name)) for name in (upper, lower)), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= contrast
