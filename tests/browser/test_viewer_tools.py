"""The viewer's tools in a real browser: rotation, measurements, magnifier, comparison, crop, tags, full screen."""

import re

import numpy as np
import pytest

from cxrmodel.checks.report import WARNING, CheckReport, CheckResult
from cxrmodel.messages import Message
from tests.browser.viewer_tab import hot, of_image
from tests.support.stand_ins import fake_reading

pytestmark = pytest.mark.browser

ROOM = """(change) => {
  const room = window.cxrRoom;
  for (const [id, values] of Object.entries(change.rows ?? {})) room.rows.set(id, { ...room.rows.get(id), ...values });
  if ("selected" in change) room.selected = change.selected;
  room.tell();
}"""


def quarters() -> np.ndarray:
    """An image whose quarters are 0, 80, 160 and 240: upper left, upper right, lower left, lower right."""
    return np.kron(np.array([[0, 80], [160, 240]]) / 255, np.ones((150, 150)))


def corners(viewer) -> list[int]:
    """What is drawn near the corners of a square image in the middle of the stage, in the same order."""
    half = 0.3 * viewer.box["height"] / viewer.box["width"]
    places = [(0.5 - half, 0.2), (0.5 + half, 0.2), (0.5 - half, 0.8), (0.5 + half, 0.8)]
    return [viewer.pixel(*place)[0] for place in places]


def letters(viewer) -> set[str]:
    """Edges of the stage at which a side letter stands, of those where it can stand."""
    places = {"left": (0, 0.06), "right": (0.94, 1), "middle": (0.47, 0.53)}
    return {name for name, (left, right) in places.items() if viewer.marked(left, 0, right, 0.06)}


def test_the_display_is_turned_and_flipped_and_the_sides_follow(viewer):
    """Quarter turns and a flip as they look; letters, values and the file's coordinates follow; Space undoes them."""
    viewer.show(fake_reading(quarters()))
    assert corners(viewer) == [0, 80, 160, 240]
    press = viewer.tab.keyboard.press
    assert viewer.says("badges") == ""
    press("]")
    assert corners(viewer) == [160, 0, 240, 80]
    assert viewer.says("badges") == "Display rotated"
    assert letters(viewer) == {"middle"}
    viewer.tab.mouse.move(*viewer.at(0.5, 0.1))  # the left edge of the image is at the top now
    x, y = viewer.place()
    assert x < 60
    assert y == pytest.approx(150, abs=3)
    press("v")
    assert corners(viewer) == [0, 160, 80, 240]
    press("[")
    press("v")
    assert sorted(corners(viewer)) == [0, 80, 160, 240]
    press("Space")
    assert corners(viewer) == [0, 80, 160, 240]
    assert viewer.says("badges") == ""
    press("v")
    assert corners(viewer) == [80, 0, 240, 160]
    assert letters(viewer) == {"left", "right"}


def test_doubt_about_the_sides_stays_when_the_display_is_flipped(viewer):
    """The question marks go along with their letters; a flip settles nothing."""
    doubtful = CheckResult("mirroring", WARNING, Message("checks.mirroring.warning"), 1.0, 0.5)
    viewer.show(hot(check=CheckReport((doubtful,))))
    width, height = viewer.box["width"], viewer.box["height"]
    viewer.tab.keyboard.press("v")
    assert viewer.marked(28 / width, 0, 50 / width, 30 / height)
    assert "may be mirrored" in viewer.says("sides")
    assert "Display rotated" in viewer.says("badges")


def heard(viewer, pattern: str) -> str:
    """What a screen reader hears, once it is as the pattern says."""
    viewer.tab.wait_for_function(
        "(pattern) => RegExp(pattern).test(root.querySelector('[data-part=live]').innerText)", arg=pattern
    )
    return viewer.says("live")


def test_lengths_and_angles(viewer):
    """In pixels, and in millimetres with their source where the spacing is known; by mouse and keyboard alone."""
    viewer.show(hot(shape=(400, 400)))
    scale = viewer.zoom() / 100
    viewer.more("Length")
    viewer.drag((0.4, 0.5), (0.5, 0.5))
    pixels = 0.1 * viewer.box["width"] / scale
    assert float(heard(viewer, "pixels").split()[0]) == pytest.approx(pixels, abs=2)
    assert viewer.numbers() == [255, 128]
    assert viewer.marked(0.43, 0.49, 0.47, 0.51)
    viewer.tab.keyboard.press("Escape")
    viewer.show(of_image(hot(0.5), pixel_spacing=(0.5, 0.25), spacing_from="imager"))
    viewer.tab.keyboard.press("d")
    for place in ((0.5, 0.4), (0.5, 0.6)):
        viewer.tab.mouse.click(*viewer.at(*place))
    said = heard(viewer, "mm")
    assert said.endswith("mm at the detector")
    assert float(said.split()[0]) == pytest.approx(0.2 * viewer.box["height"] / scale * 0.5, abs=1)
    viewer.tab.keyboard.press("d")
    viewer.tab.keyboard.press("a")
    stage = viewer.tab.locator("[data-part=stage]")
    for keys in (["ArrowRight"] * 10, ["ArrowLeft"] * 10, ["ArrowDown"] * 5):
        for key in keys:
            stage.press(f"Shift+{key}")
        stage.press("Enter")
    assert re.fullmatch(r"[\d.]+°", heard(viewer, "°"))
    viewer.tab.keyboard.press("Escape")
    viewer.tab.keyboard.press("Space")
    assert not viewer.marked(0.45, 0.35, 0.55, 0.65)


def test_the_magnifier_shows_more_of_what_lies_under_the_pointer(viewer):
    """At the pointer, with the window of the image; gone when it is put away."""
    viewer.show(fake_reading(quarters()))
    viewer.tab.mouse.move(*viewer.at(0.5, 0.5))
    glass = viewer.tab.locator("canvas.glass")
    viewer.tab.keyboard.press("m")
    box = glass.bounding_box()
    assert box["x"] + box["width"] / 2 == pytest.approx(viewer.at(0.5, 0.5)[0], abs=2)
    grey = "(canvas, [x, y]) => canvas.getContext('2d').getImageData(canvas.width * x, canvas.height * y, 1, 1).data[0]"
    seen = [glass.evaluate(grey, [x, y]) for x, y in ((0.3, 0.3), (0.7, 0.3), (0.3, 0.7), (0.7, 0.7))]
    assert seen == [0, 80, 160, 240]
    viewer.tab.keyboard.press("m")
    assert not glass.is_visible()


def test_two_images_side_by_side_zoom_and_move_together(viewer, make_image):
    """The other image of the list has its own window; it goes when its row goes."""
    viewer.show(hot(0.2))
    viewer.show(fake_reading(make_image(0, (500, 600))))
    viewer.tab.get_by_role("button", name="More", exact=True).click()
    options = viewer.tab.get_by_label("Compare with").locator("option").all_inner_texts()
    assert len(options) == 2  # none, and the other image
    viewer.tab.get_by_label("Compare with").select_option(options[1])
    viewer.tab.keyboard.press("Escape")
    captions = viewer.tab.locator(".caption:visible")
    assert captions.count() == 2
    scale = "() => [...root.querySelectorAll('.tile canvas[data-part=image]')].map((one) => one.width)"
    assert len(set(viewer.tab.evaluate(scale))) == 1
    second = """async () => {
      await new Promise(requestAnimationFrame);
      const canvas = root.querySelectorAll(".tile canvas[data-part=image]")[1], { width, height } = canvas;
      const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
      return data.filter((value, i) => i % 4 === 0 && value === 51).length;
    }"""
    whole = viewer.tab.evaluate(second)
    assert whole > 0
    viewer.tab.mouse.move(*viewer.at(0.25, 0.5))
    for _ in range(3):
        viewer.tab.keyboard.press("-")
    assert 0 < viewer.tab.evaluate(second) < 0.5 * whole
    other = viewer.tab.evaluate("() => window.cxrRoom.order[0]")
    viewer.tab.evaluate(ROOM, {"rows": {other: {"hasImage": False}}})
    assert captions.count() == 0


def test_a_late_image_never_replaces_a_newer_one(viewer):
    """What the user left is not shown when it arrives at last."""
    viewer.show(hot(0.2))
    viewer.show(hot(0.4))
    viewer.tab.evaluate("""() => {
      const room = window.cxrRoom, [first] = room.order, data = room.scenes.get(first);
      room.rows.set("slow", { ...room.rows.get(first), id: "slow" });
      room.order.push("slow");
      const scene = room.scene, late = new Promise((resolve) => (window.arrive = () => resolve(data)));
      room.scene = (id) => (id === "slow" ? late : scene(id));
      room.selected = "slow";
      room.tell();
    }""")
    assert viewer.tab.locator("[data-part=stage]").get_attribute("aria-busy") == "true"
    viewer.show(hot(0.4))
    viewer.tab.evaluate("async () => { window.arrive(); await new Promise((resolve) => setTimeout(resolve, 200)); }")
    assert viewer.pixel(0.5, 0.5) == [102, 102, 102]


def test_a_part_of_the_image_is_marked_for_cropping(viewer):
    """Edges as shares of the image as it is, whatever the display; Escape gives up."""
    viewer.show(hot())
    ask = (
        "() => { window.box = 0; window.cxrRoom.cropping(window.cxrRoom.selected).then((box) => (window.box = box)); }"
    )
    viewer.tab.evaluate(ask)
    handle = viewer.tab.get_by_role("button", name="Top left corner")
    for key in ("ArrowRight", "Shift+ArrowRight", "ArrowDown"):
        handle.press(key)
    viewer.tab.get_by_role("button", name="Crop", exact=True).click()
    viewer.tab.wait_for_function("() => window.box")
    assert viewer.tab.evaluate("() => window.box") == pytest.approx([0.11, 0.06, 0.95, 0.95])
    viewer.tab.keyboard.press("v")
    viewer.tab.evaluate(ask)
    viewer.tab.get_by_role("button", name="Top left corner").press("Shift+ArrowRight")
    viewer.tab.get_by_role("button", name="Crop", exact=True).click()
    viewer.tab.wait_for_function("() => window.box")
    assert viewer.tab.evaluate("() => window.box") == pytest.approx([0.05, 0.05, 0.9, 0.95])
    viewer.tab.evaluate(ask)
    viewer.tab.keyboard.press("Escape")
    viewer.tab.wait_for_function("() => window.box === null")
    assert not viewer.tab.locator(".crop").count()


def test_tags_and_full_screen(viewer):
    """Tags can be searched and leave with their image; the viewer fills the screen and comes back."""
    viewer.show(hot())
    viewer.tab.evaluate("""() => {
      const tags = [["(0028,0010)", "Rows", "400"], ["(0018,0015)", "Body Part Examined", "CHEST"]];
      window.cxrRoom.answers.set(`tags/${window.cxrRoom.selected}`, { tags, note: "3 are hidden." });
    }""")
    viewer.tab.keyboard.press("t")
    rows = viewer.tab.locator("[data-part=tags-rows] tr")
    rows.nth(1).wait_for()
    assert viewer.says("tags-note") == "3 are hidden."
    viewer.tab.get_by_label("Find a tag").fill("chest")
    assert rows.all_inner_texts() == ["Body Part Examined\tCHEST\t(0018,0015)"]
    viewer.show(hot(0.3))
    assert viewer.says("tags") == ""
    assert rows.count() == 0
    viewer.tab.keyboard.press("f")
    viewer.tab.wait_for_function("() => root.fullscreenElement !== null")
    assert viewer.pressed("Full screen")
    viewer.tab.keyboard.press("f")
    viewer.tab.wait_for_function("() => root.fullscreenElement === null")


def test_an_image_that_was_not_read_has_no_overlay(viewer):
    """It can be looked at all the same; a row without an image says why."""
    viewer.show(hot())
    viewer.tab.evaluate(
        ROOM, {"rows": {"none": {"id": "none", "status": "waiting", "hasImage": False}}, "selected": "none"}
    )
    assert "waiting" in viewer.says("message")
    assert viewer.tab.get_by_role("button", name="More", exact=True).is_disabled()
