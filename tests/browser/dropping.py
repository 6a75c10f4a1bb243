"""Files that are dropped on a page, and what the page's store of the session's images knows of them."""

import base64
from collections.abc import Sequence

DROP = """async ({ names, coded, folder, cancel }) => {
  const start = Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0));
  const files = names.map((name) => new File([start, new TextEncoder().encode(name)], name));
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  const send = (type) => {
    const event = new DragEvent(type, { bubbles: true, cancelable: true, composed: true, dataTransfer: transfer });
    if (folder) {
      const inner = files.map((file) => ({ name: file.name, isFile: true, file: (take) => setTimeout(take, 5, file) }));
      const parts = [inner.slice(0, 1), inner.slice(1), []]; // a browser gives the files of a folder in parts
      const entry = { isDirectory: true, createReader: () => ({ readEntries: (take) => take(parts.shift()) }) };
      const given = { types: ["Files"], items: [{ webkitGetAsEntry: () => entry }], files: [] };
      Object.defineProperty(event, "dataTransfer", { value: given });
    }
    document.querySelector("[data-testid=stMain]").dispatchEvent(event);
  };
  for (const type of ["dragenter", "dragover", "drop"]) send(type);
  if (!cancel) return;
  await window.cxrRoom.intake;
  window.cxrRoom.cancel();
}"""
ROWS = """() => {
  const store = window.cxrRoom;
  return store ? store.order.map((id) => ({ ...store.rows.get(id), thumb: null })) : [];
}"""
BUSY = "() => !window.cxrRoom || window.cxrRoom.busy()"


def opened(tab) -> None:
    """Wait until the page takes files."""
    tab.wait_for_function("() => Boolean(window.cxrRoom?.version)")


def drop(tab, names: Sequence[str], image: bytes, folder: bool = False, cancel: bool = False) -> None:
    """Drop files of these names on the page: copies of an image that differ in a few bytes behind it.

    With ``cancel`` they are cancelled as soon as they are in the list.
    """
    coded = base64.b64encode(image).decode()
    tab.evaluate(DROP, {"names": list(names), "coded": coded, "folder": folder, "cancel": cancel})


def rows(tab) -> list[dict]:
    """The session's list, in its order, without the pictures."""
    return tab.evaluate(ROWS)


def names(tab) -> list[str]:
    """Names in the list, in its order."""
    return [row["name"] for row in rows(tab)]


def settled(tab, count: int) -> list[dict]:
    """Wait until so many files are in the list and all have an outcome; the list."""
    tab.wait_for_function(
        "(count) => window.cxrRoom && window.cxrRoom.order.length >= count && !window.cxrRoom.busy()", arg=count
    )
    return rows(tab)
