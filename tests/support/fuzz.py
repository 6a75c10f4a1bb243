"""Feed damaged files with hostile names to the reader, in supervised processes: ``python -m tests.support.fuzz``.

Each input must end in a radiograph or a refusal, within bounds of time and memory, with no warning and no patient data
on standard output or standard error. Decoders in C may report corrupt data there: this is counted and allowed. Inputs
that show a fault are written to the folder given by ``--keep``, and the exit status is 1.
"""

import argparse
import importlib
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.support.dicom_files import IDENTIFIERS
from tests.support.hostile import is_contained
from tests.support.mutations import frames, hostile_name, mutated, seeds, wrapped

SECONDS = 20.0
"""Bound of one input, in seconds of the processor."""
PATIENCE = 180.0
"""Seconds by the clock after which a process is killed, as it may wait for ever."""
MEGABYTES = 3_000
"""Bound of a process with its libraries."""
BATCH = 250
"""Inputs of one process."""


@dataclass
class Result:
    """Results of many inputs."""

    inputs: int = 0
    read: int = 0
    refused: Counter = field(default_factory=Counter)
    over_a_second: int = 0
    slowest: float = 0.0
    slowest_input: int = -1
    peak_megabytes: float = 0.0
    with_output: int = 0
    faults: list = field(default_factory=list)


class Inputs:
    """Damaged files, reproducible by seed and number.

    A third of them are valid DICOM images around damaged compressed pixels, the rest damaged whole files.

    Parameters
    ----------
    seed : int
    only : str
        Damage only the files whose names hold this.
    """

    def __init__(self, seed: int, only: str = ""):
        self._seed = seed
        self._files = [data for name, data in seeds().items() if only in name]
        self._frames = [(name, frame) for name, frame in frames().items() if only in f"DICOM {name}"]

    def __getitem__(self, number: int) -> bytes:
        rng = np.random.default_rng([self._seed, number])
        if self._frames and rng.random() < 1 / 3:
            name, frame = self._frames[rng.integers(len(self._frames))]
            return wrapped(mutated(rng, [frame]), name)
        return mutated(rng, self._files)

    def name(self, number: int) -> str:
        """Give the file's name."""
        return hostile_name(np.random.default_rng([self._seed, number, 1]))


def _read(data: bytes, file: str) -> str:
    """Read one input and check the result; return the name of the refusal, or "" where it was read."""
    from cxrmodel import sinks
    from cxrmodel.errors import ImageRefused
    from cxrmodel.imaging.radiograph import read_radiograph

    if not is_contained(sinks.label(file)) or not is_contained(sinks.terminal(file)):
        raise ValueError("a name reaches outside itself")
    if sinks.from_cell(sinks.cell(sinks.storable(file))) != sinks.storable(file):
        raise ValueError("a name is changed by the table")
    json.loads(sinks.json_line({"file": sinks.storable(file)}))
    try:
        image = read_radiograph(data, file)
    except ImageRefused as refusal:
        name, sentence = type(refusal).__name__, str(refusal)
    else:
        name, sentence = "", "."
        pixels = image.pixels
        if image.name != file:
            raise ValueError("the name was changed")
        if pixels.ndim != 2 or pixels.dtype != np.float32 or not (pixels.min() >= 0 and pixels.max() <= 1):
            raise ValueError("no valid radiograph")
    if not sentence.endswith("."):
        raise ValueError("a refusal is a sentence")
    return name


# Output of Python and data of the patient; decoders in C print neither.
_FORBIDDEN = (b"Warning", b"Traceback", b"Error:", b"DOE^", *(word.encode() for word in IDENTIFIERS))


def _work(seed: int, only: str, numbers: list[int], folder: str, pipe) -> None:
    """Read inputs one after the other, and report to the supervisor before and after each."""
    streams = Path(folder) / f"said-{os.getpid()}"
    with streams.open("wb") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    inputs, said = Inputs(seed, only), 0
    importlib.import_module("cxrmodel.imaging.radiograph")
    for number in numbers:
        data = inputs[number]
        pipe.send(("start", number, None))
        start, fault = time.process_time(), ""
        try:
            name = _read(data, inputs.name(number))
        except BaseException as error:
            name, fault = "", f"{type(error).__name__} instead of a refusal"
        seconds = time.process_time() - start
        sys.stdout.flush()
        sys.stderr.flush()
        words = streams.read_bytes()[said:]
        said += len(words)
        if any(word in words for word in _FORBIDDEN):
            fault = fault or f"said {words[:200]!r}"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pipe.send(("done", number, (name, seconds, peak, bool(words), fault)))
    streams.unlink()


def _watch(seed: int, only: str, numbers: list[int], folder: str, result: Result) -> list[int]:
    """Run a process over inputs until it ends or must be killed; return the remaining inputs."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(seed, only, numbers, folder, theirs), daemon=True)
    process.start()
    theirs.close()
    done, current, fault = 0, None, ""
    while done < len(numbers):
        try:
            if not ours.poll(PATIENCE + (60 if current is None else 0)):
                fault = f"took more than {PATIENCE:g} seconds by the clock"
                break
            kind, current, outcome = ours.recv()
        except EOFError:
            process.join()
            fault = f"the process died with status {process.exitcode}"
            break
        if kind == "start":
            continue
        name, seconds, peak, with_output, said = outcome
        done += 1
        result.inputs += 1
        result.with_output += with_output
        result.read += not name and not said
        result.refused.update([name] if name else [])
        result.peak_megabytes = max(result.peak_megabytes, peak)
        result.over_a_second += seconds > 1
        if seconds > result.slowest:
            result.slowest, result.slowest_input = seconds, current
        if said or seconds > SECONDS or peak > MEGABYTES:
            result.faults.append((current, said or f"{seconds:.1f} s, {peak:.0f} MB"))
        if peak > MEGABYTES:
            break  # the peak is of the process, and would count for every later input
    if fault:
        result.inputs += 1
        result.faults.append((numbers[done], fault))
        done += 1
    process.kill()
    process.join()
    return numbers[done:]


def fuzz(inputs: int, seed: int = 0, only: str = "", progress=None) -> Result:
    """Read damaged files and collect the results.

    Parameters
    ----------
    inputs : int
    seed : int
    only : str
        Damage only the files whose names hold this.
    progress : callable or None
        Called with the result so far, after each process.
    """
    result = Result()
    with tempfile.TemporaryDirectory() as folder:
        for first in range(0, inputs, BATCH):
            numbers = list(range(first, min(first + BATCH, inputs)))
            while numbers:
                numbers = _watch(seed, only, numbers, folder, result)
            if progress:
                progress(result)
    return result


def main() -> int:
    """Run from the command line. The exit status is 1 when an input gave neither an image nor a refusal."""
    parser = argparse.ArgumentParser(description="Feed damaged files to the reader.")
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--only", default="", metavar="WORD", help="damage only files whose names hold this: DICOM, PNG"
    )
    parser.add_argument("--keep", type=Path, help="folder for the inputs that showed a fault")
    arguments = parser.parse_args()

    def show(so_far: Result) -> None:
        sys.stderr.write(f"\r{so_far.inputs} of {arguments.inputs} inputs, {len(so_far.faults)} faults ")
        sys.stderr.flush()

    result = fuzz(arguments.inputs, arguments.seed, arguments.only, show)
    sys.stderr.write("\n")
    if arguments.keep and result.faults:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        files = Inputs(arguments.seed, arguments.only)
        for number, _ in result.faults:
            (arguments.keep / str(number)).write_bytes(files[number])
    report = vars(result) | {"seed": arguments.seed, "refused": dict(result.refused.most_common())}
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    return 1 if result.faults else 0


if __name__ == "__main__":
    sys.exit(main())
