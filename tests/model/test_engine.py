"""Backends agree, and none runs on files other than those of the specification."""

import hashlib
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

from cxrmodel.errors import AlteredWeights, MissingWeights, ModelError
from cxrmodel.imaging.canonical import canonical_image
from cxrmodel.imaging.lungs import LungFields, LungSegmenter
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.model.engine import OnnxEngine, load_engine
from cxrmodel.model.keras_engine import KerasEngine
from cxrmodel.model.preprocess import prepare
from cxrmodel.model.spec import ModelSpec, load_spec
from cxrmodel.models import DEFAULT_MODEL, MODELS
from cxrmodel.paths import MODEL_FOLDER
from cxrmodel.training.archive import find_images, load_images

EXACT = 1e-4
"""Of the sum of all contributions and the bias, in units of the logit."""


def crops(spec: ModelSpec, images: np.ndarray, segmenter: LungSegmenter) -> np.ndarray:
    """The network's inputs for canonical images, cropped as for a reading."""
    boxes = [LungFields(mask if mask.any() else ~mask).box for mask in segmenter.masks(images)]
    return np.stack([prepare(*pair, **spec.preparation).tensor for pair in zip(images, boxes, strict=True)])


@pytest.mark.parametrize("model", MODELS.names)
def test_backends_agree_and_explain_their_logit(model, project):
    """Logits within 0.001, contributions within a thousandth of their range and exact, on noise and on real images."""
    spec = load_spec(model)
    paths = [project / "assets" / "demo" / f"synthetic-{kind}-1.png" for kind in ("normal", "pneumonia")]
    demo = np.stack([canonical_image(read_radiograph(path.read_bytes(), path.name).pixels) for path in paths])
    noise = np.random.default_rng(0).normal(size=(6, spec.input_size, spec.input_size, 1)).astype(np.float32)
    images = np.concatenate([noise, crops(spec, demo, LungSegmenter.load())])
    engines = OnnxEngine(spec), KerasEngine(spec)
    (logits, places, _), (wanted, true, _) = (engine.read(images) for engine in engines)
    np.testing.assert_allclose(logits, wanted, atol=1e-3)
    np.testing.assert_allclose(places, true, atol=1e-3 * float(np.ptp(true)))
    for values, parts in ((logits, places), (wanted, true)):
        np.testing.assert_allclose(parts.sum((1, 2), dtype=np.float64) + spec.bias, values, rtol=0, atol=EXACT)
    assert logits.shape == (8,)
    assert places.shape[1] == places.shape[2] == spec.input_size // MODELS[model].stride
    assert places.min() < 0
    np.testing.assert_array_equal(engines[0].run(images)[1], np.maximum(places, 0))


def test_contributions_sum_to_the_logit_of_every_test_image(data_root):
    """All 624 official ones; on one thread, as the tests run side by side."""
    spec, segmenter = load_spec(DEFAULT_MODEL), LungSegmenter.load().single_threaded()
    engine, images = OnnxEngine(spec, threads=1), load_images(find_images(data_root, ("test",)))
    assert len(images) == 624
    for start in range(0, len(images), 32):
        logits, places, _ = engine.read(crops(spec, images[start : start + 32], segmenter))
        np.testing.assert_allclose(places.sum((1, 2), dtype=np.float64) + spec.bias, logits, rtol=0, atol=EXACT)


@pytest.mark.parametrize("backend", [OnnxEngine, KerasEngine])
def test_a_mirrored_image_gives_the_same_output(backend):
    """The same logit and features, and the mirrored map."""
    spec = load_spec("cnn")
    engine = backend(spec)
    images = np.random.default_rng(0).normal(size=(3, spec.input_size, spec.input_size, 1)).astype(np.float32)
    logits, maps, features = engine.read(images)
    turned = engine.read(np.ascontiguousarray(images[:, :, ::-1]))
    np.testing.assert_allclose(turned[0], logits, atol=1e-5)
    np.testing.assert_allclose(turned[1][:, :, ::-1], maps, atol=1e-6)
    np.testing.assert_allclose(turned[2], features, rtol=1e-4, atol=1e-6)
    assert not np.allclose(maps, maps[:, :, ::-1], atol=1e-3 * float(np.ptp(maps)))


def test_threads_share_one_engine():
    """Concurrent runs give the results of single runs."""
    spec = load_spec("cnn")
    engine = OnnxEngine(spec)
    images = np.random.default_rng(0).normal(size=(8, 1, spec.input_size, spec.input_size, 1)).astype(np.float32)
    alone = [float(engine.run(image)[0][0]) for image in images]
    found = [0.0] * 8

    def work(place: int) -> None:
        found[place] = float(engine.run(images[place])[0][0])

    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


@pytest.mark.parametrize(("name", "kind"), [(None, OnnxEngine), ("onnx", OnnxEngine), ("keras", KerasEngine)])
def test_variable_chooses_the_backend(monkeypatch, name, kind):
    """``CXR_ENGINE`` chooses; the default is ONNX Runtime."""
    monkeypatch.delenv("CXR_ENGINE", raising=False)
    if name:
        monkeypatch.setenv("CXR_ENGINE", name)
    assert isinstance(load_engine(load_spec("cnn")), kind)


def test_unknown_backend_gets_a_sentence(monkeypatch):
    """No silent fallback."""
    monkeypatch.setenv("CXR_ENGINE", "abacus")
    with pytest.raises(ModelError, match="abacus"):
        load_engine(load_spec("cnn"))


def test_missing_and_altered_graphs_are_refused(tmp_path):
    """The error names the file, also where the hash fits but the bytes are no graph."""
    spec = load_spec("cnn")
    with pytest.raises(MissingWeights, match=r"cnn\.onnx"):
        OnnxEngine(spec, tmp_path)
    shutil.copy(MODEL_FOLDER / "cnn.onnx", tmp_path)
    with (tmp_path / "cnn.onnx").open("ab") as graph:
        graph.write(b"\0")
    with pytest.raises(AlteredWeights, match=r"cnn\.onnx"):
        OnnxEngine(spec, tmp_path)
    (tmp_path / "cnn.onnx").write_bytes(b"no graph")
    fitting = spec.replace(graph_sha256=hashlib.sha256(b"no graph").hexdigest())
    with pytest.raises(AlteredWeights) as caught:
        OnnxEngine(fitting, tmp_path)
    assert caught.value.message.code == "model.unusable_graph"


def test_a_graph_of_another_input_size_is_refused():
    """When the engine is loaded, not at the first image."""
    with pytest.raises(AlteredWeights) as caught:
        OnnxEngine(load_spec("cnn").replace(input_size=96))
    assert caught.value.message.code == "model.other_input_size"


LOADED = "import sys; sys.exit(sum(name in sys.modules for name in ('tensorflow', 'keras')))"
READ = "from pathlib import Path; from cxrmodel.reading import read; read(Path(sys.argv[1]).read_bytes(), 'image');"


@pytest.mark.parametrize(("before", "status"), [(READ, 0), ("import keras;", 2)])
def test_a_reading_loads_no_deep_learning_framework(project, before, status):
    """A new process reads an image without TensorFlow or Keras; the second case proves the test."""
    image = project / "assets" / "demo" / "synthetic-normal-1.png"
    code = f"import sys; {before} {LOADED}"
    assert subprocess.run([sys.executable, "-c", code, str(image)], cwd=project, check=False).returncode == status
