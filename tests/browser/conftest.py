"""A real server and a real browser."""

from collections.abc import Callable

import pytest

from tests.browser.bare import ARGUMENTS, chromium
from tests.browser.viewer_tab import Viewer
from tests.support.server import running_app


@pytest.fixture(scope="session")
def browser(strict_skip):
    """A headless chromium."""
    program = chromium()
    if program is None:
        strict_skip("needs a browser: install chromium, or name one in the variable CHROMIUM")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        strict_skip("needs Playwright for Python: install requirements-dev.txt")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def serve() -> Callable:
    """A context manager that starts the app on a free port and gives its address."""
    return running_app


class Watched:
    """A tab, with everything that went wrong in it or left for another server."""

    def __init__(self, context):
        self.tab, self.troubles = context.new_page(), []
        self.tab.set_default_timeout(300_000)  # guards against hanging, not against a busy machine
        self.tab.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.tab.on("console", self._console)
        self.tab.on("request", self._request)

    def _console(self, message) -> None:
        # Streamlit looks for its own server under a page's address first; that answer is a 404 of its making.
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            self.troubles.append(f"console: {message.text}")

    def _request(self, request) -> None:
        if not request.url.startswith(("http://localhost:", "ws://localhost:", "data:", "blob:")):
            self.troubles.append(f"left for {request.url}")


@pytest.fixture
def watched(browser):
    """A fresh tab of a user of their own."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    yield Watched(context)
    context.close()


@pytest.fixture
def phone(browser):
    """A tab on a phone."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    yield Watched(context)
    context.close()


@pytest.fixture
def viewer(watched):
    """An empty viewer; nothing may go wrong in it."""
    yield Viewer(watched.tab)
    assert watched.troubles == []


@pytest.fixture
def touched(phone):
    """A viewer on a phone."""
    yield Viewer(phone.tab)
    assert phone.troubles == []
