"""Orthanc's list of changes: which studies have new instances, sooner than a search shows it.

It forgets: a server that was set up anew counts from 1 again, and answers a request for changes after a number that it
has not reached with an empty list. The number of its last change, which it gives too, tells the two apart.
"""

import json
from typing import Any

from cxrmodel.configuration.schema import DicomwebInbox
from cxrmodel.errors import TransientFailure
from cxrmodel.exchange.dicomweb import DicomWeb, InvalidUid, checked_uid

_PAGE = 500
_MOST_PAGES = 20
"""Of one look; a longer list is left to the search."""
_STUDY_UID = "0020-000d"


class FeedReset(Exception):
    """The list no longer continues where it was left. A search finds what it may have lost."""


class ChangeFeed:
    """New instances since the last look.

    Parameters
    ----------
    settings : DicomwebInbox
        With ``changes_url``.
    """

    def __init__(self, settings: DicomwebInbox) -> None:
        self._url, self._web = settings.changes_url, DicomWeb(settings)
        self._since: int | None = None
        self._seen = 0

    def last(self) -> int:
        """Number of the last change."""
        return _number(self._get("/changes?last"), "Last")

    def studies(self) -> list[str]:
        """Study Instance UIDs of the instances that are new, each once; the same again until ``proceed``.

        The first look only notes where the list ends: a search comes first.

        Raises
        ------
        FeedReset
            When changes may have been lost, and once at the first look.
        TransientFailure, PermanentFailure
            When the server cannot be asked.
        """
        if self._since is None:
            self._since = self.last()
            raise FeedReset
        since, instances = self._since, []
        for _ in range(_MOST_PAGES):
            page = self._get(f"/changes?since={since}&limit={_PAGE}")
            last = _number(page, "Last")
            if last < since:
                self._since = None
                raise FeedReset
            changes = page.get("Changes")
            for change in changes if isinstance(changes, list) else []:
                if isinstance(change, dict) and change.get("ChangeType") == "NewInstance":
                    instances.append(str(change.get("ID", "")))
            since = last
            if page.get("Done") is True:
                break
        else:
            self._since = None
            raise FeedReset
        found = {study: None for instance in instances if (study := self._study_of(instance))}
        self._seen = since
        return list(found)

    def proceed(self) -> None:
        """Note that what the last look gave is taken in."""
        if self._since is not None:
            self._since = self._seen

    def _study_of(self, instance: str) -> str | None:
        """Study of an instance; None where it is gone meanwhile."""
        try:
            content = self._web.get(f"{self._url}/instances/{instance}/content/{_STUDY_UID}", {})
        except TransientFailure as error:
            if error.message.code == "exchange.web.not_found":
                return None
            raise
        try:
            return checked_uid(content.decode("ascii", "replace").strip("\0 "))
        except InvalidUid:  # the search records it
            return None

    def _get(self, path: str) -> dict[str, Any]:
        body = self._web.get(f"{self._url}{path}", {"Accept": "application/json"})
        try:
            found = json.loads(body)
        except ValueError as error:
            raise TransientFailure("exchange.web.not_orthanc") from error
        if not isinstance(found, dict):
            raise TransientFailure("exchange.web.not_orthanc")
        return found


def _number(page: dict[str, Any], key: str) -> int:
    found = page.get(key)
    if not isinstance(found, int):
        raise TransientFailure("exchange.web.not_orthanc")
    return found
