"""The viewer's component on a page of its own, mounted as Streamlit would, without a server."""

import base64
import os
import re
import shutil
from collections.abc import Callable

from cxrmodel.reading import Reading
from cxrmodel.web.components.viewer import assets, levels_of, packed

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PAGE = """<!doctype html>
<meta name="viewport" content="width=device-width">
<body style="margin: 0; background: #0e1217"><input id="other"><div id="host"></div>"""
MOUNT = """async ({ html, css, js }) => {
  const root = document.getElementById("host").attachShadow({ mode: "open" });
  root.append(document.createRange().createContextualFragment(html + `<style>${css}</style>`));
  window.root = root;
  window.component = await import(URL.createObjectURL(new Blob([js], { type: "text/javascript" })));
}"""
SHOW = """async (coded) => {
  const data = Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0));
  window.end = window.component.default({ data, parentElement: window.root });
  const stage = () => window.root.querySelector("[data-part=stage]");
  while (stage().getAttribute("aria-busy") === "true") await new Promise((resolve) => setTimeout(resolve, 10));
}"""


def chromium() -> str | None:
    """The browser that CHROMIUM names, else one on the path."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)


def as_if_fast(script: str) -> str:
    """The viewer's script, taking software for a graphics processor, and keeping what it drew until it is read."""
    wanted = "failIfMajorPerformanceCaveat: true"
    assert wanted in script
    return re.sub("SOFTWARE = /.*/i", "SOFTWARE = /^$/", script).replace(wanted, "preserveDrawingBuffer: true")


def mount(tab, change: Callable[[str], str] = str) -> None:
    """Put the component on an empty page; ``change`` may alter its script first."""
    tab.set_content(PAGE)
    parts = assets()
    tab.evaluate(MOUNT, parts | {"js": change(parts["js"])})


def data_of(reading: Reading, overlay: bool = True) -> bytes:
    """What the server sends for a reading."""
    return packed(reading, levels_of(reading), overlay)


def show(tab, data: bytes) -> None:
    """Give the component its data, as each rerun does, and wait until the image is drawn."""
    tab.evaluate(SHOW, base64.b64encode(data).decode())
