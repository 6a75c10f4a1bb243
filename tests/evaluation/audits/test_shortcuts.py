"""Baselines that know nothing of lungs, on collections in which it is known what they can know."""

import csv

import cv2
import numpy as np
import pytest

from cxrmodel.errors import DataError
from cxrmodel.evaluation.audits.shortcuts import baseline, original_sizes, shortcut_baselines
from cxrmodel.training.archive import find_images


@pytest.fixture(scope="module")
def collection(tmp_path_factory, png):
    """60 + 60 images to fit on and 20 + 20 to test, flat in grey; which grey has nothing to do with the label."""
    root = tmp_path_factory.mktemp("collection")
    rng = np.random.default_rng(0)
    for folder, count in (("train", 60), ("test", 20)):
        for number in range(count):
            for place in (f"NORMAL/IM-{number:04d}-0001", f"PNEUMONIA/person{number}_virus_{number}"):
                path = root / "chest_xray" / folder / f"{place}.jpeg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(png(np.full((224, 224), rng.uniform(0.2, 0.8))))
    return root


def write_table(root, images, size) -> None:
    """The table of original sizes."""
    with (root / "chest_xray.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "original_width", "original_height"])
        table.writerows([image.name, *size(image)] for image in images)


def split(root):
    """Training and test images."""
    return find_images(root, ("train",)), find_images(root, ("test",))


def test_size_decides_where_size_is_the_label(collection):
    """Positive images are larger and of one aspect: size gets all of them right, aspect and greys are left to guess."""
    rng = np.random.default_rng(1)
    train, test = split(collection)

    def size(image):
        width = int(rng.integers(1000, 1200)) + 600 * image.label
        return 2 * width, width

    write_table(collection, train + test, size)
    steps = []
    rows, missing = shortcut_baselines(collection, train, test, steps.append)
    found = {row.name: row.auc for row in rows}
    assert found["file_size"].value == 1.0
    assert found["aspect"].value == 0.5
    assert 0.25 < found["grey_levels"].value < 0.75
    assert [row.auc.n for row in rows] == [40, 40, 40]
    assert [item.name for item in missing] == ["lung_outline"]
    labels = np.array([image.label for image in test])
    for row in rows:
        false, true, precision = np.transpose(row.curve)
        assert (false[0], true[0], precision[0], false[-1], true[-1]) == (0, 0, 1, 1, 1)
        assert precision[-1] == labels.mean()
        assert np.trapezoid(true, false) == pytest.approx(row.auc.value, abs=1e-4)
    assert sum(steps) == len(train) + len(test)


def test_grey_levels_and_outline_decide_where_they_are_the_label(tmp_path, png):
    """Positive images are dark with low lungs; without a table, size and aspect are left out with a reason."""
    rng = np.random.default_rng(2)
    for folder, count in (("train", 40), ("test", 10)):
        for number in range(count):
            for label, place in enumerate((f"NORMAL/IM-{number:04d}-0001", f"PNEUMONIA/person{number}_virus_{number}")):
                path = tmp_path / "chest_xray" / folder / f"{place}.jpeg"
                path.parent.mkdir(parents=True, exist_ok=True)
                light = rng.random((224, 224)) < rng.uniform(0.5, 0.8) - 0.4 * label
                path.write_bytes(png(np.where(light, 0.8, 0.2)))
                mask = np.zeros((224, 224), np.uint8)
                mask[40 + 40 * label : 200, 40:180] = 255
                where = tmp_path / "lung_masks" / f"{place}.png"
                where.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(where), mask)
    rows, missing = shortcut_baselines(tmp_path, *split(tmp_path))
    assert {row.name: row.auc.value for row in rows} == {"grey_levels": 1.0, "lung_outline": 1.0}
    assert [item.name for item in missing] == ["file_size", "aspect"]
    assert {item.reason for item in missing} == {"audits.reason.no_sizes"}


def test_a_table_of_other_images_is_as_good_as_none(collection):
    """Nothing is made up for images that it does not name."""
    (collection / "chest_xray.csv").write_text("file,original_width,original_height\nother.jpeg,1,2\n")
    rows, missing = shortcut_baselines(collection, *split(collection))
    assert "file_size" not in [row.name for row in rows]
    assert "file_size" in [item.name for item in missing]


def test_sizes_by_name(tmp_path):
    """An image without sizes is left out; no table is no error."""
    assert original_sizes(tmp_path) == {}
    (tmp_path / "chest_xray.csv").write_text("file,original_width,original_height\na,30,20\nb,,\n")
    assert original_sizes(tmp_path) == {"a": (30, 20)}


@pytest.mark.parametrize("text", ["file,width\na,3\n", "file,original_width,original_height\na,wide,3\n"])
def test_a_damaged_table_is_a_sentence(tmp_path, text):
    """It is neither ignored nor half read."""
    (tmp_path / "chest_xray.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        original_sizes(tmp_path)
    assert caught.value.message.code == "evaluation.error.sizes_table"


def test_baseline_learns_from_the_training_images_alone():
    """Test images are scored from the training images, row by row."""
    values = np.linspace(0, 1, 200)[:, None]
    scores = baseline(values, (values[:, 0] > 0.5).astype(int), np.array([[0.1], [0.9], [0.1]]))
    assert scores[1] > 0 > scores[0] == scores[2]
