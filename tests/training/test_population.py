"""Fitting of the distance and the similarity, the images behind it, and the copies that are re-encoded alike."""

import cv2
import numpy as np
import pytest

from cxrmodel.errors import DataError
from cxrmodel.training.population import fit_population, load_adults, reencoded

NONE = np.empty((0, 12), np.float32)


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    """300 images of 12 features: three vary much and together, one is constant."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(300, 3)) * [5, 3, 2]
    features = hidden @ rng.normal(size=(3, 12)) + rng.normal(0, 0.1, (300, 12)) + 7
    features[:, 4] = 1
    return features.astype(np.float32)


def test_training_images_are_one_away_on_average(features):
    """By construction, whatever their scale; without adults there is no similarity."""
    fitted = fit_population(features, NONE, 3)
    assert fitted.distances(features).mean() == pytest.approx(1, rel=1e-3)
    assert not fitted.knows_adults


def test_images_out_of_distribution_are_farther(features):
    """Far along a component, and a little off all of them; a constant feature is ignored."""
    fitted = fit_population(features, NONE, 3)
    largest = fitted.distances(features).max()
    assert fitted.distances(features.mean(0, keepdims=True) * 0)[0] > largest
    off = features[:1].copy()
    off[0, 0] += 3
    assert fitted.distances(off)[0] > largest
    constant = features[:1].copy()
    constant[0, 4] = 1e6
    assert fitted.distances(constant) == pytest.approx(fitted.distances(features[:1]))


def test_similarity_runs_from_training_images_to_adults(features):
    """Means 0 and 1; what differs alike between re-encodings of both groups does not matter."""
    recoding, shift = np.zeros(12, np.float32), np.zeros(12, np.float32)
    recoding[1], shift[2] = 4, 1
    own, other = features[:150], features[150:] + shift
    adults = np.concatenate([other, other + recoding])
    fitted = fit_population(np.concatenate([own, own + recoding]), adults, 3)
    assert fitted.similarities(np.concatenate([own, own + recoding])).mean() == pytest.approx(0, abs=1e-4)
    assert fitted.similarities(adults).mean() == pytest.approx(1, abs=1e-4)
    moved = fitted.similarities(own + recoding) - fitted.similarities(own)
    assert np.abs(moved).max() < 0.1
    assert fitted.similarities(own).max() < 0.5 < fitted.similarities(other).min()


def test_few_images_are_enough_to_fit():
    """Fewer images than components leave fewer components, and finite distances."""
    features = np.random.default_rng(0).normal(size=(10, 40)).astype(np.float32)
    fitted = fit_population(features, features[:0], 64)
    assert fitted.components.shape == (8, 40)
    assert np.isfinite(fitted.distances(features)).all()


def _collection(root, table: str = "file,patient\n") -> None:
    (root / "adult_unlabelled").mkdir()
    for number in range(3):
        path = f"adult_unlabelled/{number}.png"
        cv2.imwrite(str(root / path), np.full((80, 80), 40 * number + 10, np.uint8))
        table += f"{path},p{number}\n"
    (root / "adult_unlabelled.csv").write_text(table)


def test_adults_of_patients_for_testing_are_left_out(tmp_path):
    """Their other images are never learnt from; without a table there are no adults."""
    assert load_adults(tmp_path).shape == (0, 224, 224)
    _collection(tmp_path)
    assert load_adults(tmp_path).shape == (3, 224, 224)
    (tmp_path / "adult_rsna.csv").write_text("file,patient\nx,p1\n")
    assert len(load_adults(tmp_path)) == 2


@pytest.mark.parametrize("fault", ["column", "file"])
def test_damaged_adults_are_reported(tmp_path, fault):
    """A table without the column, and an image that is none; the error names the table."""
    _collection(tmp_path)
    if fault == "column":
        (tmp_path / "adult_unlabelled.csv").write_text("file\nx\n")
    else:
        (tmp_path / "adult_unlabelled" / "1.png").write_bytes(b"x")
    with pytest.raises(DataError) as raised:
        load_adults(tmp_path)
    assert raised.value.message.values["table"] == str(tmp_path / "adult_unlabelled.csv")


def test_reencoding_keeps_the_picture():
    """Another file of the same image: same shape, correlated grey levels, and reproducible."""
    rows, columns = np.mgrid[0:224, 0:224]
    image = (128 + 60 * np.sin(rows / 30) + 50 * np.cos(columns / 40)).astype(np.uint8)
    for seed in range(20):
        found = reencoded(image, np.random.default_rng(seed))
        assert (found.shape, found.dtype) == (image.shape, np.uint8)
        assert np.corrcoef(found.ravel(), image.ravel())[0, 1] > 0.3
        np.testing.assert_array_equal(found, reencoded(image, np.random.default_rng(seed)))
