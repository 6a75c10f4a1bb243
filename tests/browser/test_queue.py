"""Nothing that is dropped is lost, doubled or reordered, whatever happens meanwhile."""

import random

import pytest

from tests.browser.conftest import Watched
from tests.browser.dropping import drop, names, opened, rows, settled
from tests.support.pages import words

pytestmark = pytest.mark.browser

ROUNDS, DROPS = 10, 3
LONGEST_GAP = 3.0
"""Seconds between two drops of a round; the suite waits so long once."""


@pytest.fixture(scope="module")
def address(serve):
    """One server for all tests."""
    with serve() as running:
        yield running


@pytest.fixture
def other(browser):
    """A tab of another user."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    yield Watched(context)
    context.close()


def turn_to(tab, page: str) -> None:
    """Go to another page, as a user does in the middle of something."""
    tab.get_by_role("link", name=words(f"web.app.menu.{page}"), exact=True).first.click()


def gaps():
    """Seconds between drops: mostly short, sometimes as long as people take."""
    made = random.Random(0)
    while True:
        yield from (0.1, made.uniform(0.1, 0.6), 0.3)


def test_ten_rounds_of_staggered_drops(address, watched, demo_image):
    """Each file is in the list once, in the order of the drops: also with page changes, a demo image and a bad line."""
    tab, expected, pauses = watched.tab, [], gaps()
    tab.goto(f"{address}/read")
    opened(tab)
    line = tab.context.new_cdp_session(tab)
    line.send("Network.enable")
    for turn in range(ROUNDS):
        for part in range(DROPS):
            batch = [f"{turn}-{part}-{number}.png" for number in range(1 + (turn + part) % 5)]
            drop(tab, batch, demo_image, folder=part == 1)
            expected += batch
            long = (turn, part) == (5, 1)
            tab.wait_for_timeout(1000 * (LONGEST_GAP if long else next(pauses)))
        if turn in (1, 6):
            turn_to(tab, ("about", "evaluation")[turn > 1])
        if turn in (3, 8):
            turn_to(tab, "read")
        if turn == 4:
            tab.evaluate("() => window.cxrRoom.demo(0, 'demo')")
            expected.append("demo")
        if turn in (0, 4):  # slow, then nothing at all for a while; not while Streamlit fetches parts of a page
            limits = {"latency": 300, "downloadThroughput": 2e5, "uploadThroughput": 2e5}
            line.send("Network.emulateNetworkConditions", {"offline": False, **limits})
            tab.wait_for_timeout(500)
            line.send("Network.emulateNetworkConditions", {"offline": True, **limits})
            tab.wait_for_timeout(1000)
            free = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
            line.send("Network.emulateNetworkConditions", {"offline": False, **free})
    found = settled(tab, len(expected))
    listed = [row["name"] for row in found]
    place = expected.index("demo")
    assert listed[place].startswith("Synthetic")
    assert listed[:place] + listed[place + 1 :] == [name for name in expected if name != "demo"]
    assert {row["status"] for row in found} == {"read"}
    assert [trouble for trouble in watched.troubles if "ERR_INTERNET_DISCONNECTED" not in trouble] == []


def test_two_sessions_at_once(address, watched, other, demo_image):
    """Each has its own files and no other, with the numbers of its own images."""
    for user, tab in (("a", watched.tab), ("b", other.tab)):
        tab.goto(f"{address}/read")
        opened(tab)
        drop(tab, [f"{user}{number}.png" for number in range(6)], demo_image)
    for user, tab in (("a", watched.tab), ("b", other.tab)):
        found = settled(tab, 6)
        assert [row["name"] for row in found] == [f"{user}{number}.png" for number in range(6)]
        assert {row["status"] for row in found} == {"read"}
    token = watched.tab.evaluate("() => window.cxrRoom.requests.token")
    ask = "(token) => fetch('/room/rows?after=0', { headers: { 'X-Room': token } }).then((answer) => answer.status)"
    assert watched.tab.evaluate(ask, token) == 200
    assert other.tab.evaluate(ask, token) == 404
    assert watched.troubles == []


def test_what_cannot_be_read_has_its_row(address, watched, demo_image):
    """With the reason; one that is too large is never sent; cancelled files can be read later; a reload warns."""
    tab = watched.tab
    tab.goto(f"{address}/about")
    opened(tab)
    sent = []
    tab.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    tab.evaluate("""() => {
      const large = new File([new Uint8Array(1)], "large.dcm");
      Object.defineProperty(large, "size", { value: 65 * 2 ** 20 });
      window.cxrRoom.add([large, new File(["Dear colleague"], "letter.txt"), new File([], "empty.png")]);
    }""")
    tab.get_by_text(words("web.room.added", count=3)).wait_for()
    found = settled(tab, 3)
    assert [(row["name"], row["status"]) for row in found] == [
        ("large.dcm", "refused"),
        ("letter.txt", "refused"),
        ("empty.png", "refused"),
    ]
    assert all(row["reason"] for row in found)
    assert len(sent) == 2
    drop(tab, [f"{number}.png" for number in range(30)], demo_image, cancel=True)
    found = settled(tab, 33)
    cancelled = [row for row in found if row["status"] == "cancelled"]
    assert {row["status"] for row in found[3:]} <= {"read", "cancelled"}
    assert len(cancelled) > 5
    tab.evaluate("(id) => window.cxrRoom.again(id)", cancelled[-1]["id"])
    tab.wait_for_function("(id) => window.cxrRoom.rows.get(id).status === 'read'", arg=cancelled[-1]["id"])
    tab.evaluate("() => window.cxrRoom.clear()")
    assert names(tab) == []
    tab.evaluate("() => { window.cxrRoom.undo(); }")
    tab.wait_for_function("() => window.cxrRoom.order.length === 33")
    assert [row["id"] for row in rows(tab)] == [row["id"] for row in found]
    assert watched.troubles == []
    warned = []
    tab.on("dialog", lambda dialog: (warned.append(dialog.type), dialog.accept()))
    tab.mouse.click(400, 300)  # a browser warns only where the user did something
    tab.reload()
    assert warned == ["beforeunload"]


SLOW_LIST = """() => {
  const { requests } = window.cxrRoom, get = requests.get.bind(requests);
  requests.get = async (path, options) => {
    if (path.startsWith("rows")) await new Promise((resolve) => setTimeout(resolve, 1500));
    return get(path, options);
  };
}"""
FOLDER_WITH_A_BROKEN_FILE = """() => {
  const file = (name, file) => ({ isFile: true, name, file });
  const inner = [
    file("broken.png", (take, fail) => fail(new DOMException("gone", "NotFoundError"))),
    file("good.txt", (take) => take(new File(["Dear colleague"], "good.txt"))),
  ];
  const locked = { readEntries: (take, fail) => fail(new Error()) };
  const bare = { isDirectory: true, name: "locked", createReader: () => locked };
  const open = { readEntries: (take) => take(inner.splice(0)) };
  const entry = { isDirectory: true, name: "f", createReader: () => open };
  const event = new DragEvent("drop", { bubbles: true, cancelable: true, composed: true });
  const items = [entry, bare].map((one) => ({ webkitGetAsEntry: () => one }));
  Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], items, files: [] } });
  document.body.dispatchEvent(event);
}"""


def test_what_goes_wrong_keeps_nothing_else_out(address, watched):
    """A folder that cannot be read, endless names, rows that come back, no encryption: what else is dropped is read."""
    tab = watched.tab
    tab.add_init_script("delete Crypto.prototype.randomUUID")  # as on a plain connection to another machine
    tab.goto(f"{address}/about")
    opened(tab)
    tab.evaluate(FOLDER_WITH_A_BROKEN_FILE)
    tab.evaluate("() => { window.cxrRoom.add([new File(['a'], 'x'.repeat(5000)), new File(['b'], 'after.txt')]); }")
    found = settled(tab, 5)
    listed = {row["name"][:10]: (row["status"], bool(row["reason"])) for row in found}
    assert list(listed) == ["broken.png", "good.txt", "locked", "x" * 10, "after.txt"]
    assert [status for status, _ in listed.values()] == ["failed", "refused", "failed", "refused", "refused"]
    assert all(reason for _, reason in listed.values())

    # Removed once they have arrived, before the browser hears of that; then brought back.
    tab.evaluate(SLOW_LIST)
    tab.wait_for_timeout(300)
    with tab.expect_response(lambda answer: answer.request.method == "PUT" and answer.status == 204):
        tab.evaluate("() => { window.cxrRoom.add([new File(['c'], 'c.txt')]); }")
    tab.evaluate("() => { window.cxrRoom.clear(); window.cxrRoom.undo(); }")
    found = settled(tab, 6)
    assert (found[-1]["name"], found[-1]["status"]) == ("c.txt", "refused")

    # Removed and brought back again and again while they arrive.
    tab.evaluate("() => { window.cxrRoom.add([...'12345'].map((name) => new File([name], `${name}.txt`))); }")
    for _ in range(8):
        tab.evaluate("""() => {
          const store = window.cxrRoom, id = store.order.find((id) => store.rows.get(id).status === "waiting");
          if (id) [store.remove([id]), store.undo()];
        }""")
        tab.wait_for_timeout(100)
    found = settled(tab, 11)
    assert sorted(row["name"] for row in found[6:]) == [f"{name}.txt" for name in "12345"]
    assert {row["status"] for row in found[6:]} == {"refused"}
    tab.evaluate("(ids) => window.cxrRoom.remove(ids)", [row["id"] for row in found[6:]])

    # An answer from before a removal and a note, which comes before the server knows of them, and after.
    kept = tab.evaluate("""async () => {
      const store = window.cxrRoom, order = [...store.order], { asked } = store;
      const { version, selected, prevalence, stamps, undoable: undo, place } = store;
      const rows = [store.rows.get(order[1]), store.rows.get(order[5])];
      const state = { version, rows, order, selected, prevalence, stamps: { ...stamps }, undo, place };
      const older = () => store.take(state, asked);
      const listed = () => store.order.map((id) => [store.rows.get(id)?.name.slice(0, 10), store.rows.get(id)?.note]);
      store.remove([order[0], order[1]]);
      store.note(order[5], "left base");
      older();
      const before = listed();
      await store.actions;
      older();
      return [before, listed()];
    }""")
    listed = [["locked", ""], ["x" * 10, ""], ["after.txt", ""], ["c.txt", "left base"]]
    assert kept == [listed, listed]
    tab.evaluate("() => { window.cxrRoom.add([new File(['d'], 'last.txt')]); }")
    assert settled(tab, 5)[-1]["name"] == "last.txt"
    assert watched.troubles == []


def loaded(tab) -> None:
    """Wait until the image that is open is drawn and its card is whole."""
    opened = tab.evaluate("() => window.cxrRoom.selected")
    tab.locator(f'[data-part=card][data-id="{opened}"][data-whole=true]').wait_for()
    tab.locator("[data-part=stage][aria-busy=false]").wait_for()


def test_images_that_are_passed_are_not_loaded(address, watched, demo_image):
    """A held key leaves no line of requests behind it that the image at its end would have to wait for."""
    tab = watched.tab
    tab.clock.install()  # on a busy machine the browser's own would not pass the images quickly
    tab.goto(f"{address}/read")
    opened(tab)
    drop(tab, [f"{number}.png" for number in range(40)], demo_image)
    settled(tab, 40)
    loaded(tab)
    asked = []
    tab.on(
        "request",
        lambda request: asked.append(request.url) if "/scene/" in request.url or "/card/" in request.url else None,
    )
    tab.clock.pause_at(tab.evaluate("() => Date.now()") / 1000 + 1)
    for row in rows(tab):
        tab.evaluate("(id) => window.cxrRoom.select(id)", row["id"])
        tab.clock.run_for(20)
    tab.clock.resume()
    loaded(tab)
    assert any(url.endswith(rows(tab)[-1]["id"]) for url in asked)
    assert len(asked) < 15
