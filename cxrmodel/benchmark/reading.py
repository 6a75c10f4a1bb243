"""Benchmark of a reading: each stage, a naive implementation and the arithmetic limit, in one run."""

import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import computed_field
from threadpoolctl import threadpool_limits

from cxrmodel.artefacts import cores
from cxrmodel.checks.suite import Checks
from cxrmodel.demo import demo_images
from cxrmodel.explain.overlay import FIGURE_SIDE, overlay
from cxrmodel.imaging.canonical import canonical_image
from cxrmodel.imaging.lungs import LungSegmenter
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.messages import Message
from cxrmodel.model.engine import OnnxEngine
from cxrmodel.model.mirroring import mirrored
from cxrmodel.model.preprocess import prepare
from cxrmodel.model.spec import ModelSpec, load_spec, read_graph, read_weights
from cxrmodel.models import DEFAULT_MODEL
from cxrmodel.paths import ROOT
from cxrmodel.reading import Reader
from cxrmodel.records import Record

IMAGE_SIDE = 2000
MATRIX_SIDE = 2048
BATCH = 8
"""Images in a batch for the engine's own rate."""
MEMORY_AFTER = 100
"""Images after which memory is measured first."""


class Machine(Record):
    """Operating system, processor and usable cores."""

    system: str
    processor: str
    cores: int


class Times(Record):
    """Best, median and 95th percentile of repeated calls in milliseconds."""

    best: float
    median: float
    percentile_95: float


class Limit(Record):
    """The network's arithmetic, and its time at the rate of large matrix products."""

    gflop: float
    gflops: float
    milliseconds: float


class Throughput(Record):
    """Rate of reading many images, and of the engine alone on prepared inputs."""

    images: int
    images_per_second: float
    engine_images_per_second: float


class Memory(Record):
    """Resident memory in MB after 100 images and at the end, and its peak."""

    after_100: float
    at_end: float
    peak: float


class ReadingBenchmark(Record):
    """Results of :func:`bench`.

    Attributes
    ----------
    machine : Machine
    model : str
        Version of the model.
    stages, naive : dict of str to Times
        By stage, of this program and of the naive implementation.
    limit : Limit
    cold : dict of str to float
        Seconds of a new process to its first reading, by engine.
    folder : Throughput
    memory : Memory
    """

    machine: Machine
    model: str
    stages: dict[str, Times]
    naive: dict[str, Times]
    limit: Limit
    cold: dict[str, float]
    folder: Throughput
    memory: Memory

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def ratios(self) -> dict[str, float]:
        """How the figures compare."""
        network, reading = self.stages["network"].median, self.stages["reading"].median
        network_and_crop = network + self.stages["crop"].median
        return {
            "naive_to_network": sum(part.median for part in self.naive.values()) / network_and_crop,
            "network_to_limit": network / self.limit.milliseconds,
            "rest_to_network": (reading - network_and_crop + self.stages["overlay"].median) / network,
            "cold_keras_to_onnx": self.cold["keras"] / self.cold["onnx"],
            "folder_to_engine": self.folder.images_per_second / self.folder.engine_images_per_second,
        }

    def messages(self) -> tuple[Message, ...]:
        """All results, one per line."""
        return (
            Message("benchmark.machine", model=self.model, **self.machine.model_dump()),
            *(
                Message("benchmark.time", what=Message(f"benchmark.stage.{name}"), **times.model_dump())
                for name, times in (self.stages | self.naive).items()
            ),
            Message("benchmark.limit", **self.limit.model_dump()),
            *(Message("benchmark.cold", engine=engine, seconds=seconds) for engine, seconds in self.cold.items()),
            Message("benchmark.folder", **self.folder.model_dump()),
            Message("benchmark.memory", **self.memory.model_dump()),
            *ratio_messages(self.ratios),
        )


def ratio_messages(ratios: dict[str, float]) -> list[Message]:
    """Ratios, one per line."""
    return [
        Message("benchmark.ratio", what=Message(f"benchmark.ratios.{name}"), ratio=ratio)
        for name, ratio in ratios.items()
    ]


def bench(model: str = DEFAULT_MODEL, repeats: int = 30, images: int = 600) -> ReadingBenchmark:
    """Measure everything once, on this machine, on a synthetic image of 2,000 x 2,000 pixels.

    Parameters
    ----------
    repeats : int
        Warm readings of each kind.
    images : int
        Number of images that are read for rate and memory; at least 100.

    Raises
    ------
    ModelError
    """
    spec, data = load_spec(model), _large_image()
    stages, tensor = _stages(spec, data, repeats)
    folder, memory = _folder(model, tensor, images)  # before TensorFlow is loaded, which would count as memory
    return ReadingBenchmark(
        machine=Machine(
            system=platform.platform(), processor=platform.processor() or platform.machine(), cores=cores()
        ),
        model=spec.version,
        stages=stages,
        naive=_naive(spec, tensor, max(3, repeats // 3)),
        limit=_limit(multiplications(spec)),
        cold={engine: _cold(engine, model) for engine in ("onnx", "keras")},
        folder=folder,
        memory=memory,
    )


def _large_image() -> bytes:
    image = read_radiograph(demo_images()[0].path.read_bytes(), "image").pixels
    large = cv2.resize(image, (IMAGE_SIDE, IMAGE_SIDE), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 0.01, large.shape)
    levels = np.rint(np.clip(large + grain, 0, 1) * 255).astype(np.uint8)
    return cv2.imencode(".jpg", levels)[1].tobytes()


def _times(work: Callable[[], object], repeats: int) -> Times:
    """Time a call, after two calls that do not count."""
    taken = []
    for turn in range(repeats + 2):
        start = time.perf_counter()
        work()
        if turn >= 2:
            taken.append(1000 * (time.perf_counter() - start))
    return Times(best=min(taken), median=float(np.median(taken)), percentile_95=float(np.percentile(taken, 95)))


def _stages(spec: ModelSpec, data: bytes, repeats: int) -> tuple[dict[str, Times], NDArray[np.float32]]:
    segmenter, engine, reader = LungSegmenter.load(), OnnxEngine(spec), Reader.load(spec.model)
    checks, image = Checks.load(spec), read_radiograph(data, "image")
    canonical = canonical_image(image.pixels)
    mask, box = segmenter.masks(canonical[None])[0], segmenter.find(canonical).box
    checked = checks.input(image)
    tensor = prepare(canonical, box, **spec.preparation).tensor[None]
    heat = reader.read(data, "image").heat
    work: dict[str, Callable[[], object]] = {
        "decode": lambda: read_radiograph(data, "image"),
        "resize": lambda: canonical_image(image.pixels),
        "lungs": lambda: segmenter.find(canonical),
        "checks": lambda: (checks.examine_image(replace(checked)), checks.examine_lungs(checked, mask)),
        "crop": lambda: prepare(canonical, box, **spec.preparation),
        "network": lambda: engine.run(tensor),
        "overlay": lambda: overlay(image.pixels, heat, spec.heat_range, longest=FIGURE_SIDE),
        "reading": lambda: reader.read(data, "image"),
    }
    return {name: _times(call, repeats) for name, call in work.items()}, tensor


def _naive(spec: ModelSpec, tensor: NDArray[np.float32], repeats: int) -> dict[str, Times]:
    """A usual implementation: Keras ``predict`` and one Grad-CAM call, on both views of the image at once."""
    import keras

    from cxrmodel.explain.methods.keras_vis import gradcam

    network = keras.models.load_model(read_weights(spec), compile=False)
    views = np.concatenate([tensor, mirrored(tensor)])
    return {
        "predict": _times(lambda: network.predict(views, verbose=0), repeats),
        "gradcam": _times(lambda: gradcam(network, spec.cam_layer, views), repeats),
    }


def multiplications(spec: ModelSpec) -> float:
    """Count the multiply-adds that the convolutions of the shipped graph do for one image, both of its views.

    Parameters
    ----------
    spec : ModelSpec

    Raises
    ------
    MissingWeights, AlteredWeights
    """
    import onnx

    from cxrmodel.training.onnx_rewrite import shapes

    model = onnx.load_model_from_string(read_graph(spec))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    del model.graph.value_info[:]  # which do not hold the number of views
    kernels, computed = {item.name: list(item.dims) for item in model.graph.initializer}, shapes(model)
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    sides = [(kernels[node.input[1]], computed[node.output[0]]) for node in convolutions]
    return float(sum(np.prod(kernel) * views * np.prod(places) for kernel, (views, _, *places) in sides))


def _limit(products: float) -> Limit:
    """Time of the network's multiply-adds at the rate of large float32 matrix products."""
    matrix = np.random.default_rng(0).random((MATRIX_SIDE, MATRIX_SIDE), np.float32)
    with threadpool_limits(cores(), user_api="blas"):
        rate = 2 * MATRIX_SIDE**3 / (_times(lambda: matrix @ matrix, 9).best / 1000)
    return Limit(gflop=2 * products / 1e9, gflops=rate / 1e9, milliseconds=1000 * 2 * products / rate)


def _cold(engine: str, model: str) -> float:
    """Seconds from starting a new process to the end of its one reading; the best of three."""
    command = [sys.executable, "-m", "cxrmodel", "read", "--model", model, str(demo_images()[0].path)]
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(command, env=os.environ | {"CXR_ENGINE": engine}, cwd=ROOT, check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return min(taken)


def _folder(model: str, tensor: NDArray[np.float32], images: int) -> tuple[Throughput, Memory]:
    reader, data = Reader.load(model), demo_images()[0].path.read_bytes()
    after = 0.0
    start = time.perf_counter()
    for number, _ in enumerate(reader.read_many((lambda: data, "image") for _ in range(images)), start=1):
        if number == MEMORY_AFTER:
            after = _resident()
    seconds, end = time.perf_counter() - start, _resident()
    engine, batch = OnnxEngine(reader.spec), np.repeat(tensor, BATCH, axis=0)
    alone = _times(lambda: engine.run(batch), 10).median / 1000
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        Throughput(images=images, images_per_second=images / seconds, engine_images_per_second=BATCH / alone),
        Memory(after_100=after, at_end=end, peak=peak),
    )


def _resident() -> float:
    """Resident memory of this process now, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6
