"""Repairs of the decoded image: what they change and how they add up, and that a repaired file is read alike."""

import itertools

import cv2
import numpy as np
import pytest

from cxrmodel.errors import ImageRejected, ImageTooSmall, ImplausibleShape, SettingError
from cxrmodel.imaging.radiograph import MIN_SIDE, Radiograph
from cxrmodel.imaging.repairs import AS_STORED, MOST_STEPS, Repairs, inverted
from cxrmodel.messages import Message
from cxrmodel.reading import Reader

PIXELS = {
    "rotate_left": lambda image: np.rot90(image),
    "rotate_right": lambda image: np.rot90(image, -1),
    "rotate_180": lambda image: np.rot90(image, 2),
    "flip": lambda image: image[:, ::-1],
    "invert": lambda image: 255 - image,
    "crop:0.1:0:0.9:0.5": lambda image: image[: image.shape[0] // 2, image.shape[1] // 10 : image.shape[1] * 9 // 10],
}
"""Each step, as another program would do it."""


def radiograph(levels: np.ndarray, **changes) -> Radiograph:
    """A file of eight bits."""
    return Radiograph(levels.astype(np.float32) / 255, "x", "0" * 64, "PNG", 8, **changes)


@pytest.fixture
def levels() -> np.ndarray:
    """An image in which every part differs; its sides are multiples of 400, so that two crops stay whole."""
    return np.random.default_rng(3).integers(0, 256, (800, 1200)).astype(np.uint8)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_any_sequence_is_what_the_steps_do_one_after_the_other(levels, length):
    """At most one step of each kind is left of it, and what is left does the same again."""
    for steps in itertools.product(PIXELS, repeat=length):
        if sum(step.startswith("crop") for step in steps) > 2:
            continue
        expected = levels
        for step in steps:
            expected = PIXELS[step](expected)
        repairs = Repairs.parse(steps)
        assert len(repairs.steps) <= 4
        image = repairs.apply(radiograph(levels))
        np.testing.assert_array_equal(image.pixels, radiograph(expected).pixels, err_msg=str(steps))
        assert Repairs.parse(",".join(repairs.steps)).steps == repairs.steps == image.repairs
        assert image.notes == repairs.notes


def test_steps_cancel(levels):
    """What comes to nothing is no repair."""
    image = radiograph(levels)
    for steps in ("", "flip,flip", "rotate_left,rotate_right", "invert,rotate_180,invert,rotate_180"):
        repairs = Repairs.parse(steps)
        assert not repairs
        assert repairs == AS_STORED
        assert repairs.apply(image) is image


def test_what_was_done_stays_on_record(levels):
    """As notes with codes, after those of the decoder; spacing follows a rotation."""
    note = Message("imaging.note.tint")
    image = radiograph(levels, notes=(note,), pixel_spacing=(0.1, 0.2))
    repairs = Repairs.parse("crop:0.1:0.2:0.75:1,rotate_left,invert")
    done = repairs.apply(image)
    crop = Message("imaging.repair.crop", left=10, top=20, right=25, bottom=0)
    assert done.notes == (note, crop, Message("imaging.repair.rotate_left"), Message("imaging.repair.invert"))
    assert done.pixel_spacing == (0.2, 0.1)
    assert Repairs.parse("rotate_180").apply(image).pixel_spacing == (0.1, 0.2)
    assert done.sha256 == image.sha256
    assert done.identity != image.identity == image.sha256
    assert all(str(one) for one in done.notes)


def test_inverting_deep_images():
    """Twice gives the image again, to a rounding error."""
    pixels = (np.random.default_rng(0).integers(0, 4096, (90, 80)) / 4095).astype(np.float32)
    np.testing.assert_allclose(inverted(inverted(pixels)), pixels, atol=1e-7)
    np.testing.assert_allclose(inverted(pixels), 1 - pixels)


@pytest.mark.parametrize(
    "steps",
    [
        "turn",
        "crop",
        "crop:0:0:1",
        "crop:0:0:1:nan",
        "crop:0.5:0:0.5:1",
        "crop:-0.1:0:1:1",
        "crop:0:0:1:1.1",
        "crop:a:0:1:1",
    ],
)
def test_what_is_no_repair_is_refused(steps):
    """By name, with what there is instead."""
    with pytest.raises(SettingError) as refused:
        Repairs.parse(steps)
    assert refused.value.message.code == "imaging.repair.unknown"
    assert steps in str(refused.value)


def test_bounds(levels):
    """Too many steps, or too little of the image."""
    with pytest.raises(SettingError):
        Repairs.parse(["flip"] * (MOST_STEPS + 1))
    with pytest.raises(ImageTooSmall):
        Repairs.parse(f"crop:0:0:{(MIN_SIDE - 1) / 1200}:1").apply(radiograph(levels))
    with pytest.raises(ImplausibleShape):
        Repairs.parse("crop:0:0:1:0.2").apply(radiograph(levels))


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The shipped model."""
    return Reader.load()


@pytest.mark.parametrize("label", ["NORMAL", "PNEUMONIA"])
def test_a_repaired_image_is_read_as_a_repaired_file(data_root, reader, label):
    """To the last digit; a rotated image is refused before, shown, and offered the rotation that sets it right."""
    path = sorted((data_root / "chest_xray" / "test" / label).iterdir())[3]
    upright = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    expected = reader.read(_png(upright), "x.png")
    for cure, spoilt in {
        "rotate_right": PIXELS["rotate_left"],
        "rotate_left": PIXELS["rotate_right"],
        "rotate_180": PIXELS["rotate_180"],
    }.items():
        data = _png(spoilt(upright))
        with pytest.raises(ImageRejected) as refused:
            reader.read(data, "x.png")
        seen = refused.value.seen
        assert seen.report.repair == cure
        np.testing.assert_array_equal(seen.radiograph.pixels, radiograph(spoilt(upright)).pixels)
        assert {result.check for result in seen.report.results if result.outcome == "rejected"} >= {"rotation"}
        _same(reader.read(data, "x.png", repairs=Repairs.parse(cure)), expected, (f"imaging.repair.{cure}",))
    inverse = reader.read(_png(255 - upright), "x.png", repairs=Repairs.parse("invert"))
    _same(inverse, expected, ("imaging.repair.invert",))
    mirrored = reader.read(_png(upright[:, ::-1]), "x.png")
    assert mirrored.check.repair == "flip"
    _same(
        reader.read(_png(upright[:, ::-1]), "x.png", repairs=Repairs.parse("flip")), expected, ("imaging.repair.flip",)
    )
    (many,) = reader.read_many([(lambda: _png(255 - upright), "x.png")], Repairs.parse("invert"))
    _same(many, inverse)


def _same(found, expected, notes=()):
    assert (found.logit, found.probability, found.finding) == (expected.logit, expected.probability, expected.finding)
    np.testing.assert_array_equal(found.heat, expected.heat)
    codes = sorted(reason.code for reason in expected.reasons)
    assert sorted(reason.code for reason in found.reasons) == sorted((*codes, *notes))


def _png(levels: np.ndarray) -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(levels))[1].tobytes()


@pytest.mark.parametrize("box", ["0.4999:0.4999:0.5:0.5", "0:0:0.2:1", "0.333333:0.1:0.777777:0.9", "1e-9:0:1:1"])
def test_what_is_left_of_crops_can_be_read_again(box):
    """However often it is cropped: the steps are either refused, or say the same when they are read again."""
    repairs = AS_STORED
    for _ in range(60):
        try:
            repairs = repairs.then(f"crop:{box}")
        except SettingError:
            break
        assert Repairs.parse(repairs.steps) == repairs
