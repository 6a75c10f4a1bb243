"""A slow explanation in a real browser: it shows its progress, can be stopped, and comes when it is let be."""

import pytest

pytestmark = pytest.mark.browser

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
        tab.get_by_role("link", name="Read an image").first.click()
        tab.set_input_files("input[type=file]", {"name": "image.png", "mimeType": "", "buffer": demo_image})
        tab.get_by_test_id("stMetricValue").wait_for()
        tab.get_by_role("link", name="Heatmap").first.click()
        choose(watched, "Occlusion sensitivity")
        compute = tab.get_by_role("button", name="Compute Occlusion sensitivity")
        compute.click()
        tab.get_by_text("Occlusion sensitivity: ").first.wait_for()
        tab.get_by_role("button", name="Stop").click()
        tab.locator(IDLE).wait_for()
        compute.wait_for()
        assert tab.get_by_role("button", name="Stop").count() == 0
        assert "has not been computed for this image" in tab.inner_text("body")
        compute.click()
        compute.wait_for(state="detached", timeout=240_000)
        tab.locator(IDLE).wait_for()
        assert "has not been computed" not in tab.inner_text("body")
        tab.get_by_role("button", name="Test this map on this image").click()
        tab.get_by_text("Deletion: mean score").last.wait_for(timeout=240_000)
        tab.locator(IDLE).wait_for()
        assert tab.locator("canvas, svg").count() > 2
        assert watched.troubles == []
