"""The HTML report is one self-contained file."""

import re
from html.parser import HTMLParser

import pytest
from pydantic import ValidationError

from cxrmodel.errors import OutputRefused
from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.report.html import html_report, write_report
from cxrmodel.evaluation.schema import Dataset, Refusal
from cxrmodel.metrics import formatting
from cxrmodel.training.record import shipped_training_record
from tests.support.hostile import HOSTILE, is_contained
from tests.support.made_up_sections import SECTIONS

FIGURES = 14
"""Curves, areas, three confusion matrices, decision, two of reliability, four of groups, training."""


@pytest.fixture(scope="module")
def kept() -> dict:
    """One report for all tests."""
    return {}


@pytest.fixture
def report(kept, make_evaluation, make_spec) -> str:
    """A report with every section and two models."""
    if not kept:
        evaluations = [make_evaluation(**SECTIONS), make_evaluation("cnn", 0.5)]
        kept["text"] = html_report(evaluations, make_spec(), shipped_training_record("densenet121"), published())
        kept["auc"] = formatting.estimate(evaluations[0].splits["test"].performance.overall["auc"])
    return kept["text"]


class Tags(HTMLParser):
    """Collects every tag with its attributes."""

    def __init__(self):
        super().__init__()
        self.found: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attributes):
        """Collect it."""
        self.found.append((tag, dict(attributes)))


def test_it_stands_alone(report):
    """No script, style sheet, image or font is loaded; links are for readers."""
    tags = Tags()
    tags.feed(report)
    names = {tag for tag, _ in tags.found}
    assert not names & {"script", "link", "img", "iframe", "object", "embed"}
    for tag, attributes in tags.found:
        for name in ("src", "href", "xlink:href"):
            assert tag == "a" or attributes.get(name, "#").startswith(("#", "data:"))
    assert "@import" not in report
    assert "url(http" not in report


def test_it_holds_figures_and_card(report, kept):
    """Every figure with a caption, the data flow, and the model card."""
    captions = re.findall(r"<figcaption>(.+?)</figcaption>", report)
    assert len(captions) == len(set(captions)) == FIGURES
    assert report.count("<svg") == FIGURES + 1
    assert "<h2>Intended use</h2>" in report
    assert kept["auc"] in report
    assert report.count("Not for diagnosis") == 2


def test_names_of_own_images_are_text(make_evaluation, make_spec):
    """Names of a user's folders are escaped; names of sets hold nothing to escape."""
    text = html_report(
        [make_evaluation(dataset=Dataset(name="ward", folder="<i>here</i>", named=0))], make_spec(), None
    )
    assert "&lt;i&gt;here&lt;/i&gt;" in text
    for name in ("<b>ward</b>", "a\u202eb", "[x](y)", "", "a" * 62):
        with pytest.raises(ValidationError):
            Dataset(name=name, folder=".", named=0)


def test_it_begins_with_the_images(report):
    """Their number comes before any figure."""
    assert "60 images of 30 patients" in report.split("<h2>")[0]


def test_every_table_scrolls(report):
    """Each is in a box that the keyboard reaches."""
    assert report.count("<table>") == report.count('<div class="scroll" tabindex="0" role="region"') > 3
    assert len(re.findall(r'aria-label="Table"><table>', report)) == report.count("</table></div>") > 3


def test_own_images_have_no_card(make_evaluation, make_spec):
    """The model card is left out, and the figures are in a table."""
    evaluation = make_evaluation(dataset=Dataset(name="Ward 3", folder=".", named=0))
    text = html_report([evaluation], make_spec(), None)
    assert "<h2>Intended use</h2>" not in text
    assert "MODEL_CARD.md" in text
    assert formatting.estimate(evaluation.splits["test"].performance.overall["auc"]) in text
    assert "60 images of 30 patients" in text.split("<h2>")[0]


@pytest.mark.parametrize("name", ["report", "report.pdf", "report.html.png"])
def test_only_html_is_written(name, tmp_path):
    """The file name must end in .html."""
    with pytest.raises(OutputRefused) as caught:
        write_report("<html></html>", tmp_path / name)
    assert caught.value.message.code == "documents.not_html"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kinds", [list(HOSTILE)[start::3] for start in range(3)], ids=lambda kinds: kinds[0])
def test_names_of_images_are_data(kinds, make_evaluation, make_spec):
    """Of the most confident errors and of images that were refused: no element, link or override."""
    made = make_evaluation(centre=0.0)
    test = made.splits["test"]
    names = [HOSTILE[kind] for kind in kinds]
    images = tuple(
        image.replace(file=f"{number}{names[number % len(names)]}") for number, image in enumerate(test.images)
    )
    refused = tuple(Refusal(file=name, code="imaging.empty") for name in names)
    counts = test.counts.replace(images=len(images) + len(refused), refused=len(refused))
    split = test.replace(images=images, refused=refused, counts=counts)
    text = html_report([made.replace(splits=made.splits | {"test": split})], make_spec(), None)
    tags = Tags()
    tags.feed(text)
    assert {tag for tag, _ in tags.found} & {"script", "img", "small"} == set()
    assert not [attributes for tag, attributes in tags.found if any(name.startswith("on") for name in attributes)]
    assert not [href for _, found in tags.found if "x.png" in (href := str(found.get("href"))) or "javascript" in href]
    assert is_contained(text)
