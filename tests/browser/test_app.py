"""The app in a real browser, over the real model."""

import hashlib
import re
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from cxrmodel.report.wording import DISCLAIMER
from tests.support.pages import words

pytestmark = pytest.mark.browser

PAGES = ("read", "heatmap", "evaluation", "about")


@pytest.fixture(scope="module")
def address(serve):
    """One server for the tests that need no cold one."""
    with serve() as running:
        yield running


def heading(watched, page: str) -> None:
    """Wait for a page's title, and for the notice that is on every page."""
    title = words(f"web.app.heading.{page}")
    watched.tab.get_by_role("heading", name=title, exact=True, level=1).wait_for()
    watched.tab.locator(".st-key-notice").get_by_text(str(DISCLAIMER)).wait_for()


def settle(watched) -> str:
    """Wait until the page is whole, and give its text."""
    watched.tab.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    return watched.tab.inner_text("body")


def drop(watched, demo_image: bytes) -> float:
    """Choose an image, wait for its reading, and give the probability as the page shows it, in per cent."""
    chosen = watched.tab.locator("[data-part=files]").first
    chosen.set_input_files({"name": "image.png", "mimeType": "", "buffer": demo_image})
    card = watched.tab.locator("[data-part=card][data-state=read][data-whole=true]")
    shown = card.locator("[data-value=probability]").inner_text()
    return float(re.fullmatch(r"[<>]?\s*(\d+(?:\.\d+)?)\s%", shown).group(1))


def image_drawn(watched):
    """Wait until the viewer shows its image, and give the viewer."""
    watched.tab.locator("[data-part=stage][aria-busy=false]").wait_for()
    return watched.tab.locator("[data-part=viewer]")


def part(watched, name: str) -> str:
    """Text of a part of the viewer."""
    return watched.tab.locator(f"[data-part={name}]").inner_text()


def drag(watched) -> None:
    """Drag across the middle of the image, to the right."""
    box = watched.tab.locator("[data-part=stage]").bounding_box()
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 2
    watched.tab.mouse.move(x, y)
    watched.tab.mouse.down()
    watched.tab.mouse.move(x + 80, y, steps=3)
    watched.tab.mouse.up()


def troubles(watched) -> list[str]:
    """Once the page is whole: what went wrong on it, traces included."""
    traces = ["traceback"] if "Traceback" in settle(watched) else []
    return watched.troubles + traces + ["exception"] * watched.tab.get_by_test_id("stException").count()


def test_from_a_dropped_image_to_the_curves(address, watched, demo_image):
    """An image is dropped and read; its heatmap, the curves and the rest open, and the notice is on every page."""
    tab = watched.tab
    tab.goto(address)
    heading(watched, "read")
    assert 0 < drop(watched, demo_image) < 100
    assert tab.locator("[data-part=card] [data-part=finding]").inner_text().lower() in (
        "pneumonia",
        "normal",
        "uncertain",
    )
    tab.get_by_text("image.png").first.wait_for()
    image_drawn(watched)
    drag(watched)
    window = part(watched, "levels")
    assert not window.startswith("Window 255 ")

    tab.locator("[data-do=heatmap]").click()
    heading(watched, "heatmap")
    image_drawn(watched)
    settle(watched)
    assert part(watched, "levels") == window

    tab.get_by_role("link", name="Evaluation", exact=True).click()
    heading(watched, "evaluation")
    tab.locator("[data-testid=stImage] img").first.wait_for()
    shown = settle(watched)
    assert "DenseNet-121 AUC 0." in shown
    assert words("web.discrimination.precision_recall") in shown

    tab.get_by_role("link", name="About", exact=True).click()
    heading(watched, "about")
    tab.get_by_text("10.17632/rscbjbr9sj.2").wait_for()
    tab.get_by_role("link", name="Read", exact=True).click()
    tab.locator("[data-part=card][data-state=read]").wait_for()
    assert troubles(watched) == []


def test_report_is_a_page_of_what_was_read(address, watched, demo_image):
    """The report comes as a PDF of one page with the numbers of the page."""
    tab = watched.tab
    tab.goto(f"{address}/read")
    probability, checksum = drop(watched, demo_image), hashlib.sha256(demo_image).hexdigest()[:8]
    with tab.expect_download() as download:
        tab.locator("[data-do=report]").click()
    assert download.value.suggested_filename == f"image {checksum} reading.pdf"
    (page,) = PdfReader(BytesIO(Path(download.value.path()).read_bytes())).pages
    text = " ".join(page.extract_text().split())
    assert re.search(rf"Probability of pneumonia at even odds: [<>]?\s?{probability:g}(\.0)? %", text)
    assert "Image: image.png" in text
    assert checksum in text
    assert troubles(watched) == []


def test_result_and_viewer_on_a_phone(address, phone, demo_image):
    """On a narrow screen the page is no wider than it, the result comes first, and a slider moves by touch and key."""
    tab = phone.tab
    tab.goto(f"{address}/read")
    drop(phone, demo_image)
    image_drawn(phone)
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= 390
    tops = [tab.locator(f".st-key-{name}").bounding_box()["y"] for name in ("result", "viewer", "worklist")]
    assert tops == sorted(tops)
    tab.locator("[data-part=stage]").first.focus()
    tab.keyboard.press("i")
    tab.locator("[data-part=prevalence]").press("ArrowLeft")
    tab.get_by_text(re.compile("at a prevalence of 49")).first.wait_for()
    settle(phone)
    assert "Inverted by you" in part(phone, "badges")
    assert troubles(phone) == []


def test_refusal_is_a_sentence(address, watched):
    """A file that is no image is refused with its name and a sentence, and no number is shown."""
    tab = watched.tab
    tab.goto(f"{address}/read")
    tab.locator("[data-part=files]").first.set_input_files({"name": "a.png", "mimeType": "", "buffer": b"no image"})
    card = tab.locator("[data-part=card][data-state=refused]")
    assert "text file" in card.locator("[data-part=reason]").inner_text()
    assert card.locator("[data-value=probability]").count() == 0
    assert troubles(watched) == []


@pytest.mark.parametrize("name", PAGES)
def test_own_address_on_a_cold_server(serve, watched, name):
    """The first visit to a fresh server may be to any page: it has its notice and the whole menu."""
    with serve() as address:
        watched.tab.goto(f"{address}/{name}")
        heading(watched, name)
        menu = [
            watched.tab.get_by_role("link", name=page, exact=True).first for page in ("Read", "Heatmap", "Evaluation")
        ]
        for link in menu:
            link.wait_for()
        assert watched.tab.get_by_role("link", name="app", exact=True).count() == 0
        assert watched.tab.url == f"{address}/{name}"
        assert troubles(watched) == []


def test_first_image_on_a_cold_server(serve, watched, demo_image):
    """An image dropped on the very first page that a fresh server shows is read, not lost."""
    with serve() as address:
        watched.tab.goto(f"{address}/read")
        heading(watched, "read")
        assert 0 < drop(watched, demo_image) < 100
        assert troubles(watched) == []
