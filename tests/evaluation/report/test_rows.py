"""Rows of figures: groups by hand, confident errors, published figures."""

from types import SimpleNamespace

import pytest

from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.report.rows import (
    adult_findings,
    auc_rows,
    confident_errors,
    findings_by_label,
    lung_rows,
    perturbation_rows,
    stratum_rows,
    subgroup_rows,
    three_way,
)
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.model.spec import Labels

LABELS = Labels(positive="pneumonia", negative="normal")


def codes(messages) -> list[str]:
    """Last parts of the codes of messages."""
    return [message.code.rpartition(".")[2] for message in messages]


def test_strata_by_hand(make_evaluation):
    """Shares and counts at the balanced threshold, bounded by their intervals."""
    evaluation = make_evaluation()
    scores = evaluation.splits["test"]
    rows = stratum_rows(evaluation, "test")
    assert [row.name for row in rows] == ["Normal", "Pneumonia (bacteria)"]
    for row, label in zip(rows, (0, 1), strict=True):
        right = (scores.probabilities[scores.labels == label] >= 0.5) == (label == 1)
        assert row.estimate.value == pytest.approx(right.mean(), abs=1e-5)
        assert row.notes[0].values == {"right": right.sum(), "images": 30}
        assert row.estimate.contains(row.estimate.value)


def test_strata_are_the_stored_rates(make_evaluation):
    """Correct negative images are the specificity, with the same interval."""
    evaluation = make_evaluation()
    negative, positive = stratum_rows(evaluation, "test")
    rates = evaluation.splits["test"].performance.at["balanced"].rates
    assert negative.estimate == rates["specificity"]
    assert positive.estimate == rates["sensitivity"]


def test_three_way_table(make_evaluation):
    """Positive images first; the shares of a row sum to one, each within its interval."""
    evaluation = make_evaluation()
    scores, points = evaluation.splits["test"], evaluation.operating_points
    rows = three_way(evaluation, "test")
    assert [row.group for row in rows] == ["Pneumonia", "Normal"]
    for row, label in zip(rows, (1, 0), strict=True):
        values = scores.probabilities[scores.labels == label]
        assert row.images == len(values) == sum(row.counts.values())
        assert row.counts["pneumonia"] == (values >= points["high_specificity"]).sum()
        assert row.counts["normal"] == (values < points["high_sensitivity"]).sum()
        assert sum(share.value for share in row.shares.values()) == pytest.approx(1, abs=1e-4)
        for name, share in row.shares.items():
            assert share.value == pytest.approx(row.counts[name] / row.images, abs=1e-5)
            assert share.contains(share.value)


def test_positives_without_a_stratum(make_evaluation):
    """A user's own images have no strata."""
    evaluation = make_evaluation()
    test = evaluation.splits["test"]
    images = tuple(image.replace(organism="") for image in test.images)
    rows = stratum_rows(evaluation.replace(splits=evaluation.splits | {"test": test.replace(images=images)}), "test")
    assert [row.name for row in rows] == ["Normal", "Pneumonia"]


def test_strata_of_few_patients_have_a_caveat(make_evaluation):
    """Thirty images of fifteen patients are few."""
    for row in stratum_rows(make_evaluation(), "test"):
        assert [count.values["n"] for count in row.caveat.values["counts"]] == [15]


@pytest.mark.parametrize(
    ("images", "positives", "scarce"),
    [(200, 100, []), (60, 30, []), (59, 30, [29]), (156, 140, [16]), (40, 11, [29, 11])],
)
def test_a_subgroup_is_as_small_as_its_smaller_class(images, positives, scarce):
    item = SimpleNamespace(title="a", positives=positives, auc=Estimate(0.9, 0.8, 0.95, images))
    (row,) = subgroup_rows([item], LABELS)
    counts = row.caveat.values["counts"] if row.caveat else ()
    assert [count.values["n"] for count in counts] == scarce


def test_findings_add_up(make_evaluation):
    """Every image of a group has one finding."""
    for group in findings_by_label(make_evaluation(), "test"):
        assert tuple(group.counts) == LABELS.findings
        assert sum(group.counts.values()) == group.images == 30


def test_groups_of_adults_without_images_are_left_out():
    counts = dict.fromkeys(LABELS.findings, 1)
    groups = [SimpleNamespace(group="normal", images=3, findings=counts)]
    groups.append(SimpleNamespace(group="opacity", images=0, findings=dict.fromkeys(LABELS.findings, 0)))
    (row,) = adult_findings(groups)
    assert (row.images, row.counts) == (3, counts)


def test_confident_errors_come_first(make_evaluation):
    """Only errors, at most the number asked for."""
    evaluation = make_evaluation(centre=0.3)
    confusion = evaluation.splits["test"].performance.at["balanced"].confusion
    errors = confident_errors(evaluation, "test", 100)
    assert len(errors) == confusion.fp + confusion.fn
    distances = [error.probability if error.label == "normal" else 1 - error.probability for error in errors]
    assert distances == sorted(distances, reverse=True)
    assert confident_errors(evaluation, "test", 3) == errors[:3]


def test_areas_stand_together(make_evaluation):
    """Models, shortcuts and publications have a group each; a deviation over seeds is a note, not an interval."""
    size = SimpleNamespace(title="size", description="of the file", auc=Estimate(0.6, 0.5, 0.7, 60))
    rows = auc_rows([make_evaluation()], "test", [size], published())
    assert codes(row.group for row in rows[:3]) == ["models", "shortcuts", "published"]
    spread = next(row for row in rows if "deviation" in codes(row.notes))
    assert spread.estimate.interval is None
    assert spread.notes[-1].values == {"deviation": 0.0023}


def test_an_exchange_has_a_row_for_each_label():
    """Of the lungs and of their new surroundings."""
    areas = Estimate(0.9, 0.8, 1.0, 58), Estimate(0.6, 0.5, 0.7, 58)
    item = SimpleNamespace(title="swap", kind="exchange", seen_in_training=False, auc=areas[0])
    item.auc_of_surroundings = areas[1]
    rows = lung_rows([item])
    assert [row.estimate for row in rows] == list(areas)
    assert [codes(row.notes) for row in rows] == [["images", "unseen"]] * 2


@pytest.mark.parametrize(("without_lungs", "last"), [(0, "probability_change"), (2, "no_lungs")])
def test_a_perturbation_names_its_changes(without_lungs, last):
    item = SimpleNamespace(title="noise", description="of 5 %", auc=Estimate(0.9, None, None, 60))
    item.auc_change, item.mean_probability_change = Estimate(-0.03, -0.05, -0.01, 60), 0.047
    item.without_lungs = without_lungs
    (row,) = perturbation_rows([item])
    assert row.notes[1].values == {"change": "-0.030 (-0.050 to -0.010)"}
    assert codes(row.notes)[-1] == last


def test_a_row_as_plain_values():
    """For files: undefined figures are None."""
    row = subgroup_rows([SimpleNamespace(title="a", positives=3, auc=Estimate(0.9, 0.8, 0.95, 60))], LABELS)[0].record
    assert (row["name"], row["value"], row["low"]) == ("a", None, None)
    assert row["caveat"]
