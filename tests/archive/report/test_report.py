"""The report on an output: its counts are those of the rows, and it shows of patients only what was asked for."""

import re
from html.parser import HTMLParser

import pyarrow as pa
import pytest

from cxrmodel.archive.columns import SCHEMA
from cxrmodel.archive.manifest import Manifest
from cxrmodel.archive.output import Output, read_table, write_table
from cxrmodel.archive.report.measures import BINS, LEAST, OTHERS, UNKNOWN, Group, Reason, measure
from cxrmodel.archive.report.page import write_report
from cxrmodel.archive.report.thumbnails import fetch_pictures
from cxrmodel.cli.main import main
from cxrmodel.errors import OutputRefused
from tests.support.archives import lay_out, score

YEARS = [2020] * 12 + [2021] * 11 + [2022] * 2 + [None] * 3
PROBABILITIES = [0.01, 0.5, 0.99, 1.0]


@pytest.fixture
def scored(tmp_path, out, png, make_image):
    """An output of 30 images: 28 whose rows are set here, one refused, one failed."""
    images = lay_out(tmp_path / "images", 28, **{"~broken": "broken", "~failing": "failing"})
    for path in images.glob("*.png"):
        path.write_bytes(png(make_image(int(path.stem), (96, 96))))
    score(out, images, part_images=100)
    path = Output(out).part(0)
    rows = read_table(path).to_pylist()
    for number, row in enumerate(rows[:28]):
        row["probability"], row["uncertain_from"], row["uncertain_to"] = PROBABILITIES[number % 4], 0.2, 0.6
        row["finding"] = ("normal", "uncertain", "pneumonia", "pneumonia")[number % 4]
        row["study_year"], row["age_years"] = YEARS[number], 3.0 if number < 20 else 70.0
        row["manufacturer"], row["device"] = "ACME", "<b>X-1</b>"
        row["heat_in_lungs"] = 1 - number / 100
        row["codes"], row["reasons"] = (["checks.unlike.clearly"], ["Unlike."]) if number % 14 == 3 else ([], [])
    write_table(path, pa.Table.from_pylist(rows, SCHEMA), overwrite=True)
    return out


def test_distribution(scored):
    """Every image that was read is in one bin; findings and reasons are counted."""
    found = measure(scored)
    assert found.thresholds == (0.2, 0.6)
    expected = [0] * BINS
    for probability in PROBABILITIES:
        expected[min(int(probability * BINS), BINS - 1)] += 7
    assert list(found.histogram) == expected
    assert found.findings == (("pneumonia", 14), ("normal", 7), ("uncertain", 7))
    assert [(reason.code, reason.images) for reason in found.refusals] == [
        ("cli.read.unexpected", 1),
        ("imaging.unsupported.pdf", 1),
    ]
    assert found.warnings == (Reason("checks.unlike.clearly", 2, "Unlike."),)


def test_groups(scored):
    """By year in order, small ones together, then those that state none; shares of the images that were read."""
    groups = measure(scored).groups
    assert groups["year"] == (
        Group("2020", 12, 12, 6, 3, 0.745),
        Group("2021", 11, 11, 5, 3, 0.5),
        Group(OTHERS, 2, 2, 1, 0, 0.505),
        Group(UNKNOWN, 5, 3, 2, 1, 0.99),
    )
    assert [(group.key, group.images) for group in groups["age"]] == [("1–5", 20), (OTHERS, 8), (UNKNOWN, 2)]
    assert [(group.key, group.images) for group in groups["device"]] == [("ACME <b>X-1</b>", 28), (UNKNOWN, 2)]
    assert not {"sex", "view", "source"} & set(groups)


def test_outliers(scored):
    """In the order of what makes them stand out; ties by their number."""
    found = measure(scored).outliers
    assert [outlier.item for outlier in found["highest"]] == [3, 7, 11, 15, 19, 23, 27, 2]
    assert [outlier.item for outlier in found["unfamiliar"]] == [3, 17]
    assert [outlier.item for outlier in found["outside"]] == [27, 26, 23, 22, 19, 18, 15, 14]


class _Page(HTMLParser):
    """Tags and texts of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        """Keep a tag with its attributes."""
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        """Keep a text."""
        self.texts.append(data)


def test_the_page(scored, tmp_path, capsys):
    """Names no file and holds no image, script or address; what tags state is text."""
    assert main(["archive", "report", str(scored)]) == 0
    text = (scored / "report.html").read_text(encoding="utf-8")
    page = _Page(text)
    assert not {"script", "link", "iframe", "img", "b"} & {tag for tag, _ in page.tags}
    assert not any(name in values for _, values in page.tags for name in ("src", "href") if "xlink" not in name)
    assert "ACME <b>X-1</b>" in page.texts
    assert not re.search(r"(normal|uncertain|pneumonia), (100|0)\b", text), "a probability is never a certainty"
    assert not re.search(r"\d{3}\.png|~failing|~broken", text)
    assert str(tmp_path) not in text
    assert f"{LEAST} images" in text
    with pytest.raises(OutputRefused):
        write_report(scored, scored / "report.html")
    with pytest.raises(OutputRefused):
        write_report(scored, scored / "report.pdf")
    assert main(["archive", "report", str(scored), "--overwrite", "--thumbnails"]) == 0
    shown = [values["src"] for tag, values in _Page((scored / "report.html").read_text()).tags if tag == "img"]
    assert len(shown) == 18
    assert all(address.startswith("data:image/jpeg;base64,") for address in shown)
    assert set(page.texts) <= set(_Page((scored / "report.html").read_text()).texts)


def test_pictures_of_what_was_scored(scored, tmp_path):
    """An image that changed, is gone or is none any more is not shown; the others are."""
    (tmp_path / "images" / "003.png").write_bytes((tmp_path / "images" / "004.png").read_bytes())
    (tmp_path / "images" / "007.png").unlink()
    pictures = fetch_pictures(Manifest(Output(scored)), measure(scored).outliers["highest"])
    assert pictures[3].reason.code == "archive.report.changed"
    assert pictures[7].reason.code == "archive.report.gone"
    assert sorted(item for item, picture in pictures.items() if picture.url) == [2, 11, 15, 19, 23, 27]


def test_an_output_without_a_reading(tmp_path, out):
    """Has a page, too."""
    score(out, lay_out(tmp_path / "images", 0, broken="broken"))
    assert measure(out).thresholds is None
    assert main(["archive", "report", str(out), "--to", str(tmp_path / "page.html")]) == 0
    assert "<svg" not in (tmp_path / "page.html").read_text()
