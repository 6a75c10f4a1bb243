"""Demo images: drawn from a model of images, measured against every image, refused when too near to one."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from cxrmodel.errors import DataError
from cxrmodel.training.archive import find_images
from cxrmodel.training.synthetic import CHOSEN, draw_images, make_demo_images, nearest


def striped(count: int, seed: int, side: int = 24, dimensions: int = 3) -> np.ndarray:
    """Images that differ from each other in a few ways only; uint8 (count, side, side)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    ways = np.stack([np.sin(2 * np.pi * (k + 1) * (x if k % 2 else y)) for k in range(dimensions)])
    images = 120 + np.tensordot(rng.normal(0, 20, (count, dimensions)), ways, 1)
    return np.clip(np.rint(images), 0, 255).astype(np.uint8)


def archive(root: Path, images: np.ndarray) -> Path:
    """Lay images out as the public archive does, one of each patient, half of each class."""
    for i, image in enumerate(images):
        folder, kind = ("val" if i < 2 else "train"), ("PNEUMONIA" if i % 2 else "NORMAL")
        name = f"person{i}_virus_{i}.png" if i % 2 else f"IM-{i:04d}-0001.png"
        path = root / "chest_xray" / folder / kind / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return root


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path, list[dict]]:
    """An archive of sixty images, the folder of demo images made from it, and what was returned."""
    root = archive(tmp_path_factory.mktemp("archive"), striped(60, 0, side=224))
    out = tmp_path_factory.mktemp("demo") / "images"
    return root, out, make_demo_images(root, out, seed=0)


def test_drawn_images_have_the_form_of_the_given_ones():
    """Same height, width and dtype, as many as asked for."""
    drawn = draw_images(striped(30, 0), 5, seed=1)
    assert (drawn.shape, drawn.dtype) == ((5, 24, 24), np.uint8)


def test_drawn_images_follow_from_the_seed_alone():
    """The same seed gives the same images, another seed others."""
    images = striped(30, 0)
    assert np.array_equal(draw_images(images, 3, seed=1), draw_images(images, 3, seed=1))
    assert not np.array_equal(draw_images(images, 3, seed=1), draw_images(images, 3, seed=2))


def test_asking_for_more_images_does_not_change_the_first():
    """A draw keeps its number."""
    images = striped(30, 0)
    assert np.array_equal(draw_images(images, 2, seed=1), draw_images(images, 7, seed=1)[:2])


def test_drawn_images_scatter_three_quarters_as_far_as_the_given_ones():
    """The mean stays, the standard deviation shrinks to 0.75."""
    images = striped(200, 0)
    drawn = draw_images(images, 200, seed=1)
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
def test_nearness_by_hand(image, others, rmse, correlation):
    """Differences in grey levels and correlations of two-pixel images."""
    near = nearest(np.uint8([image]), np.uint8(others))
    assert near.rmse == pytest.approx([rmse], abs=1e-3)
    assert near.correlation == pytest.approx([correlation], abs=1e-6)


def test_images_of_the_same_patient_are_not_compared():
    """The copy under the patient's own name is passed over."""
    images = np.uint8([[[0, 10]], [[0, 10]], [[4, 10]]])
    near = nearest(images[:1], images, ["a"], ["a", "a", "b"])
    assert near.rmse == pytest.approx([np.sqrt(8)])


def test_nothing_left_to_compare_with():
    """Infinitely far, and as unlike as can be."""
    images = np.uint8([[[0, 10]]])
    near = nearest(images, images, ["a"], ["a"])
    assert (near.rmse[0], near.correlation[0]) == (np.inf, -1)


def test_batches_do_not_change_the_measure():
    """One batch or many."""
    images = striped(10, 3)
    assert np.allclose(nearest(images, images[::-1], batch=3).rmse, nearest(images, images[::-1], batch=100).rmse)


def test_six_images_are_written_and_listed(made):
    """Three of each class, grey, captioned as synthetic, each with its distance."""
    _, out, listed = made
    index = json.loads((out / "index.json").read_text())
    assert index["images"] == listed
    assert sorted(path.name for path in out.glob("*.png")) == sorted(image["file"] for image in listed)
    assert [image["kind"] for image in listed] == ["normal"] * 3 + ["pneumonia"] * 3
    for image in listed:
        with Image.open(out / image["file"]) as picture:
            assert picture.mode == "L"
            assert "no patient" in picture.text["Description"]
        assert image["nearest_rmse"] > index["other_patients"]["rmse"]["percentile_1"]
        assert image["nearest_correlation"] < index["other_patients"]["correlation"]["percentile_99"]


def test_distances_are_those_of_the_nearest_training_image(made):
    """What the index says agrees with the picture on disk, caption and enlargement aside."""
    root, out, listed = made
    known = np.stack(
        [cv2.imread(str(image.path), cv2.IMREAD_GRAYSCALE) for image in find_images(root, ("train", "val"))]
    )
    for image in listed:
        shown = cv2.imread(str(out / image["file"]), cv2.IMREAD_GRAYSCALE)
        small = cv2.resize(shown, (224, 224), interpolation=cv2.INTER_AREA).astype(float)
        differences = np.sqrt(((known[:, :210] - small[:210]) ** 2).mean((1, 2)))  # the caption is below row 210
        assert differences.min() == pytest.approx(image["nearest_rmse"], abs=2.5)


def test_a_draw_too_near_to_an_image_is_refused_by_name(tmp_path):
    """Images of pure noise: every draw lies nearer to one of them than they lie to each other."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 224, 224), np.uint8)
    with pytest.raises(DataError, match=rf"too near.*normal {CHOSEN['NORMAL'][0]}"):
        make_demo_images(archive(tmp_path, noise), tmp_path / "images", seed=0)
    assert not (tmp_path / "images").exists()


def test_the_command_names_a_missing_archive(tmp_path):
    """One sentence on standard error, no stack trace, and a status that is not zero."""
    done = subprocess.run(
        [sys.executable, "-m", "cxrmodel", "synthetic", "--out", str(tmp_path / "images")],
        env={"PATH": "", "CXR_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "There are no images in" in done.stderr
    assert "Traceback" not in done.stderr
