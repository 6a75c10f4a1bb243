"""The Read page: what the server gives the browser, and what the session keeps between pages."""

import json

import pytest

from cxrmodel.errors import MissingWeights
from cxrmodel.prevalence import SETTING
from cxrmodel.web import engine
from tests.support.rooms import announce, give, settle


def components(app):
    """Data of every component of the page, by its name."""
    return {part.proto.component_name: json.loads(part.proto.json) for part in app.get("bidi_component")}


def room_of(app):
    """The session's room."""
    return app.session_state["room"]


@pytest.mark.usefixtures("reader")
def test_every_component_opens_the_room_of_the_session(visit):
    """On every page, which has at least the one that takes dropped files; another session has another room."""
    app = visit("read")
    tokens = {data["token"] for data in components(app).values()}
    for page in ("heatmap", "about", "read"):
        app.switch_page(f"{page}.py").run()
        found = components(app)
        assert found
        tokens |= {data["token"] for data in found.values()}
    assert tokens == {room_of(app).token}
    assert room_of(visit("read")).token not in tokens


@pytest.mark.usefixtures("reader")
def test_no_run_of_the_script_holds_what_the_browser_shows(visit, make_image, png):
    """Names, numbers and pictures come from the room's own addresses; the script sends none of them."""
    app = visit("read")
    before = components(app)
    give(room_of(app), ("Jane Doe.png", png(make_image(0, (60, 80)))))
    assert components(app.run()) == before
    assert "Jane" not in json.dumps(before)


@pytest.mark.usefixtures("reader")
def test_images_are_kept_between_pages(visit, make_image, png, reader):
    """Neither a rerun nor another page reads an image anew."""
    app = visit("read")
    give(room_of(app), ("a.png", png(make_image(0, (60, 80)))))
    app.switch_page("about.py").run().switch_page("read.py").run()
    assert [row.status for row in room_of(app).rows()] == ["read"]
    assert reader.read_names == ["a.png"]


def test_files_dropped_before_the_model_is_there_are_read_once_it_is(visit, use, monkeypatch, reader):
    """A page without a model takes them; the next one has it."""

    def missing():
        raise MissingWeights("model.missing_file", path="gone")

    monkeypatch.setattr(engine, "reader", missing)
    app = visit("read")
    room = room_of(app)
    (row_id,) = announce(room, "a.txt")
    room.fill(row_id, b"text")
    assert room.rows()[0].status == "waiting"
    use(reader)
    app.run()
    settle(room)
    assert room.rows()[0].status == "refused"


@pytest.mark.usefixtures("reader")
def test_the_prevalence_of_the_site_is_the_first(visit, monkeypatch):
    """One that no whole percentage is stays what it is."""
    monkeypatch.setenv(SETTING, "12.5%")
    assert room_of(visit("read")).prevalence == 0.125
