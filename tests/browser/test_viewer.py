"""The viewer's component in a real browser: mouse, wheel, touch and keys."""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrmodel.checks.report import WARNING, CheckReport, CheckResult
from cxrmodel.messages import Message
from tests.browser.bare import as_if_fast, data_of, mount, show
from tests.browser.viewer_tab import SHOWN, hot, of_image
from tests.support.pages import words
from tests.support.stand_ins import fake_reading, lung_mask

pytestmark = pytest.mark.browser


def test_drag_is_window_and_level(viewer):
    """To the right the window widens, up the image brightens; the pixels follow at once."""
    viewer.show(hot())
    assert viewer.numbers() == [255, 128]
    assert viewer.pixel(0.5, 0.5) == [100, 100, 100]
    viewer.drag((0.4, 0.5), (0.4, 0.4))
    window, level = viewer.numbers()
    assert window == 255
    assert level < 128
    assert viewer.pixel(0.5, 0.5)[0] == pytest.approx(100 + 128 - level, abs=2)
    viewer.drag((0.4, 0.5), (0.3, 0.5))
    assert viewer.numbers()[0] < 255
    assert viewer.numbers()[1] == level


def test_wheel_zooms_at_the_pointer(viewer, make_image):
    """The place and value under the pointer stay while the image grows."""
    viewer.show(fake_reading(make_image(0, (500, 600))))
    viewer.tab.mouse.move(*viewer.at(0.6, 0.3))
    before, zoom = viewer.place(), viewer.zoom()
    viewer.tab.mouse.wheel(0, -500)
    viewer.tab.wait_for_function(f"({SHOWN})('zoom') !== 'Zoom {zoom:g} %'")
    assert viewer.zoom() > 1.5 * zoom
    assert viewer.place() == pytest.approx(before, abs=1)


@pytest.mark.parametrize("how", ["middle", "shift", "space"])
def test_image_is_moved(viewer, make_image, how):
    """By the middle button, with Shift, and with Space, which then does not reset."""
    viewer.show(fake_reading(make_image(0, (500, 600))))
    viewer.tab.keyboard.press("+")
    viewer.tab.mouse.move(*viewer.at(0.6, 0.6))
    x, y = viewer.place()
    key = {"shift": "Shift", "space": "Space"}.get(how)
    if key:
        viewer.tab.keyboard.down(key)
    viewer.drag((0.5, 0.5), (0.6, 0.6), "middle" if how == "middle" else "left")
    if key:
        viewer.tab.keyboard.up(key)
    assert viewer.numbers() == [255, 128]
    x_after, y_after = viewer.place()
    assert x_after < x
    assert y_after < y


def test_value_and_place_under_the_pointer(viewer):
    """The stored value of a deep image, at the image's own coordinates; nothing beside the image."""
    levels = np.zeros((200, 200))
    levels[:, 100:] = 1843 / 4095
    levels[0, 0] = 1 / 4095  # no smaller depth holds this
    viewer.show(of_image(fake_reading(levels), bits=12))
    viewer.tab.mouse.move(*viewer.at(0.51, 0.5))
    assert re.fullmatch(r"x 10\d, y \d+: 1843 of 4095", viewer.says("pixel"))
    viewer.tab.mouse.move(*viewer.at(0.01, 0.5))
    assert viewer.says("pixel") == ""


def test_overlay_is_mixed_in_by_heat_and_opacity(viewer):
    """Grey 100 under the top of viridis, #fde725, at half opacity: 176.5, 165.5, 68.5; off, the image is untouched."""
    viewer.show(hot(), overlay=False)
    assert viewer.pixel(0.5, 0.5) == [100, 100, 100]
    viewer.tab.keyboard.press("h")
    assert viewer.pressed("Heatmap")
    assert viewer.pixel(0.5, 0.5) == pytest.approx([176.5, 165.5, 68.5], abs=1)
    viewer.tab.get_by_label("Opacity").fill("100")
    assert viewer.pixel(0.5, 0.5) == [253, 231, 37]
    viewer.set("Colours", "cividis")
    assert viewer.pixel(0.5, 0.5) == [254, 232, 56]
    viewer.tab.keyboard.press("h")
    assert viewer.pixel(0.5, 0.5) == [100, 100, 100]
    assert "off" in viewer.says("meaning")


def test_heat_below_the_threshold_is_not_drawn(viewer):
    """Half of the range is drawn from a threshold of 40 % on, and not from one of 60 %."""
    viewer.show(fake_reading(np.full((300, 300), 0.5), heat=np.full((224, 224), 1.25, np.float32)))
    viewer.tab.keyboard.press("h")
    for share, coloured in ((40, True), (60, False)):
        viewer.set("Hide below", str(share))
        red, _, blue = viewer.pixel(0.5, 0.5)
        assert (red != blue) == coloured
    assert viewer.says("threshold-value") == "1.5"


def test_contour_instead_of_fill(viewer):
    """Lines where the heat crosses a quarter of the range; the image itself stays grey."""
    heat = np.zeros((224, 224), np.float32)
    heat[56:168, 56:168] = 2.5
    viewer.show(fake_reading(np.full((400, 400), 0.5), heat=heat))
    viewer.tab.keyboard.press("h")
    assert not viewer.marked(0.45, 0.2, 0.55, 0.3)
    viewer.tab.keyboard.press("g")
    assert viewer.marked(0.45, 0.2, 0.55, 0.3)
    assert not viewer.marked(0.45, 0.45, 0.55, 0.55)
    assert len(set(viewer.pixel(0.5, 0.5))) == 1


def test_lung_outline(viewer):
    """Around the lungs that were found, only where it is asked for."""
    viewer.show(fake_reading(np.full((400, 400), 0.5)))
    (top, bottom), size = np.flatnonzero(lung_mask().any(1))[[0, -1]] / 224, viewer.box["height"] / viewer.box["width"]
    column = 0.5 + (65 / 224 - 0.5) * size  # through the patient's right lung, on a square image in a wide stage
    place = column - 0.01, top - 0.02, column + 0.01, top + 0.02
    assert not viewer.marked(*place)
    viewer.tab.keyboard.press("o")
    assert viewer.marked(*place)
    assert viewer.marked(column - 0.01, bottom - 0.02, column + 0.01, bottom + 0.02)
    assert not viewer.marked(column - 0.01, 0.45, column + 0.01, 0.55)


def test_side_by_side_and_split(viewer):
    """Side by side the left image is bare; split, everything left of the handle is, and the handle can be moved."""
    viewer.show(hot(shape=(400, 800)), overlay=True)
    viewer.set("Layout", "side")
    assert viewer.pixel(0.25, 0.5) == [100, 100, 100]
    assert viewer.pixel(0.75, 0.5) == pytest.approx([176.5, 165.5, 68.5], abs=1)
    viewer.tab.keyboard.press("l")
    assert viewer.pixel(0.4, 0.5) == [100, 100, 100]
    assert viewer.pixel(0.6, 0.5) != [100, 100, 100]
    viewer.drag((0.5, 0.3), (0.3, 0.3))
    assert viewer.pixel(0.4, 0.5) != [100, 100, 100]
    handle = viewer.tab.get_by_role("slider", name="Split")
    assert handle.get_attribute("aria-valuenow") == "30"
    handle.press("ArrowLeft")
    assert handle.get_attribute("aria-valuenow") == "28"
    assert viewer.numbers() == [255, 128]


def test_keys(viewer, make_image):
    """Every key of the design does what it says, and space brings everything back."""
    viewer.show(of_image(fake_reading(make_image(0, (300, 300))), file_format="DICOM"))
    press, first = viewer.tab.keyboard.press, viewer.numbers()
    assert first == [255, 128]
    fitted = viewer.zoom()
    for key, test in {
        "+": lambda: viewer.zoom() > fitted,
        "-": lambda: viewer.zoom() == fitted,
        "1": lambda: viewer.numbers() == [255, 128],
        "3": lambda: viewer.numbers()[0] < 255,
        "2": lambda: viewer.numbers() == [255, 128],
        "i": lambda: "inverted" in viewer.says("levels") and viewer.says("badges") == "Inverted by you",
    }.items():
        press(key)
        assert test(), key
    seen = set()
    for key in "12345":
        press(key)
        seen.add((viewer.tab.get_by_label("Window", exact=True).input_value(), *viewer.numbers()))
    # A DICOM image comes through its file's own window, so that 1 and 2 are the same.
    assert [name for name, *_ in sorted(seen)] == ["lungs", "mediastinum", "percentile", "whole"]
    assert len({tuple(numbers) for _, *numbers in seen}) == 4
    press("+")
    press("=")
    assert viewer.zoom() == fitted
    press("Space")
    assert viewer.numbers() == first
    assert "inverted" not in viewer.says("levels")
    assert viewer.says("badges") == ""


def test_inversion_is_of_the_screen_alone(viewer):
    """Grey 100 becomes 155; the value shown stays the image's own."""
    viewer.show(hot())
    viewer.tab.mouse.move(*viewer.at(0.5, 0.5))
    viewer.tab.keyboard.press("i")
    assert viewer.pixel(0.5, 0.5) == [155, 155, 155]
    assert viewer.says("pixel").endswith(": 100 of 255")


def test_changes_within_one_frame_of_the_screen(viewer):
    """The last of them is what is seen, and is drawn with those before it."""
    viewer.show(hot())
    viewer.tab.evaluate("""async () => {
      for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
      const canvas = root.querySelector("[data-part=image]"), context = canvas.getContext("2d");
      const put = context.putImageData;
      window.drawings = 0;
      context.putImageData = function (...given) {
        window.drawings++;
        return put.apply(this, given);
      };
      for (let i = 0; i < 6; i++) document.dispatchEvent(new KeyboardEvent("keydown", { key: "i", bubbles: true }));
    }""")
    assert viewer.pixel(0.5, 0.5) == [100, 100, 100]
    assert viewer.tab.evaluate("() => window.drawings") == 2


def test_question_mark_lists_every_key(viewer):
    """The list names the keys, takes the focus, and closes with Escape; then keys act on the image again."""
    viewer.show(hot())
    viewer.tab.keyboard.press("?")
    listed = viewer.tab.evaluate("() => [...root.querySelectorAll('[data-part=keys] kbd')].map((key) => key.innerText)")
    assert {"i", "+", "-", "=", "Space", "h", "1", "2", "3", "4", "5", "?"} <= set(listed)
    assert viewer.tab.evaluate("() => root.querySelector('[data-part=help]').contains(root.activeElement)")
    viewer.tab.keyboard.press("Escape")
    assert viewer.says("help") == ""
    viewer.tab.keyboard.press("i")
    assert "inverted" in viewer.says("levels")
    viewer.tab.keyboard.press("Space")
    assert viewer.says("help") == ""
    assert "inverted" not in viewer.says("levels")


def test_no_key_acts_while_someone_types(viewer):
    """Neither in a field of the page nor in one of the viewer; nor from elsewhere, where that is turned off."""
    viewer.show(hot())
    viewer.tab.locator("#other").type("hi12")
    assert viewer.tab.locator("#other").input_value() == "hi12"
    viewer.more("Save picture")
    viewer.tab.get_by_label("Text to print").type("hi")
    assert not viewer.pressed("Heatmap")
    assert "inverted" not in viewer.says("levels")
    viewer.tab.keyboard.press("Escape")
    viewer.tab.keyboard.press("?")
    viewer.tab.get_by_label("Keys act anywhere").uncheck()
    viewer.tab.keyboard.press("Escape")
    viewer.tab.evaluate("() => root.activeElement.blur()")
    viewer.tab.keyboard.press("i")
    assert "inverted" not in viewer.says("levels")
    viewer.tab.locator("[data-part=stage]").focus()
    viewer.tab.keyboard.press("i")
    assert "inverted" in viewer.says("levels")


def test_keyboard_alone(viewer, make_image):
    """With the image in focus arrows move it, Shift and arrows set window and level; a screen reader hears of it."""
    viewer.show(fake_reading(make_image(0, (300, 300))))
    viewer.tab.locator("[data-part=stage]").focus()
    viewer.tab.keyboard.press("+")
    before = viewer.pixel(0.5, 0.5), viewer.pixel(0.6, 0.4)
    viewer.tab.keyboard.press("ArrowRight")
    assert (viewer.pixel(0.5, 0.5), viewer.pixel(0.6, 0.4)) != before
    viewer.tab.keyboard.press("Shift+ArrowRight")
    assert viewer.numbers()[0] > 255
    heard = f"({SHOWN})('live').startsWith('Window {viewer.numbers()[0]} · level 128, Zoom ')"
    viewer.tab.wait_for_function(heard)


def test_everything_has_a_name(viewer):
    """Each control, and the image itself in words."""
    viewer.show(hot())
    nameless = """() => [...root.querySelectorAll("button, input, select, [role=slider], [role=application]")]
      .filter((one) => !one.hidden && !(one.innerText || one.getAttribute("aria-label") || one.labels?.length))
      .map((one) => one.outerHTML)"""
    assert viewer.tab.evaluate(nameless) == []
    label = viewer.tab.get_by_role("application").get_attribute("aria-label")
    size = {"width": 400, "height": 400, "bits": 8}
    assert label.startswith(words("web.viewer.description", **size))


def test_small_images_do_not_alias(viewer):
    """Stripes finer than the screen become even grey, not other stripes."""
    viewer.show(fake_reading(np.tile(np.array([0, 1]), (2048, 1024))))
    assert viewer.zoom() < 50
    assert [viewer.pixel(x, 0.5)[0] for x in (0.45, 0.5, 0.501, 0.55)] == pytest.approx([128] * 4, abs=2)


def test_scale_bar_only_where_the_spacing_is_known(viewer):
    """A fifth of the pane at most, in round lengths."""
    viewer.show(hot())
    corner = 0.75, 0.9, 1, 1
    assert not viewer.marked(*corner)
    viewer.show(of_image(hot(), pixel_spacing=(0.5, 0.5), spacing_from="imager"))
    assert viewer.marked(*corner)


def test_same_data_again_changes_nothing(viewer):
    """A rerun of the page leaves view and choices as they are, and draws the same image into the same canvas."""
    viewer.show(hot())
    viewer.drag((0.4, 0.5), (0.5, 0.5))
    numbers = viewer.numbers()
    viewer.tab.evaluate("() => { window.canvas = root.querySelector('[data-part=image]'); }")
    viewer.show(hot())
    assert viewer.numbers() == numbers
    assert viewer.tab.evaluate("() => window.canvas === root.querySelector('[data-part=image]')")


def test_state_outlives_the_page_and_belongs_to_its_image(viewer):
    """Mounted anew, an image has its window again and another has its own; nothing is kept in the browser's storage."""
    viewer.show(hot())
    viewer.drag((0.4, 0.5), (0.5, 0.5))
    viewer.tab.keyboard.press("h")
    numbers = viewer.numbers()
    viewer.tab.evaluate("""() => {
      const clean = root.firstElementChild.cloneNode(true);
      window.end();
      root.firstElementChild.replaceWith(clean);
    }""")
    viewer.show(hot())
    assert viewer.numbers() == numbers
    assert viewer.pressed("Heatmap")
    viewer.show(hot(0.7))
    assert viewer.numbers() == [255, 128]
    assert viewer.pressed("Heatmap")
    assert viewer.tab.evaluate("() => origin === 'null' || localStorage.length + sessionStorage.length === 0")


def test_gone_it_listens_no_more(viewer, watched):
    """When its element goes, keys of the page are nobody's; an end that a later run overtook ends nothing."""
    viewer.show(hot())
    viewer.tab.evaluate("() => { window.early = window.end; }")
    viewer.show(hot())
    viewer.tab.evaluate("() => window.early()")
    viewer.tab.keyboard.press("i")
    assert "inverted" in viewer.says("levels")
    viewer.tab.evaluate("() => window.end()")
    viewer.tab.keyboard.press("i")
    assert "inverted" in viewer.says("levels")


def test_damaged_data_is_a_sentence(viewer):
    """What cannot be unpacked gives a sentence, and the next image is shown all the same."""
    data = data_of(hot())
    length = int.from_bytes(data[:4], "little")
    show(viewer.tab, data[: 4 + length] + bytes(len(data) - 4 - length))
    assert "could not be shown" in viewer.says("message")
    viewer.show(hot(0.2))
    assert viewer.says("message") == ""


def save(viewer, text: str = "") -> np.ndarray:
    """The saved picture."""
    viewer.more("Save picture")
    viewer.tab.get_by_label("Text to print").fill(text)
    with viewer.tab.expect_download() as download:
        viewer.tab.get_by_role("button", name="Save", exact=True).click()
    viewer.name = download.value.suggested_filename
    return np.asarray(Image.open(BytesIO(Path(download.value.path()).read_bytes())).convert("RGB")).astype(int)


def test_saved_picture(viewer):
    """The whole image at its size with its overlay, below it the colour bar and words, and no name but a typed one."""
    reading = hot(shape=(1000, 1200))
    viewer.show(reading)
    viewer.tab.keyboard.press("+")
    viewer.tab.keyboard.press("h")
    picture = save(viewer)
    assert viewer.name == f"image {reading.radiograph.sha256[:8]} heatmap.png"
    height, width, _ = picture.shape
    assert width == 1200
    assert height > 1000
    np.testing.assert_allclose(picture[500, 600], [176.5, 165.5, 68.5], atol=1)
    legend = picture[1000:]
    bar = next(row for row in legend if (abs(row - [253, 231, 37]).sum(axis=1) < 12).any())
    shades = [tuple(shade) for shade in bar if abs(shade - [14, 18, 23]).sum() > 30]
    assert np.abs(np.subtract(shades[3], [68, 1, 84])).sum() < 40
    assert np.abs(np.subtract(shades[len(shades) // 2], [33, 145, 140])).sum() < 30
    words = (legend.min(axis=2) > 200).any(axis=1)
    assert np.diff(words.astype(int)).clip(0).sum() >= 4  # at least four lines of text
    named = save(viewer, "Teaching case 7")
    assert named.shape[0] > height
    viewer.tab.keyboard.press("h")
    np.testing.assert_array_equal(save(viewer)[500, 600], [100, 100, 100])


def test_letters_are_doubtful_where_the_image_may_be_mirrored(viewer):
    """Right of R, which always stands, is a question mark then, and only then."""
    doubtful = CheckResult("mirroring", WARNING, Message("checks.mirroring.warning"), 1.0, 0.5)
    for check, marked in ((CheckReport(), False), (CheckReport((doubtful,)), True)):
        viewer.show(hot(shape=(400, 400 + marked), check=check))
        width, height = viewer.box["width"], viewer.box["height"]
        assert viewer.marked(10 / width, 0, 24 / width, 30 / height)
        assert viewer.marked(28 / width, 0, 50 / width, 30 / height) is marked
    assert viewer.says("badges") == words("checks.mirroring.title")
    assert viewer.says("sides").endswith(words("web.viewer.sides_mirrored"))


def test_small_image_is_saved_large_enough_for_its_legend(viewer):
    """An image of 224 pixels is magnified by a whole number."""
    viewer.show(hot(shape=(224, 224)))
    assert save(viewer).shape[1] == 5 * 224


def test_webgl_draws_the_same(watched, make_image):
    """On a graphics processor the picture is that of the plain canvas, to a rounding."""
    tab, heat = watched.tab, np.linspace(0, 3, 224 * 224, dtype=np.float32).reshape(224, 224)
    reading = fake_reading(make_image(0, (700, 800)), heat=heat)
    grab = """async (kind) => {
      await new Promise(requestAnimationFrame);
      const canvas = root.querySelector("[data-part=image]"), { width, height } = canvas;
      if (kind === "2d") return [...canvas.getContext("2d").getImageData(0, 0, width, height).data];
      const gl = canvas.getContext("webgl2"), data = new Uint8Array(4 * width * height);
      gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, data);
      return [...data];
    }"""
    drawn = {}
    for kind, change in (("2d", str), ("webgl2", as_if_fast)):
        mount(tab, change)
        tab.set_viewport_size({"width": 500, "height": 400})
        tab.evaluate("() => { document.getElementById('host').style.height = '350px'; }")
        show(tab, data_of(reading))
        tab.keyboard.press("+")
        tab.keyboard.press("3")
        width = tab.evaluate("() => root.querySelector('[data-part=image]').width")
        drawn[kind] = np.reshape(tab.evaluate(grab, kind), (-1, width, 4))[..., :3]
    difference = np.abs(drawn["2d"] - drawn["webgl2"][::-1])
    assert drawn["2d"].std() > 20
    assert np.mean(difference > 2) < 0.001


@pytest.fixture
def fingers(touched):
    """A function that puts fingers on shares of the stage, moves them there, or lifts them."""
    touch = touched.tab.context.new_cdp_session(touched.tab)

    def act(kind, *places):
        points = [dict(zip("xy", touched.at(*place), strict=True)) for place in places]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return act


def test_touch(touched, fingers, make_image):
    """Two fingers zoom and move; one alone changes nothing."""
    touched.show(fake_reading(make_image(0, (500, 500))), overlay=True)
    fingers("touchStart", (0.4, 0.5))
    fingers("touchMove", (0.6, 0.5))
    fingers("touchEnd")
    assert touched.numbers() == [255, 128]
    window, zoom = touched.numbers(), touched.zoom()
    fingers("touchStart", (0.4, 0.5), (0.6, 0.5))
    fingers("touchMove", (0.2, 0.5), (0.8, 0.5))
    fingers("touchEnd")
    assert touched.zoom() == pytest.approx(3 * zoom, rel=0.1)
    assert touched.numbers() == window


def test_a_finger_up_the_image_scrolls_the_page(touched, fingers, make_image):
    """The page follows, and the window is what it was, as after any gesture that the browser takes over."""
    touched.show(fake_reading(make_image(0, (500, 500))))
    touched.tab.evaluate("() => (document.body.style.height = '3000px')")
    touched.tab.keyboard.press("3")
    before = touched.numbers()
    fingers("touchStart", (0.5, 0.8))
    for share in (0.75, 0.7, 0.6, 0.5, 0.3):
        fingers("touchMove", (0.5, share))
    fingers("touchEnd")
    touched.tab.wait_for_function("() => scrollY > 50")
    assert touched.numbers() == before
    touched.tab.evaluate("""() => {
      const stage = root.querySelector("[data-part=stage]");
      stage.setPointerCapture = () => {};
      for (const [kind, clientX] of [["pointerdown", 100], ["pointermove", 180], ["pointercancel", 180]])
        stage.dispatchEvent(new PointerEvent(kind, { pointerId: 7, clientX, clientY: 200, bubbles: true }));
    }""")
    assert touched.numbers() == before


def test_phone_width(touched, make_image):
    """Everything wraps within the screen, and can be hit with a finger."""
    touched.show(fake_reading(make_image(0, (500, 500))), overlay=True)
    beyond = """() => [...root.querySelectorAll(".viewer *")]
      .filter((one) => !one.closest("[hidden], .live, canvas"))
      .map((one) => [one.outerHTML, one.getBoundingClientRect()])
      .filter(([, box]) => box.width && (box.right > innerWidth || box.left < 0))
      .map(([text]) => text)"""
    assert touched.tab.evaluate(beyond) == []
    assert touched.tab.evaluate("() => document.documentElement.scrollWidth") <= 390
    low = """() => [...root.querySelectorAll(".bar button, .bar select, .menu button")]
      .map((one) => one.offsetHeight).filter((height) => height)"""
    touched.tab.get_by_role("button", name="More", exact=True).click()
    assert touched.tab.evaluate(beyond) == []
    assert min(touched.tab.evaluate(low)) >= 40
