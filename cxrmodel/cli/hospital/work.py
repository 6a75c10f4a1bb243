"""The ``work`` command: receive images, read them, and send the results, until it is stopped."""

import argparse
import signal
import threading
from collections.abc import Callable

from cxrmodel.cli.command import Command, Status
from cxrmodel.cli.hospital.config import add_configuration
from cxrmodel.extras import need


def _run(arguments: argparse.Namespace) -> Status:
    for library in ("sqlalchemy", "highdicom", "prometheus_client"):
        need(library, extra="hospital")  # before anything is received
    from cxrmodel import logs
    from cxrmodel.configuration.load import needed_configuration

    configuration = needed_configuration(arguments.config)
    names = [entry.name for entry in (*configuration.inbox.all, *configuration.outbox.all)]
    logs.start(as_json=configuration.log.format == "json", names=names)
    from cxrmodel.imaging.sandbox.pool import start_sandbox

    if configuration.worker.at_once != 0:
        start_sandbox()
    from cxrmodel.work.worker import Worker

    worker = Worker(configuration)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: _stop(worker.stop, number))
    worker.run()
    return Status.DONE


def _stop(stop: Callable[[], None], number: int) -> None:
    """Stop at the first signal; the second ends the process at once."""
    signal.signal(number, signal.SIG_DFL)
    threading.Thread(target=stop, daemon=True).start()  # a handler must not wait for locks of the thread it interrupts


COMMAND = Command(
    "work",
    "read every image that arrives and send the results, as a hospital's configuration says",
    add_configuration,
    _run,
    epilog="It runs until SIGTERM or an interrupt. What is in progress is then finished or given back; a second signal "
    "ends it at once, and loses nothing.",
)
