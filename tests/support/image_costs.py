"""Measure what one core needs for an image of each kind: ``python -m tests.support.image_costs``.

Processor time on one thread, without the sandbox, in turn over the kinds; medians. An image is enlarged and
given grain, as real images have; DICOM files hold it with 12 of 16 bits.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from cxrmodel.artefacts import open_graph
from cxrmodel.demo import demo_images
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.model.spec import read_graph
from cxrmodel.reading import Reader
from tests.support.dicom_files import compressed, dicom


def drawn(rows: int, columns: int, bits: int) -> np.ndarray:
    """The first demo image in another size, with grain."""
    image = read_radiograph(demo_images()[0].path.read_bytes(), "image").pixels
    large = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_CUBIC)
    large = np.clip(large + np.random.default_rng(0).normal(0, 0.01, large.shape), 0, 1)
    return np.rint(large * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def jpeg(rows: int, columns: int) -> bytes:
    """A grey JPEG of quality 95."""
    return cv2.imencode(".jpg", drawn(rows, columns, 8))[1].tobytes()


def kinds() -> dict[str, bytes]:
    """Files by the words for them."""
    plate = drawn(2500, 2048, 12)
    return {
        "JPEG, 1,300 x 1,000": jpeg(1000, 1300),
        "JPEG, 2,000 x 2,000": jpeg(2000, 2000),
        "DICOM, 2,048 x 2,500, not compressed": dicom(plate, "explicit", bits=12),
        "DICOM, 2,048 x 2,500, JPEG lossless": dicom(
            plate, "JPEG lossless, first order", bits=12, frame=compressed(plate, "JPEG lossless, first order", 12)
        ),
        "DICOM, 2,048 x 2,500, JPEG 2000 lossless": dicom(
            plate, "JPEG 2000 lossless", bits=12, frame=compressed(plate, "JPEG 2000 lossless", 12)
        ),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args(argv)
    reader = Reader.load(prevalence=0.5)
    pipeline = reader._pipeline.single_threaded()
    graph = open_graph(read_graph(reader.spec), 1)
    name = graph.get_inputs()[0].name
    tensor = np.zeros((1, reader.spec.input_size, reader.spec.input_size, 1), np.float32)
    work: dict[tuple[str, str], Callable[[], object]] = {("network", ""): lambda: graph.run(None, {name: tensor})}
    sizes = {}
    for kind, data in kinds().items():
        sizes[kind] = len(data)
        assert not isinstance(pipeline.process(lambda data=data: data, "image", True), Exception), kind
        work[kind, "decode"] = lambda data=data: read_radiograph(data, "image")
        work[kind, "whole"] = lambda data=data: pipeline.process(lambda: data, "image", True)
    taken: dict[tuple[str, str], list[float]] = {key: [] for key in work}
    for _ in range(options.rounds):
        for key, call in work.items():
            start = time.process_time()
            call()
            taken[key].append(1000 * (time.process_time() - start))
    found = {key: float(np.median(values)) for key, values in taken.items()}
    sys.stdout.write(f"{reader.spec.version}; network alone: {found['network', '']:.1f} ms\n")
    for kind, size in sizes.items():
        sys.stdout.write(f"{kind}: {size / 1e6:.1f} MB, decode {found[kind, 'decode']:.1f} ms, ")
        sys.stdout.write(f"whole {found[kind, 'whole']:.1f} ms\n")


if __name__ == "__main__":
    main()
