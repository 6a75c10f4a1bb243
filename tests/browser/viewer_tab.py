"""A viewer in a tab of its own, and what can be seen of it."""

import re
from dataclasses import replace

import numpy as np

from tests.browser.bare import data_of, mount, show
from tests.support.stand_ins import fake_reading

SHOWN = (
    "(name) => { const part = root.querySelector(`[data-part=${name}]`); return part.hidden ? '' : part.innerText; }"
)
PIXEL = """async ([x, y]) => {
  await new Promise(requestAnimationFrame);
  const canvas = root.querySelector("[data-part=image]");
  return [...canvas.getContext("2d").getImageData(x, y, 1, 1).data].slice(0, 3);
}"""
MARKED = """async ([x, y, width, height]) => {
  await new Promise(requestAnimationFrame);
  const canvas = root.querySelector("[data-part=annotations]");
  return canvas.getContext("2d").getImageData(x, y, width, height).data.some((value) => value > 0);
}"""


def hot(grey: float = 100 / 255, shape=(400, 400), **changes):
    """An even image under even heat of the whole colour range."""
    return fake_reading(np.full(shape, grey), heat=np.full((224, 224), 2.5, np.float32), **changes)


def of_image(reading, **changes):
    """The reading with other fields of its image."""
    return replace(reading, radiograph=replace(reading.radiograph, **changes))


class Viewer:
    """A viewer on a page of its own, and what can be seen of it."""

    def __init__(self, tab):
        self.tab = tab
        mount(tab)

    def show(self, reading, overlay: bool = False):
        """Show a reading; the overlay counts at the first one."""
        show(self.tab, data_of(reading), overlay=overlay)
        self.box = self.tab.locator("[data-part=stage]").bounding_box()
        return self

    def says(self, part: str) -> str:
        """Text of a part; empty where it is hidden."""
        return self.tab.evaluate(SHOWN, part)

    def numbers(self) -> list[int]:
        """Window and level."""
        return [int(number) for number in re.findall(r"-?\d+", self.says("levels"))]

    def zoom(self) -> float:
        """Pixels of the screen for a hundred of the image."""
        return float(re.search(r"[\d.]+", self.says("zoom")).group())

    def at(self, x: float, y: float) -> list[int]:
        """Place of the page for a share of the stage."""
        return [self.box["x"] + x * self.box["width"], self.box["y"] + y * self.box["height"]]

    def pixel(self, x: float, y: float) -> list[int]:
        """Red, green and blue of what is drawn at a share of the stage."""
        return self.tab.evaluate(PIXEL, [round(x * self.box["width"]), round(y * self.box["height"])])

    def marked(self, left: float, top: float, right: float, bottom: float) -> bool:
        """Whether anything is drawn over the image between shares of the stage."""
        width, height = self.box["width"], self.box["height"]
        return self.tab.evaluate(
            MARKED, [int(left * width), int(top * height), int((right - left) * width), int((bottom - top) * height)]
        )

    def more(self, name: str) -> None:
        """Click a tool of the menu."""
        self.tab.get_by_role("button", name="More", exact=True).click()
        self.tab.locator("[data-part=more]").get_by_role("button", name=name, exact=True).click()

    def set(self, label: str, value: str) -> None:
        """Set a choice of the menu."""
        self.tab.get_by_role("button", name="More", exact=True).click()
        control = self.tab.locator("[data-part=more]").get_by_label(label)
        if control.evaluate("(control) => control.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)
        self.tab.keyboard.press("Escape")

    def pressed(self, name: str) -> bool:
        """Whether a button is down."""
        return self.tab.get_by_role("button", name=name).get_attribute("aria-pressed") == "true"

    def place(self) -> list[int]:
        """Column and row of the image under the pointer."""
        return [int(number) for number in re.findall(r"\d+", self.says("pixel"))[:2]]

    def drag(self, start, end, button="left"):
        """Press at a share of the stage and let go at another."""
        self.tab.mouse.move(*self.at(*start))
        self.tab.mouse.down(button=button)
        self.tab.mouse.move(*self.at(*end), steps=3)
        self.tab.mouse.up(button=button)
