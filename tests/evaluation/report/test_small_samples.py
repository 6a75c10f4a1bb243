"""Figures from few images have a caveat; areas from very few are withheld."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from cxrmodel.evaluation.report.charts import rate_curve
from cxrmodel.evaluation.report.context import overall_figure
from cxrmodel.evaluation.report.figures import forest_figure
from cxrmodel.evaluation.report.rows import Row, auc_rows, subgroup_rows
from cxrmodel.evaluation.report.small_samples import (
    FEWEST,
    SCARCEST,
    bin_count,
    class_counts,
    few,
    few_findings,
    few_in_split,
    few_rows,
    image_count,
    patient_count,
    withheld,
)
from cxrmodel.messages import Message
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.performance import evaluate_scores
from cxrmodel.metrics.rates import Confusion
from cxrmodel.model.spec import Labels

LABELS = Labels(positive="pneumonia", negative="normal")
GROUP = Message("documents.group.models")


@pytest.mark.parametrize(
    ("counts", "scarce"),
    [
        ([image_count(FEWEST)], []),
        ([image_count(FEWEST - 1)], [FEWEST - 1]),
        ([image_count(0), patient_count(99), bin_count(4.5)], [0, 4.5]),
        ([], []),
    ],
)
def test_a_caveat_names_every_small_count(counts, scarce):
    """Below the limit; at the limit there is none."""
    caveat = few(*counts)
    assert [count.values["n"] for count in caveat.values["counts"]] == scarce if scarce else caveat is None


@pytest.fixture
def scarce(make_evaluation):
    """Nine negative images and two patients."""
    evaluation = make_evaluation(centre=0.3)
    test = evaluation.splits["test"]
    images = tuple(
        image.replace(label=int(place < 51), patient="ab"[place % 2]) for place, image in enumerate(test.images)
    )
    scores = ([image.label for image in images], test.probabilities, [image.patient for image in images])
    found = evaluate_scores(*scores, evaluation.operating_points, 50, prevalence=0.5)
    return evaluation.replace(splits=evaluation.splits | {"test": test.replace(images=images, performance=found)})


def test_counts_of_a_split(make_evaluation, scarce):
    """Classes and patients are counted from the scores themselves."""
    assert few_in_split(make_evaluation(), "test") is None
    assert [count.values["n"] for count in few_in_split(scarce, "test").values["counts"]] == [9, 2]


@pytest.mark.parametrize(
    ("confusion", "scarce"),
    [
        (Confusion(tn=30, fp=15, fn=0, tp=15), {}),
        (Confusion(tn=30, fp=15, fn=0, tp=14), {"pneumonia": 29}),
        (Confusion(tn=1, fp=99, fn=1, tp=99), {"normal": 2}),
    ],
)
def test_predictive_values_rest_on_findings(confusion, scarce):
    caveat = few_findings(confusion, LABELS)
    counts = caveat.values["counts"] if caveat else ()
    assert {count.values["label"]: count.values["n"] for count in counts} == scarce


def test_caveats_of_rows():
    """Those with few images by name, then each that is withheld."""
    whole, few_images = Row(GROUP, "a", Estimate(0.9, None, None, 99)), few(image_count(3))
    small = replace(whole, name="b", caveat=few_images)
    gone = replace(whole, name="c", estimate=Estimate.undefined(), withheld=withheld(image_count(1)))
    assert few_rows([whole]) == ()
    named, reason = few_rows([whole, small, gone])
    assert named.values == {"names": ("b",)}
    assert (reason.values["name"], reason.values["reason"]) == ("c", gone.withheld)


@pytest.mark.parametrize("negatives", [0, 1, SCARCEST - 1, SCARCEST])
def test_an_area_of_a_handful_is_withheld(negatives):
    """Value and interval both, and its mark is not drawn."""
    estimate, given = Estimate(0.948, 0.906, 0.98, 155 + negatives), negatives >= SCARCEST
    assert (withheld(*class_counts(negatives, 155, LABELS)) is None) == given
    item = SimpleNamespace(title="smallest", positives=155, auc=estimate)
    (row,) = subgroup_rows([item], LABELS)
    assert row.estimate == (estimate if given else Estimate.undefined(estimate.n))
    (axes,) = forest_figure([row], "AUC").axes
    assert bool(axes.containers) == given
    assert (str(row.withheld) in axes.get_yticklabels()[1].get_text()) != given


def test_areas_of_a_handful_are_withheld_everywhere(scarce, make_evaluation):
    """In rows, curves and tables; metrics that do not rank are given."""
    (row,) = auc_rows([scarce], "test")
    assert row.estimate.value is None
    reason = row.withheld
    assert rate_curve(scarce, "test").withheld == reason
    assert overall_figure(scarce, "test", "auc") == overall_figure(scarce, "test", "average_precision") == reason
    assert isinstance(overall_figure(scarce, "test", "brier"), Estimate)
    assert isinstance(overall_figure(make_evaluation(), "test", "auc"), Estimate)
