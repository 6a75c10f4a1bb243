"""The poll, with a real archive: what it finds, what it survives, and that nothing comes twice."""

import shutil
import signal
import threading
from contextlib import suppress
from subprocess import run
from urllib.parse import urlsplit

import pytest

from cxrmodel.configuration.schema import DicomwebInbox
from cxrmodel.errors import CxrError, PermanentFailure, StoreUnavailable, TransientFailure, UnreadableFile
from cxrmodel.exchange import dicomweb
from cxrmodel.exchange.inbox.dicomweb import DicomwebPoll
from cxrmodel.imaging.dicom.own_results import own_uid
from tests.exchange.conftest import image, key, running, wait_until
from tests.support import inbox_process
from tests.support.broken_link import link
from tests.support.server import PATIENCE, free_port

CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"
TODAY_LESS_10_YEARS = "20160101"


def settings(server, **changes) -> DicomwebInbox:
    """An inbox for an archive."""
    return DicomwebInbox(
        name="pacs", **{"url": server.dicom_web, "every_seconds": 0.1, "timeout_seconds": 20.0, **changes}
    )


def look(poll, admission) -> None:
    """One round, at the studies whether their time has come or not."""
    poll._next_search = 0.0
    poll.round(threading.Event(), admission)


@pytest.fixture
def poll(orthanc) -> DicomwebPoll:
    """The poll of a running archive."""
    return DicomwebPoll(settings(orthanc))


def test_images_are_found_and_taken_in_as_they_are_stored(orthanc, poll, admission, rows, kept):
    """Once, however often they are found."""
    stored = {key(number): orthanc.store(image(number)) for number in (1, 2, 3)}
    orthanc.store(image(4, StudyDate=TODAY_LESS_10_YEARS))
    for _ in range(3):
        look(poll, admission)
    assert sorted((row.key, row.state) for row in rows()) == [(one, "waiting") for one in stored]
    assert [one for one, identifier in stored.items() if kept(one) != orthanc.file(identifier)] == []


def test_compressed_images_stay_compressed(orthanc, poll, admission, program, rows, kept, tmp_path):
    """They are asked for in their own transfer syntax."""
    plain, compressed = tmp_path / "plain.dcm", tmp_path / "compressed.dcm"
    plain.write_bytes(image(SOPInstanceUID=key()))
    run([program("dcmcjpeg"), str(plain), str(compressed)], check=True)
    orthanc.store(compressed.read_bytes())
    look(poll, admission)
    assert [row.state for row in rows()] == ["waiting"]
    assert b"1.2.840.10008.1.2.4.70" in kept(key())[:600]


def test_a_study_is_looked_into_again_when_it_has_grown(orthanc, poll, admission, rows):
    """And not otherwise: a search for studies alone shows that nothing is new."""
    orthanc.store(image(1))
    look(poll, admission)
    orthanc.store(image(1, SOPInstanceUID="1.2.826.0.1.1.4"))
    look(poll, admission)
    assert [row.key for row in rows()] == [key(1), "1.2.826.0.1.1.4"]
    asked = []
    poll._web.search = lambda path, fields, **query: (
        asked.append(path) or iter(dicomweb.DicomWeb(settings(orthanc)).search(path, fields, **query))
    )
    look(poll, admission)
    assert asked == ["/studies"]


def test_what_is_not_for_this_reader_is_not_retrieved(orthanc, poll, admission, rows):
    """Other modalities and our own results; what a search does not tell is skipped by the header, with its reason."""
    orthanc.store(image(1, SOPInstanceUID=own_uid("sc"), Modality="DX"))
    orthanc.store(image(2, Modality="CT", SOPClassUID=CT_CLASS))
    orthanc.store(image(3, BodyPartExamined="HAND"))
    orthanc.store(image(4, PatientID=""))
    look(poll, admission)
    look(poll, admission)
    assert [(row.key, row.state, row.code, row.kept) for row in rows()] == [
        (key(3), "skipped", "imaging.dicom.wrong_body_part_named", False),
        (key(4), "skipped", "exchange.skipped.patient_id", False),
    ]


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_an_invalid_uid_keeps_no_other_image_out(orthanc, admission, rows, keyword):
    """Its object is recorded once, with the reason; the list of changes passes over it, too."""
    poll = DicomwebPoll(settings(orthanc, changes_url=orthanc.url))
    orthanc.store(image(1, **{keyword: "dccc9599087131742838cc1162a630fe"}))
    orthanc.store(image(2))
    for _ in range(2):
        look(poll, admission)
    orthanc.store(image(3))
    orthanc.store(image(4, **{keyword: "a630fedccc9599087131742838cc1162"}))
    poll.round(threading.Event(), admission)
    for _ in range(2):
        look(poll, admission)
    found = sorted((row.state, row.code or "") for row in rows())
    assert found == [("skipped", "exchange.web.invalid_uid")] * 2 + [("waiting", "")] * 2


def test_two_studies_with_one_accession_number_are_both_taken(orthanc, poll, admission, rows):
    """The accession number identifies nothing here."""
    for number in (1, 2):
        orthanc.store(image(number, AccessionNumber="SAME"))
    look(poll, admission)
    assert sorted((row.key, row.accession) for row in rows()) == [(key(1), "SAME"), (key(2), "SAME")]


def test_every_page_of_a_search_is_read(orthanc, poll, admission, rows, monkeypatch):
    """More studies, and more instances of a study, than a page has."""
    monkeypatch.setattr(dicomweb, "PAGE", 2)
    for number in range(1, 6):
        orthanc.store(image(number))
    for number in range(5):
        orthanc.store(image(1, SOPInstanceUID=f"1.2.826.0.1.1.{10 + number}"))
    look(poll, admission)
    assert len({row.key for row in rows()}) == 10


def test_a_wrong_password_is_recorded_once_and_costs_nothing(start_orthanc, admission, rows, refusals, tmp_path):
    """Once it is right, everything comes."""
    server = start_orthanc(users={"reader": "right"})
    server.store(image())
    password = tmp_path / "password"
    password.write_text("wrong\n")
    password.chmod(0o600)
    inbox = DicomwebPoll(settings(server, username="reader", password_file=password))
    with running(inbox, admission):
        wait_until(lambda: refusals() == ["exchange.web.unauthorised"])
        password.write_text("right\n")
        wait_until(lambda: [row.key for row in rows()] == [key()])
    assert refusals() == ["exchange.web.unauthorised"]


def test_an_archive_that_is_down_is_waited_for(orthanc, admission, rows, refusals, monkeypatch):
    """What was stored before, meanwhile and afterwards is there in the end, once."""
    monkeypatch.setattr("cxrmodel.exchange.inbox.inbox.LONGEST_WAIT", 0.2)
    orthanc.store(image(1))
    with running(DicomwebPoll(settings(orthanc)), admission):
        wait_until(lambda: len(rows()) == 1)
        orthanc.kill()
        wait_until(lambda: refusals() == ["exchange.web.unreachable"])
        orthanc.start()
        orthanc.store(image(2))
        wait_until(lambda: len(rows()) == 2)
    assert [row.key for row in rows()] == [key(1), key(2)]


@pytest.mark.parametrize("after", [100, 9000])
def test_a_connection_cut_in_the_middle_is_tried_again(orthanc, admission, rows, kept, after):
    """In the answer of a search, and in an image."""
    identifier = orthanc.store(image())
    with link(orthanc.http_port) as cut:
        web = f"http://127.0.0.1:{cut.port}{urlsplit(orthanc.dicom_web).path}"
        poll = DicomwebPoll(settings(orthanc, url=web))
        cut.cut_after = after
        with pytest.raises(TransientFailure):
            look(poll, admission)
        assert (cut.cuts, rows()) == (1, [])
        look(poll, admission)
    assert kept(key()) == orthanc.file(identifier)


def test_a_store_that_is_down_loses_nothing(orthanc, poll, admission, store, rows, monkeypatch):
    """Neither its database nor its disk."""
    for number in (1, 2):
        orthanc.store(image(number))

    def fail(*given, **named):
        raise StoreUnavailable("store.disk_full")

    for part, name in ((store, "receive"), (store, "known"), (store.files, "keep")):
        with monkeypatch.context() as patch:
            patch.setattr(part, name, fail)
            with pytest.raises(StoreUnavailable):
                look(poll, admission)
        assert rows() == []
    look(poll, admission)
    assert [(row.state, row.kept) for row in rows()] == [("waiting", True)] * 2


def test_a_killed_poll_loses_and_doubles_nothing(orthanc, poll, admission, store, rows):
    """Killed between a file and its job; the next one goes on."""
    for number in range(1, 7):
        orthanc.store(image(number))
    text = f'[[inbox.dicomweb]]\nname = "pacs"\nurl = "{orthanc.dicom_web}"\n'
    process = inbox_process.start(store.folder, text, "job", 4)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    assert len(rows()) == 3
    look(poll, admission)
    assert sorted((row.key, row.state, row.kept) for row in rows()) == [
        (key(number), "waiting", True) for number in range(1, 7)
    ]


def test_the_list_of_changes_shows_new_images_at_once(orthanc, admission, rows):
    """Long before the next search, also those of a study that a search by date does not find."""
    inbox = DicomwebPoll(settings(orthanc, every_seconds=3600.0, changes_url=orthanc.url, changes_seconds=0.05))
    with running(inbox, admission):
        wait_until(lambda: inbox._next_whole > 0)
        orthanc.store(image(1))
        orthanc.store(image(2, StudyDate=TODAY_LESS_10_YEARS))
        wait_until(lambda: len(rows()) == 2)
    assert [row.key for row in rows()] == [key(1), key(2)]


def test_a_list_of_changes_that_begins_again_is_noticed(orthanc, admission, rows):
    """A new server at the old address answers, silently, that there is nothing new; a search finds its images."""
    inbox = DicomwebPoll(settings(orthanc, every_seconds=3600.0, changes_url=orthanc.url, changes_seconds=0.05))
    for number in range(1, 4):
        orthanc.store(image(number))
    stop = threading.Event()
    inbox.round(stop, admission)
    inbox.round(stop, admission)
    assert len(rows()) == 3
    orthanc.kill()
    shutil.rmtree(orthanc.folder / "storage")
    orthanc.start()
    orthanc.store(image(9))
    assert orthanc.ask("/changes?since=12").json()["Changes"] == []
    inbox.round(stop, admission)
    assert [row.key for row in rows()][3:] == [key(9)]


def test_images_that_arrive_while_the_archive_fails_are_taken_later(orthanc, admission, rows):
    """The list of changes goes on only after its images are in, also where no search finds their study."""
    inbox = DicomwebPoll(settings(orthanc, every_seconds=3600.0, changes_url=orthanc.url, changes_seconds=0.05))
    stop = threading.Event()
    inbox.round(stop, admission)
    orthanc.store(image(1, StudyDate=TODAY_LESS_10_YEARS))
    fetch = inbox._web.fetch
    for code in ("exchange.web.unreachable", "exchange.web.server_error"):

        def failing(*place, code=code):
            raise TransientFailure(code, status=500)

        inbox._web.fetch = failing
        with pytest.raises(TransientFailure):
            inbox.round(stop, admission)
    inbox._web.fetch = fetch
    inbox.round(stop, admission)
    assert [row.key for row in rows()] == [key(1)]


def take_more(orthanc, poll, admission, rows) -> None:
    """Rounds with new images until another one is given up; an archive gives its studies in any order."""
    for number in range(6, 16):
        orthanc.store(image(number))
        with suppress(CxrError):
            look(poll, admission)
        if any(row.state == "skipped" for row in rows()):
            return


FAILURES = [
    TransientFailure("exchange.web.server_error", status=500),
    TransientFailure("exchange.web.not_found"),
    PermanentFailure("exchange.web.refused", status=406),
]


@pytest.mark.parametrize("failure", FAILURES)
def test_an_image_that_cannot_be_had_stops_no_other(orthanc, admission, rows, failure):
    """After some rounds in which others come it is recorded with the reason, and asked for no more."""
    orthanc.store(image(99))
    poll = DicomwebPoll(settings(orthanc))
    fetch, asked = poll._web.fetch, []

    def broken(study, series, instance):
        asked.append(instance)
        if instance == key(99):
            raise failure
        return fetch(study, series, instance)

    poll._web.fetch = broken
    for number in range(1, 6):
        orthanc.store(image(number))
        with pytest.raises(type(failure)):
            look(poll, admission)
        assert {row.key for row in rows()} == {key(one) for one in range(1, number + 1)}
    take_more(orthanc, poll, admission, rows)
    assert [(row.key, row.state, row.code) for row in rows() if row.state != "waiting"] == [
        (key(99), "skipped", failure.message.code)
    ]
    before = len(asked)
    look(poll, admission)
    assert len(asked) == before


@pytest.mark.parametrize("failure", FAILURES)
def test_an_archive_that_gives_no_image_at_all_loses_none(orthanc, admission, rows, failure):
    """However long that lasts: it is the archive, and no image is to blame."""
    for number in (1, 2, 3):
        orthanc.store(image(number))
    poll = DicomwebPoll(settings(orthanc))
    fetch = poll._web.fetch

    def broken(*place):
        raise failure

    poll._web.fetch = broken
    for _ in range(12):
        with pytest.raises(type(failure)):
            look(poll, admission)
    assert rows() == []
    poll._web.fetch = fetch
    look(poll, admission)
    assert sorted((row.key, row.state) for row in rows()) == [(key(number), "waiting") for number in (1, 2, 3)]


def test_a_damaged_object_is_recorded(orthanc, admission, rows):
    """After some rounds, in which the archive might give it whole."""
    orthanc.store(image(99))
    poll = DicomwebPoll(settings(orthanc))
    whole = poll._web.fetch
    poll._web.fetch = lambda *place: whole(*place)[: 300 if place[2] == key(99) else None]
    for number in range(1, 6):
        orthanc.store(image(number))
        with pytest.raises(UnreadableFile):
            look(poll, admission)
        assert key(99) not in {row.key for row in rows()}
    take_more(orthanc, poll, admission, rows)
    assert [(row.state, row.kept) for row in rows() if row.key == key(99)] == [("skipped", False)]


def test_what_is_tested_of_an_archive(start_orthanc, tmp_path):
    """By finding and retrieving; each fault by its name."""
    password = tmp_path / "password"
    password.write_text("right")
    password.chmod(0o600)
    server = start_orthanc(users={"reader": "right"})
    access = {"username": "reader", "password_file": password, "changes_url": server.url}

    def found(**changes):
        poll = DicomwebPoll(settings(server, **{**access, **changes}))
        return [(probe.passed, probe.message.code) for probe in poll.check()]

    assert found() == [(None, "exchange.probe.empty"), (True, "exchange.probe.changes")]
    server.store(image(StudyDate=TODAY_LESS_10_YEARS))
    assert found()[:2] == [(True, "exchange.probe.found_older"), (True, "exchange.probe.fetched")]
    server.store(image(2))
    assert found() == [
        (True, "exchange.probe.found"),
        (True, "exchange.probe.fetched"),
        (True, "exchange.probe.changes"),
    ]
    assert found(url=f"{server.url}/nothing") == [(False, "exchange.web.not_found")]
    assert found(url=server.url) == [(False, "exchange.web.refused")]
    assert found(url=f"http://127.0.0.1:{free_port()}") == [(False, "exchange.web.unreachable")]
    assert found(url=server.dicom_web.replace("http:", "https:")) == [(False, "exchange.web.certificate")]
    assert found(username="other") == [(False, "exchange.web.unauthorised")]
    password.chmod(0o644)
    assert found() == [(False, "configuration.secret.open")]
