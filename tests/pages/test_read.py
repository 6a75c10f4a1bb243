"""Read, in all its states."""

import cv2
import numpy as np
import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from cxrmodel.checks.report import WARNING, CheckReport, CheckResult
from cxrmodel.errors import DataError
from cxrmodel.evaluation.nearest import evidence
from cxrmodel.messages import Message
from cxrmodel.prevalence import SETTING, prevalence_words
from cxrmodel.reading import Reader
from cxrmodel.report.wording import evidence_counts, evidence_sentence, facts, reason_for_finding, shares_sentence
from cxrmodel.web import session
from cxrmodel.web.reading import intake, result
from tests.support.dicom_files import IDENTIFIERS, dicom
from tests.support.pages import words
from tests.support.stand_ins import FakeReader, fake_reading, made_up_evaluation
from tests.support.viewer_buffer import unpack

PROBABILITY = words("web.worklist.probability", prevalence=prevalence_words(0.5))


@pytest.fixture
def image(make_image, png):
    """A drawn image as a file."""
    return png(make_image(0, (60, 80)))


NO_PICTURE = words("imaging.unsupported.pdf")
"""As the stand-in refuses."""


def file_line(name: str, width: int = 80, height: int = 60, file_format: str = "PNG", bits: int = 8) -> str:
    """The caption of an image."""
    size = {"width": width, "height": height, "bits": bits}
    return words("web.result.image", name=name, file_format=file_format, **size)


def listed(app) -> int:
    """Number of images in the heading of the list."""
    return int(app.subheader[-1].value.rpartition(" ")[2])


def drop(app, *files):
    """Drop files of the given names and contents."""
    return app.file_uploader[0].set_value([(name, data, "application/octet-stream") for name, data in files]).run()


def test_dicom(use, visit, text_of, project):
    """The shipped model reads a DICOM image; the page describes the file and shows no patient data."""
    use(Reader.load())
    levels = cv2.imread(str(project / "assets" / "demo" / "synthetic-normal-1.png"), cv2.IMREAD_GRAYSCALE)
    image = dicom(4080 - levels.astype("u2") * 16, bits=12, PhotometricInterpretation="MONOCHROME1", PatientAge="062Y")
    app = drop(visit("read"), ("IM00001", image))
    height, width = levels.shape
    shown = text_of(app)
    assert len(app.metric) == 1
    assert file_line("IM00001", width, height, "DICOM", 12) in shown
    assert str(Message("imaging.note.inverted")) in shown
    assert str(Message("checks.unlike.age", ages="1 to 5 years", years=62)) in shown
    app = drop(app, ("IM00002", dicom(levels, ViewPosition="LL")))
    assert len(app.error) == 1
    assert not app.metric
    assert not any(word in shown + text_of(app) for word in (*IDENTIFIERS, "JANE", "1.2.3.4"))
    assert not app.exception


@pytest.mark.usefixtures("reader")
def test_empty(visit, text_of):
    """Without images the page explains what to do, and gives no number."""
    app = visit("read")
    assert words("web.read.empty", positive="pneumonia") in text_of(app)
    assert not app.metric
    assert not app.dataframe


def test_done(visit, text_of, reader, image, make_image):
    """A dropped image gives its probability with everything that must stand beside it."""
    app = drop(visit("read"), ("image_1.png", image))
    assert reader.read_names == ["image_1.png"]
    title = words("web.result.probability", positive="pneumonia", prevalence=prevalence_words(0.5))
    assert [(metric.label, metric.value) for metric in app.metric] == [(title, "87\u00a0%")]
    shown, reading = text_of(app), fake_reading(make_image(0, (60, 80)))
    for expected in (
        words("web.result.finding", finding="pneumonia"),
        str(reason_for_finding(reading)),
        file_line("image_1.png"),
        *(f"<dt>{name}</dt><dd>{value}" for name, value in facts(reading)[:-1]),
        str(shares_sentence(reading)),
    ):
        assert " ".join(expected.split()) in shown
    assert not app.error
    assert not app.exception


@pytest.mark.usefixtures("reader")
def test_viewer_shows_the_image_first(visit, image, make_image):
    """The image as it was given, every level of it; the heatmap only when it is asked for."""
    (viewer,) = drop(visit("read"), ("image.png", image)).get("bidi_component")
    header, parts = unpack(viewer.proto.bytes)
    assert header["overlay"] is False
    np.testing.assert_array_equal(parts["image"], np.rint(make_image(0, (60, 80)) * 255))


@pytest.mark.parametrize(
    ("probability", "finding", "shown"),
    [(0.003, "normal", "<\u00a01\u00a0%"), (0.5, "uncertain", "50\u00a0%"), (0.9987, "pneumonia", ">\u00a099\u00a0%")],
)
def test_findings(use, visit, image, probability, finding, shown):
    """Each finding is in words, and no probability reads as a certainty."""
    use(FakeReader(probability))
    app = drop(visit("read"), ("image.png", image))
    assert app.subheader[0].value.endswith(f"Finding: {finding}")
    assert app.metric[0].value == shown


def test_reasons_are_shown(use, visit, text_of, image):
    """Every reason of a reading is on the page."""
    use(FakeReader(reasons=("The image was rotated.", "Only 12% of the heat lies within the lung fields.")))
    app = drop(visit("read"), ("image.png", image))
    assert len(app.warning) == 2
    assert "The image was rotated. Only 12% of the heat lies within the lung fields." in text_of(app)


def test_refused(visit, text_of, reader):
    """A refusal names the file, the reason and what to do, and gives no number."""
    app = drop(visit("read"), ("letter.txt", b"Dear colleague"))
    assert len(app.error) == 1
    assert words("web.result.refused", name="letter.txt", reason=NO_PICTURE) in text_of(app)
    assert not app.metric
    assert not app.exception


def test_failed(visit, text_of, reader, caplog):
    """An unexpected error gives a sentence and a reference number, and no trace or name in the log."""
    app = drop(visit("read"), ("Jane Doe.png", b"break"))
    assert len(app.error) == 1
    assert "Failed: Jane Doe.png." in text_of(app)
    assert "inner detail" not in text_of(app)
    assert "RuntimeError at" in caplog.text
    assert "Jane" not in caplog.text
    assert not app.metric
    assert not app.exception


def test_several_images(visit, text_of, reader, image, make_image, png):
    """Many files at once: all are listed, those not read with their reason, and one is chosen."""
    other = png(make_image(1, (60, 80)))
    app = drop(visit("read"), ("letter.txt", b"text"), ("a.png", image), ("b.png", other))
    assert len(app.warning) == 1
    lines = (
        words("web.read.some_read", read=2, files=3),
        words("web.read.unread_file", name="letter.txt", reason=NO_PICTURE),
    )
    assert all(line in text_of(app) for line in lines)
    assert listed(app) == 3
    table = app.dataframe[0].value
    assert list(table["Image"]) == ["b.png", "a.png", "letter.txt"]
    assert list(table["Status"]) == ["read", "read", "refused"]
    assert list(table[PROBABILITY]) == ["87\u00a0%", "87\u00a0%", ""]
    assert file_line("a.png") in text_of(app)


def test_choosing_another_image(visit, text_of, reader, image, make_image, png):
    """The chooser shows the image that is chosen."""
    app = drop(visit("read"), ("a.png", image), ("b.png", png(make_image(1, (30, 50)))))
    chooser = next(box for box in app.selectbox if box.label == "Image")
    assert chooser.options == ["b.png (pneumonia, 87\u00a0%)", "a.png (pneumonia, 87\u00a0%)"]
    chooser.select_index(0).run()
    assert file_line("b.png", 50, 30) in text_of(app)


def test_nothing_is_read_twice(visit, reader, image):
    """Neither a rerun, nor a visit to another page, nor the same file again reads an image anew."""
    app = drop(visit("read"), ("a.png", image)).run()
    app.switch_page("about.py").run()
    app.switch_page("read.py").run()
    assert app.metric[0].value == "87\u00a0%"
    drop(app, ("a.png", image))
    assert reader.read_names == ["a.png"]
    assert listed(app) == 1


def test_same_bytes_under_another_name(visit, text_of, reader, image):
    """A copy is listed and shown under its own name, and is not read again."""
    app = drop(visit("read"), ("a.png", image))
    drop(app, ("copy.png", image))
    assert reader.read_names == ["a.png"]
    assert listed(app) == 2
    assert list(app.dataframe[0].value["Image"]) == ["copy.png", "a.png"]
    assert file_line("copy.png") in text_of(app)


def test_batch_with_copies_is_counted(visit, text_of, reader, image):
    """Files given twice are counted in the summary of a batch."""
    app = drop(visit("read"), ("a.png", image), ("a.png", image), ("copy.png", image))
    assert f"{words('web.read.all_read', images=3)} {words('web.read.repeated', count=1)}" in text_of(app)
    assert listed(app) == 2


def test_near_a_threshold_every_place_shows_decimals(use, visit, text_of, image):
    """Where the whole number would contradict a threshold, number, scale, chooser and table show decimals."""
    use(FakeReader(0.7996))
    app = drop(visit("read"), ("a.png", image))
    assert app.metric[0].value == "79.96\u00a0%"
    assert list(app.dataframe[0].value[PROBABILITY]) == ["79.96\u00a0%"]
    assert "Probability 79.96 % on a scale" in text_of(app)


def test_what_the_test_images_showed_stands_beside_the_number(use, visit, text_of, image, monkeypatch):
    """Page and report weight the nearest test images to the prevalence of the number; not for other weights."""
    made, evaluation = [], made_up_evaluation()
    monkeypatch.setattr(result, "load_evaluation", lambda model: evaluation)
    monkeypatch.setattr(result, "pdf_report", lambda *given: made.append(given) or b"%PDF")
    monkeypatch.setattr(result, "lazily", lambda make: make())
    use(FakeReader(0.2))
    app = drop(visit("read"), ("a.png", image))
    reading, scores = fake_reading(np.zeros((9, 9)), probability=0.2), evaluation.splits["test"]
    found = evidence(scores.labels, scores.logits, reading.logit, reading.prevalence)
    stated, counted = str(evidence_sentence(reading, found)), str(evidence_counts(reading, found))
    shown = next(element for element in app.markdown if element.value == stated)
    assert shown.proto.help == counted
    assert made[-1][3] == f"{stated} {counted}"
    monkeypatch.setattr(
        result, "load_evaluation", lambda model: evaluation.model_copy(update={"version": "densenet121 other"})
    )
    assert " ".join(stated.split()) not in text_of(drop(visit("read"), ("b.png", image)))


def test_report_carries_name_and_time_of_reading(visit, reader, image, monkeypatch):
    """The report is of the image asked for, under its own name, with the time at which it was read."""
    made = []
    monkeypatch.setattr(result, "pdf_report", lambda *given: made.append(given) or b"%PDF")
    monkeypatch.setattr(result, "lazily", lambda make: make())
    app = drop(visit("read"), ("a.png", image))
    drop(app, ("copy.png", image))
    (first, first_read, first_printed, _), (copy, copy_read, copy_printed, _) = made[0], made[-1]
    assert (first.name, copy.name) == ("a.png", "copy.png")
    assert first_read == copy_read <= first_printed <= copy_printed


def test_drop_zone_is_emptied(visit, reader, image):
    """Files that have been read wait nowhere to be read again."""
    app = drop(visit("read"), ("a.png", image))
    assert app.file_uploader[0].value == []


def test_server_keeps_no_copy_of_an_uploaded_file(visit, reader, image, monkeypatch):
    """Once files are read, the server's own copies are freed, so that a cleared image is gone."""
    freed = []
    monkeypatch.setattr(MemoryUploadedFileManager, "remove_file", lambda self, session, file: freed.append(file))
    app = visit("read")
    app.file_uploader[0].set_value([("a.png", image, ""), ("b.txt", b"text", "")])
    given = [file for file, *_ in app.file_uploader[0]._files]
    app.run()
    assert freed == given


def test_remove_one_and_clear_all(visit, text_of, reader, image, make_image, png):
    """An image can be removed alone, and all together."""
    app = drop(visit("read"), ("a.png", image), ("b.png", png(make_image(1, (60, 80)))))
    press(app, words("web.worklist.remove"))
    assert list(app.dataframe[0].value["Image"]) == ["b.png"]
    press(app, words("web.worklist.clear"))
    assert words("web.read.empty", positive="pneumonia") in text_of(app)
    assert not app.metric


def test_sessions_do_not_share_images(visit, reader, image):
    """What one user reads no other user sees."""
    drop(visit("read"), ("a.png", image))
    assert not visit("read").metric


def test_synthetic_image(visit, reader):
    """A click reads a demo image, which is named as synthetic everywhere."""
    app = visit("read")
    choice = next(box for box in app.selectbox if box.label == words("web.read.demo"))
    choice.select_index(1).run()
    press(app, words("web.read.demo_read"))
    assert len(app.metric) == 1
    (name,) = reader.read_names
    assert name == words("web.read.demo_name", title=choice.options[1])
    assert name.startswith("Synthetic")


@pytest.mark.usefixtures("reader")
def test_missing_demo_images(visit, text_of, monkeypatch):
    """Without demo images the page gives the reason and still reads dropped images."""

    def missing():
        raise DataError("training.bad_demo_index", path="index.json", problem="damaged")

    monkeypatch.setattr(intake, "demo_images", missing)
    app = visit("read")
    assert words("training.bad_demo_index", path="index.json", problem="damaged") in text_of(app)
    assert app.file_uploader
    assert not app.error


def test_another_prevalence_moves_every_number_but_no_finding(visit, text_of, reader, image):
    """Number, scale, thresholds, evidence, table and report follow at once, on every page of the session."""
    app = drop(visit("read"), ("a.png", image))
    # Odds of 0.87 / 0.13 times odds of 0.2 / 0.8 are 1.673: 63 %. The thresholds are 1/17, 9/53 and 1/2.
    shown, moved = fake_reading(np.zeros((9, 9))), fake_reading(np.zeros((9, 9))).at(0.2)
    for prevalence, number, reading in ((0.5, "87", shown), (0.2, "63", moved), (0.5, "87", shown)):
        app.select_slider[0].set_value(prevalence).run()
        assumed = prevalence_words(prevalence)
        (metric,) = app.metric
        assert metric.label == str(Message("web.result.probability", positive="pneumonia", prevalence=assumed))
        assert metric.value == f"{number}\u00a0%"
        column = str(Message("web.worklist.probability", prevalence=assumed))
        assert list(app.dataframe[0].value[column]) == [metric.value]
        seen = text_of(app)
        assert words("web.result.finding", finding="pneumonia") in seen
        assert " ".join(str(reason_for_finding(reading)).split()) in seen
        assert f"Uncertain from {reading.shown.thresholds['high_sensitivity']}".replace("\u00a0", " ") in seen
        values = [" ".join(str(fact.value).split()) for fact in facts(reading)[:2]]
        assert [value for value in values if f"<dd>{value}</dd>" not in seen] == []


def test_prevalence_is_kept_between_pages(visit, text_of, reader, image):
    """The prevalence that a user sets holds for the session, for images read later too."""
    app = drop(visit("read"), ("a.png", image))
    app.select_slider[0].set_value(0.2).run()
    app.switch_page("heatmap.py").run()
    values = {"positive": "pneumonia", "prevalence": prevalence_words(0.2)}
    assert words("web.heatmap.finding", finding="pneumonia", probability="63\u00a0%", **values) in text_of(app)
    app.switch_page("read.py").run()
    assert app.select_slider[0].value == 0.2
    assert drop(app, ("b.png", image)).metric[0].value == "63\u00a0%"


def test_the_prevalence_of_the_site_is_the_first(visit, reader, image, monkeypatch):
    """One that no whole percentage is stays what it is."""
    monkeypatch.setenv(SETTING, "12.5%")
    app = drop(visit("read"), ("a.png", image))
    assert app.select_slider[0].value == 0.125
    assert app.metric[0].label.endswith("12.5\u00a0%")


def test_bound_is_stated(visit, text_of, reader, image, make_image, png, monkeypatch):
    """When older images are discarded, the page gives their number and what to do."""
    monkeypatch.setattr(session, "MOST_IMAGES", 1)
    app = drop(visit("read"), ("a.png", image), ("b.png", png(make_image(1, (60, 80)))))
    assert words("web.read.discarded", images=1, megabytes=session.MOST_MEGABYTES, count=1) in text_of(app)


def test_report_is_offered(visit, reader, image):
    """The report of the image shown is a download, made only on demand."""
    app = drop(visit("read"), ("a.png", image))
    assert [button.label for button in app.download_button] == [words("web.result.report")]


def test_marks_in_a_file_name_stay_marks(visit, reader, image):
    """A file name is text: no picture of another server is fetched for it."""
    app = drop(visit("read"), ("![x](http://x.org/y.png).png", image))
    captions = " ".join(caption.value for caption in app.caption)
    assert r"\!\[x\]\(http\://x\.org/y\.png\)\.png" in captions.replace("\u2060", "")


def press(app, label):
    """Press the button of that label."""
    return next(button for button in app.button if button.label == label).click().run()


@pytest.mark.parametrize(
    ("corrections", "shown"),
    [((), []), (("inverted",), ["Inverted"]), (("cropped", "inverted"), ["Cropped", "Inverted"])],
)
def test_corrections_are_badges(use, visit, text_of, image, corrections, shown):
    """What a check did to the image stands beside it, on both pages that show it."""
    found = tuple(CheckResult("inverted_greyscale", WARNING, None, 1.0, 0.5, word) for word in corrections)
    use(FakeReader(check=CheckReport(found)))
    app = drop(visit("read"), ("image.png", image))
    assert [word for word in ("Cropped", "Inverted") if f"{word}: " in text_of(app)] == shown
    app.switch_page("heatmap.py").run()
    assert [word for word in ("Cropped", "Inverted") if f"{word}: " in text_of(app)] == shown
