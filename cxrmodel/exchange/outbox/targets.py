"""The target for each kind of entry in the configuration."""

from collections.abc import Iterator
from typing import Protocol

from cxrmodel.configuration.schema import CstoreTarget, StowTarget
from cxrmodel.exchange.probe import Probe
from cxrmodel.extras import need


class Target(Protocol):
    """One place where results go."""

    @property
    def name(self) -> str:
        """As in the configuration."""
        ...

    def send(self, data: bytes) -> None:
        """Store an object. An object that is there already counts as stored, so that sending twice does no harm.

        Parameters
        ----------
        data : bytes
            A DICOM file.

        Raises
        ------
        TransientFailure
            The target, the connection or our access to it is at fault.
        PermanentFailure
            The target refuses this object.
        SettingError
            A certificate, or the file of a secret, cannot be used.
        """
        ...

    def check(self) -> Iterator[Probe]:
        """Try whether the target would store results. Stores nothing."""
        ...


def make_target(settings: StowTarget | CstoreTarget) -> Target:
    """Make the target of an entry of the configuration. It does nothing before ``send`` or ``check``.

    Raises
    ------
    MissingExtra
        When the library that it needs is not installed.
    """
    match settings:
        case StowTarget():
            need("requests", "hospital")
            from cxrmodel.exchange.outbox.stow import Stow

            return Stow(settings)
        case CstoreTarget():
            need("pynetdicom", "hospital")
            from cxrmodel.exchange.outbox.cstore import CStore

            return CStore(settings)
