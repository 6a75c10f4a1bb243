"""How fast a reading is, stage by stage, beside the naive way and the arithmetic limit, measured in one run."""

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
from threadpoolctl import threadpool_limits

from cxrmodel.artefacts import cores
from cxrmodel.checks.suite import Checks
from cxrmodel.demo import demo_images
from cxrmodel.explain.overlay import FIGURE_SIDE, overlay
from cxrmodel.imaging.canonical import canonical_image
from cxrmodel.imaging.lungs import LungSegmenter
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.model.engine import OnnxEngine
from cxrmodel.model.mirroring import mirrored
from cxrmodel.model.preprocess import prepare
from cxrmodel.model.spec import ModelSpec, load_spec, read_graph, read_weights
from cxrmodel.paths import ROOT
from cxrmodel.reading import Reader

__all__ = ["bench", "in_words", "multiplications"]

IMAGE_SIDE = 2000
MATRIX_SIDE = 2048
BATCH = 8
"""Images a run in which the engine's own rate is measured."""


def bench(model: str = "densenet121", repeats: int = 30, images: int = 600) -> dict:
    """Measure everything once, on this machine, on a synthetic image of 2,000 x 2,000 pixels.

    Parameters
    ----------
    repeats : int
        Warm readings of each kind.
    images : int
        Length of the folder that is read for rate and memory; at least 100.

    Returns
    -------
    dict
        ``machine``; ``stages`` (best, median and 95th percentile, milliseconds); ``naive`` (the same); ``limit``
        (rate of matrix products and what the network needs at that rate); ``cold`` (seconds of a fresh process
        to its first reading); ``folder`` (images a second, against the engine alone); ``memory`` (MB); ``ratios``.
    """
    spec, data = load_spec(model), _large_image()
    stages, tensor = _stages(spec, data, repeats)
    folder, memory = _folder(model, tensor, images)  # before the naive way, whose framework would count as memory
    naive = _naive(spec, tensor, max(3, repeats // 3))
    limit = _limit(multiplications(spec))
    cold = {engine: _cold(engine, model) for engine in ("onnx", "keras")}
    ours = stages["crop"]["median"] + stages["network and map"]["median"]
    return {
        "machine": {
            "system": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "cores": cores(),
        },
        "model": spec.version,
        "stages": stages,
        "naive": naive,
        "limit": limit,
        "cold": cold,
        "folder": folder,
        "memory": memory,
        "ratios": {
            "naive over ours": sum(part["median"] for part in naive.values()) / ours,
            "network over limit": stages["network and map"]["median"] / limit["milliseconds"],
            "everything else over network": (stages["whole reading"]["median"] - ours + stages["overlay"]["median"])
            / stages["network and map"]["median"],
            "cold keras over cold onnx": cold["keras"] / cold["onnx"],
            "folder over engine": folder["images_a_second"] / folder["engine_images_a_second"],
        },
    }


def in_words(found: dict) -> str:
    """The figures of ``bench`` as lines for a person."""
    machine, lines = found["machine"], []
    lines.append(f"{found['model']} on {machine['cores']} cores, {machine['processor']}, {machine['system']}")
    for part in ("stages", "naive"):
        lines += [
            f"{part}: {name}: {value['median']:.1f} ms (95th percentile {value['95th']:.1f} ms)"
            for name, value in found[part].items()
        ]
    limit, folder, memory = found["limit"], found["folder"], found["memory"]
    lines.append(f"limit: {limit['gflop']:.2f} GFLOP at {limit['gflops']:.0f} GFLOP/s: {limit['milliseconds']:.1f} ms")
    lines += [f"cold start to first reading, {name}: {value:.2f} s" for name, value in found["cold"].items()]
    lines.append(
        f"folder: {folder['images_a_second']:.1f} images a second; "
        f"engine alone {folder['engine_images_a_second']:.1f} images a second"
    )
    lines.append(f"memory: {memory['after_100']:.0f} MB after 100 images, {memory['at_end']:.0f} MB at the end")
    lines += [f"ratio: {name}: {value:.2f}" for name, value in found["ratios"].items()]
    return "\n".join(lines)


def _large_image() -> bytes:
    image = read_radiograph(demo_images()[0].path.read_bytes(), "image").pixels
    large = cv2.resize(image, (IMAGE_SIDE, IMAGE_SIDE), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 0.01, large.shape)
    levels = np.rint(np.clip(large + grain, 0, 1) * 255).astype(np.uint8)
    return cv2.imencode(".jpg", levels)[1].tobytes()


def _times(work: Callable[[], object], repeats: int) -> dict[str, float]:
    """Best, median and 95th percentile in milliseconds, after two calls that do not count."""
    taken = []
    for turn in range(repeats + 2):
        start = time.perf_counter()
        work()
        if turn >= 2:
            taken.append(1000 * (time.perf_counter() - start))
    return {"best": min(taken), "median": float(np.median(taken)), "95th": float(np.percentile(taken, 95))}


def _stages(spec, data: bytes, repeats: int) -> tuple[dict, np.ndarray]:
    segmenter, engine, reader = LungSegmenter.load(), OnnxEngine(spec), Reader.load(spec.model)
    pixels = read_radiograph(data, "image").pixels
    canonical = canonical_image(pixels)
    box = segmenter.find(canonical).box
    tensor = prepare(canonical, box, **spec.preparation).tensor[None]
    heat = reader.read(data, "image").heat
    checks, image = Checks.load(spec), read_radiograph(data, "image")
    checked, mask = checks.input(image), segmenter.masks(canonical[None])[0]
    work = {
        "decode": lambda: read_radiograph(data, "image"),
        "resize": lambda: canonical_image(pixels),
        "lungs": lambda: segmenter.find(canonical),
        "checks": lambda: (checks.examine_image(replace(checked)), checks.examine_lungs(checked, mask)),
        "crop": lambda: prepare(canonical, box, **spec.preparation),
        "network and map": lambda: engine.run(tensor),
        "overlay": lambda: overlay(pixels, heat, spec.heat_range, longest=FIGURE_SIDE),
        "whole reading": lambda: reader.read(data, "image"),
    }
    return {name: _times(call, repeats) for name, call in work.items()}, tensor


def _naive(spec, tensor: np.ndarray, repeats: int) -> dict:
    """What most programs do: Keras ``predict`` and one Grad-CAM call, here on both views of the image at once."""
    import keras

    from cxrmodel.explain.gradients import gradcam

    network = keras.models.load_model(read_weights(spec), compile=False)
    views = np.concatenate([tensor, mirrored(tensor)])
    work = {
        "predict": lambda: network.predict(views, verbose=0),
        "tf-keras-vis Grad-CAM": lambda: gradcam(network, spec.cam_layer, views),
    }
    return {name: _times(call, repeats) for name, call in work.items()}


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
    del model.graph.value_info[:]  # which say nothing of how many views there are
    kernels, made = {item.name: list(item.dims) for item in model.graph.initializer}, shapes(model)
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    sides = [(kernels[node.input[1]], made[node.output[0]]) for node in convolutions]
    return float(sum(np.prod(kernel) * views * np.prod(places) for kernel, (views, _, *places) in sides))


def _limit(products: float) -> dict:
    """Time of the network's multiply-adds at the rate of large float32 matrix products."""
    matrix = np.random.default_rng(0).random((MATRIX_SIDE, MATRIX_SIDE), np.float32)
    with threadpool_limits(cores(), user_api="blas"):
        rate = 2 * MATRIX_SIDE**3 / (_times(lambda: matrix @ matrix, 9)["best"] / 1000)
    return {"gflop": 2 * products / 1e9, "gflops": rate / 1e9, "milliseconds": 1000 * 2 * products / rate}


def _cold(engine: str, model: str) -> float:
    """Seconds from starting a fresh process to the end of its one reading; the better of three."""
    image = demo_images()[0].path
    command = [sys.executable, "-m", "cxrmodel", "read", "--model", model, str(image)]
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(
            command,
            env=os.environ | {"CXR_ENGINE": engine},
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        taken.append(time.perf_counter() - start)
    return min(taken)


def _folder(model: str, tensor: np.ndarray, images: int) -> tuple[dict, dict]:
    reader, data = Reader.load(model), demo_images()[0].path.read_bytes()
    after = 0.0
    start = time.perf_counter()
    for number, _ in enumerate(reader.read_many((lambda: data, "image") for _ in range(images)), start=1):
        if number == 100:
            after = _resident()
    seconds, end = time.perf_counter() - start, _resident()
    engine, batch = OnnxEngine(reader.spec), np.repeat(tensor, BATCH, axis=0)
    alone = _times(lambda: engine.run(batch), 10)["median"] / 1000
    rates = {"images": images, "images_a_second": images / seconds, "engine_images_a_second": BATCH / alone}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return rates, {"after_100": after, "at_end": end, "peak": peak}


def _resident() -> float:
    """Resident memory of this process now, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6
