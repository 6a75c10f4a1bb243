"""The model card says what the evaluations say, in fixed sections, and the file is the one that they give."""

import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score, matthews_corrcoef, precision_score, recall_score

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.report import card as cards
from cxrmodel.evaluation.report import card_words
from cxrmodel.evaluation.report.card import SECTIONS, model_card, shipped_card
from cxrmodel.evaluation.report.card_metrics import POINTS
from cxrmodel.evaluation.report.lung_words import lungs_verdict
from cxrmodel.evaluation.report.tables import interval_cell
from tests.support.made_up_sections import SECTIONS as PARTS
from tests.support.made_up_sections import figures_in

RECORD = {
    "split": {
        "train_images": 4321,
        "train_patients": 2100,
        "train_strata": {"normal": 1111, "bacteria": 2222, "virus": 988},
        "held_out_images": 510,
        "held_out_strata": {"normal": 130, "bacteria": 250, "virus": 130},
        "held_out_patients": ["a"] * 250,
        "repeats_dropped": ["x"] * 31,
    }
}


@pytest.fixture
def text(make_evaluation, make_spec) -> str:
    """The card of a model with every section, beside a baseline."""
    first = replace(make_evaluation(), sections=PARTS)
    return model_card([first, make_evaluation("cnn", 0.5)], make_spec(temperature=1.2345), RECORD, published())


def test_sections_are_fixed(text):
    """Each once, in their order."""
    assert tuple(re.findall(r"^## (.+)$", text, re.MULTILINE)) == SECTIONS
    for title in ("Intended use", "Out of scope", "Ethical considerations", "How to report a problem"):
        assert len(text.split(f"## {title}\n")[1].split("\n## ")[0].split()) > 30


def test_the_file_is_what_the_evaluations_give(project):
    """Who changes one must run ``python -m cxrmodel evaluate --no-read``."""
    assert (project / "MODEL_CARD.md").read_text(encoding="utf-8") == shipped_card()


def test_every_figure_of_a_section_is_told(text):
    """Nothing that was measured is left out, the bad no less than the good."""
    for number in figures_in([PARTS["audits"][name] for name in ("shortcuts", "lungs", "subgroups")]):
        assert f"{number:.3f}" in text
    assert lungs_verdict(PARTS["audits"]) in text
    assert "Figures elsewhere are of all images, with the checks off; all could be scored." in text
    assert "| hands | 40 | 2 | 1 | 38 |" in text
    assert "| Normal (34) | 21 (61.8 %) | 10 (29.4 %) | 3 (8.8 %) |" in text
    assert "| Grad-CAM | 0.412 (0.392–0.432) |" in text
    assert "Not measured" not in text


def test_what_was_not_measured_is_said(make_evaluation, make_spec):
    """A gap is a sentence."""
    text = model_card([make_evaluation()], make_spec(), {})
    assert text.count(card_words.NOT_MEASURED) == 6


def test_figures_follow_from_the_scores(make_evaluation, make_spec):
    """Those at the thresholds are the ones that scikit-learn computes from the images."""
    evaluation = make_evaluation()
    text, scores = model_card([evaluation], make_spec(), {}), evaluation.scores["test"]
    called = [scores.probabilities >= evaluation.operating_points[name] for name in POINTS]
    rows = {line.split(" | ")[0].strip("| "): line.strip("| ").split(" | ")[1:] for line in text.splitlines()}
    for title, measure in {
        "Sensitivity (recall)": recall_score,
        "Matthews correlation (MCC)": matthews_corrcoef,
        "F1": f1_score,
        "Precision (PPV)": precision_score,
    }.items():
        stated = [cell.split()[0] for cell in rows[title]][-3:]
        assert stated == [f"{measure(scores.labels, calls):.3f}" for calls in called]
    assert rows["Missed"] == [str(int((~calls & (scores.labels == 1)).sum())) for calls in called]


def test_no_figure_stands_in_the_fixed_words():
    """What is measured comes from the evaluation alone."""
    said = [getattr(card_words, name) for name in card_words.__all__]
    fixed = " ".join(part if isinstance(part, str) else " ".join(part.values()) for part in said)
    assert len(fixed) > 4000
    assert re.findall(r"\b0\.\d+|\d ?%", fixed) == []


def test_counts_of_the_images(text):
    """Every station, with what was left out on the way."""
    for expected in ("4,862 images", "31 images", "4,831 images of 2,350 patients", "4,321 images of 2,100 patients"):
        assert expected in text


def test_a_card_of_nothing_is_refused(make_spec):
    """There is no model without figures."""
    with pytest.raises(EvaluationError, match="no evaluation"):
        model_card([], make_spec(), {})


def test_the_file_is_written_only_when_it_changes(tmp_path, monkeypatch):
    """A second time nothing happens."""
    monkeypatch.setattr(cards, "shipped_card", lambda: "# Card\n")
    path = tmp_path / "MODEL_CARD.md"
    assert cards.update_card(path) is True
    assert path.read_text() == "# Card\n"
    assert cards.update_card(path) is False


def test_undefined_and_unbounded_are_words():
    """Never a number that is none."""
    assert interval_cell(float("nan"), 0.1, 0.2) == "undefined"
    assert interval_cell(3.0, 2.0, np.inf, ".3g") == "3 (2–no bound)"
    assert interval_cell(0.96812, None, None) == "0.9681"
