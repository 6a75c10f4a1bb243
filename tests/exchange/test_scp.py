"""The receiver, with the senders of dcmtk: what arrives, what is answered, what the store says afterwards."""

import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pynetdicom import AE
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.sop_class import ComputedRadiographyImageStorage

from cxrmodel.configuration.schema import ScpInbox
from cxrmodel.errors import StoreUnavailable
from cxrmodel.exchange.inbox.scp import STORAGE_CLASSES, TRANSFER_SYNTAXES, StoreScp
from tests.exchange.conftest import Relay, certificate, image, key, running, wait_until
from tests.support import inbox_process
from tests.support.dicom_files import SYNTAXES, dicom
from tests.support.server import PATIENCE, free_port

CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"


def listens(port: int) -> bool:
    """Whether something accepts connections on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def receiving(settings, admission):
    """A running receiver with these settings."""
    with running(StoreScp(settings), admission):
        wait_until(lambda: listens(settings.port))
        yield settings


@pytest.fixture(scope="module")
def only_receiver():
    """A running receiver, and what passes images on to the test that runs."""
    relay = Relay()
    with receiving(ScpInbox(name="receiver", port=free_port()), relay) as settings:
        yield settings, relay


@pytest.fixture
def receiver(only_receiver, admission) -> ScpInbox:
    """A running receiver."""
    settings, relay = only_receiver
    relay.admission = admission
    return settings


@pytest.fixture
def storescu(program, tmp_path):
    """A function that sends files with dcmtk's storescu and gives its exit status and what it said."""
    path = program("storescu")

    def send(settings, *files, called="CXRMODEL", options=()):
        names = []
        for number, data in enumerate(files):
            names.append(tmp_path / f"{number}.dcm")
            names[-1].write_bytes(data)
        command = [path, "-v", "-aet", "STORESCU", "-aec", called, *options, "127.0.0.1", str(settings.port)]
        done = subprocess.run([*command, *map(str, names)], capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    return send


def send_raw(settings, data, syntax=None, kind=ComputedRadiographyImageStorage, called="CXRMODEL", instance=None):
    """Send a file's data set as it is encoded; the status, or None where nobody took it."""
    meta = pydicom.dcmread(BytesIO(data), stop_before_pixels=True, force=True)
    entity = AE("RAW")
    entity.add_requested_context(kind, syntax or meta.file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", settings.port, ae_title=called)
    if not association.accepted_contexts:
        if association.is_established:
            association.release()
        return None
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID = kind
    request.AffectedSOPInstanceUID = instance or meta.SOPInstanceUID
    request.DataSet = BytesIO(body_of(data))
    association._reactor_checkpoint.clear()
    while not association._is_paused:
        time.sleep(0.001)
    association.dimse.send_msg(request, association.accepted_contexts[0].context_id)
    _, answer = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    association.release()
    return answer and answer.Status


def body_of(data):
    """The encoded data set of a file, without its file meta information."""
    start = 132
    group = pydicom.dcmread(BytesIO(data[: start + 12]), force=True).file_meta.FileMetaInformationGroupLength
    return data[start + 12 + group :]


def test_an_image_is_received_as_it_was_encoded(receiver, storescu, rows, kept):
    """Success means: a file on disk, a job that waits."""
    sent = image()
    status, said = storescu(receiver, sent)
    assert status == 0, said
    assert [(row.key, row.state, row.kept) for row in rows()] == [(key(), "waiting", True)]
    assert body_of(kept(key())) == body_of(sent)


def test_every_transfer_syntax_is_kept(receiver, rows, kept):
    """Compressed or not, the encoded data set is the one that was sent, to the byte."""
    samples = np.random.default_rng(0).integers(0, 255, (96, 80)).astype(np.uint8)
    sent = {}
    for number, (name, uid) in enumerate(SYNTAXES.items(), 1):
        data = dicom(samples, name, SOPInstanceUID=f"1.2.3.{number}", PatientID="P1")
        sent[f"1.2.3.{number}"] = body_of(data)
        assert send_raw(receiver, data, uid) == 0x0000, name
    assert {row.key: row.state for row in rows()} == dict.fromkeys(sent, "waiting")
    assert [instance for instance, body in sent.items() if body_of(kept(instance)) != body] == []


def test_every_storage_class_and_syntax_is_accepted(receiver):
    """All that the library knows: 170 classes in 46 transfer syntaxes."""
    assert (len(STORAGE_CLASSES), len(TRANSFER_SYNTAXES)) == (170, 46)
    refused = []
    for first in range(0, len(STORAGE_CLASSES), 100):
        entity = AE("RAW")
        asked = STORAGE_CLASSES[first : first + 100]
        for number, uid in enumerate(asked):
            entity.add_requested_context(uid, TRANSFER_SYNTAXES[(first + number) % len(TRANSFER_SYNTAXES)])
        association = entity.associate("127.0.0.1", receiver.port, ae_title="CXRMODEL")
        refused += [context.abstract_syntax for context in association.rejected_contexts]
        association.release()
    assert refused == []


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["JPEG baseline", "RLE", "implicit", "explicit"], "explicit"),
        (["JPEG baseline", "RLE", "implicit"], "implicit"),
        (["JPEG baseline", "JPEG lossless"], "JPEG lossless"),
        (["JPEG 2000"], "JPEG 2000"),
    ],
)
def test_no_compression_with_loss_is_asked_for(receiver, offered, chosen):
    """Of several ways of encoding in one context, whatever their order."""
    entity = AE("RAW")
    entity.add_requested_context(ComputedRadiographyImageStorage, [SYNTAXES[name] for name in offered])
    association = entity.associate("127.0.0.1", receiver.port, ae_title="CXRMODEL")
    assert association.accepted_contexts[0].transfer_syntax == [SYNTAXES[chosen]]
    association.release()


@pytest.mark.parametrize(
    ("elements", "state", "code"),
    [
        ({"Modality": "CT", "SOPClassUID": CT_CLASS}, "skipped", "imaging.dicom.wrong_modality_named"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.34"}, "skipped", "imaging.dicom.object.report"),
        ({"BodyPartExamined": "HAND"}, "skipped", "imaging.dicom.wrong_body_part_named"),
        ({"ViewPosition": "LL"}, "waiting", None),  # the report says that it is a lateral view
        ({"PatientID": ""}, "skipped", "exchange.skipped.patient_id"),
        ({"PatientID": None}, "skipped", "exchange.skipped.patient_id"),
        ({"Rows": None}, "waiting", None),  # the reader says what is wrong with it
    ],
)
def test_what_is_not_read_is_acknowledged_and_recorded(receiver, storescu, rows, elements, state, code):
    """No queue of a sender stops at it, nothing of it is kept, and the store knows why."""
    status, said = storescu(receiver, image(**elements), options=("-R",))
    assert status == 0, said
    assert [(row.state, row.code, row.kept) for row in rows()] == [(state, code, state == "waiting")]


def test_two_studies_with_one_accession_number_stay_apart(receiver, storescu, rows):
    """An image is known by its own UID."""
    storescu(receiver, image(1, AccessionNumber="SAME"), image(2, AccessionNumber="SAME"))
    assert [(row.study, row.accession, row.state) for row in rows()] == [
        ("1.2.826.0.1.1.1", "SAME", "waiting"),
        ("1.2.826.0.1.2.1", "SAME", "waiting"),
    ]


def test_what_was_sent_before_is_acknowledged_again(receiver, storescu, rows):
    """A sender that did not see the answer sends again; there is still one job."""
    for _ in range(2):
        assert storescu(receiver, image())[0] == 0
    assert len(rows()) == 1


def test_a_wrong_ae_title_is_refused_and_recorded(receiver, storescu, rows, refusals):
    """The sender is told so in the terms of the standard."""
    status, said = storescu(receiver, image(), called="OTHER")
    assert status != 0
    assert "Called AE Title Not Recognized" in said
    wait_until(lambda: refusals() == ["exchange.scp.called_ae_title"])
    assert rows() == []


def test_an_unlisted_sender_is_refused_and_recorded(admission, storescu, rows, refusals):
    """Where there is a list of senders."""
    listed = ScpInbox(name="receiver", port=free_port(), calling_ae_titles=("MODALITY",))
    with receiving(listed, admission):
        status, said = storescu(listed, image())
        assert status != 0
        assert "Calling AE Title Not Recognized" in said
        assert storescu(listed, image(), options=("-aet", "MODALITY"))[0] == 0
    assert ([row.key for row in rows()], refusals()) == ([key()], ["exchange.scp.calling_ae_title"])


@pytest.mark.parametrize(
    ("kind", "syntax", "code"),
    [
        (ComputedRadiographyImageStorage, "1.2.3.4.5.99", "exchange.scp.unknown_syntax"),
        ("1.2.3.4.5.98", "1.2.840.10008.1.2.1", "exchange.scp.unknown_class"),
    ],
)
def test_unknown_syntaxes_and_classes_are_refused_and_recorded(receiver, rows, refusals, kind, syntax, code):
    """In the negotiation, before anything is sent."""
    assert send_raw(receiver, image(), syntax, kind) is None
    wait_until(lambda: refusals() == [code])
    assert rows() == []


@pytest.mark.parametrize(
    ("damage", "instance", "status", "code"),
    [
        (lambda data: data[:132] + body_of(data)[:40], None, 0xC000, "exchange.no_instance_uid"),
        (lambda data: data, "1.2.3.9", 0xA900, "exchange.other_instance"),
    ],
)
def test_a_damaged_object_is_refused_and_can_be_sent_again(
    receiver, rows, refusals, monkeypatch, damage, instance, status, code
):
    """It has its row and its reason; the whole object is taken afterwards."""
    whole = image()
    damaged = damage(whole)
    if damaged != whole:
        monkeypatch.setattr("tests.exchange.test_scp.body_of", lambda data: damaged[132:])
    assert send_raw(receiver, whole, instance=instance) == status
    monkeypatch.undo()
    assert (rows(), refusals()) == ([], [code])
    assert send_raw(receiver, whole) == 0x0000
    assert [row.state for row in rows()] == ["waiting"]


def test_an_echo_is_answered(receiver, program):
    """By dcmtk's echoscu."""
    command = [program("echoscu"), "-aec", "CXRMODEL", "127.0.0.1", str(receiver.port)]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


def test_a_full_disk_is_answered_and_nothing_is_lost(receiver, storescu, store, rows, monkeypatch):
    """The sender hears "out of resources" and sends again."""

    def full(data):
        raise StoreUnavailable("store.disk_full")

    monkeypatch.setattr(store.files, "keep", full)
    _, said = storescu(receiver, image())
    assert "Refused: OutOfResources" in said
    assert rows() == []
    monkeypatch.undo()
    assert storescu(receiver, image())[0] == 0
    assert [(row.state, row.kept) for row in rows()] == [("waiting", True)]


def test_a_defect_is_never_success(receiver, storescu, store, rows, monkeypatch):
    """Whatever goes wrong, the sender must keep its image."""
    monkeypatch.setattr(store, "receive", lambda *given, **named: 1 / 0)
    _, said = storescu(receiver, image())
    assert "Status Code" not in said or "0x0110" in said
    assert "Success" not in said
    assert rows() == []


def test_a_connection_that_ends_in_the_middle_leaves_nothing(receiver, storescu, rows):
    """The whole image is taken afterwards."""
    data = image()
    entity = AE("RAW")
    entity.add_requested_context(ComputedRadiographyImageStorage)
    association = entity.associate("127.0.0.1", receiver.port, ae_title="CXRMODEL")
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = ComputedRadiographyImageStorage, key()
    request.DataSet = BytesIO(body_of(data))
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    half = list(message.encode_msg(association.accepted_contexts[0].context_id, 1024))[:4]
    for part in half:
        association.dul.send_pdu(part)
    wait_until(lambda: association.dul.to_provider_queue.empty())
    association.dul.socket.socket.shutdown(socket.SHUT_RDWR)
    assert rows() == []
    assert storescu(receiver, data)[0] == 0
    assert [row.state for row in rows()] == ["waiting"]
    association.kill()


def test_health_checks_take_no_place(admission, storescu, rows):
    """Connections that say nothing and end, more of them than senders may be there at one time."""
    with receiving(ScpInbox(name="receiver", port=free_port(), associations=2), admission) as settings:
        for _ in range(5):
            assert listens(settings.port)
        wait_until(lambda: storescu(settings, image())[0] == 0)  # a sender that is refused a place comes again
    assert len(rows()) == 1


@pytest.mark.parametrize(
    "message",
    [
        b"",  # nothing at all
        b"\x01\x00\x00",  # half of a header
        b"\x01\x00\x00\x00\x01\x00half of an association request",
        b"\x04\x00\xff\xff\xff\xffdata of four gigabytes",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_a_sender_that_stops_in_the_middle_keeps_no_place(admission, storescu, rows, message):
    """As one whose cable is pulled: the connection stays open, and nothing comes."""
    alone = ScpInbox(name="receiver", port=free_port(), associations=1, timeout_seconds=0.3)
    with receiving(alone, admission), socket.create_connection(("127.0.0.1", alone.port)) as silent:
        silent.sendall(message)
        wait_until(lambda: storescu(alone, image())[0] == 0)
    assert len(rows()) == 1


def test_an_endless_object_is_ended_and_recorded(receiver, rows, refusals, monkeypatch):
    """It would be kept in memory by the library."""
    monkeypatch.setattr("cxrmodel.exchange.inbox.scp.MOST_BYTES", 4096)
    assert send_raw(receiver, image()) is None
    wait_until(lambda: refusals() == ["exchange.scp.too_large"])
    assert rows() == []


def test_with_tls_only_senders_with_a_certificate_are_heard(admission, storescu, rows, tmp_path):
    """A silent connection does not stop the others."""
    own, sender = certificate(tmp_path, "receiver"), certificate(tmp_path, "sender")
    settings = ScpInbox(name="receiver", port=free_port(), certificate_file=own[0], key_file=own[1], ca_file=sender[0])
    with receiving(settings, admission), socket.create_connection(("127.0.0.1", settings.port)):
        assert storescu(settings, image(1))[0] != 0
        trusted = ("+tls", str(sender[1]), str(sender[0]), "+cf", str(own[0]))
        unknown = ("+tls", str(own[1]), str(own[0]), "+cf", str(own[0]))
        assert storescu(settings, image(2), options=unknown)[0] != 0
        status, said = storescu(settings, image(3), options=trusted)
        assert status == 0, said
    assert [row.key for row in rows()] == [key(3)]


@pytest.mark.parametrize("point", inbox_process.POINTS)
def test_a_killed_receiver_loses_and_doubles_nothing(program, tmp_path, admission, store, rows, kept, point):
    """Killed at each step of an image: what was acknowledged is there, and everything else comes again."""
    settings = ScpInbox(name="receiver", port=free_port())
    sent = {key(number): image(number) for number in range(1, 7)}
    for number, data in enumerate(sent.values()):
        (tmp_path / f"{number}.dcm").write_bytes(data)
    command = [program("storescu"), "-v", "-aec", "CXRMODEL", "127.0.0.1", str(settings.port)]
    command += [str(tmp_path / f"{number}.dcm") for number in range(len(sent))]

    def acknowledged() -> int:
        """Send all; how many were acknowledged."""
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        return (done.stdout + done.stderr).count("Received Store Response (Success)")

    text = f'[[inbox.scp]]\nname = "receiver"\nport = {settings.port}\n'
    process = inbox_process.start(store.folder, text, point, 4)
    try:
        wait_until(lambda: listens(settings.port))
        assert acknowledged() == 3
        assert process.wait(PATIENCE) == -signal.SIGKILL
    finally:
        process.kill()
    assert len(rows()) == (4 if point == "answer" else 3)
    with receiving(settings, admission):
        assert acknowledged() == len(sent)
    assert sorted((row.key, row.state, row.kept) for row in rows()) == [(one, "waiting", True) for one in sent]
    assert [one for one, data in sent.items() if body_of(kept(one)) != body_of(data)] == []


def test_what_is_tested_of_a_receiver(receiver, tmp_path):
    """That it answers under its title, that its port is free, that the port is not another program's."""

    def found(**changes):
        return [(probe.passed, probe.message.code) for probe in StoreScp(receiver.replace(**changes)).check()]

    assert found() == [(True, "exchange.probe.receives")]
    assert found(port=free_port()) == [(True, "exchange.probe.port_free")]
    assert found(ae_title="OTHER") == [(False, "exchange.dicom.port_taken")]
    key_file = tmp_path / "open.key"
    key_file.write_text("key")
    key_file.chmod(0o644)
    assert found(certificate_file=key_file, key_file=key_file) == [(False, "configuration.secret.open")]
