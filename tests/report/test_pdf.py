"""The PDF of a reading."""

import logging
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from io import BytesIO

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from cxrmodel.checks.report import UNLIKE_CLEARLY, WARNING, CheckReport, CheckResult
from cxrmodel.explain.overlay import EMPTY, overlay
from cxrmodel.messages import Message
from cxrmodel.model.spec import OperatingPoints
from cxrmodel.report.pdf import pdf_report
from tests.support.hostile import HOSTILE, hidden
from tests.support.stand_ins import fake_reading

READ = datetime(2026, 3, 4, 15, 6, tzinfo=timezone(timedelta(hours=1)))
PRINTED = datetime(2026, 3, 5, 9, 30, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
LONG = ("A sentence that goes on for a while, so that it takes more than a single line of the sheet it is put on.",)


def text_of(report: bytes) -> str:
    """The text of a report of one page, on one line, with plain spaces."""
    pages = PdfReader(BytesIO(report)).pages
    assert len(pages) == 1
    return " ".join(pages[0].extract_text().split())


def rows_of(reading) -> str:
    """The shares of a reading as the page writes them."""
    shares = reading.shares.rounded()
    names = {"right": "Right lung", "left": "Left lung", "outside": "Outside the lungs"}
    names |= {zone: f"{zone.capitalize()} zones" for zone in ("upper", "middle", "lower")}
    return " ".join(f"{title} {round(100 * getattr(shares, name))} %" for name, title in names.items())


@pytest.fixture
def image(make_image):
    """A small drawn image."""
    return make_image(shape=(120, 140))


def test_words_of_the_page(image):
    """The whole text, read from top to bottom."""
    reading = fake_reading(image, "Müller, Ярослав.png", 0.87, reasons=("The picture was turned.",))
    text = text_of(pdf_report(reading, READ, PRINTED, "An observation."))
    expected = f"""
        Chest X-ray reading
        Not for diagnosis; research use only.
        Image: Müller, Ярослав.png
        Read: 04 March 2026, 15:06 (UTC+01:00). Printed: 05 March 2026, 09:30 (UTC-03:30).
        • The picture was turned.
        R L Image
        R L Heatmap: contribution to the score, with lung outline
        0 2.5
        Finding: pneumonia
        Probability of pneumonia at even odds: 87 %
        An observation. The probability is at or above 80.0 %, the upper limit of the
        uncertain band.
        normal uncertain pneumonia 87 % balanced threshold 45.0 %
        Shares of the contribution to the score, by lung and by zone
        {rows_of(reading)}
        Uncertain band 20.0 % to 80.0 %
        Threshold (balanced) 45.0 % (the finding follows the band)
        Prevalence 50 % (even odds)
        Training ages {reading.ages}
        Model densenet121 0123456789ab
        SHA-256 of the file {reading.radiograph.sha256[:12]}…
        Not for diagnosis; research use only. A heatmap shows where the score comes from, not where disease is. Its
        colour range is the same for every image. The probability holds for images like the training images, at the
        prevalence above. This page is not a medical record.
    """
    assert text == " ".join(expected.split())


def test_a_number_near_a_threshold_has_a_decimal(image):
    """As on the page."""
    points = OperatingPoints(high_sensitivity=0.2, balanced=0.549, high_specificity=0.8)
    reading = fake_reading(image, probability=0.5451, operating_points=points, finding="uncertain")
    assert "54.5 %" in text_of(pdf_report(reading, READ, PRINTED))


def pictures_of(report: bytes) -> dict[str, np.ndarray]:
    """The pictures of a report: image, overlay, and the bar of colours, which is one pixel high."""
    found = [np.asarray(picture.image) for picture in PdfReader(BytesIO(report)).pages[0].images]
    (bar,) = (picture for picture in found if picture.shape[0] == 1)
    (image,) = (picture for picture in found if picture.ndim == 2)
    (overlay,) = (picture for picture in found if picture.ndim == 3 and picture.shape[0] > 1)
    return {"image": image, "overlay": overlay, "bar": bar}


def test_image_is_that_of_the_reading(image):
    """The printed image is the one that was read, grey level by grey level."""
    printed = pictures_of(pdf_report(fake_reading(image), READ, PRINTED))["image"]
    np.testing.assert_array_equal(printed, np.rint(image * 255).astype(np.uint8))


def test_overlay_is_the_common_one(image):
    """The overlay is what every other output draws, at the scale of the image, with its colours beside it."""
    reading = fake_reading(image)
    printed = pictures_of(pdf_report(reading, READ, PRINTED))
    np.testing.assert_array_equal(printed["overlay"], overlay(image, reading.drawn_heat, reading.heat_range))
    assert printed["overlay"].shape[:2] == printed["image"].shape
    assert len(np.unique(printed["bar"], axis=1)[0]) > 200


def test_doubtful_sides_are_marked(image):
    """Where the image may be mirrored, both letters have a question mark."""
    warning = CheckResult("mirroring", WARNING, Message("checks.mirroring.warning"), 1.0, 0.5)
    report = pdf_report(fake_reading(image, check=CheckReport((warning,))), READ, PRINTED)
    assert text_of(report).count("R? L?") == 2


def test_warnings_come_first_and_quieten_the_number(image):
    """What is unlike the training images is stated before pictures and number, which is then in small letters."""
    unlike = CheckResult("feature_distribution", WARNING, Message(UNLIKE_CLEARLY, ages="1 to 5 years"), 9.0, 2.0)
    report = pdf_report(fake_reading(image, check=CheckReport((unlike,)), reasons=(unlike.message,)), READ, PRINTED)
    text = text_of(report)
    assert text.index(str(unlike.message)[:60]) < text.index("Finding: ")
    sizes = {}
    PdfReader(BytesIO(report)).pages[0].extract_text(
        visitor_text=lambda words, _cm, _tm, _font, size: sizes.update({words.strip(): size})
    )
    assert next(size for words, size in sizes.items() if words.startswith("Probability of")) < 10


def test_finding_and_number_never_overlap(image):
    """A number whose words are long is on a line of its own."""
    heights = {}  # above the foot of the page, in points
    for prevalence in (0.5, 0.14):
        report = pdf_report(fake_reading(image, probability=0.87).at(prevalence), READ, PRINTED)
        PdfReader(BytesIO(report)).pages[0].extract_text(
            visitor_text=lambda words, _, at, *_rest, of=prevalence: heights.update({(of, words.strip()[:11]): at[5]})
        )
    assert heights[0.5, "Finding: pn"] == heights[0.5, "Probability"]
    assert heights[0.14, "Finding: pn"] - heights[0.14, "Probability"] > 15


def test_what_was_done_to_the_image_is_stated(image):
    """Apart from the warnings: below the pictures, as many as there is room for."""
    notes = tuple(Message("imaging.note.rotated_180") if i else Message("imaging.note.inverted") for i in range(9))
    reading = fake_reading(image, reasons=(*notes, *LONG))
    reading = replace(reading, radiograph=replace(reading.radiograph, notes=notes))
    text = text_of(pdf_report(reading, READ, PRINTED))
    assert text.index(LONG[0]) < text.index("Finding: ") < text.index(str(notes[0]))
    assert text.count(str(notes[0])) == 1
    assert str(Message("report.pdf.more_reasons", count=3)).removeprefix("•  ") in text


def test_empty_map_says_so(image):
    """An empty map has a sentence in place of shares and of colours."""
    report = pdf_report(fake_reading(image, heat=np.zeros((224, 224), np.float32), heat_in_lungs=None), READ, PRINTED)
    assert str(EMPTY) in text_of(report)
    assert str(Message("report.heat.empty")) in text_of(report)
    assert "Right lung" not in text_of(report)


@pytest.mark.parametrize("shape", [(40, 300), (300, 40), (1500, 1800)])
def test_any_shape_fits(shape):
    """A wide, a tall and a large image each give one page."""
    assert "Probability of pneumonia" in text_of(pdf_report(fake_reading(np.zeros(shape)), READ, PRINTED))


def test_reasons_without_room_are_counted(image):
    """However many there are, they stay on the page, above the notice at its foot."""
    text = text_of(pdf_report(fake_reading(image, reasons=LONG * 60), READ, PRINTED))
    shown = text.count(LONG[0])
    assert 5 < shown < 60
    assert " ".join(str(Message("report.pdf.more_reasons", count=60 - shown)).split()) in text
    assert text.endswith("not a medical record.")


def test_long_name_keeps_both_ends(image):
    """A name too long for a line loses its middle."""
    text = text_of(pdf_report(fake_reading(image, "begin" + "x" * 300 + "end.png"), READ, PRINTED))
    assert "Image: beginxxx" in text
    assert "xxxend.png" in text
    assert "…" in text


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=120))
@example(name="\u05d0\u05d1(1).png")
@example(name="\u0627\u0644.png")
def test_any_name_is_printed_and_none_is_logged(image, caplog, name):
    """Any file name gives one page and no log entry."""
    with caplog.at_level(logging.WARNING):
        assert "Image:" in text_of(pdf_report(fake_reading(image, name), READ, PRINTED))
    assert not caplog.records


def test_unknown_characters_are_replaced(image):
    """Characters that the font lacks become replacement characters."""
    assert "Image: \ufffd\ufffd.png" in text_of(pdf_report(fake_reading(image, "胸部.png"), READ, PRINTED))


def test_nothing_is_written_to_disk(image, monkeypatch):
    """The PDF is created in memory."""

    def refuse(*_, **__):
        raise AssertionError("a temporary file was asked for")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert pdf_report(fake_reading(image), READ, PRINTED).startswith(b"%PDF")


def test_needs_neither_streamlit_nor_tensorflow(project):
    """Importing the report brings in no web server and no network."""
    code = "import sys, cxrmodel.report.pdf; print({'streamlit', 'tensorflow', 'keras'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("kind", ["override", "leaves its isolate", "right to left", "line", "escape sequence", "long"])
def test_names_and_tag_values_are_data(kind, image):
    """In the name and in reasons: nothing hidden, and no line of their own."""
    name = HOSTILE[kind]
    reasons = (Message("cli.file_error", file=name[:200], reason=name[:200]),)
    report = pdf_report(fake_reading(image, name, 0.87, reasons=reasons), READ, PRINTED)
    text = PdfReader(BytesIO(report)).pages[0].extract_text()
    assert hidden(text) <= {"\n"}
    assert text_of(report).count("Read: 04 March 2026") == 1
    assert sum(line.startswith("Image: ") for line in text.splitlines()) == 1
