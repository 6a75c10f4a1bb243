"""A work list that is kept survives a reload and a restart of the server."""

import time

import pytest

from tests.support.pages import words
from tests.support.server import free_port

pytestmark = pytest.mark.browser


def settings(folder, keep: str) -> dict[str, str]:
    """Variables of a server that keeps lists in a folder."""
    file = folder / f"{keep}.toml"
    file.write_text(f'[store]\nfolder = "data"\n[worklist]\nkeep = "{keep}"\n')
    return {"CXR_CONFIG": str(file), "CXR_STORE": "", "XDG_DATA_HOME": str(folder / "home")}


def rows(tab):
    """The rows that were read."""
    return tab.locator(".st-key-worklist .row[data-status=read]")


def kept_words(tab):
    """What the page says about keeping."""
    return tab.locator(".st-key-worklist [data-part=kept]")


def add(tab, project, *names: str) -> None:
    """Add demo images as files of the user's own, and wait for them."""
    before = rows(tab).count()
    with tab.expect_file_chooser() as chooser:
        tab.locator(".st-key-worklist, .st-key-welcome").get_by_role("button", name=words("web.room.add")).first.click()
    chooser.value.set_files([project / "assets" / "demo" / name for name in names])
    rows(tab).nth(before + len(names) - 1).wait_for()


def mark_first(tab) -> None:
    """Agree with the first row, and note something."""
    rows(tab).first.click()
    tab.locator(".st-key-worklist [data-do=agree]").click()
    tab.locator(".st-key-worklist [data-do=note]").click()
    tab.locator(".st-key-worklist textarea").fill("look again")
    with tab.expect_response(lambda answer: "/room/rows/" in answer.url):
        tab.locator(".st-key-worklist textarea").blur()


def marked(tab) -> list[str]:
    """What a screen reader hears of each row."""
    return [row.get_attribute("aria-label") for row in rows(tab).all()]


def cookie_days(tab) -> float:
    """Days for which the browser keeps the cookie that its list belongs to."""
    (expires,) = [cookie["expires"] for cookie in tab.context.cookies() if cookie["name"] == "cxrmodel_browser"]
    return (expires - time.time()) / 86400


def test_a_kept_list_survives_reload_and_restart(serve, watched, project, tmp_path):
    """With marks and notes; the image itself does not, and comes back with its file. Then all of it is forgotten."""
    tab, port, variables = watched.tab, free_port(), settings(tmp_path, "list")
    names = ("synthetic-pneumonia-1.png", "synthetic-normal-1.png")
    with serve(port=port, variables=variables) as address:
        tab.goto(address)
        add(tab, project, *names)
        mark_first(tab)
        assert kept_words(tab).is_visible()
        before = marked(tab)
        tab.reload()
        rows(tab).nth(1).wait_for()
        assert marked(tab) == before
    with serve(port=port, variables=variables) as address:
        tab.goto(address)
        rows(tab).nth(1).wait_for()
        assert cookie_days(tab) == pytest.approx(90, abs=1)
        gone = words("web.browser.worklist.gone")
        assert [said.replace(f"{gone}, ", "") for said in marked(tab)] == before
        rows(tab).first.click()
        tab.locator(".st-key-viewer").get_by_text(words("viewer.gone")).wait_for()
        assert tab.locator(".st-key-result .state").inner_text() == words("card.gone")
        add(tab, project, names[0])
        rows(tab).first.locator(".small").wait_for(state="detached")
        tab.on("dialog", lambda dialog: dialog.accept())
        tab.locator(".st-key-worklist [data-do=forget]").click()
        rows(tab).first.wait_for(state="detached")
        tab.wait_for_function("() => window.cxrRoom.actions.then(() => true)")
        tab.reload()
        tab.locator(".st-key-welcome").wait_for()
        assert rows(tab).count() == 0
    assert [trouble for trouble in watched.troubles if trouble.startswith("error:")] == []
