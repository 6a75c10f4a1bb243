"""The demo images on disk are the six that their index lists."""

import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image

from cxrmodel.demo import IMAGES_FOLDER, demo_images
from cxrmodel.errors import DataError


@pytest.fixture(scope="module")
def index() -> dict:
    return json.loads((IMAGES_FOLDER / "index.json").read_text(encoding="utf-8"))


def test_three_images_of_each_kind():
    """Six in all, and nothing else in the folder."""
    images = demo_images()
    assert [image.kind for image in images] == ["normal"] * 3 + ["pneumonia"] * 3
    assert {path.name for path in IMAGES_FOLDER.glob("*.png")} == {image.name for image in images}


def test_images_are_the_listed_ones(index):
    """Checksums match, and each file stays small."""
    for image in index["images"]:
        data = (IMAGES_FOLDER / image["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == image["sha256"]
        assert len(data) < 100_000


@pytest.mark.parametrize("image", demo_images(), ids=lambda image: image.name)
def test_every_image_says_that_it_is_synthetic(image):
    """In its name, its title, and the PNG's own description."""
    assert image.name.startswith("synthetic-")
    assert image.title.startswith("Synthetic ")
    with Image.open(image.path) as picture:
        assert picture.text["Description"].startswith("Synthetic ")


def test_no_image_is_nearer_to_a_training_image_than_other_patients_are(index):
    """As measured when they were drawn."""
    others = index["other_patients"]
    for image in index["images"]:
        assert image["nearest_rmse"] > others["rmse"]["percentile_1"] > others["rmse"]["minimum"]
        assert image["nearest_correlation"] < others["correlation"]["percentile_99"] < others["correlation"]["maximum"]


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"images": [{}]}', '{"images": 1}'])
def test_a_damaged_index_is_named(tmp_path: Path, content):
    """By its path, with what is wrong."""
    if content is not None:
        (tmp_path / "index.json").write_text(content)
    with pytest.raises(DataError) as raised:
        demo_images(tmp_path)
    assert raised.value.message.code == f"training.{'no' if content is None else 'bad'}_demo_index"
    assert raised.value.message.values["path"] == str(tmp_path / "index.json")
