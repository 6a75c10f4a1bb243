"""Join a Ray cluster, or start one on this machine, for the time of a run."""

import logging
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

from cxrmodel.archive.tasks import Settings
from cxrmodel.artefacts import cores
from cxrmodel.errors import ClusterError
from cxrmodel.extras import need

if TYPE_CHECKING:
    from cxrmodel.archive.cluster.runner import ClusterRunner

REACH_SECONDS = 5.0
"""After which a machine that does not answer cannot be reached."""
ANSWER_SECONDS = 30.0
"""After which a machine that answers, but not as the head of a cluster, is none."""
STARTS = 3
"""How often to try to start a cluster: a part of Ray that takes more than 30 seconds makes it fail."""
STORE_BYTES = 256 * 2**20
"""Shared memory of a cluster that is started here: results on their way, as images are read where they lie."""
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is reported to anyone
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else Ray warns of a future default
}
"""Of Ray, which reads it when it is imported."""
LOCAL_ENVIRONMENT = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # the way to listen on 127.0.0.1 alone
    "RAY_worker_niceness": "0",  # as fast as without Ray
}
"""Of a cluster that is started here."""


@contextmanager
def on_cluster(settings: Settings) -> "Iterator[ClusterRunner]":
    """Give a runner that scores on a cluster: the one at ``RAY_ADDRESS``, else one that is started on this machine.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    MissingExtra
        When Ray is not installed.
    ClusterError
        When the cluster cannot be reached or joined.
    """
    address = os.environ.get("RAY_ADDRESS", "").strip()
    local = address in ("", "local")
    os.environ.update(ENVIRONMENT | (LOCAL_ENVIRONMENT if local else {}))
    ray = need("ray", "archive")
    logging.getLogger("ray._private.authentication").setLevel(logging.ERROR)  # it tells that it makes a token
    if not local:
        _check_reachable(address)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cxrmodel-", ignore_cleanup_errors=True))
        stack.enter_context(redirect_stdout(stack.enter_context(open(os.devnull, "w"))))  # where Ray tells of workers
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if local:
            options |= {
                "address": "local",
                "num_cpus": cores(),
                "include_dashboard": False,
                "object_store_memory": STORE_BYTES,
                "_temp_dir": folder,
            }
        stack.callback(ray.shutdown)
        for left in reversed(range(STARTS)):
            try:
                ray.init(**options)
                break
            except Exception as error:  # Ray raises its own and all of the built-in ones
                ray.shutdown()
                if local and left:
                    continue
                code = "archive.cluster.not_started" if local else "archive.cluster.not_joined"
                raise ClusterError(code, address=address, reason=type(error).__name__) from error
        from cxrmodel.archive.cluster.runner import ClusterRunner

        try:
            yield ClusterRunner(settings)
        except ray.exceptions.RayError as error:
            raise ClusterError("archive.cluster.lost", reason=type(error).__name__) from error


def _check_reachable(address: str) -> None:
    """Refuse an address where no cluster answers; Ray itself would wait for minutes, or end this process.

    Raises
    ------
    ClusterError
    """
    if "://" in address:
        raise ClusterError("archive.cluster.client_address", address=address)
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check"]
    if address != "auto":
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS).close()
        except (OSError, ValueError, OverflowError) as error:
            raise ClusterError("archive.cluster.unreachable", address=address) from error
        command += ["--address", address]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=ANSWER_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ClusterError("archive.cluster.unreachable", address=address) from error
    if answer.returncode:
        raise ClusterError("archive.cluster.unreachable", address=address)
