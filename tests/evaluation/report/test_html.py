"""The report is one file that holds everything and asks for nothing."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from cxrmodel.errors import OutputRefused
from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.report.html import html_report, write_report
from tests.support.made_up_sections import SECTIONS

HISTORY = [
    {"epoch": epoch, "size": 96, "loss": 1 / epoch, "held_out_loss": 1.1 / epoch, "held_out_auc": 1 - 0.5 / epoch}
    for epoch in (1, 2, 3)
]


@pytest.fixture(scope="module")
def cache():
    """One report for all tests."""
    return {}


@pytest.fixture
def report(cache, make_evaluation, make_spec) -> str:
    """A report with every section and two models."""
    if "text" not in cache:
        evaluations = [replace(make_evaluation(), sections=SECTIONS), make_evaluation("cnn", 0.5)]
        cache["text"] = html_report(evaluations, make_spec(), {"history": HISTORY}, published())
        cache["auc"] = evaluations[0].metrics["test"]["auc"]
    return cache["text"]


class Tags(HTMLParser):
    """Collects every tag with its attributes."""

    def __init__(self):
        super().__init__()
        self.found: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attributes):
        """Keep it."""
        self.found.append((tag, dict(attributes)))


def test_it_stands_alone(report):
    """No script, no style sheet, no picture and no font from elsewhere; links are for people."""
    tags = Tags()
    tags.feed(report)
    names = {tag for tag, _ in tags.found}
    assert not names & {"script", "link", "img", "iframe", "object", "embed"}
    for tag, attributes in tags.found:
        for name in ("src", "href", "xlink:href"):
            assert tag == "a" or attributes.get(name, "#").startswith(("#", "data:"))
    assert "@import" not in report
    assert "url(http" not in report


def test_it_holds_figures_and_card(report, cache):
    """ROC, precision-recall, decision curve, reliability, groups, disturbances, adults, training; and the card."""
    captions = re.findall(r"<figcaption>(.+?)</figcaption>", report)
    assert report.count("<svg") == len(captions) + 1
    for word in ("ROC", "Precision", "Decision", "Reliability", "Groups", "Lungs", "Disturbed", "Adults", "Training"):
        assert any(word in caption for caption in captions), word
    assert "<h2>Intended use</h2>" in report
    assert f"{cache['auc']['value']:.3f} ({cache['auc']['low']:.3f}–{cache['auc']['high']:.3f})" in report
    assert "Not for diagnosis; research use only." in report
    assert "<table>" in report


def test_names_of_own_images_are_text(make_evaluation, make_spec):
    """What a user called a folder or a file is shown, never run."""
    dataset = {"name": "<b>ward</b>", "layout": "found <i>here</i>", "patients": "each image"}
    evaluation = replace(make_evaluation(), dataset=dataset)
    text = html_report([evaluation], make_spec(), {})
    assert "<b>ward</b>" not in text
    assert "found &lt;i&gt;here&lt;/i&gt;" in text


def test_it_begins_with_the_images(report):
    """Which, how many, checks off; before any figure."""
    opening = report.split("<h2>")[0]
    assert "Official test images. 60 images of 30 patients: 30 normal, 30 with pneumonia" in opening
    assert "All were scored, with the checks off." in opening


def test_every_table_scrolls(report):
    """Each within a box that a keyboard reaches, and a narrow screen is told so."""
    assert report.count("<table>") == report.count('<div class="scroll" tabindex="0" role="region"') > 3
    assert len(re.findall(r'aria-label="Table"><table>', report)) == report.count("</table></div>") > 3
    assert "scroll sideways; a shadow" in report


def test_own_images_have_no_card(make_evaluation, make_spec):
    """The card is of the shipped evaluation; own figures stand in numbers, and where the card is."""
    evaluation = replace(make_evaluation(), dataset={"name": "Ward 3", "layout": "here", "patients": "each"})
    text = html_report([evaluation], make_spec(), {})
    assert "Model card:" not in text
    assert "shipped weights" not in text
    assert "The model card is of the shipped evaluation, not of these images." in text
    auc = evaluation.metrics["test"]["auc"]
    assert f"{auc['value']:.3f} ({auc['low']:.3f}–{auc['high']:.3f})" in text
    assert "60 images of 30 patients" in text.split("<h2>")[0]


@pytest.mark.parametrize("name", ["report", "report.pdf", "report.html.png"])
def test_only_html_is_written(name, tmp_path):
    """Under a name that says so."""
    with pytest.raises(OutputRefused, match=r"does not end in \.html"):
        write_report("<html></html>", tmp_path / name)
    assert list(tmp_path.iterdir()) == []
