"""Explainer: progress, one image at a time, when the network is loaded, and unknown methods."""

import threading

import pytest

from cxrmodel.evaluation.explanations.randomisation import NetworkEngine, explainer_of
from cxrmodel.explain import explainer as explaining
from cxrmodel.explain.explainer import Explainer
from cxrmodel.explain.methods import INSTANT, METHODS
from cxrmodel.messages import Message
from cxrmodel.model.preprocess import ModelInput
from cxrmodel.registry import UnknownName


def test_map_on_the_image_is_zero_beyond_the_crop(network, spec, images):
    """And above zero inside it."""
    found = explainer_of(network, spec).image_map("occlusion", ModelInput(images[0], (40, 60, 200, 180))).on_image()
    assert found.shape == (224, 224)
    assert found[40:200, 60:180].any()
    found[40:200, 60:180] = 0
    assert not found.any()


@pytest.mark.parametrize("method", ["scorecam", "smoothgrad", "occlusion"])
def test_slow_methods_report_progress_and_can_be_stopped(method, network, spec, images):
    """The share done rises from 0. An exception of the callback stops the work, and the next image can be explained."""
    explainer, reports = explainer_of(network, spec), []
    explainer.crop_maps(method, images[:1], lambda share, message: reports.append((share, message)))
    shares = [share for share, _ in reports]
    assert shares == sorted(shares)
    assert len(set(shares)) >= 4
    assert {message.code for _, message in reports} <= {"explain.progress.loading", "explain.progress.done"}
    assert reports[-1][1].values["title"] == METHODS[method].title

    def stop(share, message):
        if share > 0.2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        explainer.crop_maps(method, images[:1], stop)
    assert explainer.crop_maps(INSTANT, images[:1]).any()


def test_only_what_needs_it_loads_the_network(spec, network, images):
    """It is loaded once, and progress reports it first."""
    loads, reports = [], []

    def load():
        loads.append(1)
        return network

    explainer = Explainer(spec, NetworkEngine(network, spec.cam_layer), load)
    for method in METHODS:
        if not method.tensorflow:
            explainer.crop_maps(method.name, images[:1], lambda share, message: reports.append(message.code))
    assert not loads
    assert "explain.progress.loading" not in reports
    for _ in range(2):
        explainer.crop_maps("saliency", images[:1], lambda share, message: reports.append(message.code))
    assert len(loads) == 1
    assert reports.count("explain.progress.loading") == 1


def test_one_image_at_a_time(network, spec, images, monkeypatch):
    """A caller that waits is informed, and can stop waiting."""
    monkeypatch.setattr(explaining, "POLL_SECONDS", 0.01)
    explainer, inside, leave = explainer_of(network, spec), threading.Event(), threading.Event()

    def hold(share, message):
        inside.set()
        leave.wait(20)

    first = threading.Thread(target=explainer.crop_maps, args=("occlusion", images[:1], hold))
    first.start()
    assert inside.wait(20)

    def wait(share, message):
        assert message == Message("explain.progress.waiting", title=METHODS["occlusion"].title)
        raise InterruptedError

    try:
        with pytest.raises(InterruptedError):
            explainer.crop_maps("occlusion", images[:1], wait)
    finally:
        leave.set()
        first.join()
    assert explainer.crop_maps("occlusion", images[:1]).any()


def test_unknown_method(network, spec, images):
    """It is an error, never another method."""
    with pytest.raises(UnknownName, match="dream"):
        explainer_of(network, spec).crop_maps("dream", images)
