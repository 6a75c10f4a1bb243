"""Lung fields: found on images, refused on anything else."""

import json
import shutil

import numpy as np
import pytest

from cxrmodel.errors import AlteredWeights, MissingWeights, NoLungsFound
from cxrmodel.imaging.canonical import canonical_image
from cxrmodel.imaging.lung_spec import load_lung_spec
from cxrmodel.imaging.lungs import LungFields, LungSegmenter, fields_from_scores, plausibility
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.paths import LUNGS_FOLDER
from cxrmodel.training.archive import find_images, load_images, load_masks
from cxrmodel.training.segmenter import dice


@pytest.fixture(scope="module")
def segmenter():
    """The shipped segmenter."""
    return LungSegmenter.load()


def test_box_by_hand():
    """The smallest box around the mask, with exclusive ends."""
    mask = np.zeros((224, 224), bool)
    mask[10:30, 40:90] = True
    assert LungFields(mask).box == (10, 40, 30, 90)


def test_only_the_two_largest_regions_stay():
    """A speck beside two lungs is not a third."""
    scores = np.full((64, 64), -5.0, np.float32)
    scores[10:50, 5:25] = scores[10:50, 35:60] = scores[58:61, 30:33] = 5.0
    mask = fields_from_scores(scores, 64)
    assert mask[20, 10]
    assert mask[20, 40]
    assert not mask[59, 31]


def test_nothing_above_even_odds_is_an_empty_mask():
    """No region at all is no error here."""
    assert not fields_from_scores(np.full((8, 8), -1.0, np.float32)).any()


def test_plausibility_by_hand():
    """Two regions of 200 and 100 pixels on an image that is half black, half white."""
    mask, image = np.zeros((224, 224), bool), np.zeros((224, 224), np.uint8)
    mask[:10, :20] = mask[100:110, 100:110] = True
    image[112:] = 255
    assert plausibility(image, mask) == pytest.approx({"area": 300 / 224**2, "balance": 0.5, "contrast": 127.5})


@pytest.mark.parametrize("bound", ["area", "balance", "contrast"])
def test_each_bound_rejects_alone(segmenter, demo_image, bound):
    """A mask just below one bound is not plausible; one at it is."""
    image = canonical_image(read_radiograph(demo_image, "demo").pixels)
    mask = segmenter.masks(image[None])[0]
    value = plausibility(image, mask)[bound]
    graph = (LUNGS_FOLDER / "lungs.onnx").read_bytes()
    assert LungSegmenter(graph, segmenter.size, segmenter.minimum.replace(**{bound: value})).plausible(image, mask)
    assert not LungSegmenter(graph, segmenter.size, segmenter.minimum.replace(**{bound: value * 1.001})).plausible(
        image, mask
    )


@pytest.mark.parametrize("level", [0, 128, 255])
def test_uniform_images_have_no_lungs(segmenter, level):
    """A blank image is refused."""
    with pytest.raises(NoLungsFound):
        segmenter.find(np.full((224, 224), level, np.uint8))


def test_drawn_lungs_are_found(segmenter, demo_image):
    """On a synthetic image both lungs are found, left and right of the middle."""
    fields = segmenter.find(canonical_image(read_radiograph(demo_image, "demo").pixels))
    assert fields.mask[:, :112].any()
    assert fields.mask[:, 112:].any()
    assert fields.mask.mean() > segmenter.minimum.area


def test_batch_changes_nothing(segmenter, make_image):
    """An image's mask does not depend on the images beside it."""
    images = np.stack([canonical_image(make_image(seed)) for seed in range(3)])
    np.testing.assert_array_equal(segmenter.masks(images), np.concatenate([segmenter.masks(f[None]) for f in images]))


@pytest.mark.parametrize("name", ["lungs.onnx", "spec.json"])
def test_missing_files_are_named(tmp_path, name):
    """Without its files there is no segmenter, and no default crop."""
    shutil.copytree(LUNGS_FOLDER, tmp_path / "lungs")
    (tmp_path / "lungs" / name).unlink()
    with pytest.raises(MissingWeights, match=name):
        LungSegmenter.load(tmp_path / "lungs")


def test_altered_weights_are_refused(tmp_path):
    """One byte more is another file."""
    shutil.copytree(LUNGS_FOLDER, tmp_path / "lungs")
    with (tmp_path / "lungs" / "lungs.onnx").open("ab") as graph:
        graph.write(b"\0")
    with pytest.raises(AlteredWeights, match=r"lungs\.onnx"):
        LungSegmenter.load(tmp_path / "lungs")


@pytest.mark.parametrize("changes", [{"format": 1}, {"input_size": "large"}, {"least": {}}, {"minimum": {"area": 2.0}}])
def test_a_specification_of_another_format_is_refused(tmp_path, changes):
    """By the schema, with the field at fault."""
    stored = json.loads((LUNGS_FOLDER / "spec.json").read_text(encoding="utf-8"))
    (tmp_path / "spec.json").write_text(json.dumps(stored | changes), encoding="utf-8")
    with pytest.raises(AlteredWeights) as raised:
        load_lung_spec(tmp_path)
    assert raised.value.message.code == "imaging.damaged_lungs"
    assert next(iter(changes)) in raised.value.message.values["problem"]


def test_dice_is_that_of_the_specification(segmenter, data_root):
    """The official test's mean Dice, through the shipped graph, is the committed figure."""
    images = find_images(data_root, ("test",))
    masks = load_masks(data_root, images)
    if not masks:
        pytest.skip("the public archive has no lung masks to compare with")
    images = [image for image in images if image.name in masks]
    pixels = load_images(images)
    found = np.concatenate([segmenter.masks(pixels[i : i + 64]) for i in range(0, len(pixels), 64)])
    mean = np.mean([dice(mask, masks[image.name]) for mask, image in zip(found, images, strict=True)])
    assert mean == pytest.approx(load_lung_spec().test.dice_mean, abs=1e-3)
    assert mean > 0.95
