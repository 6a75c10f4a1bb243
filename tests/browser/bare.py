"""The viewer's component on a page of its own, mounted as Streamlit would, without a server."""

import base64
import hashlib
import os
import re
import shutil
from collections.abc import Callable

from cxrmodel.reading import Reading
from cxrmodel.web.components.viewer import assets, levels_of, packed, words

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
<style>body { margin: 0; background: #0e1217 } #host { position: relative; height: 800px }</style>
<body><input id="other"><div id="host"></div>"""
MOUNT = """async ({ html, css, js }) => {
  const root = document.getElementById("host").attachShadow({ mode: "open" });
  root.append(document.createRange().createContextualFragment(html + `<style>${css}</style>`));
  window.root = root;
  const scenes = new Map(), answers = new Map(), listeners = new Set();
  window.cxrRoom = {
    rows: new Map(), order: [], shown: null, selected: null, prevalence: 0.5, scenes, answers,
    open() {},
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell() {
      for (const listener of [...listeners]) listener(this);
    },
    scene: async (id) => scenes.get(id),
    requests: {
      token: "token",
      get: async (path) => ({ ok: true, json: async () => answers.get(path.split("?")[0]) }),
    },
  };
  window.component = await import(URL.createObjectURL(new Blob([js], { type: "text/javascript" })));
}"""
SHOW = """async ({ coded, id, words, page }) => {
  const room = window.cxrRoom, data = Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0));
  if (!room.rows.has(id)) {
    room.scenes.set(id, data.buffer);
    room.order.push(id);
    room.rows.set(id, { id, name: `${id}.png`, status: "read", hasImage: true, outcome: 1, thumb: null });
  }
  room.answers.set(`finding/${id}`, { finding: "Finding: of the test." });
  room.selected = id;
  window.end = window.component.default({ data: { token: "token", words, page }, parentElement: window.root });
  room.tell();
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


def data_of(reading: Reading) -> bytes:
    """What the server sends for a reading."""
    return packed(reading, levels_of(reading))


def show(tab, data: bytes, **page) -> None:
    """Select an image of these data in the room, as the list does, and wait until it is drawn.

    The page's own settings count at the first call.
    """
    given = {"coded": base64.b64encode(data).decode(), "id": hashlib.sha256(data).hexdigest()[:12]}
    tab.evaluate(SHOW, given | {"words": words(), "page": page})
