"""Heatmap: the page that the browser then draws from the session's room."""

import pytest

from cxrmodel.demo import clear_images, demo_images
from cxrmodel.explain.methods import INSTANT, METHODS


@pytest.mark.usefixtures("reader")
def test_the_page_offers_demo_images_and_methods(visit):
    """The viewer is the page: it gets the methods, and the demo images that the model reads clearly."""
    app = visit("heatmap")
    assert not app.exception
    assert not app.error
    (viewer,) = [part for part in app.get("bidi_component") if part.proto.component_name.endswith("room_viewer")]
    given = viewer.proto.json
    for method in METHODS:
        assert method.title in given
    assert f'"default": {{"name": "{INSTANT}"' in given
    names = [image.name for image in demo_images()]
    for image in clear_images():
        assert f'"index": {names.index(image.name)}' in given


def test_without_weights_the_page_says_so(visit, no_weights):
    """And offers nothing else."""
    assert visit("heatmap").error
