"""What a browser keeps of the app and asks for, and a page whose server was restarted."""

import pytest

from tests.support.pages import words
from tests.support.server import free_port

pytestmark = pytest.mark.browser

PAGES = ("read", "heatmap", "evaluation", "about")


def read_demo(tab) -> None:
    """Read a synthetic image, and wait for its row."""
    tab.get_by_role("button", name=words("web.welcome.clear", kind="pneumonia")).click()
    row(tab).wait_for()


def row(tab):
    """The row of the image that was read."""
    return tab.locator(".st-key-worklist .row[data-status=read]")


def test_a_restarted_server_is_named_and_works_again(serve, watched):
    """The page says that its images are gone, until it has new ones."""
    tab, port, lost = watched.tab, free_port(), words("web.room.lost_session")
    with serve(port=port) as address:
        tab.goto(address)
        read_demo(tab)
        assert tab.get_by_text(lost).count() == 0
    with serve(port=port):
        tab.get_by_text(lost).wait_for()
        row(tab).wait_for(state="detached")
        read_demo(tab)
        tab.get_by_text(lost).wait_for(state="hidden")


def test_a_short_break_loses_nothing(serve, watched):
    """A page that comes back to a server which knows it finds its images, and no word about it."""
    tab = watched.tab
    tab.add_init_script("""const Open = WebSocket;
        WebSocket = class extends Open { constructor(...given) { super(...given); window.opened = this; } };""")
    with serve() as address:
        tab.goto(address)
        read_demo(tab)
        with tab.expect_event("websocket"):
            tab.evaluate("window.opened.close()")
        tab.get_by_role("link", name=words("web.app.menu.about")).click()
        tab.get_by_role("link", name=words("web.app.menu.read")).click()
        row(tab).wait_for()
        assert tab.get_by_text(words("web.room.lost_session")).count() == 0


def test_pages_ask_for_nothing_elsewhere_and_no_script_reads_the_cookie(serve, watched):
    """Each page from a fresh server, with every request that it makes."""
    tab, asked = watched.tab, []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("websocket", lambda socket: asked.append(socket.url))
    with serve() as address:
        for page in PAGES:
            tab.goto(f"{address}/{page}")
            tab.get_by_role("heading", name=words(f"web.app.heading.{page}"), exact=True, level=1).wait_for()
        read = tab.evaluate("document.cookie")
    own = (address, address.replace("http", "ws"), "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []
    assert watched.troubles == []
    kept = {cookie["name"]: cookie for cookie in tab.context.cookies()}
    assert kept["cxrmodel_browser"]["value"] not in read
    assert {cookie["sameSite"] for cookie in kept.values()} == {"Strict"}
