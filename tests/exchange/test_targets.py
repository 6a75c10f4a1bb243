"""Targets, with a real archive: what is stored, stored again, refused, and waited for."""

from io import BytesIO

import numpy as np
import pydicom
import pytest

from cxrmodel.configuration.schema import CstoreTarget, StowTarget, WebAccess
from cxrmodel.errors import CxrError, PermanentFailure, TransientFailure
from cxrmodel.exchange.dicomweb import DicomWeb
from cxrmodel.exchange.failures import rejection, store_failure
from cxrmodel.exchange.outbox.cstore import RESULTS
from cxrmodel.exchange.outbox.targets import make_target
from tests.exchange.conftest import certificate, image
from tests.support.broken_link import link
from tests.support.dicom_files import CAPTURE_CLASS, EXPLICIT, dicom, written
from tests.support.orthanc import Orthanc
from tests.support.server import free_port

REPORT_CLASS = "1.2.840.10008.5.1.4.1.1.88.34"
REPORT_UID, CAPTURE_UID = "2.25.1", "2.25.2"


def report() -> bytes:
    """A structured report in the study of ``image()``."""
    data = pydicom.dcmread(BytesIO(image()))
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(data, keyword)
    data.SOPClassUID, data.SOPInstanceUID = REPORT_CLASS, REPORT_UID
    data.SeriesInstanceUID, data.Modality = "2.25.3", "SR"
    item = pydicom.Dataset()
    item.ValueType, item.TextValue = "TEXT", "indeterminate"
    data.ContentSequence = [item]
    return written(data, EXPLICIT)


def capture(syntax: str = "JPEG baseline") -> bytes:
    """A secondary capture in colour in the study of ``image()``."""
    samples = np.random.default_rng(0).integers(0, 255, (96, 80, 3)).astype(np.uint8)
    return dicom(
        samples,
        syntax,
        SOPClassUID=CAPTURE_CLASS,
        SOPInstanceUID=CAPTURE_UID,
        SeriesInstanceUID="2.25.4",
        StudyInstanceUID="1.2.826.0.1.1.1",
        PatientID="P1",
    )


def stow(server, **changes):
    """A target over DICOMweb."""
    return make_target(StowTarget(name="pacs", **{"url": server.dicom_web, "timeout_seconds": 20.0, **changes}))


def cstore(server, **changes):
    """A target over the DICOM network."""
    given = {"host": "127.0.0.1", "port": server.dicom_port, "called_ae_title": server.ae_title}
    return make_target(CstoreTarget(name="pacs", timeout_seconds=20.0, **given | changes))


ROUTES = pytest.mark.parametrize("route", [stow, cstore])


@ROUTES
def test_results_stand_beside_the_image(orthanc, route):
    """In its study and of its patient, as they were made; a second sending changes nothing."""
    orthanc.store(image())
    target = route(orthanc)
    for _ in range(2):
        for data in (report(), capture()):
            target.send(data)
    assert len(orthanc.find("Patient")) == len(orthanc.find("Study")) == 1
    assert len(orthanc.find()) == 3
    for uid, data in ((REPORT_UID, report()), (CAPTURE_UID, capture())):
        (found,) = orthanc.find(SOPInstanceUID=uid)
        stored = pydicom.dcmread(BytesIO(orthanc.file(found)))
        sent = pydicom.dcmread(BytesIO(data))
        assert stored == sent
        assert stored.file_meta.TransferSyntaxUID == sent.file_meta.TransferSyntaxUID


def test_stow_keeps_every_byte(orthanc):
    """What is stored is what was made."""
    stow(orthanc).send(capture())
    (found,) = orthanc.find()
    assert orthanc.file(found) == capture()


@ROUTES
def test_a_target_that_is_down_is_tried_again(orthanc, route):
    """Nothing was stored, and nothing was refused."""
    target = route(orthanc)
    orthanc.kill()
    with pytest.raises(TransientFailure) as caught:
        target.send(report())
    assert caught.value.message.code in ("exchange.web.unreachable", "exchange.dicom.unreachable")
    orthanc.start()
    target.send(report())
    assert orthanc.uids() == [REPORT_UID]


@ROUTES
def test_a_connection_cut_before_the_answer_doubles_nothing(orthanc, route):
    """The target may have stored the object all the same."""
    port = orthanc.http_port if route is stow else orthanc.dicom_port
    with link(port) as cut:
        through = {"url": f"http://127.0.0.1:{cut.port}/dicom-web"} if route is stow else {"port": cut.port}
        target = route(orthanc, **through)
        cut.cut_after = 30 if route is stow else 300
        with pytest.raises(TransientFailure):
            target.send(capture())
        assert cut.cuts == 1
        target.send(capture())
    assert orthanc.uids() == [CAPTURE_UID]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"called_ae_title": "OTHER"}, "exchange.dicom.called_ae_title"),
        ({"port": free_port()}, "exchange.dicom.unreachable"),
        ({"tls": True}, "exchange.dicom.unreachable"),
    ],
)
def test_a_wrong_setting_costs_no_object(orthanc, changes, code):
    """Somebody corrects it, and the object is sent then."""
    with pytest.raises(TransientFailure) as caught:
        cstore(orthanc, **changes).send(report())
    assert caught.value.message.code == code


def test_a_wrong_password_costs_no_object(start_orthanc, tmp_path):
    """Nor does a file that others may read."""
    server: Orthanc = start_orthanc(users={"writer": "right"})
    password = tmp_path / "password"
    password.write_text("wrong")
    password.chmod(0o600)
    target = stow(server, username="writer", password_file=password)
    with pytest.raises(TransientFailure) as caught:
        target.send(report())
    assert caught.value.message.code == "exchange.web.unauthorised"
    assert [(probe.passed, probe.message.code) for probe in target.check()] == [(False, "exchange.web.unauthorised")]
    password.write_text("right")
    password.chmod(0o644)
    with pytest.raises(CxrError) as caught:
        target.send(report())
    assert caught.value.message.code == "configuration.secret.open"
    password.chmod(0o600)
    target.send(report())
    assert server.uids() == [REPORT_UID]


def test_tls_with_checked_certificates(start_orthanc, tmp_path):
    """Without the certificate that signs the server's, nothing is sent; the server wants one of ours, too."""
    own, other = certificate(tmp_path, "server"), certificate(tmp_path, "client")
    server = start_orthanc(
        settings={
            "DicomTlsEnabled": True,
            "DicomTlsCertificate": str(own[0]),
            "DicomTlsPrivateKey": str(own[1]),
            "DicomTlsTrustedCertificates": str(other[0]),
        }
    )
    ours = {"tls": True, "certificate_file": other[0], "key_file": other[1]}
    for wrong in ({"tls": True, "ca_file": own[0]}, {**ours, "ca_file": other[0]}):
        with pytest.raises(TransientFailure):
            cstore(server, **wrong).send(report())
    cstore(server, **ours, ca_file=own[0]).send(report())
    assert server.uids() == [REPORT_UID]


def test_an_object_that_a_target_refuses_is_a_permanent_failure(orthanc, start_orthanc):
    """It is no DICOM object for it, or in a transfer syntax that it does not take."""
    with pytest.raises(PermanentFailure) as caught:
        DicomWeb(WebAccess(name="pacs", url=orthanc.dicom_web)).store(report()[:400], REPORT_UID)
    assert caught.value.message.code == "exchange.web.refused"
    strict = start_orthanc(settings={"AcceptedTransferSyntaxes": ["1.2.840.10008.1.2"]})
    with pytest.raises(PermanentFailure) as caught:
        cstore(strict).send(capture())
    assert caught.value.message.code == "exchange.object.class_refused"


def test_an_uncompressed_object_goes_to_a_target_that_knows_implicit_elements_alone(start_orthanc):
    """Every server knows them."""
    server = start_orthanc(settings={"AcceptedTransferSyntaxes": ["1.2.840.10008.1.2"]})
    cstore(server).send(report())
    (found,) = server.find()
    assert server.tags(found)["ContentSequence"][0]["TextValue"] == "indeterminate"


def test_what_is_tested_of_a_target(orthanc, start_orthanc):
    """More than an echo: whether each kind of result would be taken. Nothing is stored."""

    def found(target):
        return [(probe.passed, probe.message.code) for probe in target.check()]

    assert found(stow(orthanc)) == [(True, "exchange.probe.stores")]
    assert found(stow(orthanc, url=f"{orthanc.url}/nothing")) == [(False, "exchange.web.not_found")]
    assert found(cstore(orthanc)) == [(True, "exchange.probe.accepts")] * len(RESULTS)
    assert found(cstore(orthanc, called_ae_title="OTHER")) == [(False, "exchange.dicom.called_ae_title")]
    strict = start_orthanc(settings={"AcceptedTransferSyntaxes": ["1.2.840.10008.1.2.1"]})
    assert found(cstore(strict)) == [(True, "exchange.probe.accepts"), (False, "exchange.probe.accepts_not")]
    assert (orthanc.find(), strict.find()) == ([], [])


@ROUTES
def test_a_damaged_result_is_a_permanent_failure(orthanc, route):
    """It is not even sent."""
    with pytest.raises(PermanentFailure) as caught:
        route(orthanc).send(report()[:200])
    assert caught.value.message.code == "exchange.object.damaged"


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (0x0000, None, None),
        (0x0111, None, None),
        (0xB000, None, None),
        (0xB006, None, None),
        (0xB007, None, None),
        (0xA700, TransientFailure, "no_resources"),
        (0xA7FF, TransientFailure, "no_resources"),
        (0x0110, TransientFailure, "processing"),
        (0x0124, TransientFailure, "not_authorised"),
        (0x0122, PermanentFailure, "class_refused"),
        (0xA900, PermanentFailure, "refused"),
        (0xC000, PermanentFailure, "refused"),
        (0xCFFF, PermanentFailure, "refused"),
        (0x0117, PermanentFailure, "refused"),
    ],
)
def test_every_status_of_a_stored_object_has_its_failure(status, kind, code):
    """PS3.4 B.2.3 and PS3.7 C."""
    failure = store_failure(status)
    assert (type(failure) if failure else None) == kind
    assert (failure and failure.message.code) == (code and f"exchange.object.{code}")


@pytest.mark.parametrize(
    ("source", "reason", "code"),
    [
        (1, 3, "calling_ae_title"),
        (1, 7, "called_ae_title"),
        (3, 1, "busy"),
        (3, 2, "busy"),
        (1, 1, "rejected"),
        (2, 2, "rejected"),
    ],
)
def test_every_rejection_has_its_failure(source, reason, code):
    """PS3.8 9.3.4. Each is transient: the object is not at fault."""
    assert rejection(source, reason).message.code == f"exchange.dicom.{code}"
