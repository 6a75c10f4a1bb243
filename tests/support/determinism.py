"""Read the same images in many ways and count the values that differ: ``python -m tests.support.determinism``.

Every value of a reading counts, to the last bit: status, notes, logit, probability, lungs, map, pixels. Only its
milliseconds may differ. The exit status is 1 where any value does.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from cxrmodel.imaging.sandbox.pool import end_sandbox, start_sandbox
from cxrmodel.reading import Reader, Reading

FOLDERS = ("chest_xray/test", "originals", "dicom", "field_cases")
ENVIRONMENTS = {
    "other hash seed": {"PYTHONHASHSEED": "4711"},
    "other locale and time zone": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu"},
    "one thread": {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    "other home and folder": {"HOME": "/nonexistent", "TMPDIR": "/tmp"},
}
Values = dict[str, str]


def sample(root: Path, images: int) -> list[Path]:
    """Files of every folder, spread evenly over it; a quarter of all from each as far as it has them."""
    chosen: list[Path] = []
    for number, folder in enumerate(FOLDERS):
        files = sorted(path for path in (root / folder).rglob("*") if path.is_file())
        count = min(len(files), (images - len(chosen)) // (len(FOLDERS) - number))
        chosen += [files[len(files) * place // count] for place in range(count)]
    return chosen


def values(outcome: Reading | Exception) -> Values:
    """Every value of an outcome as text, exact to the last bit."""
    if not isinstance(outcome, Reading):
        return {"error": type(outcome).__name__, "message": repr(getattr(outcome, "message", outcome))}
    record = vars(outcome.as_record("file"))
    image = outcome.radiograph
    arrays = {"pixels": image.pixels, "lungs": outcome.lungs.mask, "heat": outcome.heat}
    numbers = {"logit": outcome.logit, "exact": outcome.probability, "inside": outcome.heat_in_lungs or -1.0}
    return (
        {name: repr(value) for name, value in record.items() if name != "milliseconds"}
        | {name: repr(value) for name, value in vars(image).items() if name not in ("pixels", "name")}
        | {name: hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest() for name, array in arrays.items()}
        | {name: float(number).hex() for name, number in numbers.items()}
        | {"check": repr(outcome.check)}
    )


def read_one(reader: Reader, path: Path, name: str = "image") -> Values:
    """Read one file as the app does."""
    try:
        return values(reader.read(path.read_bytes(), name))
    except Exception as error:
        return values(error)


def one_by_one(reader: Reader, paths: list[Path]) -> list[Values]:
    """One after the other."""
    return [read_one(reader, path) for path in paths]


def batch(reader: Reader, paths: list[Path]) -> list[Values]:
    """As ``read`` does, each on its own thread with single-threaded networks."""
    return [values(outcome) for outcome in reader.read_many((path.read_bytes, "image") for path in paths)]


def backwards(read: Callable[[Reader, list[Path]], list[Values]], reader: Reader, paths: list[Path]) -> list[Values]:
    """In the opposite order."""
    return read(reader, paths[::-1])[::-1]


def from_threads(reader: Reader, paths: list[Path]) -> list[Values]:
    """As sessions of the app do, from eight threads at once."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(partial(read_one, reader), paths))


def under_other_names(reader: Reader, paths: list[Path]) -> list[Values]:
    """From another folder, under names that say other things."""
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder) / f"{number:03} NORMAL \u202e lateral.dcm" for number in range(len(paths))]
        for path, copy in zip(paths, copies, strict=True):
            shutil.copy(path, copy)
        return [read_one(reader, copy, copy.name) for copy in copies]


def in_the_sandbox(reader: Reader, paths: list[Path]) -> list[Values]:
    """Decoded in confined processes."""
    start_sandbox()
    try:
        return from_threads(reader, paths)
    finally:
        end_sandbox()


def in_a_new_process(environment: dict[str, str], reader: Reader, paths: list[Path]) -> list[Values]:
    """One by one in a process with other settings."""
    command = [sys.executable, "-m", "tests.support.determinism", "--child"]
    given = json.dumps([str(path) for path in paths])
    done = subprocess.run(
        command, input=given, env=os.environ | environment, capture_output=True, text=True, check=True
    )
    answer: list[Values] = json.loads(done.stdout)
    return answer


WAYS: dict[str, Callable[[Reader, list[Path]], list[Values]]] = {
    "again": one_by_one,
    "backwards": partial(backwards, one_by_one),
    "batch": batch,
    "batch backwards": partial(backwards, batch),
    "eight threads at once": from_threads,
    "other folder and names": under_other_names,
    "in the sandbox": in_the_sandbox,
} | {name: partial(in_a_new_process, environment) for name, environment in ENVIRONMENTS.items()}


def differences(reference: list[Values], found: list[Values]) -> list[tuple[int, str]]:
    """Place of the image and name of each value that differs."""
    return [
        (place, name)
        for place, (one, other) in enumerate(zip(reference, found, strict=True))
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    ]


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Read images in many ways and count the values that differ.")
    parser.add_argument("--data", type=Path, default=os.environ.get("CXR_DATA"), help="default: CXR_DATA")
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    reader = Reader.load()
    if arguments.child:
        json.dump(one_by_one(reader, [Path(path) for path in json.load(sys.stdin)]), sys.stdout)
        return 0
    paths = sample(arguments.data, arguments.images)
    reference = one_by_one(reader, paths)
    read = sum("error" not in entry for entry in reference)
    count = sum(map(len, reference))
    sys.stdout.write(f"{len(paths)} files, {read} read, {count} values\n\n| way | values that differ |\n|---|---|\n")
    total = 0
    for way, run in WAYS.items():
        found = differences(reference, run(reader, paths))
        total += len(found)
        sys.stdout.write(f"| {way} | {len(found)} |\n")
        for place, name in found[:5]:
            sys.stderr.write(f"{way}: {name} of {paths[place]}\n")
        sys.stdout.flush()
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
