"""Objects of S3-compatible buckets, through ``pyarrow.fs``.

Credentials come from the usual variables and files of AWS, never from an address: addresses end up in manifests.
"""

import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from cxrmodel.archive.sources.patience import patiently
from cxrmodel.archive.sources.source import Fetched
from cxrmodel.archive.sources.storage import Answer, StoredFile
from cxrmodel.errors import CxrError, DataError, ImageTooLarge, SettingError, SourceUnavailable
from cxrmodel.extras import need
from cxrmodel.imaging.radiograph import MAX_BYTES

if TYPE_CHECKING:
    from pyarrow import NativeFile, fs

SCHEME = "s3"
_OPTIONS = ("endpoint_override", "region", "scheme", "anonymous")
"""Parameters of an address, named as by ``pyarrow.fs.S3FileSystem``."""
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_VARIABLES = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"
_CONNECT_SECONDS, _REQUEST_SECONDS = 10, 60
_READS = 3
"""Attempts at an object that changes while it is read."""
_CODE = re.compile(r"AWS Error ([A-Z_]+)(?: \(HTTP status (\d+)\))?")
_PASSING = frozenset(
    ["INTERNAL_FAILURE", "NETWORK_CONNECTION", "REQUEST_TIMEOUT", "SERVICE_UNAVAILABLE", "SLOW_DOWN", "THROTTLING"]
)
_WORDS = {
    "ACCESS_DENIED": "denied",
    "NO_SUCH_BUCKET": "no_bucket",
    "NO_SUCH_KEY": "file_gone",
    "RESOURCE_NOT_FOUND": "file_gone",
} | dict.fromkeys(
    [
        "EXPIRED_TOKEN",
        "INCOMPLETE_SIGNATURE",
        "INVALID_ACCESS_KEY_ID",
        "INVALID_CLIENT_TOKEN_ID",
        "INVALID_SIGNATURE",
        "MISSING_AUTHENTICATION_TOKEN",
        "REQUEST_EXPIRED",
        "REQUEST_TIME_TOO_SKEWED",
        "SIGNATURE_DOES_NOT_MATCH",
        "UNRECOGNIZED_CLIENT",
    ],
    "credentials",
)
"""Last part of the message code for an error of the server."""


class Bucket:
    """The objects of a bucket whose keys begin with a prefix.

    Parameters
    ----------
    place : str
        As ``bucket_place`` gives it.

    Raises
    ------
    MissingExtra
    """

    def __init__(self, place: str) -> None:
        need("pyarrow.fs", extra="archive")
        parts = urlsplit(place)
        self._bucket, self._prefix = parts.netloc, parts.path.strip("/")
        self._filesystem = _filesystem(**dict(parse_qsl(parts.query)))

    def files(self) -> Iterator[StoredFile]:
        """List the objects, sorted by their keys, which are their names."""
        from pyarrow import fs

        found = self.ask(self._listed, "sources.nothing")
        for info in sorted(found, key=lambda info: cast(str, info.path)):
            key = info.path.removeprefix(f"{self._bucket}/")
            below = key.removeprefix(self._prefix).split("/")
            if info.type == fs.FileType.File and not any(part.startswith(".") for part in below):
                yield _seen(key, info.size, info.mtime_ns // 10**6)

    def look(self, name: str) -> StoredFile:
        """See what stands there now."""
        return self.ask(lambda: _state(name, self.open(name)))

    def fetch(self, name: str) -> Fetched:
        """Read a whole object."""
        data, seen = self.ask(lambda: self._read(name))
        return Fetched(data, seen.modified, seen.version)

    def open(self, name: str) -> "NativeFile":
        """Open an object for reading from any place."""
        return self._filesystem.open_input_file(f"{self._bucket}/{name}")

    def ask(self, ask: Callable[[], Answer], absent: str = "sources.file_gone") -> Answer:
        """Call a function that asks the server."""

        def explained() -> Answer:
            try:
                return ask()
            except FileNotFoundError as error:
                raise DataError(absent, place=f"{self._bucket}/{self._prefix}") from error
            except OSError as error:
                raise self._of_server(error) from error

        return patiently(explained, self._probe)

    def _probe(self) -> None:
        try:
            self._filesystem.get_file_info(self._bucket)
        except OSError as error:
            raise self._of_server(error) from error

    def _listed(self) -> "list[fs.FileInfo]":
        from pyarrow import fs

        root = f"{self._bucket}/{self._prefix}".rstrip("/")
        try:  # first, as a server explains only the errors of a listing
            return cast("list[fs.FileInfo]", self._filesystem.get_file_info(fs.FileSelector(root, recursive=True)))
        except FileNotFoundError:
            info = self._filesystem.get_file_info(root)
            if info.type != fs.FileType.File:
                raise
            return [info]

    def _read(self, name: str) -> tuple[bytes, StoredFile]:
        for _ in range(_READS):
            with self.open(name) as file:
                seen, tags = _state(name, file), file.metadata()
                if file.size() > MAX_BYTES:
                    raise ImageTooLarge("imaging.too_many_bytes", limit=MAX_BYTES // 2**20)
                data = file.read(file.size())
            with self.open(name) as file:
                if file.metadata() == tags and len(data) == seen.size:
                    return data, seen
        raise DataError("sources.changing")

    def _of_server(self, error: OSError) -> CxrError:
        """Put an error of the library into words; its own text may quote what is private."""
        found = _CODE.search(str(error))
        code, status = (found[1], int(found[2] or 0)) if found else (type(error).__name__, 0)
        if code in _PASSING or status >= 500:
            return SourceUnavailable("sources.bucket_unavailable", bucket=self._bucket, reason=code)
        values = {"bucket": self._bucket, "variables": _VARIABLES, "reason": code}
        words = _WORDS.get(code, "other_region" if "configured region" in str(error) else "bucket_failed")
        return DataError(f"sources.{words}", **values)


def bucket_place(argument: str) -> str:
    """Give the address of a bucket with everything that every process needs to reach it.

    Parameters
    ----------
    argument : str
        ``s3://BUCKET/PREFIX``, with ``region``, ``endpoint_override``, ``scheme`` (``http`` or ``https``) and
        ``anonymous=true`` as parameters. The endpoint may also stand in ``AWS_ENDPOINT_URL``.

    Raises
    ------
    SettingError
        When a parameter is unknown, or the address holds credentials.
    """
    parts = urlsplit(argument)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not parts.netloc or not set(options) <= set(_OPTIONS):
        raise SettingError("sources.bucket_address", options=_OPTIONS)
    endpoint = options.get("endpoint_override") or next(filter(None, map(os.environ.get, _ENDPOINTS)), None)
    if endpoint:
        options["endpoint_override"] = endpoint
    if any("@" in text for text in (parts.netloc, endpoint or "")):
        raise SettingError("sources.credentials_in_address", variables=_VARIABLES)
    query = urlencode(sorted(options.items()), safe="/:")
    return f"{SCHEME}://{parts.netloc}/{parts.path.strip('/')}{'?' if query else ''}{query}"


@lru_cache(maxsize=8)
def _filesystem(
    endpoint_override: str | None = None, scheme: str | None = None, region: str | None = None, anonymous: str = ""
) -> "fs.S3FileSystem":
    """Connect to buckets. The library itself tries once: ``patiently`` waits, and ends in time."""
    from pyarrow import fs

    return fs.S3FileSystem(
        endpoint_override=endpoint_override,
        scheme=scheme,
        region=region,
        anonymous=anonymous == "true",
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_REQUEST_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=1),
    )


def _state(name: str, file: "NativeFile") -> StoredFile:
    """State of an open object, as a listing gives it."""
    changed = datetime.fromisoformat(cast(Any, file.metadata())["Last-Modified"].decode())
    return _seen(name, file.size(), round(changed.timestamp() * 1000))


def _seen(name: str, size: int, modified: int) -> StoredFile:
    return StoredFile(name, size, modified, f"{size}-{modified}")
