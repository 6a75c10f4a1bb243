"""Time of the viewer from an input event to the finished picture: ``python -m tests.browser.measure_viewer``.

An image of 2,000 x 2,000 pixels is shown side by side with its overlay and lung outline, in headless chromium, where
software draws every pixel. Each real event of mouse, wheel or key is timed from its coming to the page until pixels of
both layers were read back after the drawing that shows it, so that nothing is left undone; and from the browser's own
time stamp on it, which adds the wait in the browser's queues: that of a wheel on an empty page is measured beside it.
The plain canvas is what the viewer draws on there; WebGL drawn by software stands beside it to show why.
"""

import platform

import cv2
import numpy as np
from playwright.sync_api import sync_playwright

from cxrmodel.demo import demo_images
from cxrmodel.imaging.radiograph import read_radiograph
from tests.browser.bare import ARGUMENTS, as_if_fast, chromium, data_of, mount, show
from tests.support.stand_ins import fake_reading

SIDE, WARM = 2000, 5
EVENTS = {"canvas": 120, "webgl": 10}
EXPOSED = "\nwindow.Tile = Tile;"
WATCH = """(kind) => {
  const waiting = [], draw = window.Tile.prototype.draw, one = new Uint8Array(4);
  window.taken = [];
  const [image, annotations] = ["image", "annotations"].map((name) => root.querySelector(`[data-part=${name}]`));
  for (const name of ["pointermove", "wheel", "keydown"])
    window.addEventListener(name, (event) => waiting.push([performance.now(), event.timeStamp]), true);
  window.Tile.prototype.draw = function () {
    draw.call(this);
    const gl = kind === "webgl" && image.getContext("webgl2"), x = image.width >> 1, y = image.height >> 1;
    if (gl) gl.readPixels(x, y, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, one);
    else image.getContext("2d").getImageData(x, y, 1, 1);
    annotations.getContext("2d").getImageData(x, y, 1, 1);
    const now = performance.now();
    for (const [came, stamped] of waiting.splice(0)) window.taken.push([now - came, now - stamped]);
  };
}"""
EMPTY = """() => {
  window.taken = [];
  addEventListener("wheel", (event) => {
    event.preventDefault();
    window.taken.push([0, performance.now() - event.timeStamp]);
  }, { passive: false });
}"""


def reading():
    """A synthetic image with grain, as large as a detector's."""
    image = read_radiograph(demo_images()[0].path.read_bytes(), "image").pixels
    image = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 0.01, image.shape)
    return fake_reading(np.clip(image + grain, 0, 1))


def wheel(tab, number: int) -> None:
    """Turn the wheel: a while towards the image, a while away from it."""
    tab.mouse.wheel(0, -40 if number % 40 < 20 else 40)


def timed(tab, act, events: int) -> str:
    """What the events take that ``act(tab, number)`` causes, after some that do not count."""
    for number in range(WARM + events):
        if number == WARM:
            tab.evaluate("() => { window.taken = []; }")
        act(tab, number)
    tab.wait_for_function(f"() => window.taken.length >= {events}")
    inside, whole = np.transpose(tab.evaluate("() => window.taken"))
    return (
        f"{np.median(inside):.1f} ms (95th percentile {np.percentile(inside, 95):.1f} ms); "
        f"with the wait in the browser {np.median(whole):.1f} ms"
    )


def empty_page(browser) -> None:
    """Print how long a wheel's event waits before a page that does nothing hears of it."""
    tab = browser.new_page(viewport={"width": 1400, "height": 900})
    tab.set_content("<body>")
    tab.evaluate(EMPTY)
    tab.mouse.move(700, 450)
    print(f"empty page: zooming: {timed(tab, wheel, EVENTS['canvas'])}")
    tab.close()


def measure(tab, kind: str) -> None:
    """Print the time of each gesture."""
    box = tab.locator("[data-part=stage]").bounding_box()
    middle = box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2
    mouse, keyboard = tab.mouse, tab.keyboard

    def circle(tab, number: int) -> None:
        angle = number / 12
        mouse.move(middle[0] + 60 * np.cos(angle), middle[1] + 60 * np.sin(angle))

    def drag() -> str:
        mouse.move(*middle)
        mouse.down()
        taken = timed(tab, circle, EVENTS[kind])
        mouse.up()
        return taken

    tab.evaluate(WATCH, kind)
    print(f"{kind}: window and level: {drag()}", flush=True)
    keyboard.down("Shift")
    print(f"{kind}: moving the image: {drag()}", flush=True)
    keyboard.up("Shift")
    print(f"{kind}: zooming: {timed(tab, wheel, EVENTS[kind])}", flush=True)
    print(f"{kind}: overlay on and off: {timed(tab, lambda tab, number: keyboard.press('h'), EVENTS[kind])}")


def main() -> None:
    """Measure both ways of drawing."""
    data = data_of(reading())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        print(f"chromium {browser.version}, {platform.machine()}, {platform.platform()}")
        for kind, change in (("canvas", str), ("webgl", as_if_fast)):
            tab = browser.new_page(viewport={"width": 1400, "height": 900})
            tab.set_default_timeout(120_000)
            mount(tab, lambda script, change=change: change(script) + EXPOSED)
            show(tab, data, layout="side", outline=True)
            if kind == "canvas":
                size = tab.evaluate("() => ['width', 'height'].map((side) => root.querySelector('canvas')[side])")
                print(f"image {SIDE} x {SIDE}, drawn {size[0]} x {size[1]}, {len(data) / 1e6:.1f} MB sent")
            measure(tab, kind)
            tab.close()
        empty_page(browser)
        browser.close()


if __name__ == "__main__":
    main()
