"""Target that results are stored in over DICOMweb (STOW-RS)."""

import threading
from collections.abc import Iterator

from cxrmodel.configuration.schema import StowTarget
from cxrmodel.errors import CxrError, PermanentFailure
from cxrmodel.exchange.dicomweb import DicomWeb
from cxrmodel.exchange.probe import Probe
from cxrmodel.imaging.dicom.dataset import open_data_set
from cxrmodel.messages import Message


class Stow:
    """Stores objects, byte for byte, and believes only what the answer says of each. Safe to call from several threads.

    Parameters
    ----------
    settings : StowTarget
    """

    def __init__(self, settings: StowTarget) -> None:
        self.name = settings.name
        self._settings, self._local = settings, threading.local()

    def send(self, data: bytes) -> None:
        """Store an object; see ``Target``."""
        try:
            instance = open_data_set(data).text("SOPInstanceUID")
        except Exception as error:  # the library raises anything on damaged bytes
            raise PermanentFailure("exchange.object.damaged") from error
        if not instance:
            raise PermanentFailure("exchange.object.damaged")
        self._web.store(data, instance)

    def check(self) -> Iterator[Probe]:
        """Send a message without an object: it passes the sign-in and reaches the service."""
        try:
            self._web.try_store()
            yield Probe(True, Message("exchange.probe.stores"))
        except CxrError as error:
            yield Probe(False, error.message)

    @property
    def _web(self) -> DicomWeb:
        if not hasattr(self._local, "web"):
            self._local.web = DicomWeb(self._settings)
        return self._local.web  # type: ignore[no-any-return]  # a thread's own has no type
