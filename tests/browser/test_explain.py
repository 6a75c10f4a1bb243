"""A slow explanation in a real browser: it shows its progress, can be stopped, and completes when left alone."""

import pytest

from cxrmodel.explain.methods import INSTANT, METHODS
from tests.support.pages import words

pytestmark = pytest.mark.browser

METHOD = METHODS["occlusion"]
NOT_COMPUTED = words("web.method.not_computed", title=METHOD.title, shown=METHODS[INSTANT].title, cost=METHOD.cost)
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def choose(watched, title: str) -> None:
    """Choose a method of explaining."""
    watched.tab.get_by_role("combobox", name="Method").click()
    watched.tab.get_by_role("option", name=title).click()


def test_a_slow_method_can_be_stopped_and_asked_for_again(serve, watched, demo_image):
    """Stop ends it at once and keeps nothing; asked for again, map and test come, with their legend and curves."""
    tab = watched.tab
    with serve() as address:
        tab.goto(f"{address}/heatmap")
        tab.get_by_role("link", name=words("web.heatmap.empty_link")).first.click()
        tab.set_input_files("input[type=file]", {"name": "image.png", "mimeType": "", "buffer": demo_image})
        tab.get_by_test_id("stMetricValue").wait_for()
        tab.get_by_role("link", name="Heatmap").first.click()
        choose(watched, "Occlusion sensitivity")
        compute = tab.get_by_role("button", name=words("web.method.compute", title="Occlusion sensitivity"))
        compute.click()
        tab.get_by_text("Occlusion sensitivity: ").first.wait_for()
        tab.get_by_role("button", name=words("web.method.stop")).click()
        tab.locator(IDLE).wait_for()
        compute.wait_for()
        assert tab.get_by_role("button", name=words("web.method.stop")).count() == 0
        assert NOT_COMPUTED in tab.inner_text("body")
        compute.click()
        compute.wait_for(state="detached", timeout=240_000)
        tab.locator(IDLE).wait_for()
        assert NOT_COMPUTED not in tab.inner_text("body")
        tab.get_by_role("button", name=words("web.faithfulness.test")).click()
        tab.get_by_text("Deletion: mean score").last.wait_for(timeout=240_000)
        tab.locator(IDLE).wait_for()
        assert tab.locator("canvas, svg").count() > 2
        assert watched.troubles == []
