"""Which answers of a server are failures, and whether the same request may succeed later.

A failure is permanent when the server refuses this very object. Everything that concerns the connection, the server or
our access to it is transient: somebody repairs it, and then nothing may be lost.

Sources: PS3.18 10.5.3 (STOW-RS), PS3.4 B.2.3 (C-STORE), PS3.7 C (general statuses), PS3.8 9.3.4 (rejections).
"""

from email.utils import parsedate_to_datetime
from time import time

from cxrmodel.errors import CxrError, PermanentFailure, TransientFailure

DUPLICATE = 0x0111
"""Status of a DICOM message: the server has an object of this UID already."""
_LONGEST_RETRY_AFTER = 3600.0

_BY_STATUS = {
    401: "exchange.web.unauthorised",
    403: "exchange.web.forbidden",
    404: "exchange.web.not_found",
    407: "exchange.web.unauthorised",
    429: "exchange.web.busy",
    503: "exchange.web.busy",
}
_LATER = {408, 425}


def web_failure(status: int, retry_after: str | None = None) -> CxrError:
    """The failure that an HTTP status means.

    Parameters
    ----------
    status : int
        Not 2xx.
    retry_after : str, optional
        The header of that name: seconds, or a date.

    Returns
    -------
    TransientFailure or PermanentFailure
    """
    if status in _BY_STATUS:
        failure = TransientFailure(_BY_STATUS[status])
        failure.retry_after = _seconds(retry_after)
        return failure
    if status >= 500 or status in _LATER:
        return TransientFailure("exchange.web.server_error", status=status)
    if 300 <= status < 400:
        return TransientFailure("exchange.web.redirected")
    return PermanentFailure("exchange.web.refused", status=status)


def store_failure(status: int) -> CxrError | None:
    """The failure that the status of a stored instance means, by C-STORE or as a Failure Reason of STOW-RS.

    Parameters
    ----------
    status : int
        0x0000 to 0xFFFF.

    Returns
    -------
    TransientFailure, PermanentFailure or None
        None for success: warnings, and an object that is there already, count as such.
    """
    if status in (0x0000, 0x0001, 0x0107, 0x0116, DUPLICATE) or 0xB000 <= status <= 0xBFFF:
        return None
    shown = f"{status:04X}"
    if 0xA700 <= status <= 0xA7FF:
        return TransientFailure("exchange.object.no_resources", status=shown)
    if status == 0x0124:
        return TransientFailure("exchange.object.not_authorised", status=shown)
    if status in (0x0110, 0x0212, 0xFE00):
        return TransientFailure("exchange.object.processing", status=shown)
    if status in (0x0122, 0x0112):
        return PermanentFailure("exchange.object.class_refused", status=shown)
    return PermanentFailure("exchange.object.refused", status=shown)


_BY_REJECTION = {
    (1, 3): "exchange.dicom.calling_ae_title",
    (1, 7): "exchange.dicom.called_ae_title",
    (3, 1): "exchange.dicom.busy",
    (3, 2): "exchange.dicom.busy",
}


def rejection(source: int, reason: int) -> TransientFailure:
    """The failure that a rejected association means.

    Parameters
    ----------
    source, reason : int
        As in the A-ASSOCIATE-RJ.
    """
    return TransientFailure(_BY_REJECTION.get((source, reason), "exchange.dicom.rejected"))


def _seconds(header: str | None) -> float | None:
    if header is None:
        return None
    try:
        found = float(header) if header.strip().isdigit() else parsedate_to_datetime(header).timestamp() - time()
    except (ValueError, OverflowError):
        return None
    return min(max(found, 0.0), _LONGEST_RETRY_AFTER)
