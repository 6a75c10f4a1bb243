"""The inbox for each kind of entry in the configuration."""

from cxrmodel.configuration.schema import DicomwebInbox, FolderInbox, ScpInbox
from cxrmodel.exchange.inbox.inbox import Inbox
from cxrmodel.extras import need


def make_inbox(settings: DicomwebInbox | ScpInbox | FolderInbox) -> Inbox:
    """Make the inbox of an entry of the configuration. It does nothing before ``run`` or ``check``.

    Raises
    ------
    MissingExtra
        When the library that it needs is not installed.
    """
    match settings:
        case DicomwebInbox():
            need("requests", "hospital")
            from cxrmodel.exchange.inbox.dicomweb import DicomwebPoll

            return DicomwebPoll(settings)
        case ScpInbox():
            need("pynetdicom", "hospital")
            from cxrmodel.exchange.inbox.scp import StoreScp

            return StoreScp(settings)
        case FolderInbox():
            from cxrmodel.exchange.inbox.folder import WatchedFolder

            return WatchedFolder(settings)
