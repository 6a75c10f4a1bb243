"""Peak memory of reading one large image of each kind: ``python -m tests.support.decode_memory``.

Each file is read in a process of its own, whose memory before the reading is subtracted; processes that it started
count in full. ``--project`` measures another version of the program.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tests.support.dicom_files import dicom

PROJECT = Path(__file__).resolve().parents[2]
SIDE = 7071
"""Just under 50 million pixels."""
READ = """
import json, os, sys
from pathlib import Path
from cxrmodel.imaging.radiograph import read_radiograph
import cxrmodel.imaging.dicom.image

def peak(pid="self"):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024

def children():
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()

data = Path(sys.argv[1]).read_bytes()
read_radiograph(Path(sys.argv[2]).read_bytes(), "image")
before = peak() + sum(map(peak, children()))
try:
    read_radiograph(data, "image")
    outcome = "read"
except Exception as error:
    outcome = getattr(getattr(error, "message", None), "code", type(error).__name__)
print(json.dumps([peak() + sum(map(peak, children())) - before, outcome]))
"""


def _pillow(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _opencv(pixels: np.ndarray, suffix: str) -> bytes:
    return cv2.imencode(suffix, pixels)[1].tobytes()


def files(side: int) -> dict[str, Callable[[], bytes]]:
    """Kinds of files, each with a function that makes one of that side."""
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32) / side
    deep = (60000 * (0.2 + 0.5 * rows * columns)).astype(np.uint16)
    grey = (deep >> 8).astype(np.uint8)
    del rows, columns

    def colour(pixels: np.ndarray, channels: int) -> np.ndarray:
        planes = [pixels, pixels, pixels + 2, np.full_like(pixels, np.iinfo(pixels.dtype).max // 2)]
        return np.dstack(planes[:channels])

    return {
        "PNG, grey, 8 bits": lambda: _opencv(grey, ".png"),
        "PNG, grey, 16 bits": lambda: _opencv(deep, ".png"),
        "PNG, palette": lambda: _pillow(Image.fromarray(grey).convert("P"), "PNG"),
        "PNG, palette, transparent": lambda: _pillow(Image.fromarray(grey).convert("P"), "PNG", transparency=b"\x80"),
        "PNG, grey and alpha": lambda: _pillow(Image.fromarray(colour(grey, 4)[..., 2:]), "PNG"),
        "PNG, RGB, 8 bits": lambda: _opencv(colour(grey, 3), ".png"),
        "PNG, RGBA, 8 bits": lambda: _opencv(colour(grey, 4), ".png"),
        "PNG, RGBA, 16 bits": lambda: _opencv(colour(deep, 4), ".png"),
        "TIFF, grey, 8 bits": lambda: _pillow(Image.fromarray(grey), "TIFF", compression="tiff_adobe_deflate"),
        "TIFF, grey, 16 bits": lambda: _pillow(Image.fromarray(deep), "TIFF", compression="tiff_adobe_deflate"),
        "TIFF, float": lambda: _pillow(
            Image.fromarray(grey / np.float32(255)), "TIFF", compression="tiff_adobe_deflate"
        ),
        "TIFF, RGB, 16 bits": lambda: _opencv(colour(deep, 3), ".tiff"),
        "JPEG, grey": lambda: _pillow(Image.fromarray(grey), "JPEG"),
        "JPEG, colour": lambda: _pillow(Image.fromarray(colour(grey, 3)), "JPEG"),
        "JPEG, colour, progressive": lambda: _pillow(Image.fromarray(colour(grey, 3)), "JPEG", progressive=True),
        "WebP, lossy": lambda: _pillow(Image.fromarray(colour(grey, 3)), "WebP", method=0),
        "DICOM, deflated, 16 bits": lambda: dicom(deep, "deflated"),
        "DICOM, JPEG baseline": lambda: dicom(grey, "JPEG baseline"),
        "DICOM, JPEG extended": lambda: dicom(deep >> 4, "JPEG extended", bits=12),
        "DICOM, JPEG lossless": lambda: dicom(deep, "JPEG lossless"),
        "DICOM, JPEG-LS": lambda: dicom(deep, "JPEG-LS lossless"),
        "DICOM, JPEG 2000": lambda: dicom(deep, "JPEG 2000 lossless"),
    }


def measured(data: bytes, small: bytes, project: Path) -> tuple[float, str]:
    """Peak in megabytes over what the program took before, and what came of the file."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("large", "small")]
        for path, content in zip(paths, (data, small), strict=True):
            path.write_bytes(content)
        output = subprocess.run(
            [sys.executable, "-c", READ, *map(str, paths)], cwd=project, capture_output=True, check=True
        ).stdout
    megabytes, outcome = json.loads(output)
    return megabytes, outcome


def main() -> None:
    """Measure and print."""
    Image.MAX_IMAGE_PIXELS = None
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=PROJECT)
    parser.add_argument("--kinds", default="", help="only kinds whose name holds this")
    parser.add_argument("--side", type=int, default=SIDE)
    arguments = parser.parse_args()
    small = files(100)
    for name, make in files(arguments.side).items():
        if arguments.kinds in name:
            data = make()
            megabytes, outcome = measured(data, small[name](), arguments.project.resolve())
            share = 1e6 * megabytes / arguments.side**2
            print(
                f"{name}: file {len(data) / 1e6:.1f} MB, peak {megabytes:.0f} MB ({share:.1f} B/pixel), {outcome}",
                flush=True,
            )


if __name__ == "__main__":
    main()
