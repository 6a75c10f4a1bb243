"""Inbox that receives images over the DICOM network: a C-STORE SCP.

Every storage class and every transfer syntax is accepted, and the data set is kept as it was encoded. What is not read
is acknowledged too, so that no sender's queue stops at a CT; the store knows why it was skipped.
"""

import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from weakref import WeakKeyDictionary

from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, _config, evt
from pynetdicom.association import Association
from pynetdicom.events import Event, EventHandlerType
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made when the module is imported
    ComputedRadiographyImageStorage,
    Verification,
)
from pynetdicom.transport import ThreadedAssociationServer

from cxrmodel import logs
from cxrmodel.configuration.schema import ScpInbox
from cxrmodel.errors import CxrError, ImageRefused, TransientFailure
from cxrmodel.exchange.admission import Admission
from cxrmodel.exchange.inbox.inbox import repeat
from cxrmodel.exchange.probe import Probe
from cxrmodel.exchange.tls import server_tls
from cxrmodel.imaging.dicom.dataset import KNOWN, LOSSY, NATIVE
from cxrmodel.messages import Message

MOST_BYTES = 256 * 2**20
"""Of one object."""
LONGEST_PDU = 131_072
"""Bytes of a message that senders are asked to keep to."""
_LONGEST_MESSAGE = 2**20
STORAGE_CLASSES = tuple(str(context.abstract_syntax) for context in AllStoragePresentationContexts)
"""UIDs of the storage classes that are accepted: all of the standard."""


def _preference(uid: str) -> tuple[int, str]:
    first = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
    groups = (first[:1], first[1:], NATIVE, KNOWN - LOSSY, LOSSY)
    return next((rank for rank, group in enumerate(groups) if uid in group), len(groups)), uid


TRANSFER_SYNTAXES = tuple(sorted(KNOWN.union(map(str, ALL_TRANSFER_SYNTAXES)), key=_preference))
"""UIDs of the transfer syntaxes that are accepted, in order of preference.

A sender that offers several ways of encoding in one context is asked for one without compression, else for one without
loss, so that it never compresses with loss for our sake.
"""

SUCCESS, NO_RESOURCES, NO_MATCH, NOT_UNDERSTOOD, PROCESSING = 0x0000, 0xA700, 0xA900, 0xC000, 0x0110
_UNKNOWN_CLASS = 3
"""Result of a presentation context (PS3.8 9.3.3.2)."""
_FINISHING = 10.0
"""Seconds that images in progress have on stopping."""
_GREETING = 10.0
"""Seconds in which a sender that has connected must ask for an association; until then it takes a place."""

# The library's own log quotes what peers send.
_config.LOG_HANDLER_LEVEL = "none"
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)


class StoreScp:
    """Receives images. A sender gets "success" once its image is on disk and has a job.

    Parameters
    ----------
    settings : ScpInbox
    """

    def __init__(self, settings: ScpInbox) -> None:
        self.name, self._settings = settings.name, settings
        self._server: ThreadedAssociationServer | None = None
        self._failure: CxrError | None = None

    def run(self, stop: threading.Event, admission: Admission) -> None:
        """Take images in until ``stop`` is set; see ``Inbox``."""
        try:
            repeat(self.name, admission, stop, 1.0, lambda: self._serve(admission))
        finally:
            self._end()

    def check(self) -> Iterator[Probe]:
        """Try the certificates and the port; where something listens there, whether it is a receiver of this title."""
        try:
            self._tls()
            try:
                self._make_entity().make_server(self._address).server_close()
            except OSError:
                self._call()
                yield Probe(True, Message("exchange.probe.receives", port=self._settings.port))
            else:
                yield Probe(True, Message("exchange.probe.port_free", port=self._settings.port))
        except CxrError as error:
            yield Probe(False, error.message)

    @property
    def _address(self) -> tuple[str, int]:
        return self._settings.host, self._settings.port

    def _serve(self, admission: Admission) -> None:
        """Start the server where it is not running; raise what went wrong since the last round."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if self._server is None:
            handlers = _Handlers(self.name, self._settings, admission, self._note)
            try:
                server = self._make_entity().start_server(
                    self._address, block=False, ssl_context=self._tls(), evt_handlers=handlers.bound
                )
            except OSError as error:
                raise TransientFailure("exchange.dicom.port_taken", port=self._settings.port) from error
            self._server = server
            logs.event("logs.inbox_listens", name=self.name, port=self._settings.port)

    def _note(self, failure: CxrError) -> None:
        self._failure = failure

    def _make_entity(self) -> AE:
        entity = AE(self._settings.ae_title)
        for uid in STORAGE_CLASSES:
            entity.add_supported_context(uid, list(TRANSFER_SYNTAXES))
        entity.add_supported_context(Verification)
        entity.require_called_aet = True
        entity.require_calling_aet = list(self._settings.calling_ae_titles)
        entity.maximum_associations = self._settings.associations
        entity.maximum_pdu_size = LONGEST_PDU
        entity.network_timeout = self._settings.timeout_seconds
        entity.dimse_timeout = self._settings.timeout_seconds
        entity.acse_timeout = min(_GREETING, self._settings.timeout_seconds)
        return entity

    def _tls(self) -> ssl.SSLContext | None:
        certificate, key = self._settings.certificate_file, self._settings.key_file
        return server_tls(certificate, key, self._settings.ca_file) if certificate and key else None

    def _call(self) -> None:
        """Call the receiver on our own port by its AE title.

        Raises
        ------
        TransientFailure
            Something else has the port.
        """
        calling = next(iter(self._settings.calling_ae_titles), "CXRMODEL")
        entity = AE(calling)
        entity.add_requested_context(ComputedRadiographyImageStorage)
        entity.acse_timeout = entity.connection_timeout = entity.network_timeout = 5
        tls = None
        if self._settings.certificate_file:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            tls = (context, self._settings.host)
        called = entity.associate(*self._address, ae_title=self._settings.ae_title, tls_args=tls)
        accepted = called.is_established
        if accepted:
            called.release()
        else:
            raise TransientFailure("exchange.dicom.port_taken", port=self._settings.port)

    def _end(self) -> None:
        """Take no new association; those in progress end by themselves, or by force: their senders send again."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.shutdown()
        end = time.monotonic() + _FINISHING
        while any(one.is_established for one in server.active_associations) and time.monotonic() < end:
            time.sleep(0.05)
        for association in server.active_associations:
            association.abort()


class _Handlers:
    """What happens in an association, on its thread."""

    def __init__(self, name: str, settings: ScpInbox, admission: Admission, note: Callable[[CxrError], None]) -> None:
        self._name, self._settings, self._admission, self._note = name, settings, admission, note
        self._arrived: WeakKeyDictionary[Association, int] = WeakKeyDictionary()

    @property
    def bound(self) -> list[EventHandlerType]:
        """Handlers by event."""
        return [
            (evt.EVT_CONN_OPEN, self.opened),
            (evt.EVT_C_STORE, self.store),
            (evt.EVT_REJECTED, self.rejected),
            (evt.EVT_ACCEPTED, self.accepted),
            (evt.EVT_PDU_RECV, self.count),
            (evt.EVT_CONN_CLOSE, self.closed),
        ]

    def opened(self, event: Event) -> None:
        """Bound what the library does not: the wait within a message, and the length that a message states."""
        connection = event.assoc.dul.socket
        if connection is None or connection.socket is None:
            return
        connection.socket.settimeout(self._settings.timeout_seconds)
        receive = connection.recv

        def bounded(count: int) -> bytearray:
            if count > _LONGEST_MESSAGE:
                raise OSError("a message of this length is none")
            return receive(count)

        connection.recv = bounded  # type: ignore[assignment,method-assign]  # of this connection

    def store(self, event: Event) -> int:
        """Take an object in; the status for its sender."""
        self._arrived[event.assoc] = 0
        try:
            uid = str(event.request.AffectedSOPInstanceUID)  # type: ignore[union-attr]  # of a C-STORE
            self._admission.deliver(event.encoded_dataset(), self._name, expected=uid)
        except ImageRefused as error:
            self._record(error.message)
            return NO_MATCH if error.message.code == "exchange.other_instance" else NOT_UNDERSTOOD
        except CxrError as error:
            self._note(error)
            return NO_RESOURCES
        except Exception as error:  # whatever happens, the sender must not take it for success
            logs.log_failure(error)
            return PROCESSING
        return SUCCESS

    def rejected(self, event: Event) -> None:
        """Record an association that was rejected, and why."""
        asked = event.assoc.requestor.primitive
        calling = self._settings.calling_ae_titles
        if asked is not None and str(asked.called_ae_title).strip() != self._settings.ae_title.strip():
            self._record(Message("exchange.scp.called_ae_title"))
        elif asked is not None and calling and str(asked.calling_ae_title).strip() not in calling:
            self._record(Message("exchange.scp.calling_ae_title"))
        else:
            self._record(Message("exchange.scp.busy", most=self._settings.associations))

    def accepted(self, event: Event) -> None:
        """Record classes for which the sender offered nothing that we take."""
        taken = {context.abstract_syntax for context in event.assoc.accepted_contexts}
        refused = {
            "exchange.scp.unknown_class" if context.result == _UNKNOWN_CLASS else "exchange.scp.unknown_syntax"
            for context in event.assoc.rejected_contexts
            if context.abstract_syntax not in taken
        }
        for code in sorted(refused):
            self._record(Message(code))

    def count(self, event: Event) -> None:
        """End an association that sends an object without end: the library would keep it in memory."""
        if not isinstance(event.pdu, P_DATA_TF):
            return
        arrived = self._arrived.get(event.assoc, 0) + event.pdu.pdu_length
        self._arrived[event.assoc] = arrived
        if arrived > MOST_BYTES:
            self._record(Message("exchange.scp.too_large", limit=MOST_BYTES // 2**20))
            event.assoc.abort()

    @staticmethod
    def closed(event: Event) -> None:
        """Give up the place of a connection that ended before it asked for an association, such as a health check."""
        if event.assoc.requestor.primitive is None:
            event.assoc.dul.to_user_queue.put(None)  # type: ignore[arg-type]  # ends its wait, as a time-out would

    def _record(self, reason: Message) -> None:
        try:
            self._admission.reject(self._name, reason)
        except CxrError as error:
            self._note(error)
