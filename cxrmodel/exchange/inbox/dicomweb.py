"""Inbox that asks a PACS for new images over DICOMweb.

A search over the studies of the last days is the truth: it finds whatever any earlier round missed, so that nothing
depends on a message that may be lost. Orthanc's list of changes only makes it faster.
"""

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from cxrmodel.configuration.schema import DicomwebInbox
from cxrmodel.errors import CxrError, ImageRefused, PermanentFailure, TransientFailure
from cxrmodel.exchange import dicomweb
from cxrmodel.exchange.admission import Admission
from cxrmodel.exchange.dicomweb import DicomWeb, InvalidUid, Match, first_of, uid_of, values_of
from cxrmodel.exchange.inbox.changes import ChangeFeed, FeedReset
from cxrmodel.exchange.inbox.inbox import repeat
from cxrmodel.exchange.probe import Probe
from cxrmodel.imaging.dicom.own_results import is_own_uid
from cxrmodel.messages import Message

_WHOLE_SEARCH = 3600.0
"""Seconds after which every study is looked into again, whether its number of instances has changed or not."""
_MOST_ROUNDS = 5
"""Rounds in which an instance cannot be had, while others can, before it is recorded and left."""
_KEYS = 200
"""Instances about which the store is asked at one time."""
_STUDY_FIELDS = (dicomweb.INSTANCES, dicomweb.MODALITIES)
_INSTANCE_FIELDS = (dicomweb.CLASS_UID, dicomweb.MODALITY)
_OF_ONE_INSTANCE = {
    f"exchange.web.{name}" for name in ("server_error", "not_found", "not_dicomweb", "refused", "too_large")
}
"""Failures that may concern one instance alone, as where a server cannot read its own file."""


class DicomwebPoll:
    """Searches, retrieves and hands over what the store does not know yet.

    Parameters
    ----------
    settings : DicomwebInbox
    """

    def __init__(self, settings: DicomwebInbox) -> None:
        self.name, self._settings = settings.name, settings
        self._web = DicomWeb(settings)
        self._feed = ChangeFeed(settings) if settings.changes_url else None
        self._finished: dict[str, str] = {}
        self._unavailable: dict[str, tuple[int, int]] = {}
        self._successes = 0
        self._next_search = self._next_whole = 0.0

    def run(self, stop: threading.Event, admission: Admission) -> None:
        """Take images in until ``stop`` is set; see ``Inbox``."""
        seconds = self._settings.every_seconds
        if self._feed is not None:
            seconds = min(seconds, self._settings.changes_seconds)
        repeat(self.name, admission, stop, seconds, lambda: self.round(stop, admission))

    def round(self, stop: threading.Event, admission: Admission) -> None:
        """Look once: at the list of changes, and at the studies when their time has come.

        Raises
        ------
        CxrError
            When it could not be finished. The next round begins with a search.
        """
        failure: CxrError | None = None
        if self._feed is not None:
            try:
                failure = self._follow(self._feed, stop, admission)
            except FeedReset:
                self._next_search = 0.0
            except CxrError as error:  # the search does not need the list of changes
                self._next_search, failure = 0.0, error
        if time.monotonic() >= self._next_search:
            self._search(stop, admission)
            self._next_search = time.monotonic() + self._settings.every_seconds
        if failure is not None:
            raise failure

    def check(self) -> Iterator[Probe]:
        """Find studies and retrieve an instance; look at the list of changes."""
        try:
            found = self._web.page("/studies", _STUDY_FIELDS, StudyDate=self._dates(), limit="1")
            within = bool(found)
            found = found or self._web.page("/studies", _STUDY_FIELDS, limit="1")
            if not found:
                yield Probe(None, Message("exchange.probe.empty"))
            else:
                code = "exchange.probe.found" if within else "exchange.probe.found_older"
                yield Probe(True, Message(code, days=self._settings.days))
                yield self._fetched(uid_of(found[0], dicomweb.STUDY_UID))
            if self._feed is not None:
                yield Probe(True, Message("exchange.probe.changes", count=self._feed.last()))
        except CxrError as error:
            yield Probe(False, error.message)

    def _fetched(self, study: str) -> Probe:
        for match in self._web.page(f"/studies/{study}/instances", _INSTANCE_FIELDS, limit="1"):
            data = self._web.fetch(study, uid_of(match, dicomweb.SERIES_UID), uid_of(match, dicomweb.INSTANCE_UID))
            return Probe(True, Message("exchange.probe.fetched", kilobytes=-(-len(data) // 1024)))
        return Probe(False, Message("exchange.probe.no_instances"))

    def _dates(self) -> str:
        # The clock of a modality may be a day ahead.
        today = date.today()
        first = today - timedelta(days=self._settings.days - 1)
        return f"{first:%Y%m%d}-{today + timedelta(days=1):%Y%m%d}"

    def _follow(self, feed: ChangeFeed, stop: threading.Event, admission: Admission) -> CxrError | None:
        """Take in what the list of changes names; the failure where single instances could not be had."""
        failure: CxrError | None = None
        for study in feed.studies():
            try:
                self._take_study(study, stop, admission)
            except _InstanceUnavailable as error:
                failure = error.failure
        if failure is None and not stop.is_set():
            feed.proceed()
        return failure

    def _search(self, stop: threading.Event, admission: Admission) -> None:
        if time.monotonic() >= self._next_whole:
            self._finished.clear()
        failure: CxrError | None = None
        listed = set()
        for match in self._web.search("/studies", _STUDY_FIELDS, StudyDate=self._dates()):
            try:
                study = uid_of(match, dicomweb.STUDY_UID)
            except InvalidUid as error:
                self._leave(match, error, admission)
                continue
            instances = first_of(match, dicomweb.INSTANCES)
            listed.add(study)
            if not self._may_hold_wanted(match, admission) or (instances and self._finished.get(study) == instances):
                continue
            try:
                finished = self._take_study(study, stop, admission)
            except _InstanceUnavailable as error:
                failure, finished = error.failure, False
            if stop.is_set():
                return
            if finished:
                self._finished[study] = instances
        self._finished = {study: number for study, number in self._finished.items() if study in listed}
        if failure is not None:
            raise failure
        if time.monotonic() >= self._next_whole:
            self._next_whole = time.monotonic() + _WHOLE_SEARCH

    @staticmethod
    def _may_hold_wanted(match: Match, admission: Admission) -> bool:
        stated = {str(value).upper() for value in values_of(match, dicomweb.MODALITIES)}
        wanted = set(admission.modalities)
        return not stated or not wanted or bool(stated & wanted)

    def _take_study(self, study: str, stop: threading.Event, admission: Admission) -> bool:
        """Take in what is new in a study; whether the whole study was gone through.

        Raises
        ------
        _InstanceUnavailable
            When one or more instances could not be had, after all others were taken in.
        """
        wanted = {}
        for match in self._web.search(f"/studies/{study}/instances", _INSTANCE_FIELDS):
            modality = first_of(match, dicomweb.MODALITY).upper()
            if modality and admission.modalities and modality not in admission.modalities:
                continue
            try:
                instance, series = uid_of(match, dicomweb.INSTANCE_UID), uid_of(match, dicomweb.SERIES_UID)
            except InvalidUid as error:
                self._leave(match, error, admission)
                continue
            if not is_own_uid(instance):
                wanted[instance] = series
        new = [instance for batch in _batches(list(wanted)) for instance in _unknown(batch, admission)]
        unavailable: CxrError | None = None
        for instance in new:
            if stop.is_set():
                return False
            unavailable = self._take(study, wanted[instance], instance, admission) or unavailable
        if unavailable is not None:
            raise _InstanceUnavailable(unavailable)
        return True

    def _leave(self, match: Match, error: InvalidUid, admission: Admission) -> None:
        """Record once what cannot be asked for, so that it keeps nothing else out."""
        named = (dicomweb.STUDY_UID, dicomweb.SERIES_UID, dicomweb.INSTANCE_UID)
        text = "\n".join(first_of(match, tag) for tag in named)
        key = f"sha256:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"
        if not admission.known([key]):
            admission.skip(key, self.name, error.message)

    def _take(self, study: str, series: str, instance: str, admission: Admission) -> CxrError | None:
        """Take one instance in; the failure where it alone cannot be had, to be tried again in the next round."""
        try:
            admission.deliver(self._web.fetch(study, series, instance), self.name, expected=instance)
        except (TransientFailure, PermanentFailure, ImageRefused) as error:
            if not isinstance(error, ImageRefused) and error.message.code not in _OF_ONE_INSTANCE:
                raise
            if not self._gives_up(instance):
                return error
            admission.skip(instance, self.name, error.message)
        else:
            self._successes += 1
        self._unavailable.pop(instance, None)
        return None

    def _gives_up(self, instance: str) -> bool:
        """Whether an instance has failed often enough. A failure counts when the server gave others since the last."""
        rounds, successes = self._unavailable.get(instance, (0, self._successes))
        if self._successes > successes:
            rounds += 1
        self._unavailable[instance] = (rounds, self._successes)
        return rounds >= _MOST_ROUNDS


class _InstanceUnavailable(Exception):
    """One or more instances of a study could not be had."""

    def __init__(self, failure: CxrError) -> None:
        super().__init__()
        self.failure = failure


def _batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(keys), _KEYS):
        yield keys[first : first + _KEYS]


def _unknown(keys: Sequence[str], admission: Admission) -> list[str]:
    known = admission.known(keys)
    return [key for key in keys if key not in known]
