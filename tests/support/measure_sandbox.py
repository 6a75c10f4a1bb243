"""Measure what the sandbox costs a reading, by format: ``python -m tests.support.measure_sandbox``.

Each large image is read with and without the sandbox by turns, in one run. A machine that is busy with other things
triples the differences, which are waits for a core; with ``--first`` the run goes before everything else (it needs the
right to real-time priority, and holds up all else for a minute).
"""

import argparse
import os
import sys
import time
from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from cxrmodel.demo import demo_images
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.imaging.sandbox import pool
from cxrmodel.reading import Reader
from tests.support.dicom_files import dicom

SIDE = 2000


def large_files() -> dict[str, bytes]:
    """A drawn radiograph of 2,000 x 2,000 pixels with grain, in the formats that take a native decoder, and one not."""
    drawn = read_radiograph(demo_images()[0].path.read_bytes(), "image").pixels
    large = cv2.resize(drawn, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 0.01, large.shape)
    levels = np.rint(np.clip(large + grain, 0, 1) * 255).astype(np.uint8)
    deep = levels.astype(np.uint16) << 4
    files = {
        "JPEG": _saved(levels, "JPEG", quality=95),
        "JPEG in colour": _saved(np.dstack([levels] * 3), "JPEG", quality=95),
        "PNG": _saved(levels, "PNG"),
        "PNG of 16 bits": _saved(deep, "PNG"),
        "DICOM, uncompressed": dicom(deep, bits=12),
        "DICOM, JPEG": dicom(levels, "JPEG baseline"),
    }
    names = ("JPEG lossless", "JPEG-LS lossless", "JPEG 2000 lossless")
    return files | {f"DICOM, {name}": dicom(deep, name, bits=12) for name in names}


def _saved(samples: np.ndarray, file_format: str, **options) -> bytes:
    out = BytesIO()
    Image.fromarray(samples).save(out, file_format, **options)
    return out.getvalue()


def measure(reader: Reader, data: bytes, repeats: int) -> tuple[float, float]:
    """Median milliseconds of a reading without and with the sandbox, read by turns."""
    sandbox = pool._sandbox
    taken: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(repeats + 2):
        for inside in (False, True):
            pool._sandbox = sandbox if inside else None
            start = time.perf_counter()
            reader.read(data, "image")
            taken[inside].append(1000 * (time.perf_counter() - start))
    return tuple(float(np.median(times[2:])) for times in taken.values())


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Measure what the sandbox costs a reading.")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--images", type=int, default=1, help="images that one decoder process may decode")
    parser.add_argument("--first", action="store_true", help="with real-time priority")
    arguments = parser.parse_args()
    if arguments.first:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    files = large_files()
    pool.start_sandbox(arguments.images)
    reader = Reader.load()
    for name, data in files.items():
        outside, inside = measure(reader, data, arguments.repeats)
        sys.stdout.write(
            f"| {name} | {len(data) / 1e6:.1f} MB | {outside:.1f} | {inside:.1f} | {inside / outside - 1:+.1%} |\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
