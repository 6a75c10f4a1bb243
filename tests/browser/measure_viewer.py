"""How long the viewer takes from a hand's event to the finished picture: ``python tests/browser/measure_viewer.py``.

A film of 2,000 x 2,000 pixels is shown side by side with its overlay and lung outline, in headless chromium, where
software draws every pixel. Each real event of mouse, wheel or key is timed from its coming to the page until pixels of
both layers were read back after the drawing that it caused, so that nothing is left undone; and from the browser's own
time stamp on it, which adds the wait in the browser's queues. The plain canvas is what the viewer draws on there; WebGL
drawn by software stands beside it to show why.
"""

import platform
import sys
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bare import ARGUMENTS, as_if_fast, chromium, data_of, mount, show
from stand_ins import fake_reading

from cxrmodel.demo import demo_films
from cxrmodel.imaging.radiograph import read_radiograph

SIDE, WARM = 2000, 5
EVENTS = {"canvas": 120, "webgl": 10}
WATCH = """(kind) => {
  let came = 0;
  window.taken = [];
  const [film, marks] = ["film", "marks"].map((name) => root.querySelector(`[data-part=${name}]`));
  const one = new Uint8Array(4), x = film.width >> 1, y = film.height >> 1;
  const finish = (event) => {
    const gl = kind === "webgl" && film.getContext("webgl2");
    if (gl) gl.readPixels(x, y, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, one);
    else film.getContext("2d").getImageData(x, y, 1, 1);
    marks.getContext("2d").getImageData(x, y, 1, 1);
    const now = performance.now();
    window.taken.push([now - came, now - event.timeStamp]);
  };
  for (const name of ["pointermove", "wheel", "keydown"]) {
    window.addEventListener(name, () => (came = performance.now()), true);
    document.addEventListener(name, finish);
  }
}"""


def reading():
    """A synthetic film with grain, as large as a detector's."""
    film = read_radiograph(demo_films()[0].path.read_bytes(), "film").pixels
    film = cv2.resize(film, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 0.01, film.shape)
    return fake_reading(np.clip(film + grain, 0, 1))


def timed(tab, act, events: int) -> str:
    """What the events take that ``act(number)`` causes, after some that do not count."""
    for number in range(WARM + events):
        if number == WARM:
            tab.evaluate("() => { window.taken = []; }")
        act(number)
    tab.wait_for_function(f"() => window.taken.length >= {events}")
    inside, whole = np.transpose(tab.evaluate("() => window.taken"))
    return (
        f"{np.median(inside):.1f} ms (95th percentile {np.percentile(inside, 95):.1f} ms); "
        f"with the wait in the browser {np.median(whole):.1f} ms"
    )


def measure(tab, kind: str) -> None:
    """Print what each hand takes."""
    box = tab.locator("[data-part=stage]").bounding_box()
    middle = box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2
    mouse, keyboard = tab.mouse, tab.keyboard

    def circle(number: int) -> None:
        angle = number / 12
        mouse.move(middle[0] + 60 * np.cos(angle), middle[1] + 60 * np.sin(angle))

    def drag() -> str:
        mouse.move(*middle)
        mouse.down()
        said = timed(tab, circle, EVENTS[kind])
        mouse.up()
        return said

    tab.evaluate(WATCH, kind)
    print(f"{kind}: window and level: {drag()}", flush=True)
    keyboard.down("Shift")
    print(f"{kind}: moving the film: {drag()}", flush=True)
    keyboard.up("Shift")
    wheel = timed(tab, lambda number: mouse.wheel(0, -40 if number % 40 < 20 else 40), EVENTS[kind])
    print(f"{kind}: zooming: {wheel}", flush=True)
    print(f"{kind}: overlay on and off: {timed(tab, lambda number: keyboard.press('h'), EVENTS[kind])}")


def main() -> None:
    """Measure both ways of drawing."""
    data = data_of(reading())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        print(f"chromium {browser.version}, {platform.machine()}, {platform.platform()}")
        for kind, change in (("canvas", str), ("webgl", as_if_fast)):
            tab = browser.new_page(viewport={"width": 1400, "height": 900})
            tab.set_default_timeout(120_000)
            mount(tab, change)
            show(tab, data)
            if kind == "canvas":
                size = tab.evaluate("() => ['width', 'height'].map((side) => root.querySelector('canvas')[side])")
                print(f"film {SIDE} x {SIDE}, drawn {size[0]} x {size[1]}, {len(data) / 1e6:.1f} MB sent")
            measure(tab, kind)
            tab.close()
        browser.close()


if __name__ == "__main__":
    main()
