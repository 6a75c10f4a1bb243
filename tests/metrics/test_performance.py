"""Performance: every registered metric, with intervals over patients."""

import numpy as np
import pytest
from pydantic import TypeAdapter
from sklearn import metrics as reference

from cxrmodel.errors import DataError
from cxrmodel.metrics.calibration import reliability
from cxrmodel.metrics.discrimination import precision_recall_points, roc_points
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.performance import Performance, evaluate_scores
from cxrmodel.metrics.rates import confusion_at
from cxrmodel.metrics.registry import METRICS, Rate, ScoreMetric
from cxrmodel.metrics.thresholds import choose_operating_points, threshold_table
from tests.support.metric_samples import calibrated

LABELS = [0, 0, 1, 0, 1, 1]
PROBABILITIES = [0.1, 0.4, 0.35, 0.8, 0.65, 0.9]
POINTS = {"high_sensitivity": 0.2, "balanced": 0.5, "high_specificity": 0.85}


def evaluated(labels, probabilities, patients=None, resamples=40) -> Performance:
    """Performance with one patient for each image unless given."""
    patients = [str(index) for index in range(len(labels))] if patients is None else patients
    return evaluate_scores(labels, probabilities, patients, POINTS, resamples)


def test_every_registered_metric_is_there():
    """Each operating point has its threshold, every rate and four counts."""
    found = evaluated(LABELS, PROBABILITIES)
    assert [*found.overall, *found.at["balanced"].rates] == list(METRICS.names)
    assert {name: at.threshold for name, at in found.at.items()} == POINTS
    assert found.at["balanced"].confusion == confusion_at(LABELS, PROBABILITIES, 0.5)


def test_a_registered_metric_appears_without_another_edit():
    """Of scores and of a threshold."""
    mean = ScoreMetric("mean_score", measure=lambda samples: samples.positive @ samples.scores)
    misses = Rate("miss_rate", measure=lambda counts: counts.fn / (counts.fn + counts.tp))
    with METRICS.extended(mean), METRICS.extended(misses):
        found = evaluated(LABELS, PROBABILITIES)
        table = threshold_table(LABELS, PROBABILITIES, list("abcdef"), resamples=20)
    assert found.overall["mean_score"].value == pytest.approx(0.35 + 0.65 + 0.9)
    assert found.at["balanced"].rates["miss_rate"].value == pytest.approx(1 / 3, rel=1e-5)
    assert table.values["miss_rate"][table.at(0.5)] == pytest.approx(1 / 3)


def test_by_hand():
    """Six of nine pairs in order; mean squared error 1.365 / 6; n is the images of each denominator."""
    found = evaluated(LABELS, PROBABILITIES)
    assert found.overall["auc"].value == pytest.approx(6 / 9, abs=1e-6)
    assert found.overall["brier"].value == pytest.approx(1.365 / 6, abs=1e-6)
    rates = found.at["high_specificity"].rates
    assert {name: rate.n for name, rate in rates.items()} == dict.fromkeys(rates, 6) | {
        "sensitivity": 3,
        "specificity": 3,
        "ppv": 1,
        "npv": 5,
    }


@pytest.mark.parametrize("seed", range(5))
def test_intervals_hold_their_value(seed):
    """On 300 images of a calibrated model every interval holds its figure, and is neither empty nor everything."""
    found = evaluated(*calibrated(seed), [str(index // 2) for index in range(300)], resamples=500)
    shares = [found.at["balanced"].rates[name] for name in ("accuracy", "sensitivity", "specificity", "ppv", "f1")]
    for figure in [*found.overall.values(), *shares]:
        assert figure.contains(figure.value)
        assert 0 < figure.high - figure.low < 0.25


def test_interval_is_that_of_scikit_learn_on_repeated_images():
    """The AUC's interval is the same when every resample is spelt out and given to scikit-learn."""
    labels, probabilities = calibrated(11, images=60)
    patients = np.array([f"{index // 3:02d}" for index in range(60)])
    names = np.unique(patients)
    counts = np.random.default_rng(4).multinomial(len(names), np.full(len(names), 1 / len(names)), size=100)
    areas = []
    for row in counts:
        chosen = np.concatenate(
            [np.flatnonzero(np.tile(patients == name, n)) % 60 for name, n in zip(names, row, strict=True)]
        )
        areas.append(reference.roc_auc_score(labels[chosen], probabilities[chosen]))
    auc = evaluate_scores(labels, probabilities, patients, POINTS, resamples=100, seed=4).overall["auc"]
    assert auc.interval == pytest.approx(np.quantile(areas, [0.025, 0.975]), abs=1e-5)


def test_intervals_are_over_patients():
    """Ten equal images of a patient are as one: the interval is that of one each, far wider than by image."""
    labels, probabilities = calibrated(2, images=40)
    patients = [f"patient{index:02d}" for index in range(40)]
    single = evaluated(labels, probabilities, patients, 400).overall["auc"].interval
    tenfold = evaluated(np.repeat(labels, 10), np.repeat(probabilities, 10), np.repeat(patients, 10), 400)
    by_image = evaluated(np.repeat(labels, 10), np.repeat(probabilities, 10), resamples=400)
    assert tenfold.overall["auc"].interval == single
    assert np.diff(single) > 2 * np.diff(by_image.overall["auc"].interval)


def test_order_of_images_plays_no_part():
    """The same images in another order give the same figures."""
    labels, probabilities = calibrated(6, images=50)
    patients = np.array([str(index // 2) for index in range(50)])
    order = np.random.default_rng(0).permutation(50)
    assert evaluated(labels, probabilities, patients) == evaluated(labels[order], probabilities[order], patients[order])


def test_a_share_whose_resamples_agree_has_an_interval_of_some_width():
    """Here all negative images are cleared: Wilson's over three patients."""
    found = evaluated([0, 0, 0, 1], [0.1, 0.2, 0.3, 0.9]).at["balanced"].rates["specificity"]
    assert (found.value, found.high, found.n) == (1, 1, 3)
    assert found.low == pytest.approx(0.4385, abs=1e-4)


def test_undefined_figures_have_no_value():
    """No image reaches the threshold: the PPV is undefined, the others stand."""
    rates = evaluated(LABELS, [p / 10 for p in PROBABILITIES]).at["balanced"].rates
    assert rates["ppv"] == Estimate.undefined()
    assert rates["specificity"].value == 1.0


def test_performance_survives_storage():
    """As JSON, infinity included."""
    adapter = TypeAdapter(Performance)
    made = evaluated(LABELS, PROBABILITIES)
    assert made.at["high_specificity"].rates["lr_positive"].value == np.inf
    assert adapter.validate_json(adapter.dump_json(made)) == made


@pytest.mark.parametrize(
    ("labels", "probabilities"),
    [
        ([], []),
        ([0, 1], [0.5]),
        ([[0, 1]], [[0.5, 0.5]]),
        ([0, 1], [0.5, float("nan")]),
        ([0, 1], [0.5, 1.01]),
        ([0, 1], [0.5, -0.01]),
        ([0, 2], [0.5, 0.5]),
        ([0.5, 1], [0.5, 0.5]),
    ],
    ids=["empty", "lengths", "two axes", "NaN", "above one", "below zero", "label two", "label half"],
)
def test_unusable_input_is_refused(labels, probabilities):
    """By every function."""
    patients = [str(i) for i in range(len(labels))]
    for function in (
        lambda: roc_points(labels, probabilities),
        lambda: precision_recall_points(labels, probabilities),
        lambda: confusion_at(labels, probabilities, 0.5),
        lambda: reliability(labels, probabilities, patients),
        lambda: threshold_table(labels, probabilities, patients),
        lambda: choose_operating_points(labels, probabilities),
        lambda: evaluated(labels, probabilities),
    ):
        with pytest.raises(DataError):
            function()


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_has_no_performance(label):
    """Curves, intervals and operating points need both classes."""
    for function in (roc_points, precision_recall_points, choose_operating_points, evaluated):
        with pytest.raises(DataError):
            function([label] * 3, [0.1, 0.2, 0.3])


def test_every_image_has_a_patient():
    """Too few patients are refused, not recycled."""
    with pytest.raises(DataError):
        evaluated(LABELS, PROBABILITIES, ["a"] * 5)


def test_every_metric_has_texts():
    """A title and a meaning."""
    for metric in METRICS:
        assert str(metric.title)
        assert str(metric.meaning)


def test_refusals_have_texts():
    """With the values that belong to them."""
    for images in (([], []), ([0, 1], [0.5]), ([0, 2], [0.5, 0.5]), ([0, 1], [0.5, 2.0]), ([0, 0], [0.5, 0.5])):
        with pytest.raises(DataError) as refusal:
            evaluated(*images)
        assert str(refusal.value)
    with pytest.raises(DataError) as refusal:
        evaluated(LABELS, PROBABILITIES, ["a"])
    assert refusal.value.message.values == {"patients": 1, "images": 6}
