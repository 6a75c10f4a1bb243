"""Shipped files, read only when their checksum is the expected one, and the cores that their networks use."""

import hashlib
import os
from pathlib import Path

import onnxruntime
from threadpoolctl import threadpool_limits

from cxrmodel.errors import AlteredWeights, MissingWeights


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def leave_cores_to_networks() -> None:
    """Limit NumPy's matrix products to the calling thread, from now on and in the whole process.

    The BLAS library shares even small products between threads, which then spin for tens of milliseconds while a
    network runs.
    """
    threadpool_limits(1, user_api="blas")


def read_checked(path: Path, sha256: str) -> bytes:
    """Read a file whose SHA-256 is known.

    Raises
    ------
    MissingWeights
        When it cannot be read.
    AlteredWeights
        When it is another file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MissingWeights("model.missing_file", path=str(path)) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise AlteredWeights("model.altered_file", path=str(path))
    return data


def open_graph(graph: bytes, threads: int = 0) -> onnxruntime.InferenceSession:
    """Open an ONNX graph on the processor, without log output.

    Parameters
    ----------
    graph : bytes
    threads : int
        Threads of a run, including the caller's own; 0 takes one for each core.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    # Threads spin within a run, which saves a tenth of its time, but not after it, when others may want the cores.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
