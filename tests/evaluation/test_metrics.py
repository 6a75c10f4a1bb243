"""Figures of merit: worked by hand, held against scikit-learn, and true of all inputs."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from cxrmodel.errors import DataError
from cxrmodel.evaluation import metrics

LABELS = [0, 0, 1, 0, 1, 1]
PROBABILITIES = [0.1, 0.4, 0.35, 0.8, 0.65, 0.9]
POINTS = {"high_sensitivity": 0.2, "balanced": 0.5, "high_specificity": 0.85}
RATES = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1")


def evaluated(labels, probabilities, patients=None, resamples=40):
    patients = [str(index) for index in range(len(labels))] if patients is None else patients
    return metrics.evaluate_scores(labels, probabilities, patients, POINTS, resamples)


def auc_of(labels, probabilities) -> dict:
    return metrics.evaluate_scores(labels, probabilities, [str(i) for i in range(len(labels))], {}, 40)["auc"]


def drawn(seed: int, images: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from the probabilities themselves: a calibrated model."""
    rng = np.random.default_rng(seed)
    probabilities = 1 / (1 + np.exp(-rng.normal(0.5, 2, images)))
    return (rng.random(images) < probabilities).astype(int), probabilities


BOTH_CLASSES = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=2, max_size=60).filter(
    lambda images: len({label for label, _ in images}) == 2
)


@pytest.mark.parametrize(
    ("threshold", "counts", "rates"),
    [
        (0.5, {"tn": 2, "fp": 1, "fn": 1, "tp": 2}, (4 / 6, 2 / 3, 2 / 3, 2 / 3, 2 / 3, 2 / 3)),
        (0.35, {"tn": 1, "fp": 2, "fn": 0, "tp": 3}, (4 / 6, 2 / 3, 3 / 5, 1.0, 1 / 3, 6 / 8)),
        (0.9, {"tn": 3, "fp": 0, "fn": 2, "tp": 1}, (4 / 6, 2 / 3, 1.0, 1 / 3, 1.0, 2 / 4)),
        (0.0, {"tn": 0, "fp": 3, "fn": 0, "tp": 3}, (1 / 2, 1 / 2, 1 / 2, 1.0, 0.0, 6 / 9)),
        (0.95, {"tn": 3, "fp": 0, "fn": 3, "tp": 0}, (1 / 2, 1 / 2, None, 0.0, 1.0, 0.0)),
    ],
    ids=["middle", "at a pneumonia image", "at the highest image", "all called", "none called"],
)
def test_rates_by_hand(threshold, counts, rates):
    """An image at the threshold is called; what has nothing to divide by is None, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metrics.confusion_at(LABELS, PROBABILITIES, threshold) == counts
        assert metrics.rates_at(LABELS, PROBABILITIES, threshold) == pytest.approx(dict(zip(RATES, rates, strict=True)))


@pytest.mark.parametrize(
    ("labels", "missing"),
    [([0, 0], {"balanced_accuracy", "precision", "recall", "f1"}), ([1, 1], {"balanced_accuracy", "specificity"})],
    ids=["only normal", "only pneumonia"],
)
def test_rates_of_one_class(labels, missing):
    """Where a class is absent, the rates that need it are None and the others stand."""
    probabilities = [0.1, 0.2] if labels == [0, 0] else [0.1, 0.7]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rates = metrics.rates_at(labels, probabilities, 0.5)
    assert {name for name, value in rates.items() if value is None} == missing


def test_overall_figures_by_hand():
    """Six of nine pairs in order; precision 1, 2/3 and 3/5 at the three images found; mean squared error 1.365 / 6."""
    figures = evaluated(LABELS, PROBABILITIES)
    assert figures["auc"]["value"] == pytest.approx(6 / 9, abs=1e-6)
    assert figures["average_precision"]["value"] == pytest.approx((1 + 2 / 3 + 3 / 5) / 3, abs=1e-6)
    assert figures["brier"]["value"] == pytest.approx(1.365 / 6, abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "probabilities", "bins", "expected"),
    [
        ([0, 1, 1, 1], [0.1, 0.3, 0.6, 0.8], 2, (0.3 + 0.3) / 2),
        ([0, 1, 1, 1], [0.1, 0.3, 0.6, 0.8], 1, 0.3),
        ([0, 1, 1], [0.2, 0.4, 0.9], 2, (0.1 + 0.4) / 3),
        ([0, 1], [0.5, 0.5], 2, 0.0),
        ([1, 0], [0.0, 1.0], 2, 1.0),
    ],
    ids=["two bins", "one bin", "an image shared by two bins", "ties shared out", "always wrong"],
)
def test_calibration_error_by_hand(labels, probabilities, bins, expected):
    """Mean gap of expected and observed share over bins of equal weight."""
    assert metrics.expected_calibration_error(labels, probabilities, bins) == pytest.approx(expected)


def test_reliability_bins_by_hand():
    """The bins behind the calibration error."""
    bins = metrics.reliability_bins([1, 0, 1, 1], [0.3, 0.1, 0.6, 0.8], bins=2)
    assert bins.images == 2
    assert bins.mean_probability == pytest.approx([0.2, 0.7])
    assert bins.observed == pytest.approx([0.5, 1.0])


def test_bins_hold_every_image():
    """Weights, probabilities and pneumonia images of the bins sum to those of all images."""
    labels, probabilities = drawn(3, images=101)
    bins = metrics.reliability_bins(labels, probabilities)
    assert bins.images * metrics.CALIBRATION_BINS == pytest.approx(101)
    assert bins.mean_probability.mean() == pytest.approx(probabilities.mean())
    assert bins.observed.mean() == pytest.approx(labels.mean())
    assert (np.diff(bins.mean_probability) > 0).all()


def test_roc_points_by_hand():
    """One step an image, from nothing called to everything called."""
    curve = metrics.roc_points([0, 1, 1], [0.2, 0.2, 0.7])
    assert curve.false_positive_rate.tolist() == [0.0, 0.0, 1.0]
    assert curve.true_positive_rate.tolist() == [0.0, 0.5, 1.0]
    assert curve.thresholds.tolist() == [np.inf, 0.7, 0.2]


def test_precision_recall_points_by_hand():
    """The curve ends at recall 0 and precision 1, at no image called."""
    curve = metrics.precision_recall_points([0, 1, 1], [0.4, 0.2, 0.7])
    assert curve.precision.tolist() == pytest.approx([2 / 3, 1 / 2, 1.0, 1.0])
    assert curve.recall.tolist() == [1.0, 0.5, 0.5, 0.0]
    assert curve.thresholds.tolist() == [0.2, 0.4, 0.7, np.inf]


@settings(max_examples=40, deadline=None)
@given(BOTH_CLASSES)
def test_area_under_the_roc_points_is_the_auc(images):
    """The curve that is drawn and the figure beside it are one."""
    labels, twentieths = zip(*images, strict=True)
    probabilities = np.array(twentieths) / 20
    curve = metrics.roc_points(labels, probabilities)
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(auc_of(labels, probabilities)["value"], abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(BOTH_CLASSES)
def test_auc_knows_only_the_order(images):
    """A strictly rising transform changes neither the AUC nor its interval."""
    labels, twentieths = zip(*images, strict=True)
    probabilities = np.array(twentieths) / 20
    assert auc_of(labels, probabilities) == auc_of(labels, 0.1 + probabilities**3 / 2)


@settings(max_examples=40, deadline=None)
@given(BOTH_CLASSES)
def test_swapped_labels_give_one_minus_the_auc(images):
    """Naming the other class pneumonia mirrors the AUC."""
    labels, twentieths = zip(*images, strict=True)
    probabilities = np.array(twentieths) / 20
    auc, swapped = (auc_of(y, probabilities)["value"] for y in (labels, 1 - np.array(labels)))
    assert swapped == pytest.approx(1 - auc, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1), st.floats(0, 1))
def test_confusion_counts_every_image(images, threshold):
    """Counts sum to the images, and rows to the images of each class."""
    labels, probabilities = zip(*images, strict=True)
    counts = metrics.confusion_at(labels, probabilities, threshold)
    assert counts["fn"] + counts["tp"] == sum(labels)
    assert sum(counts.values()) == len(labels)


@pytest.mark.parametrize("seed", range(5))
def test_intervals_hold_their_value(seed):
    """On 300 images of a calibrated model every interval holds its figure, and is neither empty nor everything."""
    labels, probabilities = drawn(seed)
    figures = evaluated(labels, probabilities, [str(index // 2) for index in range(300)], resamples=500)
    for triple in [figures[name] for name in ("auc", "average_precision", "brier", "ece")] + [
        figures["at"]["balanced"][name] for name in RATES
    ]:
        assert triple["low"] <= triple["value"] <= triple["high"]
        assert 0 < triple["high"] - triple["low"] < 0.25


def test_interval_is_that_of_scikit_learn_on_repeated_images():
    """The AUC's interval is the same when every resample is spelt out and given to scikit-learn."""
    labels, probabilities = drawn(11, images=60)
    patients = np.array([f"{index // 3:02d}" for index in range(60)])
    names = np.unique(patients)
    counts = np.random.default_rng(4).multinomial(len(names), np.full(len(names), 1 / len(names)), size=100)
    areas = []
    for row in counts:
        images = [
            i
            for name, count in zip(names, row, strict=True)
            for _ in range(count)
            for i in np.flatnonzero(patients == name)
        ]
        areas.append(reference.roc_auc_score(labels[images], probabilities[images]))
    auc = metrics.evaluate_scores(labels, probabilities, patients, POINTS, resamples=100, seed=4)["auc"]
    assert (auc["low"], auc["high"]) == pytest.approx(np.quantile(areas, [0.025, 0.975]), abs=1e-5)


def test_intervals_are_over_patients():
    """Ten equal images of a patient say no more than one: the interval is that of one each, far wider than by image."""
    labels, probabilities = drawn(2, images=40)
    patients = [f"patient{index:02d}" for index in range(40)]
    single = evaluated(labels, probabilities, patients, resamples=400)
    tenfold = evaluated(np.repeat(labels, 10), np.repeat(probabilities, 10), np.repeat(patients, 10), resamples=400)
    by_image = evaluated(np.repeat(labels, 10), np.repeat(probabilities, 10), resamples=400)
    assert tenfold["auc"] == single["auc"]
    assert tenfold["at"]["balanced"]["accuracy"] == single["at"]["balanced"]["accuracy"]
    width, image_width = (figures["auc"]["high"] - figures["auc"]["low"] for figures in (tenfold, by_image))
    assert width > 2 * image_width


def test_order_of_images_plays_no_part():
    """The same images in another order give the same document."""
    labels, probabilities = drawn(6, images=50)
    patients = np.array([str(index // 2) for index in range(50)])
    order = np.random.default_rng(0).permutation(50)
    assert evaluated(labels, probabilities, patients) == evaluated(labels[order], probabilities[order], patients[order])


def test_resamples_of_one_class_are_left_out():
    """With a single patient in each class half of the resamples lack one; the others give the interval."""
    figures = metrics.evaluate_scores([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], ["a", "a", "b", "b"], POINTS, seed=3)
    assert figures["at"]["balanced"]["accuracy"] == {"value": 0.5, "low": 0.5, "high": 0.5}
    assert figures["at"]["balanced"]["recall"] == {"value": 0.5, "low": 0.5, "high": 0.5}


def test_undefined_figures_have_no_value():
    """No image reaches the threshold: precision and its interval are None, the others stand."""
    at = evaluated(LABELS, [p / 10 for p in PROBABILITIES])["at"]["balanced"]
    assert at["precision"] == {"value": None, "low": None, "high": None}
    assert at["specificity"]["value"] == 1.0


def test_shape_of_the_document():
    """Every operating point has its threshold, six rates and four counts."""
    figures = evaluated(LABELS, PROBABILITIES)
    assert set(figures) == {"auc", "average_precision", "brier", "ece", "at"}
    assert {name: at["threshold"] for name, at in figures["at"].items()} == POINTS
    for at in figures["at"].values():
        assert set(at) == {"threshold", "confusion", *RATES}
        assert sum(at["confusion"].values()) == 6


@pytest.mark.parametrize(
    ("labels", "probabilities", "words"),
    [
        ([], [], "no images"),
        ([0, 1], [0.5], "do not match"),
        ([[0, 1]], [[0.5, 0.5]], "do not match"),
        ([0, 1], [0.5, float("nan")], "missing or outside"),
        ([0, 1], [0.5, 1.01], "missing or outside"),
        ([0, 1], [0.5, -0.01], "missing or outside"),
        ([0, 2], [0.5, 0.5], "0 \\(normal\\) or 1"),
        ([0.5, 1], [0.5, 0.5], "0 \\(normal\\) or 1"),
    ],
    ids=["empty", "lengths", "two axes", "NaN", "above one", "below zero", "label two", "label half"],
)
def test_unusable_input_is_refused_with_a_sentence(labels, probabilities, words):
    """By every function alike."""
    for function in (
        lambda: metrics.roc_points(labels, probabilities),
        lambda: metrics.precision_recall_points(labels, probabilities),
        lambda: metrics.confusion_at(labels, probabilities, 0.5),
        lambda: metrics.rates_at(labels, probabilities, 0.5),
        lambda: metrics.expected_calibration_error(labels, probabilities),
        lambda: metrics.reliability_bins(labels, probabilities),
        lambda: evaluated(labels, probabilities),
    ):
        with pytest.raises(DataError, match=words):
            function()


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_has_no_curve(label):
    """Curves and intervals need both classes."""
    for function in (metrics.roc_points, metrics.precision_recall_points, evaluated):
        with pytest.raises(DataError, match="one class"):
            function([label] * 3, [0.1, 0.2, 0.3])


def test_a_threshold_that_is_no_number_is_refused():
    """A NaN threshold would quietly call nothing."""
    with pytest.raises(DataError, match="threshold"):
        metrics.rates_at(LABELS, PROBABILITIES, float("nan"))


def test_every_image_has_a_patient():
    """Too few patients are refused, not recycled."""
    with pytest.raises(DataError, match="5 patients for 6 images"):
        evaluated(LABELS, PROBABILITIES, ["a"] * 5)


@pytest.mark.parametrize(
    ("number", "expected"), [(0.123456789, 0.123457), (1234567.8, 1234570.0), (-2.0, -2.0), (0.0, 0.0)]
)
def test_significant(number, expected):
    """Six digits, wherever the point stands."""
    assert metrics.significant(number) == expected
