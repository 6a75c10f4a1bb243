"""What the viewer asks of one image: its scene, its tags, its finding in words, and further maps."""

import json
import time

import numpy as np
import pytest
from starlette.applications import Starlette

from cxrmodel.explain.interpolation import CropMap
from cxrmodel.messages import Message
from cxrmodel.model.preprocess import ModelInput
from cxrmodel.report.wording import finding_sentence
from cxrmodel.web.room import maps
from cxrmodel.web.room.rooms import open_room
from cxrmodel.web.server.browsers import COOKIE
from cxrmodel.web.server.guards import GUARDS
from cxrmodel.web.server.routes import ROUTES
from tests.support.asgi import Client
from tests.support.rooms import give
from tests.support.stand_ins import SPEC, FakeReader
from tests.support.viewer_buffer import unpack

BROWSER = "b" * 43
JSON = {"Content-Type": "application/json"}
INPUT = ModelInput(np.zeros((16, 16, 1), np.float32), (0, 0, 224, 224))


class FakeExplainer:
    """Gives an even map at once; an empty one for occlusion."""

    spec = SPEC

    def image_map(self, method, ready, progress):
        """A map of four places."""
        progress(0.5, Message("explain.progress.done", title=method, percent=50))
        return CropMap(np.full((2, 2), float(method != "occlusion"), np.float32), ready.box)


@pytest.fixture
def room(monkeypatch):
    """The room of a session, with the stand-in for the explanation methods."""
    monkeypatch.setattr(maps, "explainer_of", lambda reader: FakeExplainer())
    monkeypatch.setattr(FakeReader, "model_input", lambda self, reading: INPUT, raising=False)
    made = open_room(BROWSER)
    made.use(FakeReader())
    return made


@pytest.fixture
def client(room):
    """The browser, on the page of the session."""
    return Client(Starlette(routes=ROUTES, middleware=GUARDS), {"X-Room": room.token, "Cookie": f"{COOKIE}={BROWSER}"})


def compute(client, row_id, **wish):
    """The answer once a map was computed."""
    assert client.ask("POST", f"/room/maps/{row_id}", json.dumps(wish).encode(), JSON).status == 204
    end = time.monotonic() + 20
    while time.monotonic() < end:
        answer = client.ask("GET", f"/room/maps/{row_id}/{wish['method']}?kind={wish.get('kind', 'map')}")
        if not answer.content.startswith(b'{"status": "waiting"') and not answer.content.startswith(
            b'{"status": "comp'
        ):
            return answer
        time.sleep(0.01)
    raise AssertionError(answer.content)


def test_another_map_comes_with_its_range_and_says_where_it_is_empty(client, room, make_image, png):
    """Never asked for, it is "none"; an unknown method is not found."""
    (row_id,) = give(room, ("a.png", png(make_image(0))))
    assert json.loads(client.ask("GET", f"/room/maps/{row_id}/layercam").content)["status"] == "none"
    header = header_of(compute(client, row_id, method="layercam").content)
    assert header["title"].startswith("LayerCAM")
    assert (header["empty"], header["heat"]["peak"]) == (False, 1.0)
    assert header_of(compute(client, row_id, method="occlusion").content)["empty"] is True
    assert client.ask("GET", f"/room/maps/{row_id}/unknown").status == 404
    assert client.ask("POST", f"/room/maps/{row_id}", b'{"method": "unknown"}', JSON).status == 404


def header_of(data: bytes) -> dict:
    """Of a packed map."""
    return json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])


def test_scene_tags_and_finding_of_an_image(client, room, make_image, png):
    """The finding in words is at the prevalence that the page shows; anything that is none is refused."""
    (row_id,) = give(room, ("a.png", png(make_image(0))))
    assert unpack(client.ask("GET", f"/room/scene/{row_id}").content)[0]["mapped"] is True
    assert json.loads(client.ask("GET", f"/room/tags/{row_id}").content)["tags"] == []
    said = json.loads(client.ask("GET", f"/room/finding/{row_id}?prevalence=0.1").content)["finding"]
    assert said == str(finding_sentence(room.row(row_id).reading.at(0.1)))
    for wrong in ("0", "1", "nan", "x"):
        assert client.ask("GET", f"/room/finding/{row_id}?prevalence={wrong}").status == 400
    assert client.ask("GET", "/room/tags/none").status == 404
