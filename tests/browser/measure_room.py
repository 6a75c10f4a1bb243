"""How fast the app is to its user: ``python -m tests.browser.measure_room [CHECKOUT ...]``.

Of each checkout of the project a server is started from nothing, and a browser that is already open does what a user
does: opens the app, drops one image and then thirty, goes through them, and goes from each page to each other page.
Times are taken within the page, from the event to the frame after the page shows what was asked for; that of the fresh
server from the start of its process. The pages of the version before the reading room are understood too, so that both
versions can be measured in one run. Only numbers of an idle machine count; its load is printed before and after.
"""

import argparse
import base64
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import sync_playwright

from tests.browser.bare import ARGUMENTS, chromium

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "assets" / "demo"
PAGES = ("read", "heatmap", "evaluation", "about")
VIEWPORT = {"width": 1400, "height": 900}
MANY = 30
PATIENCE = 180
"""Seconds; guards against hanging."""
TARGETS = {
    "fresh server, first browser, to heading": 3.0,
    "later browsers, to heading": 1.5,
    "drop to number, one image": 0.7,
    "first of 30 results after the drop": 1.0,
    "switch image, click to drawn": 0.15,
    "switch image by key, to drawn": 0.15,
    "page change until usable": 0.5,
    "Heatmap page until its map is drawn": 0.5,
}

# The page as a user sees it, across components: what is on it, and how long until something is.
EYES = r"""() => {
  const within = function* (root, selector) {
    yield* root.querySelectorAll(selector);
    for (const node of root.querySelectorAll("*")) if (node.shadowRoot) yield* within(node.shadowRoot, selector);
  };
  const all = (selector, root = document) => root ? [...within(root, selector)] : [];
  const shown = (node) => Boolean(node?.getClientRects().length);
  const words = (root) => {
    if (!root) return "";
    let text = "";
    const walk = (node) => {
      if (node.nodeType === Node.TEXT_NODE) text += ` ${node.data}`;
      if (["STYLE", "SCRIPT"].includes(node.nodeName)) return;
      if (node.shadowRoot) walk(node.shadowRoot);
      node.childNodes.forEach(walk);
    };
    walk(root);
    return text;
  };
  const room = () => document.querySelector(".st-key-room");
  const numbers = (text) => (text.match(/\d[\d.]*\s*%/g) ?? []).length;
  const app = () => document.querySelector("[data-testid=stApp]");
  const heading = () => document.querySelector("h1") || room();
  const idle = (node) => node.getAttribute("aria-busy") === "false";
  const stage = () => all("[data-part=stage]").find((node) => shown(node) && idle(node));
  // What the image looks like, in 16 by 16 points; it changes with every image.
  const small = Object.assign(document.createElement("canvas"), { width: 16, height: 16 });
  const pen = small.getContext("2d", { willReadFrequently: true });
  const picture = () => {
    const canvas = stage()?.querySelector("canvas");
    if (!canvas?.width || !canvas.height) return "";
    pen.drawImage(canvas, 0, 0, 16, 16);
    return String(pen.getImageData(0, 0, 16, 16).data);
  };
  const drawn = () => new Set(picture().split(",")).size > 12;
  const number = () => room()
    ? numbers(words(document.querySelector(".st-key-result"))) > 0
    : shown(document.querySelector("[data-testid=stMetricValue]"));
  const rows = () => all("[role=option][data-id]", document.querySelector(".st-key-worklist"));
  const done = () => [...(window.cxrRoom?.rows?.values() ?? [])]
    .filter((row) => !["waiting", "reading"].includes(row.status)).length;
  const here = (name) => location.pathname.endsWith(`/${name}`);
  const CURVES = "[data-testid=stVegaLiteChart] :is(svg, canvas), [data-testid=stImage] img";
  const usable = {
    read: () => here("read") && heading() && number() && drawn(),
    heatmap: () => here("heatmap") && /heatmap/i.test(document.title) && drawn(),
    evaluation: () => here("evaluation") && document.querySelector("h1")?.textContent === "Evaluation"
      && document.querySelectorAll(CURVES).length >= 2,
    about: () => here("about") && document.querySelector("h1")?.textContent === "About" && /CC BY/.test(words(app())),
  };
  const until = (begin, done) => new Promise((resolve, reject) => {
    const start = performance.now();
    const look = () => {
      if (done()) requestAnimationFrame(() => setTimeout(() => resolve((performance.now() - start) / 1000)));
      else if (performance.now() - start > 180000) reject(new Error("nothing after 180 s"));
      else requestAnimationFrame(look);
    };
    begin();
    look();
  });
  const decoded = ({ name, coded }) =>
    new File([Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0))], name, { type: "image/png" });
  const drop = (given) => {
    const carried = new DataTransfer();
    given.forEach((file) => carried.items.add(file));
    const uploader = document.querySelector("[data-testid=stFileUploaderDropzone] input[type=file]");
    if (uploader && !room()) {
      uploader.files = carried.files;
      uploader.dispatchEvent(new Event("change", { bubbles: true }));
      return;
    }
    for (const kind of ["dragenter", "dragover", "drop"])
      (app() ?? document.body).dispatchEvent(
        new DragEvent(kind, { bubbles: true, cancelable: true, composed: true, dataTransfer: carried }));
  };
  const link = (name) => [...document.querySelectorAll("a[href]")].find((node) => node.pathname.endsWith(`/${name}`));
  window.eyes = { words, room, number, picture, drawn, rows, done, usable, until, drop, decoded, link };
}"""

# Seconds from a drop to the first number, and to another condition.
BOTH = r"""(condition) => {
  const other = (0, eval)(`() => ${condition}`);
  let second;
  const begin = () => {
    eyes.drop(window.files);
    second = eyes.until(() => {}, other);
  };
  return eyes.until(begin, () => eyes.number()).then(async (first) => [first, await second]);
}"""

# Seconds from the next key until another image is drawn.
KEY = r"""() => {
  window.before = eyes.picture();
  window.spent = new Promise((resolve) => addEventListener("keydown", () => resolve(
    eyes.until(() => {}, () => eyes.drawn() && eyes.picture() !== window.before)), { capture: true, once: true }));
}"""

# The list of results, as the page before the reading room gives it: a finished batch and a table.
OLD_READ = r"""(count) => {
  const found = eyes.words(document.querySelector("[data-testid=stApp]")).match(/Images of this session: (\d+)/);
  return (found ? Number(found[1]) : 0) >= count;
}"""


@contextmanager
def server(checkout: Path) -> Iterator[tuple[str, float]]:
    """A server started now; gives its address once it answers, and the time of its start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=checkout, **quiet)
    try:
        while not _answers(port):
            if process.poll() is not None or time.perf_counter() - start > PATIENCE:
                raise SystemExit(f"the server of {checkout} did not start")
            time.sleep(0.01)
        yield f"http://localhost:{port}", start
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_stcore/health", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def images(folder: Path | None, count: int) -> list[dict[str, str]]:
    """Different images, coded for the page: of a folder, else drawn ones with grain of their own."""
    if folder:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpeg", ".jpg", ".png", ".dcm"))
        if len(paths) < count:
            raise SystemExit(f"{folder} holds {len(paths)} images; {count} are needed")
        step = len(paths) // count
        return [_coded(path.name, path.read_bytes()) for path in paths[::step][:count]]
    drawn = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in sorted(DEMO.glob("*.png"))]
    found = []
    for number in range(count):
        image = cv2.resize(drawn[number % len(drawn)], None, fx=2.5, fy=2.5, interpolation=cv2.INTER_CUBIC)
        grain = np.random.default_rng(number).normal(0, 1.5, image.shape)
        pixels = np.clip(image + grain, 0, 255).astype(np.uint8)
        found.append(_coded(f"image {number:02d}.png", cv2.imencode(".png", pixels)[1].tobytes()))
    return found


def _coded(name: str, data: bytes) -> dict[str, str]:
    return {"name": name, "coded": base64.b64encode(data).decode()}


class Visit:
    """A browser of its own at a server: a fresh profile with one tab."""

    def __init__(self, browser, address: str = "") -> None:
        self.context = browser.new_context(viewport=VIEWPORT)
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(1000 * PATIENCE)
        self.tab.goto("about:blank")
        if address:
            self.open(address)
            self.look()

    def open(self, address: str) -> float:
        """Open the app; seconds until its heading is drawn."""
        start = time.perf_counter()
        self.tab.goto(f"{address}/read", wait_until="commit")
        self.tab.wait_for_function("() => document.querySelector('h1, .st-key-room')?.getClientRects().length")
        return time.perf_counter() - start

    def look(self) -> None:
        """Wait for the whole page, and give it the functions that measure."""
        self.tab.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
        # Files dropped before the page listens would reach nobody.
        self.tab.wait_for_function("() => window.cxrRoom || document.querySelector('input[type=file]')")
        self.tab.evaluate(EYES)

    def take(self, given: Sequence[dict[str, str]]) -> None:
        """Bring files into the page, ready to be dropped."""
        self.tab.evaluate("(given) => { window.files = given.map(eyes.decoded); }", list(given))

    @property
    def is_room(self) -> bool:
        """Whether this is the reading room, not the version before."""
        return bool(self.tab.evaluate("() => Boolean(eyes.room())"))

    def timed(self, begin: str, done: str) -> float:
        """Seconds from an act of the page until a condition of it holds."""
        return float(self.tab.evaluate(f"() => eyes.until(() => {{ {begin} }}, () => {{ return {done}; }})"))

    def close(self) -> None:
        """Close the tab and forget its profile."""
        self.context.close()


def first_paint(browser, checkout: Path, later: int) -> dict[str, list[float]]:
    """Seconds to the heading: from the start of the process, from the first visit, and of later browsers."""
    waiting = Visit(browser)
    with server(checkout) as (address, start):
        answered = time.perf_counter() - start
        first = waiting.open(address)
        whole = time.perf_counter() - start
        waiting.look()
        waiting.close()
        time.sleep(10)  # whatever the server still prepares
        others = []
        for _ in range(later):
            visit = Visit(browser)
            others.append(visit.open(address))
            visit.look()
            visit.close()
    return {
        "fresh server, first browser, to heading": [whole],
        "- of these, until the server answers": [answered],
        "- of these, from the visit to the heading": [first],
        "later browsers, to heading": others,
    }


def one_image(browser, address: str, given: Sequence[dict[str, str]]) -> dict[str, list[float]]:
    """Seconds from the drop of one image to its number and to its picture, in sessions of their own."""
    numbers, pictures = [], []
    for image in given:
        visit = Visit(browser, address)
        visit.take([image])
        both = visit.tab.evaluate(BOTH, "eyes.drawn()")
        numbers.append(both[0])
        pictures.append(both[1])
        visit.close()
    return {"drop to number, one image": numbers, "drop to picture, one image": pictures}


def many_images(visit: Visit, given: Sequence[dict[str, str]]) -> dict[str, list[float]]:
    """Seconds from the drop of many images to the first result and to the last, on the page."""
    visit.take(given)
    last = f"eyes.done() >= {len(given)}" if visit.is_room else f"({OLD_READ})({len(given)})"
    both = visit.tab.evaluate(BOTH, last)
    return {"first of 30 results after the drop": [both[0]], "last of 30 results after the drop": [both[1]]}


def switches(visit: Visit, count: int) -> dict[str, list[float]]:
    """Seconds from the choice of another image until it is drawn."""
    return _switches_of_the_room(visit, count) if visit.is_room else _switches_before(visit, count)


def _switches_of_the_room(visit: Visit, count: int) -> dict[str, list[float]]:
    clicks, keys = [], []
    for number in range(count):
        time.sleep(1)
        clicks.append(
            visit.timed(
                f"window.before = eyes.picture(); eyes.rows()[{(7 * number + 3) % MANY}].click();",
                "eyes.drawn() && eyes.picture() !== window.before",
            )
        )
    for number in range(count):
        time.sleep(1)
        visit.tab.evaluate(KEY)
        visit.tab.keyboard.press("k" if number % 4 == 3 else "j")
        keys.append(float(visit.tab.evaluate("() => window.spent")))
    return {"switch image, click to drawn": clicks, "switch image by key, to drawn": keys}


def _switches_before(visit: Visit, count: int) -> dict[str, list[float]]:
    taken = []
    for number in range(count):
        time.sleep(1)
        place = (2 * number + 3) % 7  # of the options, which are in view at once
        visit.tab.get_by_test_id("stSelectbox").nth(1).locator("input").click()
        visit.tab.get_by_role("option").nth(place).wait_for()
        taken.append(
            visit.timed(
                f"window.before = eyes.picture(); document.querySelectorAll('[role=option]')[{place}].click();",
                "eyes.drawn() && eyes.picture() !== window.before",
            )
        )
    return {"switch image, click to drawn": taken}


def page_changes(visit: Visit, rounds: int) -> dict[str, list[float]]:
    """Seconds from the click in the menu until the page can be used, for every pair of pages."""
    taken: dict[str, list[float]] = {f"{start} to {end}": [] for start, end in permutations(PAGES, 2)}
    first: dict[str, float] = {}
    for turn in range(rounds + 1):
        for start, end in permutations(PAGES, 2):
            if visit.tab.evaluate(f"() => !location.pathname.endsWith('/{start}')"):
                visit.timed(f"eyes.link('{start}').click();", f"eyes.usable.{start}()")
            visit.tab.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
            time.sleep(0.7)
            spent = visit.timed(f"eyes.link('{end}').click();", f"eyes.usable.{end}()")
            if turn:
                taken[f"{start} to {end}"].append(spent)
            else:
                first.setdefault(end, spent)
    every = [value for values in taken.values() for value in values]
    return {
        "page change until usable": every,
        **{f"- first visit of {name}": [value] for name, value in first.items()},
        **{f"- {name}": values for name, values in taken.items()},
    }


def default_map(browser, address: str, image: dict[str, str]) -> dict[str, list[float]]:
    """Seconds from the click on Heatmap until its default map is drawn, for an image that was just read."""
    visit = Visit(browser, address)
    visit.take([image])
    visit.timed("eyes.drop(files);", "eyes.number() && eyes.drawn()")
    visit.tab.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    spent = visit.timed("eyes.link('heatmap').click();", "eyes.usable.heatmap()")
    visit.close()
    return {"Heatmap page until its map is drawn": [spent]}


def measure(browser, checkout: Path, options: argparse.Namespace) -> dict[str, list[float]]:
    """Measure one checkout."""
    given = images(options.images, MANY + 1)
    taken: dict[str, list[float]] = {}
    for _ in range(options.starts):
        for name, values in first_paint(browser, checkout, options.later).items():
            taken.setdefault(name, []).extend(values)
    with server(checkout) as (address, _):
        Visit(browser, address).close()
        time.sleep(5)
        taken |= one_image(browser, address, given[: options.singles])
        taken |= default_map(browser, address, given[1])
        visit = Visit(browser, address)
        taken |= many_images(visit, given[:MANY])
        visit.tab.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
        taken |= switches(visit, options.switches)
        taken |= page_changes(visit, options.rounds)
        visit.close()
    return taken


def report(name: str, values: Sequence[float]) -> str:
    """A median with its spread and its target."""
    spread = f" ({min(values):.2f} to {max(values):.2f}, n {len(values)})" if len(values) > 1 else ""
    target = f"; target {TARGETS[name]:g} s" if name in TARGETS else ""
    return f"{name}: {statistics.median(values):.2f} s{spread}{target}"


def main() -> None:
    """Measure every checkout, and say on how busy a machine."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("checkouts", nargs="*", type=Path, default=[ROOT], help="checkouts of the project (this one)")
    parser.add_argument("--images", type=Path, help="folder of images to drop (drawn ones)")
    parser.add_argument("--starts", type=int, default=3, help="fresh servers")
    parser.add_argument("--later", type=int, default=3, help="later browsers of each")
    parser.add_argument("--singles", type=int, default=5, help="images dropped alone")
    parser.add_argument("--switches", type=int, default=10, help="changes of the image")
    parser.add_argument("--rounds", type=int, default=2, help="rounds through all pairs of pages")
    parser.add_argument("--json", type=Path, help="file for all numbers")
    options = parser.parse_args()
    results = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        print(f"chromium {browser.version}, {platform.platform()}, {os.cpu_count()} cores, load {_load()} before")
        for checkout in options.checkouts:
            print(f"\n{checkout.name}", flush=True)
            results[checkout.name] = measure(browser, checkout.resolve(), options)
            for name, values in results[checkout.name].items():
                print(report(name, values), flush=True)
        browser.close()
    print(f"\nload {_load()} after")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


def _load() -> str:
    return ", ".join(f"{part:.1f}" for part in os.getloadavg())


if __name__ == "__main__":
    main()
