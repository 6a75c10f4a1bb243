"""Synthetic demo images: drawn from a model, compared with every image, refused when too similar to one."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from cxrmodel.demo import DemoIndex
from cxrmodel.errors import DataError
from cxrmodel.training.archive import find_images
from cxrmodel.training.synthetic import CHOSEN, draw_images, make_demo_images, nearest


def striped(count: int, seed: int, side: int = 24, dimensions: int = 3) -> np.ndarray:
    """Images that vary in a few dimensions only; uint8 (count, side, side)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    ways = np.stack([np.sin(2 * np.pi * (k + 1) * (x if k % 2 else y)) for k in range(dimensions)])
    images = 120 + np.tensordot(rng.normal(0, 20, (count, dimensions)), ways, 1)
    return np.clip(np.rint(images), 0, 255).astype(np.uint8)


def archive(root: Path, images: np.ndarray) -> Path:
    """Write images in the archive's layout, one per patient, half of each class."""
    for i, image in enumerate(images):
        folder, kind = ("val" if i < 2 else "train"), ("PNEUMONIA" if i % 2 else "NORMAL")
        name = f"person{i}_virus_{i}.png" if i % 2 else f"IM-{i:04d}-0001.png"
        path = root / "chest_xray" / folder / kind / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return root


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> tuple[Path, Path, DemoIndex]:
    """An archive of sixty images, the folder of demo images drawn from it, and their index."""
    root = archive(tmp_path_factory.mktemp("archive"), striped(60, 0, side=224))
    out = tmp_path_factory.mktemp("demo") / "images"
    return root, out, make_demo_images(root, out, seed=0)


def test_drawn_images_have_the_shape_of_the_given_ones():
    """Same height, width and dtype, and the requested number."""
    drawn = draw_images(striped(30, 0), range(5), seed=1)
    assert (drawn.shape, drawn.dtype) == ((5, 24, 24), np.uint8)


def test_drawn_images_depend_on_the_seed_alone():
    """The same seed gives the same images, another seed others."""
    images = striped(30, 0)
    assert np.array_equal(draw_images(images, range(3), seed=1), draw_images(images, range(3), seed=1))
    assert not np.array_equal(draw_images(images, range(3), seed=1), draw_images(images, range(3), seed=2))


def test_drawing_more_images_does_not_change_the_first():
    """A draw keeps its number."""
    images = striped(30, 0)
    assert np.array_equal(draw_images(images, range(2), seed=1), draw_images(images, [6, 0, 1], seed=1)[1:])


def test_drawn_images_vary_three_quarters_as_much_as_the_given_ones():
    """The mean stays, the standard deviation shrinks to 0.75."""
    images = striped(200, 0)
    drawn = draw_images(images, range(200), seed=1)
    inside = images.std(0) > 5
    assert abs(drawn.mean() - images.mean()) < 1
    assert np.median(drawn.std(0)[inside] / images.std(0)[inside]) == pytest.approx(0.75, abs=0.05)


@pytest.mark.parametrize(
    ("image", "others", "rmse", "correlation"),
    [
        ([[0, 10]], [[[0, 10]]], 0.0, 1.0),
        ([[0, 10]], [[[10, 0]]], 10.0, -1.0),
        ([[0, 10]], [[[100, 110]]], 100.0, 1.0),
        ([[0, 10]], [[[3, 14]], [[10, 0]]], np.sqrt((9 + 16) / 2), 1.0),
    ],
)
def test_similarity_by_hand(image, others, rmse, correlation):
    """Differences in grey levels and correlations of two-pixel images."""
    near = nearest(np.uint8([image]), np.uint8(others))
    assert near.rmse == pytest.approx([rmse], abs=1e-3)
    assert near.correlation == pytest.approx([correlation], abs=1e-6)


def test_images_of_the_same_patient_are_not_compared():
    """A copy of the same patient is ignored."""
    images = np.uint8([[[0, 10]], [[0, 10]], [[4, 10]]])
    near = nearest(images[:1], images, ["a"], ["a", "a", "b"])
    assert near.rmse == pytest.approx([np.sqrt(8)])


def test_nothing_to_compare_with():
    """Infinite difference, lowest correlation."""
    images = np.uint8([[[0, 10]]])
    near = nearest(images, images, ["a"], ["a"])
    assert (near.rmse[0], near.correlation[0]) == (np.inf, -1)


def test_batches_do_not_change_the_measure():
    """One batch or many."""
    images = striped(10, 3)
    assert np.allclose(nearest(images, images[::-1], batch=3).rmse, nearest(images, images[::-1], batch=100).rmse)


def test_six_images_are_written_and_indexed(drawn):
    """Three of each class, grey, marked as synthetic, each with its similarity to training images."""
    _, out, index = drawn
    assert DemoIndex.model_validate_json((out / "index.json").read_bytes()) == index
    assert sorted(path.name for path in out.glob("*.png")) == sorted(image.file for image in index.images)
    assert [image.kind for image in index.images] == ["normal"] * 3 + ["pneumonia"] * 3
    for image in index.images:
        with Image.open(out / image.file) as picture:
            assert picture.mode == "L"
            assert picture.text["Description"] == index.notice
        assert image.nearest_rmse > index.other_patients.rmse["percentile_1"]
        assert image.nearest_correlation < index.other_patients.correlation["percentile_99"]


def test_differences_are_those_from_the_nearest_training_image(drawn):
    """The index agrees with the files, caption and enlargement aside."""
    root, out, index = drawn
    known = np.stack(
        [cv2.imread(str(image.path), cv2.IMREAD_GRAYSCALE) for image in find_images(root, ("train", "val"))]
    )
    for image in index.images:
        shown = cv2.imread(str(out / image.file), cv2.IMREAD_GRAYSCALE)
        small = cv2.resize(shown, (224, 224), interpolation=cv2.INTER_AREA).astype(float)
        differences = np.sqrt(((known[:, :210] - small[:210]) ** 2).mean((1, 2)))  # the caption is below row 210
        assert differences.min() == pytest.approx(image.nearest_rmse, abs=2.5)


def test_a_draw_too_similar_to_an_image_is_refused_by_name(tmp_path):
    """With images of noise every draw is nearer to one of them than they are to each other."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 224, 224), np.uint8)
    with pytest.raises(DataError) as raised:
        make_demo_images(archive(tmp_path, noise), tmp_path / "images", seed=0)
    assert raised.value.message.code == "training.too_similar"
    assert f"normal {CHOSEN['NORMAL'][0]}" in raised.value.message.values["draws"]
    assert not (tmp_path / "images").exists()


def test_the_command_names_a_missing_archive(tmp_path):
    """On standard error, without a stack trace, and with a status other than zero."""
    done = subprocess.run(
        [sys.executable, "-m", "cxrmodel", "synthetic", "--out", str(tmp_path / "images")],
        env={"PATH": "", "CXR_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert str(tmp_path / "chest_xray" / "train" / "NORMAL") in done.stderr
    assert "Traceback" not in done.stderr
