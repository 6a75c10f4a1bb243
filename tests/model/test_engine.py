"""Backends agree, and none runs on files other than those of the specification."""

import hashlib
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

from cxrmodel.errors import AlteredWeights, MissingWeights, ModelError
from cxrmodel.model.engine import OnnxEngine, load_engine
from cxrmodel.model.keras_engine import KerasEngine
from cxrmodel.model.spec import load_spec
from cxrmodel.models import MODELS
from cxrmodel.paths import MODEL_FOLDER


@pytest.mark.parametrize("model", MODELS.names)
def test_backends_agree(model):
    """Logits within 0.001, maps within a thousandth of their range."""
    spec = load_spec(model)
    images = np.random.default_rng(0).normal(size=(8, spec.input_size, spec.input_size, 1)).astype(np.float32)
    (logits, maps), (wanted, true) = OnnxEngine(spec).run(images), KerasEngine(spec).run(images)
    np.testing.assert_allclose(logits, wanted, atol=1e-3)
    np.testing.assert_allclose(maps, true, atol=1e-3 * float(np.ptp(true)))
    assert logits.shape == (8,)
    assert maps.ndim == 3


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
