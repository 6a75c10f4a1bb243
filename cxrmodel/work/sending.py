"""Sending: the results that wait for one target, one after the other, until it has them or they are given up."""

from collections.abc import Callable
from logging import WARNING

from cxrmodel import logs
from cxrmodel.configuration.schema import OutboxSection
from cxrmodel.errors import CxrError, PermanentFailure, SettingError, StoreError, StoreUnavailable, TransientFailure
from cxrmodel.exchange.outbox.targets import Target
from cxrmodel.store.records import Delivery
from cxrmodel.work.shared import POLL_SECONDS, UNEXPECTED, Shared
from cxrmodel.work.waiting import BackOff, Outage


class Sending:
    """The part of a worker that sends to one target.

    Parameters
    ----------
    shared : Shared
    target : Target
    settings : OutboxSection
    """

    def __init__(self, shared: Shared, target: Target, settings: OutboxSection) -> None:
        self._shared, self._store, self._bell = shared, shared.store, shared.bell
        self._target, self._settings = target, settings
        self._back_off = BackOff(settings.retry_seconds, settings.longest_retry_seconds)
        self._outage = Outage(self._target_changed)
        self._failures = 0

    def run(self) -> None:
        """Send until the bell stops. While the target or the store is down, everything waits."""
        while not self._bell.stopped:
            rung = self._bell.rung
            try:
                working = self._next()
            except Exception as error:
                if not isinstance(error, StoreError):
                    logs.log_failure(error)
                working = False
            if working is None:
                self._bell.wait(POLL_SECONDS, rung)
            elif working:
                self._failures = 0
            else:
                self._failures += 1
                self._bell.rest(self._back_off.seconds(self._failures))

    def _next(self) -> bool | None:
        """Send the next result: as `send`; None where there is none."""
        delivery = self._store.lease_delivery(self._shared.worker, self._target.name, self._shared.leases.seconds)
        if delivery is None:
            return None
        with self._shared.leases.held(delivery):
            return self.send(delivery)

    def send(self, delivery: Delivery) -> bool:
        """Send one result, whatever comes of it; False where neither target nor store was at its service."""
        try:
            with self._shared.timed("deliver"):
                self._target.send(delivery.object.data)
        except (TransientFailure, SettingError) as error:
            self._outage.begins(error.message.code)
            self._count("retried")
            asked = error.retry_after if isinstance(error, TransientFailure) else None
            wait = asked or self._back_off.seconds(self._failures + 1)
            code = error.message.code
            self._settle(lambda: self._store.redeliver(delivery, code, wait, counted=False))
            return False
        except PermanentFailure as error:
            self._refused(delivery, error.message.code)
        except Exception as error:
            logs.log_failure(error)
            self._refused(delivery, error.message.code if isinstance(error, CxrError) else UNEXPECTED)
        else:
            return self._sent(delivery)
        self._outage.ends()
        return True

    def _sent(self, delivery: Delivery) -> bool:
        """Note that the target has a result; while the store is down, try again, so that it is not sent twice."""
        self._outage.ends()
        attempt = 0
        while True:
            try:
                self._store.delivered(delivery)
            except StoreUnavailable:
                attempt += 1
                if self._bell.stopped:
                    return False
                self._bell.rest(self._back_off.seconds(attempt))
            else:
                self._count("delivered")
                logs.event("logs.sent", delivery=delivery.id, name=self._target.name, kind=delivery.object.kind)
                return True

    def _refused(self, delivery: Delivery, code: str) -> None:
        values = {"delivery": delivery.id, "name": self._target.name, "cause": code, "tries": delivery.tries}
        if delivery.tries >= self._settings.tries:
            self._count("dead")
            logs.event("logs.dead_letter", WARNING, **values)
            self._settle(lambda: self._store.dead(delivery, code))
        else:
            wait = self._back_off.seconds(delivery.tries)
            self._count("retried")
            logs.event("logs.not_taken", WARNING, seconds=round(wait, 1), **values)
            self._settle(lambda: self._store.redeliver(delivery, code, wait, counted=True))

    def _settle(self, change: Callable[[], object]) -> None:
        """Change a delivery where the store can; where not, its lease ends and it is sent again."""
        try:
            change()
        except StoreError as error:
            logs.event("logs.trouble", WARNING, cause=error.message.code)

    def _count(self, outcome: str) -> None:
        self._shared.metrics.delivery(self._target.name, outcome)

    def _target_changed(self, cause: str | None) -> None:
        if cause is None:
            logs.event("logs.target_back", name=self._target.name)
        else:
            logs.event("logs.target_down", WARNING, name=self._target.name, cause=cause)
