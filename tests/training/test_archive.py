"""The archive: images, labels and patients from names, and the split by patient."""

import csv
import shutil

import numpy as np
import pytest

from cxrmodel.errors import DataError
from cxrmodel.training.archive import data_root as configured_root
from cxrmodel.training.archive import (
    find_images,
    hold_out,
    identify,
    load_images,
    load_masks,
    training_split,
    without_repeats,
)


@pytest.mark.parametrize(
    ("stem", "label", "expected"),
    [
        ("person111_bacteria_537", 1, ("bacteria", "bacteria-111")),
        ("person111_virus_206", 1, ("virus", "virus-111")),
        ("person447_virus_921_1", 1, ("virus", "virus-447")),
        ("IM-0115-0001", 0, ("", "im-0115")),
        ("IM-0011-0001-0002", 0, ("", "im-0011")),
        ("NORMAL2-IM-0115-0001", 0, ("", "normal2-im-0115")),
        ("Unknown image 7", 0, ("", "unknown image 7")),
        ("odd", 1, ("", "odd")),
    ],
)
def test_organism_and_patient_follow_from_the_name(stem, label, expected):
    """Bacterial and viral images number patients separately; any other name is one patient."""
    assert identify(stem, label) == expected


def test_the_whole_archive_is_listed(make_archive, tmp_path):
    """Every file of every folder, with the label of its folder."""
    images = find_images(make_archive(tmp_path, patients=3))
    counts = {folder: sum(image.folder == folder for image in images) for folder in ("train", "val", "test")}
    assert counts == {"train": 12, "val": 8, "test": 8}
    assert {image.label for image in images if "PNEUMONIA" in image.name} == {1}
    assert {image.label for image in images if "NORMAL" in image.name} == {0}


def test_missing_folder_is_named(make_archive, tmp_path):
    """The message names the folder without images."""
    folder = make_archive(tmp_path) / "chest_xray" / "train" / "NORMAL"
    shutil.rmtree(folder)
    with pytest.raises(DataError) as raised:
        find_images(tmp_path)
    assert raised.value.message.code == "training.no_images"
    assert raised.value.message.values["folder"] == str(folder)


def test_repeats_are_dropped_once(make_archive, tmp_path):
    """The first by name stays; the others are listed."""
    place = make_archive(tmp_path) / "chest_xray" / "train" / "PNEUMONIA"
    shutil.copy(place / "person0_bacteria_0.jpeg", place / "person900_bacteria_1.jpeg")
    unique, repeats = without_repeats(find_images(tmp_path, ("train",)))
    assert repeats == ["chest_xray/train/PNEUMONIA/person900_bacteria_1.jpeg"]
    assert len(unique) == 24


@pytest.mark.parametrize("seed", range(5))
def test_patients_never_cross_the_split(make_archive, tmp_path, seed):
    """Whole patients are held out, every image is used once, and the folder val is part of the training pool."""
    split = training_split(make_archive(tmp_path, patients=8), seed)
    train, held_out = {image.patient for image in split.train}, set(split.held_out_patients)
    assert not train & held_out
    assert len(split.train) + len(split.held_out) == 2 * 2 * (8 + 2)
    assert "im-1000" in train | held_out
    assert not any("2000" in patient for patient in train | held_out)
    assert {image.label for image in split.held_out} == {0, 1}


def test_split_depends_on_the_seed_alone(make_archive, tmp_path):
    """The same seed holds out the same patients; another seed others."""
    root = make_archive(tmp_path, patients=20)
    first, again, other = training_split(root, 0), training_split(root, 0), training_split(root, 1)
    assert first == again
    assert first.held_out != other.held_out


def test_a_tenth_is_held_out_in_equal_shares(make_archive, tmp_path):
    """Label and organism keep their shares among the held-out images."""
    images = find_images(make_archive(tmp_path, patients=40), ("train",))
    _, held_out = hold_out(images, seed=0)
    assert len(held_out) == pytest.approx(len(images) / 10, abs=2)
    assert sum(image.label for image in held_out) == pytest.approx(len(held_out) / 2, abs=2)
    assert sum(image.organism == "virus" for image in held_out) == pytest.approx(len(held_out) / 4, abs=2)


def test_damaged_and_missing_images_are_all_named(make_archive, tmp_path):
    """No image is skipped silently."""
    images = find_images(make_archive(tmp_path, patients=2), ("train",))
    images[0].path.write_bytes(b"\x89PNG\r\n\x1a\nnot an image")
    images[3].path.unlink()
    with pytest.raises(DataError) as raised:
        load_images(images)
    assert raised.value.message.code == "training.unusable_images"
    assert raised.value.message.values["images"] == 2
    named = [line.split(":")[0] for line in raised.value.message.values["problems"]]
    assert named == [str(images[0].path), str(images[3].path)]


def test_images_keep_their_order(make_archive, tmp_path):
    """Loading on threads returns images in the given order."""
    images = find_images(make_archive(tmp_path, patients=4), ("train",))
    forward, backward = load_images(images), load_images(images[::-1])
    assert forward.shape == (16, 224, 224)
    assert forward.dtype == np.uint8
    np.testing.assert_array_equal(forward, backward[::-1])


def test_too_few_patients_are_an_error(make_archive, tmp_path):
    """With one patient in a class none can be held out."""
    root = make_archive(tmp_path, patients=1)
    shutil.rmtree(root / "chest_xray" / "val")
    shutil.copytree(root / "chest_xray" / "train", root / "chest_xray" / "val")
    with pytest.raises(DataError) as raised:
        training_split(root)
    assert raised.value.message.code == "training.too_few_patients"


def test_masks_are_optional(make_archive, png, tmp_path):
    """Masks are matched by file name; a damaged one is an error."""
    root = make_archive(tmp_path, patients=1)
    images = find_images(root, ("train",))
    assert load_masks(root, images) == {}
    mask = np.zeros((224, 224), np.float32)
    mask[:112] = 1
    place = root / "lung_masks" / "NORMAL"
    place.mkdir(parents=True)
    (place / "IM-0000-0001.png").write_bytes(png(mask))
    (found,) = load_masks(root, images).values()
    np.testing.assert_array_equal(found, mask > 0)
    (place / "IM-0000-0001.png").write_bytes(b"")
    with pytest.raises(DataError) as raised:
        load_masks(root, images)
    assert raised.value.message.code == "training.damaged_mask"
    assert raised.value.message.values["path"] == str(place / "IM-0000-0001.png")


def test_a_variable_sets_the_folder(monkeypatch, tmp_path, project):
    """CXR_DATA, else data/ in the project."""
    monkeypatch.setenv("CXR_DATA", str(tmp_path))
    assert configured_root() == tmp_path
    monkeypatch.delenv("CXR_DATA")
    assert configured_root() == project / "data"


def test_real_archive_agrees_with_its_table(data_root):
    """Names and repeats agree with the published table."""
    table = data_root / "chest_xray.csv"
    if not table.is_file():
        pytest.skip("the public archive has no table to compare with")
    with table.open(newline="", encoding="utf-8") as lines:
        rows = {row["file"]: row for row in csv.DictReader(lines)}
    images = find_images(data_root)
    assert {image.name: (image.organism, image.patient, image.folder) for image in images} == {
        name: (row["organism"], row["patient"], row["split"]) for name, row in rows.items()
    }
    split = training_split(data_root)
    assert len(split.repeats) == sum(bool(row["duplicate_of"]) and row["split"] != "test" for row in rows.values())
    assert len(split.train) + len(split.held_out) + len(split.repeats) == 5232
