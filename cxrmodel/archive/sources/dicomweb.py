"""Images of an archive that speaks DICOMweb: a query lists them (QIDO-RS), and each is retrieved (WADO-RS).

DICOM PS3.18, 10.4 (retrieve) and 10.6 (search).
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydicom.datadict import tag_for_keyword

from cxrmodel.archive.sources.patience import patiently
from cxrmodel.archive.sources.source import Fetched, Item, SourceKind
from cxrmodel.errors import DataError, ImageTooLarge, SettingError, SourceUnavailable
from cxrmodel.extras import need
from cxrmodel.imaging.radiograph import MAX_BYTES

if TYPE_CHECKING:
    import requests

_PREFIX = "dicomweb+"
TOKEN, USER, PASSWORD = "CXR_DICOMWEB_TOKEN", "CXR_DICOMWEB_USER", "CXR_DICOMWEB_PASSWORD"
"""Variables of the credentials."""
_PAGE = 1000
_MOST_BYTES_OF_PAGE = 256 * 2**20
_SECONDS = (10, 60)
"""To connect, and between two parts of an answer."""
_CHUNK = 2**18
_FRAMING = 2**16
"""Bytes of an answer beside the image."""
_UIDS = ("0020000D", "0020000E", "00080018")
"""Tags of study, series and instance."""
_UID = re.compile(r"[0-9.]{1,64}")
_IDENTITY = re.compile(
    r"(?i)patient(name|id|birth\w*|address|telephone\w*)|issuer\w*|other\w*|accession\w*|0010(?!1010|0040)\w*|00080050"
)
"""Attributes that identify someone; age and sex do not."""


class DicomWeb:
    """Images that an archive finds for a query.

    Parameters
    ----------
    place : str
        As ``dicomweb_place`` gives it.

    Raises
    ------
    MissingExtra
    """

    def __init__(self, place: str) -> None:
        need("requests", extra="archive")
        parts = urlsplit(place)
        self._host = parts.netloc
        self._base = f"{parts.scheme.removeprefix(_PREFIX)}://{parts.netloc}{parts.path}"
        self._query = parse_qsl(parts.query, keep_blank_values=True)

    def items(self) -> Iterator[Item]:
        """List the images, sorted. Ids are the UIDs of study, series and instance, with slashes between."""
        found: set[str] = set()
        while page := patiently(partial(self._page, len(found)), self._probe):
            known = len(found)
            found.update(page)
            if len(found) == known:
                raise DataError("sources.no_paging", host=self._host)
        yield from map(Item, sorted(found))

    def fetch(self, item: Item) -> Fetched:
        """Retrieve an image as it is stored."""
        return Fetched(patiently(partial(self._instance, item.id), self._probe))

    def _probe(self) -> None:
        self._page(0, 1)

    def _page(self, offset: int, limit: int = _PAGE) -> list[str]:
        query = urlencode([*self._query, ("limit", limit), ("offset", offset)])
        with self._answer(f"/instances?{query}", "application/dicom+json", "sources.no_service") as answer:
            if answer.status_code == 204:
                return []
            content = b"".join(_limited(answer, _MOST_BYTES_OF_PAGE))
        try:
            return ["/".join(_uid(entry, tag) for tag in _UIDS) for entry in json.loads(content)]
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise DataError("sources.bad_answer", host=self._host) from error

    def _instance(self, image: str) -> bytes:
        study, series, instance = image.split("/")
        path = f"/studies/{study}/series/{series}/instances/{instance}"
        accepted = 'multipart/related; type="application/dicom"; transfer-syntax=*'
        with self._answer(path, accepted, "sources.gone_instance") as answer:
            content = b"".join(_limited(answer, MAX_BYTES + _FRAMING))
            kind = answer.headers.get("Content-Type", "")
        data = _part(content, kind) if kind.lower().startswith("multipart/") else content
        if data is None:
            raise SourceUnavailable("sources.cut_off", host=self._host)
        if len(data) > MAX_BYTES:
            raise ImageTooLarge("imaging.too_many_bytes", limit=MAX_BYTES // 2**20)
        return data

    @contextmanager
    def _answer(self, path: str, accepted: str, absent: str) -> "Iterator[requests.Response]":
        """Ask the archive; errors, also of reading the answer, are put into words."""
        import requests

        try:
            with _session().get(
                f"{self._base}{path}", headers={"Accept": accepted}, timeout=_SECONDS, stream=True
            ) as answer:
                self._check(answer.status_code, absent)
                yield answer
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            if isinstance(error, requests.exceptions.SSLError):
                raise DataError("sources.certificate", host=self._host) from error
            raise SourceUnavailable("sources.no_answer", host=self._host) from error
        except requests.RequestException as error:
            reason = type(error).__name__
            raise DataError("sources.request_failed", host=self._host, reason=reason) from error

    def _check(self, status: int, absent: str) -> None:
        if status in (401, 403, 407):
            raise DataError("sources.no_access", host=self._host, variables=f"{TOKEN}, {USER}, {PASSWORD}")
        if status in (404, 410):
            raise DataError(absent, host=self._host)
        if status in (408, 425, 429) or status >= 500:
            raise SourceUnavailable("sources.answers_error", host=self._host, status=status)
        if not 200 <= status < 300:
            raise DataError("sources.refused_request", host=self._host, status=status)


@lru_cache(maxsize=1)
def _session() -> "requests.Session":
    """Connections of this process, with the credentials of its variables; ``.netrc`` is used as by any client."""
    import requests

    session = requests.Session()
    token, user = os.environ.get(TOKEN), os.environ.get(USER)
    if token:
        session.auth = _Bearer(token)
    elif user:
        session.auth = (user, os.environ.get(PASSWORD, ""))
    return session


class _Bearer:
    """Adds a token to requests; as a header of the session it would give way to ``.netrc``."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: "requests.PreparedRequest") -> "requests.PreparedRequest":
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _limited(answer: "requests.Response", most: int) -> Iterator[bytes]:
    read = 0
    for chunk in answer.iter_content(_CHUNK):
        read += len(chunk)
        if read > most:
            raise ImageTooLarge("imaging.too_many_bytes", limit=MAX_BYTES // 2**20)
        yield chunk


def _uid(entry: dict[str, Any], tag: str) -> str:
    uid = entry[tag]["Value"][0]
    if not _UID.fullmatch(uid):
        raise ValueError("no UID")
    return str(uid)


def _part(content: bytes, kind: str) -> bytes | None:
    """Content of the first part of a multipart answer (RFC 2046); None where the end is missing."""
    named = re.search(r'boundary="?([^";,]+)"?', kind, re.IGNORECASE)
    if not named:
        return None
    mark = b"--" + named[1].strip().encode("latin-1")
    _, begin, rest = content.partition(mark)
    _headers, end, body = rest.partition(b"\r\n\r\n")
    data, close, _ = body.partition(b"\r\n" + mark)
    return data if begin and end and close else None


def dicomweb_place(argument: str) -> str:
    """Give the address of a DICOMweb service and the query for its images.

    Parameters
    ----------
    argument : str
        ``dicomweb+https://HOST/PATH?Modality=DX&StudyDate=20240101-20241231``: the service, and attributes that the
        images match.

    Raises
    ------
    SettingError
        When it is none, or would put credentials or identity into manifests.
    """
    parts = urlsplit(argument)
    if not parts.hostname or parts.fragment:
        raise SettingError("sources.dicomweb_address")
    if "@" in parts.netloc:
        raise SettingError("sources.credentials_in_address", variables=f"{USER}, {PASSWORD}")
    query = parse_qsl(parts.query, keep_blank_values=True)
    for name, _ in query:
        if tag_for_keyword(name) is None and not re.fullmatch(r"[0-9A-Fa-f]{8}", name):
            raise SettingError("sources.unknown_attribute", attribute=name)
        if _IDENTITY.fullmatch(name):
            raise SettingError("sources.identity_in_query", attribute=name)
    path, matched = parts.path.rstrip("/"), urlencode(query, safe="/:*")
    return f"{parts.scheme}://{parts.netloc}{path}{'?' if matched else ''}{matched}"


DICOMWEB = SourceKind(
    "dicomweb",
    "dicomweb+https://HOST/PATH?Modality=DX&StudyDate=20240101-20241231, a query of a DICOMweb archive",
    takes=lambda argument: argument.startswith((f"{_PREFIX}http://", f"{_PREFIX}https://")),
    place=dicomweb_place,
    open=DicomWeb,
)
