"""The Heatmap page in a real browser: the default map at once, other methods beside it in the background."""

import pytest

from cxrmodel.explain.methods import METHODS

pytestmark = pytest.mark.browser

TITLE = METHODS["occlusion"].title


def test_another_method_is_computed_beside_the_image_and_can_be_stopped(serve, watched):
    """A demo image is offered; its map and shares show at once; stop keeps nothing; asked for again, the map comes."""
    tab = watched.tab
    with serve() as address:
        tab.goto(f"{address}/heatmap")
        tab.get_by_role("button", name="pneumonia").click()
        tab.get_by_text("Right lung").wait_for()
        assert tab.locator(".tile").count() == 1
        assert tab.get_by_role("button", name="Heatmap", exact=True).get_attribute("aria-pressed") == "true"
        shares = [int(text.rstrip("\u00a0%")) for text in tab.locator("dl.shares b").all_inner_texts()]
        assert sum(shares[:3]) == 100
        assert sum(shares[3:]) == sum(shares[:2])
        if not tab.get_by_label(TITLE).first.is_visible():
            tab.get_by_text("For researchers").click()
        method = tab.get_by_label(TITLE).first
        method.check()
        assert tab.locator(".tile").count() == 2
        tab.locator(".methods").get_by_role("button", name="Stop").click()
        assert not method.is_checked()
        assert tab.locator(".tile").count() == 1
        method.check()
        captions = tab.locator(".caption:visible")
        captions.get_by_text(TITLE, exact=True).wait_for()
        assert captions.all_inner_texts() == [METHODS["gradcam"].title, TITLE]
        assert watched.troubles == []
