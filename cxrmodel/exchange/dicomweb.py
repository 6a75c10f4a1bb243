"""Client of a DICOMweb service (PS3.18): search, retrieve, store.

The bytes of an object are neither decoded nor encoded again on the way. Answers are bounded in time and size. There
are no retries in here: they would block for half a minute while a PACS is down.
"""

import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from email.message import Message as Headers
from typing import Any

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from cxrmodel.configuration.schema import WebAccess
from cxrmodel.configuration.secret import read_secret
from cxrmodel.errors import CxrError, PermanentFailure, TransientFailure
from cxrmodel.exchange.failures import store_failure, web_failure

MOST_BYTES = 256 * 2**20
"""Of one answer."""
PAGE = 100
"""Matches asked for at one time."""
_MOST_PAGES = 10_000
_MOST_TIMES = 20
"""Longest time of a whole answer, in time limits of a single wait."""
_JSON = "application/dicom+json"
_DICOM = 'multipart/related; type="application/dicom"'

STUDY_UID, SERIES_UID, INSTANCE_UID = "0020000D", "0020000E", "00080018"
CLASS_UID, MODALITY, MODALITIES, INSTANCES = "00080016", "00080060", "00080061", "00201208"
_FAILED, _STORED, _REASON = "00081198", "00081199", "00081197"
_REFERENCED_INSTANCE = "00081155"

Match = Mapping[str, Any]
"""A match in the JSON model of DICOM: elements by tag."""


def values_of(match: Match, tag: str) -> list[Any]:
    """Values of an element; empty where it is absent or of another form."""
    element = match.get(tag)
    found = element.get("Value") if isinstance(element, Mapping) else None
    return found if isinstance(found, list) else []


def first_of(match: Match, tag: str) -> str:
    """The first value of an element as a text; empty where there is none."""
    return str(next(iter(values_of(match, tag)), "")).strip()


class InvalidUid(TransientFailure):
    """An object has a UID that is none: nothing else of the server is at fault."""


def uid_of(match: Match, tag: str) -> str:
    """A UID of a match.

    Raises
    ------
    InvalidUid
        When the match has none: it goes into addresses, so that nothing else may pass for one.
    """
    return checked_uid(first_of(match, tag))


def checked_uid(text: str) -> str:
    """A text that is a UID.

    Raises
    ------
    InvalidUid
    """
    if not re.fullmatch(r"[0-9.]{1,64}", text):
        raise InvalidUid("exchange.web.invalid_uid")
    return text


class _Access(AuthBase):
    """Credentials of a request. Their files are read each time, so that a new token counts at once."""

    def __init__(self, settings: WebAccess) -> None:
        self._settings = settings

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._settings.token_file is not None:
            request.headers["Authorization"] = f"Bearer {read_secret(self._settings.token_file)}"
        elif self._settings.username is not None and self._settings.password_file is not None:
            user, password = self._settings.username, read_secret(self._settings.password_file)
            HTTPBasicAuth(user.encode(), password.encode())(request)
        return request


class DicomWeb:
    """Client of one service. Not for several threads.

    Every method raises ``TransientFailure`` or ``PermanentFailure``, and ``SettingError`` where the file of a secret
    cannot be used.

    Parameters
    ----------
    settings : WebAccess
        Address, credentials, certificates, time limit.
    """

    def __init__(self, settings: WebAccess) -> None:
        self._settings = settings
        self._session = requests.Session()
        self._session.trust_env = False  # neither a proxy nor a .netrc decides where images go
        self._session.verify = str(settings.ca_file) if settings.ca_file else True
        self._session.auth = _Access(settings)

    def search(self, path: str, fields: Sequence[str], **query: str) -> Iterator[Match]:
        """Search (QIDO-RS), page by page, until nothing new comes.

        Parameters
        ----------
        path : str
            Below the root: ``/studies``.
        fields : sequence of str
            Tags that each match shall have.
        **query
            Keywords and values to match.
        """
        seen: set[tuple[str, ...]] = set()
        for _ in range(_MOST_PAGES):
            # A server may give fewer matches than asked for, so that a short page does not mean the end.
            offset = {"limit": str(PAGE), "offset": str(len(seen))}
            new = 0
            for match in self.page(path, fields, **query, **offset):
                identity = tuple(first_of(match, tag) for tag in (STUDY_UID, SERIES_UID, INSTANCE_UID))
                if identity not in seen:
                    seen.add(identity)
                    new += 1
                    yield match
            if not new:
                return

    def page(self, path: str, fields: Sequence[str], **query: str) -> list[Match]:
        """One page of a search."""
        # The parameter is repeated for each field: servers ignore a list with commas.
        asked = [*query.items(), *(("includefield", field) for field in fields)]
        body = self.get(self._settings.url + path, {"Accept": _JSON}, asked)
        found = _parsed(body) if body else []
        if not isinstance(found, list) or not all(isinstance(match, dict) for match in found):
            raise TransientFailure("exchange.web.not_dicomweb")
        return found

    def fetch(self, study: str, series: str, instance: str) -> bytes:
        """Retrieve an instance as it is stored (WADO-RS), in its own transfer syntax."""
        place = f"{self._settings.url}/studies/{study}/series/{series}/instances/{instance}"
        headers = {"Accept": f"{_DICOM}; transfer-syntax=*", "Accept-Encoding": "identity"}
        with closing(self._ask("GET", place, headers)) as answer:
            return _only_part(answer.headers.get("Content-Type", ""), self._body(answer))

    def store(self, data: bytes, instance: str) -> None:
        """Store an instance (STOW-RS). One that the server has already counts as stored.

        Parameters
        ----------
        data : bytes
            A DICOM file.
        instance : str
            Its SOP Instance UID.
        """
        boundary = secrets.token_hex(16)
        head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        status, answer = self._post(head + data + f"\r\n--{boundary}--\r\n".encode(), boundary)
        failure = _failure_of(answer, instance, status)
        if failure is not None:
            raise failure

    def try_store(self) -> None:
        """Send a message without any instance: it passes the sign-in and reaches the service, and nothing is stored."""
        boundary = secrets.token_hex(16)
        try:
            self._post(f"--{boundary}--\r\n".encode(), boundary)
        except PermanentFailure as error:
            if error.message.values.get("status") not in (400, 409, 415, 422):
                raise

    def get(self, address: str, headers: Mapping[str, str], query: Sequence[tuple[str, str]] = ()) -> bytes:
        """Body of the answer to a request; empty for "no content"."""
        with closing(self._ask("GET", address, headers, params=list(query))) as answer:
            return self._body(answer)

    def _post(self, body: bytes, boundary: str) -> tuple[int, Match | None]:
        headers = {"Accept": _JSON, "Content-Type": f"{_DICOM}; boundary={boundary}"}
        place = f"{self._settings.url}/studies"
        with closing(self._send("POST", place, headers, data=body)) as answer:
            content = self._body(answer)
            try:
                parsed = _parsed(content)
            except TransientFailure:
                parsed = None
            found = parsed if isinstance(parsed, dict) and {_STORED, _FAILED} & set(parsed) else None
            # A status of failure may come with a list of what failed, and why; that list decides then.
            if found is None and not 200 <= answer.status_code < 300:
                raise web_failure(answer.status_code, answer.headers.get("Retry-After"))
            return answer.status_code, found

    def _ask(self, method: str, address: str, headers: Mapping[str, str], **options: Any) -> requests.Response:
        answer = self._send(method, address, headers, **options)
        if not 200 <= answer.status_code < 300:
            answer.close()
            raise web_failure(answer.status_code, answer.headers.get("Retry-After"))
        return answer

    def _send(self, method: str, address: str, headers: Mapping[str, str], **options: Any) -> requests.Response:
        try:
            return self._session.request(
                method,
                address,
                headers=dict(headers),
                timeout=self._settings.timeout_seconds,
                allow_redirects=False,  # a redirect would carry images or credentials to another place
                stream=True,
                **options,
            )
        except requests.RequestException as error:
            raise _unreachable(error) from error
        except OSError as error:  # a certificate file that is absent
            raise TransientFailure("exchange.web.certificate") from error

    def _body(self, answer: requests.Response) -> bytes:
        end = time.monotonic() + _MOST_TIMES * self._settings.timeout_seconds
        body = bytearray()
        try:
            for chunk in answer.iter_content(2**16):
                body += chunk
                if len(body) > MOST_BYTES:
                    raise PermanentFailure("exchange.web.too_large", limit=MOST_BYTES // 2**20)
                if time.monotonic() > end:
                    raise TransientFailure("exchange.web.timeout")
        except requests.RequestException as error:
            raise _unreachable(error) from error
        stated = answer.headers.get("Content-Length", "")
        if stated.isdigit() and "Content-Encoding" not in answer.headers and len(body) < int(stated):
            raise TransientFailure("exchange.web.unreachable")
        return bytes(body)


def _unreachable(error: requests.RequestException) -> TransientFailure:
    if isinstance(error, requests.exceptions.SSLError):
        return TransientFailure("exchange.web.certificate")
    if isinstance(error, requests.Timeout):
        return TransientFailure("exchange.web.timeout")
    return TransientFailure("exchange.web.unreachable")


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise TransientFailure("exchange.web.not_dicomweb") from error


def _only_part(content_type: str, body: bytes) -> bytes:
    """The first part of a message of several parts (RFC 2046), or a body that is no such message."""
    headers = Headers()
    headers["Content-Type"] = content_type
    if headers.get_content_maintype() != "multipart":
        return body
    mark = b"--" + str(headers.get_param("boundary", "")).encode()
    start = 0 if body.startswith(mark) else body.find(b"\r\n" + mark) + 2
    content = body.find(b"\r\n\r\n", start) + 4
    # The first mark after the content: a boundary is chosen so that it stands nowhere else.
    end = body.find(b"\r\n" + mark, content - 2)
    if len(mark) == 2 or start < 0 or content < 4 or end < 0:
        raise TransientFailure("exchange.web.not_dicomweb")
    return body[content:end]


def _failure_of(answer: Match | None, instance: str, status: int) -> CxrError | None:
    """What the answer to a stored instance says of it; without a list of instances, the status has said it."""
    if answer is None:
        return None
    for item in values_of(answer, _FAILED):
        if first_of(item, _REFERENCED_INSTANCE) in ("", instance):
            reason = first_of(item, _REASON)
            return store_failure(int(reason) if reason.isdigit() else 0xC000)
    if any(first_of(item, _REFERENCED_INSTANCE) == instance for item in values_of(answer, _STORED)):
        return None
    if 200 <= status < 300:
        return TransientFailure("exchange.object.not_confirmed")
    return web_failure(status)
