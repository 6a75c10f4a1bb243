"""Target that results are sent to over the DICOM network: a C-STORE SCU."""

import logging
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO

import pydicom
from pynetdicom import AE, _config, evt
from pynetdicom.association import Association
from pynetdicom.events import Event
from pynetdicom.pdu import A_ASSOCIATE_RJ

from cxrmodel.configuration.schema import CstoreTarget
from cxrmodel.errors import CxrError, PermanentFailure, TransientFailure
from cxrmodel.exchange.failures import rejection, store_failure
from cxrmodel.exchange.probe import Probe
from cxrmodel.exchange.tls import client_tls
from cxrmodel.messages import Message

EXPLICIT, IMPLICIT, JPEG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.50"
_NATIVE = (EXPLICIT, IMPLICIT)
_REPORT, _CAPTURE = "1.2.840.10008.5.1.4.1.1.88.34", "1.2.840.10008.5.1.4.1.1.7"
RESULTS = ((_REPORT, (EXPLICIT,)), (_CAPTURE, (JPEG, EXPLICIT)))
"""Class and usual transfer syntaxes of the result objects: Comprehensive 3D SR, Secondary Capture."""

_config.LOG_HANDLER_LEVEL = "none"
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)


class CStore:
    """Sends each object in an association of its own, in its own transfer syntax. Safe to call from several threads.

    An uncompressed object is also offered in Implicit VR Little Endian, which every server knows.

    Parameters
    ----------
    settings : CstoreTarget
    """

    def __init__(self, settings: CstoreTarget) -> None:
        self.name, self._settings = settings.name, settings

    def send(self, data: bytes) -> None:
        """Store an object; see ``Target``."""
        try:
            dataset = pydicom.dcmread(BytesIO(data))
            kind, syntax = str(dataset.SOPClassUID), str(dataset.file_meta.TransferSyntaxUID)
        except Exception as error:  # the library raises anything on damaged bytes
            raise PermanentFailure("exchange.object.damaged") from error
        with self._associated([(kind, _offered(syntax))]) as association:
            if not association.accepted_contexts:
                raise PermanentFailure("exchange.object.class_refused", status="none")
            try:
                answer = association.send_c_store(dataset)
            except (RuntimeError, ValueError) as error:  # it ended just now, or wants another encoding
                raise TransientFailure("exchange.dicom.unreachable") from error
            if "Status" not in answer:
                raise TransientFailure("exchange.dicom.timeout")
            failure = store_failure(int(answer.Status))
            if failure is not None:
                raise failure

    def check(self) -> Iterator[Probe]:
        """Ask whether the target would store each kind of result in its usual transfer syntaxes."""
        try:
            with self._associated([(kind, [syntax]) for kind, syntaxes in RESULTS for syntax in syntaxes]) as found:
                taken = {(str(one.abstract_syntax), str(one.transfer_syntax[0])) for one in found.accepted_contexts}
            for kind, syntaxes in RESULTS:
                name = Message(f"exchange.result.{'report' if kind == _REPORT else 'capture'}")
                accepted = all((kind, syntax) in taken for syntax in syntaxes)
                code = "exchange.probe.accepts" if accepted else "exchange.probe.accepts_not"
                yield Probe(accepted, Message(code, object=name))
        except CxrError as error:
            yield Probe(False, error.message)

    @contextmanager
    def _associated(self, contexts: Sequence[tuple[str, Sequence[str]]]) -> Iterator[Association]:
        settings = self._settings
        entity = AE(settings.calling_ae_title)
        for kind, syntaxes in contexts:
            entity.add_requested_context(kind, list(syntaxes))
        entity.connection_timeout = entity.acse_timeout = settings.timeout_seconds
        entity.dimse_timeout = entity.network_timeout = settings.timeout_seconds
        rejections: list[A_ASSOCIATE_RJ] = []

        def note(event: Event) -> None:
            if isinstance(event.pdu, A_ASSOCIATE_RJ):
                rejections.append(event.pdu)

        association = entity.associate(
            settings.host,
            settings.port,
            ae_title=settings.called_ae_title,
            tls_args=self._tls(),
            # The association itself takes a rejection that comes at once for a failure to connect.
            evt_handlers=[(evt.EVT_PDU_RECV, note)],
        )
        try:
            if rejections:
                raise rejection(rejections[0].source or 0, rejections[0].reason_diagnostic or 0)
            if not association.is_established and not association.rejected_contexts:
                raise TransientFailure("exchange.dicom.unreachable")
            yield association
        finally:
            if association.is_established:
                association.release()

    def _tls(self) -> tuple[ssl.SSLContext, str] | None:
        settings = self._settings
        if not settings.tls:
            return None
        return client_tls(settings.certificate_file, settings.key_file, settings.ca_file), settings.host


def _offered(syntax: str) -> list[str]:
    return [syntax, *(other for other in _NATIVE if other != syntax)] if syntax in _NATIVE else [syntax]
