"""How soon the Evaluation page answers a click and its slider: ``python -m tests.browser.measure_evaluation``.

A server of its own is started, and a browser goes from About to Evaluation again and again by the menu. Timed in the
page from the click to the frame after the first thing of the new page stands there (its heading: first paint), after
its tabs do, and after both curves do. The way back to About, which draws only words, is timed as a yardstick of
browser and machine. The first visits are not counted: the first of all loads the model and computes what is then
kept. Then the threshold is moved, and timed from the event to the frame after matrix, marker and figures have changed.
"""

import os
import platform
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import sync_playwright

from tests.browser.bare import ARGUMENTS, chromium

ROOT = Path(__file__).resolve().parents[2]
WARM, VISITS, MOVES = 3, 15, 60
START_SECONDS = 120
WATCH = """() => {
  window.times = {};
  const shown = {
    heading: () => document.querySelector('h1')?.textContent === 'Evaluation',
    tabs: () => document.querySelector('[role=tab]') && document.querySelector('h1')?.textContent === 'Evaluation',
    curves: () => document.querySelectorAll('[data-testid=stImage] img').length >= 2,
    words: () => document.querySelector('h1')?.textContent === 'About',
  };
  document.addEventListener('click', (event) => {
    const start = performance.now(), back = event.target.closest('a')?.href.endsWith('/about');
    window.times = {};
    const look = () => {
      const wanted = Object.entries(shown).filter(([name]) => (name === 'words') === back);
      for (const [name, there] of wanted) {
        if (!(name in window.times) && there()) {
          window.times[name] = null;
          requestAnimationFrame(() => setTimeout(() => { window.times[name] = performance.now() - start; }));
        }
      }
      if (Object.keys(window.times).length < wanted.length) requestAnimationFrame(look);
    };
    look();
  }, { capture: true });
}"""
MOVE = """async (value) => {
  const find = (root) => {
    for (const node of root.querySelectorAll('*')) {
      if (node.id === 'threshold' && node.type === 'range') return node;
      const inside = node.shadowRoot && find(node.shadowRoot);
      if (inside) return inside;
    }
    return null;
  };
  const slider = find(document), start = performance.now();
  slider.value = value;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  slider.getRootNode().querySelector('.matrix').getBoundingClientRect();
  const work = performance.now() - start;
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return [work, performance.now() - start];
}"""


def start() -> tuple[subprocess.Popen, str]:
    """A server on a free port, and its address."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    command = ["-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, **quiet)
    address, end = f"http://localhost:{port}", time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            with urlopen(f"{address}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return process, address
        except (URLError, OSError):
            time.sleep(0.2)
    process.terminate()
    raise SystemExit(f"no answer from {address} within {START_SECONDS} s")


def visits(tab, address: str) -> dict[str, list[float]]:
    """Milliseconds from the click to first paint, to the tabs, to both curves, and back to About, visit by visit."""
    taken: dict[str, list[float]] = {"heading": [], "tabs": [], "curves": [], "words": []}
    tab.goto(f"{address}/about")
    tab.evaluate(WATCH)
    for visit in range(WARM + VISITS):
        for page, names in (("Evaluation", ("heading", "tabs", "curves")), ("About", ("words",))):
            time.sleep(1)
            tab.get_by_role("link", name=page, exact=True).first.click()
            tab.wait_for_function(f"() => {' && '.join(f'window.times.{name}' for name in names)}")
            if visit >= WARM:
                for name in names:
                    taken[name].append(tab.evaluate(f"() => window.times.{name}"))
    return taken


def moves(tab, address: str) -> list[list[float]]:
    """Milliseconds of each move of the threshold: of the work alone, and to the next frame."""
    tab.goto(f"{address}/evaluation")
    tab.get_by_role("tab", name="Decision", exact=True).click()
    tab.locator('.decision[data-state="drawn"]').wait_for()
    return [tab.evaluate(MOVE, (37 * number) % 1000) for number in range(MOVES)]


def report(name: str, values: list[float]) -> None:
    """Print a median and its spread."""
    print(
        f"{name}: median {statistics.median(values):.0f} ms ({min(values):.0f} to {max(values):.0f}), n {len(values)}"
    )


def main() -> None:
    """Measure, and say on how busy a machine."""
    process, address = start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
            load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
            print(f"chromium {browser.version}, {platform.platform()}, {os.cpu_count()} cores, load {load} before")
            tab = browser.new_page(viewport={"width": 1400, "height": 900})
            tab.set_default_timeout(120_000)
            taken = visits(tab, address)
            report("click to first paint", taken["heading"])
            report("click to tabs", taken["tabs"])
            report("click to both curves", taken["curves"])
            report("click to About, for comparison", taken["words"])
            work, frame = zip(*moves(tab, address), strict=True)
            report("slider, the work", list(work))
            report("slider to the next frame", list(frame))
            print(f"load {', '.join(f'{part:.1f}' for part in os.getloadavg())} after")
            browser.close()
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main()
