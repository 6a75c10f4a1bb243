"""Many images on all cores: the outputs of the engine, in order."""

import numpy as np
import pytest

from cxrmodel.evaluation.explanations import parallel
from cxrmodel.evaluation.explanations.parallel import ParallelEngine
from cxrmodel.model.engine import OnnxEngine
from cxrmodel.model.spec import load_spec


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_batch_is_read_as_by_the_engine(monkeypatch, count):
    """Also where there are fewer images than cores, or a rest."""
    monkeypatch.setattr(parallel, "cores", lambda: 3)
    spec = load_spec("cnn")
    engine = OnnxEngine(spec)
    inputs = np.random.default_rng(0).normal(size=(count, spec.input_size, spec.input_size, 1)).astype(np.float32)
    for found, wanted in zip(ParallelEngine(engine).read(inputs), engine.read(inputs), strict=True):
        assert found.shape == wanted.shape
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
