"""The Read page in a real browser: one screen, the work list, the first screen, and its accessibility."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from cxrmodel.demo import clear_images, demo_images
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.metrics import formatting
from cxrmodel.models import DEFAULT_MODEL
from cxrmodel.reading import Reader

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LEFT_OUT = {"region", "landmark-unique", "page-has-heading-one", "heading-order"}
"""Rules of good practice, beyond WCAG, that Streamlit's own frame and headings break."""
PAGES = {
    "Heatmap": "[data-part=stage][aria-busy=false]",
    "Evaluation": "[data-testid=stImage] img",
    "About": "text=10.17632/rscbjbr9sj.2",
}
"""The other pages, and what comes late on each."""
HOOKS = ("stMain", "stMainBlockContainer", "stHeader", "stLayoutWrapper", "stElementContainer")
"""What the style sheet holds on to in Streamlit's own markup."""
INSIDE = """(selectors) => selectors.filter((selector) => {
  const [host, inner] = selector.split(" >>> "), found = document.querySelector(host);
  const shadow = found?.querySelector("[data-testid=stBidiComponentIsolated]")?.shadowRoot;
  const element = inner ? shadow?.querySelector(inner) : found;
  const box = element?.getBoundingClientRect();
  if (!box?.width || !box.height) return true;
  return box.top < 0 || box.left < 0 || box.bottom > innerHeight || box.right > innerWidth;
})"""
FILL = """(count) => {
  const store = window.cxrRoom, [known] = store.rows.values(), rows = [];
  for (let i = 0; i < count; i++) {
    const name = i % 2 ? `Pneumonia, > 99 % ${i}` : `<img src=x onerror=alert(1)>\\u202e${i}`;
    rows.push({ ...known, id: `made-${i}`, name, probability: ((i * 37) % 101) / 101, version: store.version });
  }
  const order = [...store.order, ...rows.map((row) => row.id)];
  const { selected, prevalence, stamps } = store;
  store.take({ version: store.version, rows, order, selected, prevalence, stamps, undo: 0, place: 0 });
}"""


@pytest.fixture(scope="module")
def address(serve):
    """One server for all tests."""
    with serve() as running:
        yield running


def first_screen(tab, address: str) -> None:
    """Open the page and wait for what a newcomer sees."""
    tab.goto(f"{address}/read")
    tab.get_by_role("button", name=re.compile("Clear case: pneumonia")).wait_for()


def settled(tab, count: int) -> None:
    """Wait until so many images are in the list and none is open."""
    tab.wait_for_function("(count) => window.cxrRoom.order.length === count && !window.cxrRoom.busy()", arg=count)
    tab.wait_for_function("() => window.cxrRoom.version > 0 && ![...window.cxrRoom.rows.values()].some((r) => r.local)")


def give_demo_images(tab) -> None:
    """Add the six demo images and a letter."""
    files = [{"name": image.name, "mimeType": "", "buffer": image.path.read_bytes()} for image in demo_images()]
    files.append({"name": "letter.txt", "mimeType": "", "buffer": b"Dear colleague"})
    tab.locator(".st-key-worklist input[data-part=files]").set_input_files(files)
    settled(tab, len(files))


def names(tab) -> list[str]:
    """Names in the list, in the order shown."""
    return tab.locator(".st-key-worklist .row .name").all_text_contents()


def current(tab) -> str:
    """What a screen reader says of the row that is open."""
    return tab.locator(".row[aria-selected=true]").get_attribute("aria-label")


def breaches(tab) -> list[str]:
    """What axe finds wrong on the page, with the element."""
    found = Axe().run(tab, options=RULES).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:150]} {node.get('failureSummary', '')[:200]}"
        for rule in found
        if rule["id"] not in LEFT_OUT
        for node in rule["nodes"]
    ]


def test_first_screen(address, watched):
    """It gives the model's quality as evaluated; a picture is read clearly; Evaluation is a click away."""
    tab = watched.tab
    first_screen(tab, address)
    assert tab.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight") <= 900
    test = load_evaluation(DEFAULT_MODEL).splits["test"].performance
    rates = test.at["balanced"].rates
    shown = tab.locator(".st-key-welcome [data-part=figures]").inner_text()
    for figure in (test.overall["auc"], rates["sensitivity"], rates["specificity"]):
        low, high = formatting.number(figure.low), formatting.number(figure.high)
        assert f"{formatting.number(figure.value)}\n{low} to {high}" in shown
    reader = Reader.load()
    for image in clear_images():
        reading = reader.read(image.path.read_bytes(), image.name)
        assert reading.finding == image.kind
        assert reading.probability > 0.95 or reading.probability < reading.operating_points["high_sensitivity"]
        assert not reading.check.unlike
        tab.get_by_role("button", name=f"Clear case: {image.kind}").click()
        settled(tab, 1)
        assert current(tab).startswith(f"{image.kind.capitalize()}, {reading.shown.probability}")
        tab.get_by_role("button", name="Clear list").click()
        tab.get_by_role("status").get_by_text("1 image removed").wait_for()
    tab.get_by_role("button", name="Undo").click()
    settled(tab, 1)
    tab.get_by_role("button", name="Clear list").click()
    tab.get_by_role("link", name="See the evaluation").click()
    tab.get_by_role("heading", name="Evaluation", exact=True, level=1).wait_for()
    assert tab.evaluate("() => window.cxrRoom.undoable") == 1  # no reload: the session is the same
    assert watched.troubles == []


def test_one_screen(address, watched):
    """Image, finding, number, warnings and list are in view at once; on a phone they follow in reading order."""
    tab = watched.tab
    first_screen(tab, address)
    give_demo_images(tab)
    tab.locator(".row").filter(has_text="synthetic-normal-3.png").click()
    assert [hook for hook in HOOKS if not tab.get_by_test_id(hook).count()] == []
    assert tab.get_by_test_id("stSidebar").count() == 0
    parts = [f".st-key-{name}" for name in ("notice", "worklist", "viewer", "result")]
    parts += [f".st-key-worklist >>> {inner}" for inner in ("[data-do=add]", "[role=option]", "[data-do=clear]")]
    parts += [".st-key-viewer >>> [data-part=stage]", ".st-key-result >>> h2"]
    for width, height in ((1400, 900), (1920, 1080)):
        tab.set_viewport_size({"width": width, "height": height})
        tab.wait_for_function(f"(parts) => ({INSIDE})(parts).length === 0", arg=parts)
        stage = tab.locator(".st-key-viewer [data-part=stage]").bounding_box()
        assert stage["height"] > 0.7 * height
        assert tab.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight") <= height
    tab.set_viewport_size({"width": 390, "height": 844})
    boxes = [tab.locator(f".st-key-{name}").bounding_box() for name in ("result", "viewer", "worklist")]
    assert boxes[0]["y"] < boxes[1]["y"] < boxes[2]["y"]
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert tab.evaluate(INSIDE, [".st-key-notice"]) == []
    small = "(nodes) => nodes.filter((n) => n.offsetHeight && n.offsetHeight < 40).map((n) => n.outerHTML)"
    assert tab.locator(".st-key-worklist :is(button, select, input)").evaluate_all(small) == []


def test_list_by_keyboard_alone(address, watched):
    """Open, sort, filter, mark, note, remove, undo: without a mouse, and what changed is announced."""
    tab = watched.tab
    first_screen(tab, address)
    give_demo_images(tab)
    given = [*(image.name for image in demo_images()), "letter.txt"]
    assert names(tab) == given
    tab.locator(".st-key-worklist [data-part=live]").filter(has_text=re.compile(r"\w")).wait_for(state="attached")
    tab.get_by_role("listbox").focus()
    for key, expected in (("ArrowDown", 1), ("j", 2), ("k", 1), ("End", 6), ("Home", 0)):
        tab.keyboard.press(key)
        assert current(tab).endswith(given[expected])
    tab.keyboard.press("End")
    assert "Rejected" in current(tab)
    tab.keyboard.press("Home")
    tab.keyboard.press("a")
    tab.keyboard.press("n")
    tab.keyboard.type("jk: left base")
    tab.keyboard.press("Escape")
    tab.keyboard.press("j")
    assert current(tab).endswith(given[1])
    tab.keyboard.press("k")
    assert ", you agree, with a note. File: synthetic-normal-1.png" in current(tab)
    tab.wait_for_function("() => [...window.cxrRoom.rows.values()][0].note === 'jk: left base'")

    order = tab.get_by_label("Order")
    order.select_option("suspicious")
    read = tab.evaluate("() => window.cxrRoom.shown.map((id) => window.cxrRoom.rows.get(id).probability)")
    assert read[-1] is None
    assert read[:-1] == sorted(read[:-1], reverse=True)
    order.select_option("least")
    assert tab.evaluate("() => window.cxrRoom.shown.map((id) => window.cxrRoom.rows.get(id).probability)")[
        :-1
    ] == sorted(read[:-1])
    order.select_option("dropped")
    tab.locator(".st-key-worklist").get_by_label("Show", exact=True).select_option("unread")
    assert names(tab) == ["letter.txt"]
    tab.locator(".st-key-worklist").get_by_label("Show", exact=True).select_option("all")
    tab.get_by_role("searchbox").fill("left base")
    assert names(tab) == given[:1]
    tab.get_by_role("searchbox").fill("nothing like it")
    tab.get_by_role("button", name="Show all").press("Enter")
    tab.get_by_role("button", name="Warnings").press("Space")
    assert names(tab) == tab.evaluate(
        "() => [...window.cxrRoom.rows.values()].filter((row) => row.warnings).map((row) => row.name)"
    )
    tab.get_by_role("button", name="Warnings").press("Space")

    tab.get_by_role("listbox").focus()
    tab.keyboard.press("Delete")
    assert names(tab) == given[1:]
    tab.get_by_text("1 image removed").locator("visible=true").wait_for()
    tab.locator(".st-key-worklist [data-do=undo]").press("Enter")
    tab.wait_for_function("(count) => window.cxrRoom.order.length === count", arg=len(given))
    assert names(tab) == given
    assert watched.troubles == []


def test_names_of_a_long_list_stay_names(address, watched):
    """Among 500 rows J opens the next one; a name is text, and cannot pass for a finding."""
    tab = watched.tab
    first_screen(tab, address)
    tab.get_by_role("button", name="Clear case: normal").click()
    settled(tab, 1)
    tab.evaluate(FILL, 500)
    assert tab.locator(".st-key-worklist .row").count() == 501
    tab.keyboard.press("j")
    assert tab.evaluate("() => window.cxrRoom.selected === window.cxrRoom.shown[1]")
    pictures = tab.locator(".st-key-worklist .row img").evaluate_all("(all) => all.map((one) => one.src.slice(0, 11))")
    assert set(pictures) == {"data:image/"}
    labels = tab.locator(".row").evaluate_all("(all) => all.map((one) => one.getAttribute('aria-label'))")
    assert [label for label in labels if not label.startswith("Normal, ") or ". File: " not in label] == []


def test_accessibility(address, watched):
    """Axe finds nothing on any page, and in no state of Read."""
    tab = watched.tab
    first_screen(tab, address)
    assert breaches(tab) == []
    give_demo_images(tab)
    for name in ("letter.txt", "synthetic-normal-3.png", "synthetic-pneumonia-1.png"):
        tab.locator(".row").filter(has_text=name).click()
        opened = tab.evaluate("() => window.cxrRoom.selected")
        card = tab.locator(f'[data-part=card][data-id="{opened}"]')
        card.and_(tab.locator("[data-state=refused], [data-whole=true]")).wait_for()
        tab.locator("[data-part=stage][aria-busy=false]").wait_for()
        tab.wait_for_timeout(500)  # until what fades in is there
        assert breaches(tab) == []
    tab.get_by_role("listbox").press("n")
    tab.get_by_role("listbox").press("Delete")
    assert breaches(tab) == []
    tab.set_viewport_size({"width": 390, "height": 844})
    assert breaches(tab) == []
    tab.set_viewport_size({"width": 1400, "height": 900})
    for page, last in PAGES.items():
        tab.get_by_role("link", name=page, exact=True).first.click()
        tab.locator(last).first.wait_for()
        tab.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
        tab.wait_for_timeout(1500)
        assert breaches(tab) == []


def test_menu_of_a_phone_closes_after_a_tap(address, phone):
    """The page that was asked for is not hidden behind the menu."""
    tab = phone.tab
    first_screen(tab, address)
    tab.get_by_test_id("stExpandSidebarButton").tap()
    tab.get_by_test_id("stSidebarNavLink").filter(has_text="About").tap()
    tab.get_by_role("heading", name="About", exact=True, level=1).wait_for()
    tab.locator('[data-testid=stSidebar][data-collapsed="true"]').wait_for(state="attached")
    tab.wait_for_function("() => document.querySelector('[data-testid=stSidebar]').getBoundingClientRect().right <= 0")
    assert phone.troubles == []
