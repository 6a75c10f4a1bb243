"""The README's table says what the evaluations say, and is put between its marks and nowhere else."""

import pytest

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.report.readme import END, START, images_sentence, readme_table, update_readme


def test_table_has_a_column_for_each_model(make_evaluation):
    """A figure stands with its interval in the row of its name."""
    evaluations = [make_evaluation(centre=0.3), make_evaluation("cnn", centre=0.4)]
    sentence, blank, *rows = readme_table(evaluations).splitlines()
    assert sentence == (
        "Official test split: 60 images of 30 patients, 30 normal and 30 with pneumonia; "
        "all scored, with the checks off. "
        "In brackets 95 % intervals, resampled by patient."
    )
    assert blank == ""
    cells = {row[0]: row[1:] for row in ([cell.strip() for cell in line.strip("|").split("|")] for line in rows)}
    assert cells[""] == ["DenseNet-121", "Plain CNN"]
    assert cells["---"] == ["---", "---"]
    for name, title in (("auc", "AUC"), ("ece", "Expected calibration error")):
        assert cells[title] == [shown(evaluation.metrics["test"][name]) for evaluation in evaluations]
    for name, title in (("accuracy", "Accuracy"), ("recall", "Sensitivity (recall)"), ("specificity", "Specificity")):
        stored = [evaluation.metrics["test"]["at"]["balanced"][name] for evaluation in evaluations]
        assert cells[title] == [shown(figures) for figures in stored]
    assert cells["Balanced threshold"] == ["0.5", "0.5"]


def test_findings_are_counted_by_the_band(make_evaluation):
    """Three counts a class, by the outer thresholds, that add up to its images."""
    evaluation = make_evaluation()
    scores, points = evaluation.scores["test"], evaluation.operating_points
    table = readme_table([evaluation])
    for title, label in (("of images with pneumonia", 1), ("of normal images", 0)):
        values = scores.probabilities[scores.labels == label]
        high = (values >= points["high_specificity"]).sum()
        low = (values < points["high_sensitivity"]).sum()
        assert f"| {title} | {high} / {len(values) - high - low} / {low} |" in table


def test_table_is_deterministic(make_evaluation):
    """The same evaluation gives the same text."""
    assert readme_table([make_evaluation()]) == readme_table([make_evaluation()])


def test_refused_images_are_told(make_evaluation):
    """A table that leaves images out says so."""
    evaluation = make_evaluation()
    evaluation.data["test"]["refused"] = 2
    assert "; 2 more could not be decoded and are left out." in readme_table([evaluation])


def test_figures_without_value_or_interval(make_evaluation):
    """An undefined figure is a word, never a number."""
    evaluation = make_evaluation()
    at = evaluation.metrics["test"]["at"]["balanced"]
    at["precision"] = {"value": None, "low": None, "high": None}
    at["f1"] = {"value": 0.25, "low": None, "high": None}
    table = readme_table([evaluation])
    assert "| Precision (positive predictive value) | undefined |" in table
    assert "| F1 | 0.250 |" in table


def test_models_of_other_images_do_not_stand_side_by_side(make_evaluation):
    """A comparison over different images is none."""
    other = make_evaluation("cnn")
    other.data["test"]["images"] = 59
    with pytest.raises(EvaluationError, match="same test images"):
        readme_table([make_evaluation(), other])
    with pytest.raises(EvaluationError, match="same test images"):
        readme_table([])


def test_readme_is_changed_between_the_marks_alone(tmp_path):
    """The rest stays to the letter; a second time nothing changes."""
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n\n{START}\nold\nolder\n{END}\n\nEnd – ü.\n", encoding="utf-8")
    assert update_readme(readme, "| new |") is True
    assert readme.read_text(encoding="utf-8") == f"# Title\n\n{START}\n| new |\n{END}\n\nEnd – ü.\n"
    assert update_readme(readme, "| new |") is False


@pytest.mark.parametrize(
    "text",
    ["no marks", START, END, f"{END} {START}", f"{START} {END} {START}", f"{START} {END} {END}"],
    ids=["none", "no end", "no start", "out of order", "two starts", "two ends"],
)
def test_readme_without_its_marks_is_left_alone(text, tmp_path):
    """Rather a sentence than a table in the wrong place."""
    readme = tmp_path / "README.md"
    readme.write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"README\.md must hold"):
        update_readme(readme, "| new |")
    assert readme.read_text(encoding="utf-8") == text


def shown(figures: dict) -> str:
    """A value and its interval, to three decimals."""
    return f"{figures['value']:.3f} ({figures['low']:.3f}–{figures['high']:.3f})"


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        ([], "All were scored, with the checks off."),
        (
            ["a.png"],
            "All of these were scored, with the checks off; 1 more could not be decoded as an image and is left out: "
            "a.png.",
        ),
        (
            list("abcdefg"),
            "All of these were scored, with the checks off; 7 more could not be decoded as an image and are left out: "
            "a, b, c, d, e and 2 more.",
        ),
    ],
)
def test_images_without_a_score_are_not_counted_as_scored(make_evaluation, left_out, said):
    """The counts are of scored images, whatever the folder held; the others are named."""
    evaluation = make_evaluation()
    counts = evaluation.data["test"]
    for name in ("images", "normal", "patients"):
        counts[name] += len(left_out)
    counts["refused"] = len(left_out)
    evaluation.refused["test"][:] = [{"file": name, "reason": "no image"} for name in left_out]
    images = "60 images of 30 patients: 30 normal, 30 with pneumonia (30 bacterial)."
    assert images_sentence(evaluation, "test") == f"{images} {said}"
    assert "60 images of 30 patients, 30 normal and 30 with pneumonia;" in readme_table([evaluation])
