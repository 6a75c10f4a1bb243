"""Randomisation test: whether maps depend on what the network has learnt (Adebayo et al., NeurIPS 2018).

The weights are randomised from the output downwards, and each time the map is compared with that of the trained
weights. A method whose map stays the same shows the image and not the network. A second test compares with weights that
were trained on shuffled labels, where nothing could be learnt but the images themselves.

References
----------
Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np

from cxrmodel.errors import EvaluationError
from cxrmodel.explain.explainer import Explainer
from cxrmodel.explain.methods.gradcam import contributions
from cxrmodel.explain.similarity import spearman, ssim
from cxrmodel.model.engine import Engine
from cxrmodel.model.mirroring import mean_of_views, mirrored
from cxrmodel.model.network import build
from cxrmodel.model.spec import ModelSpec
from cxrmodel.models import MODELS

SIMILAR = 0.5
"""Mean rank correlation with the map of randomised weights from which a method does not depend on the model."""
DRAWS = 3
"""How often the whole network is randomised: a single draw may resemble the trained network by chance."""
_FRESH = {"bias": 0.0, "gamma": 1.0, "beta": 0.0, "moving_mean": 0.0, "moving_variance": 1.0}

Maps = Callable[[Explainer, np.ndarray], np.ndarray]


class NetworkEngine:
    """Any Keras network behind the interface of an engine; later changes of its weights take effect.

    Parameters
    ----------
    network : keras.Model
    cam_layer : str
    """

    def __init__(self, network: keras.Model, cam_layer: str):
        self._both = keras.Model(network.input, [network.output, network.get_layer(cam_layer).output])
        self._logit = network.get_layer("logit")

    def run(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits and maps of a batch; see ``cxrmodel.model.engine.Engine``."""
        logits, features = self._both.predict_on_batch(np.concatenate([inputs, mirrored(inputs)]))
        places = contributions(features, keras.ops.convert_to_numpy(self._logit.kernel)[:, 0])
        maps = np.maximum(mean_of_views(*np.split(places, 2)), 0)
        return np.mean(np.split(logits[:, 0].astype(np.float64), 2), axis=0), maps


def explainer_of(network: keras.Model, spec: ModelSpec) -> Explainer:
    """Every method over a network in memory."""
    engine = cast(Engine, NetworkEngine(network, spec.cam_layer))  # methods only run an engine
    return Explainer(spec, engine, lambda: network, many=True)


def renew(network: keras.Model, starts: Sequence[str], seed: int) -> None:
    """Give the layers whose names begin so the weights of an untrained network, in place."""
    # An integer seed would give all layers of one shape the same weights.
    draw = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(seed))
    for layer in network.layers:
        if layer.name.split("_")[0] in starts:
            layer.set_weights(
                [
                    np.full(w.shape, _FRESH[w.name], np.float32)
                    if w.name in _FRESH
                    else keras.ops.convert_to_numpy(draw(w.shape))
                    for w in layer.weights
                ]
            )


def cascade(
    network: keras.Model, spec: ModelSpec, tensors: np.ndarray, maps: Maps, seed: int = 0
) -> list[dict[str, Any]]:
    """Compare a method's maps with those after more and more of the network is randomised.

    Parameters
    ----------
    network : keras.Model
        Trained; it is not changed.
    spec : ModelSpec
    tensors : ndarray of float32, shape (N, size, size, 1)
    maps : callable
        (Explainer, tensors) -> maps (N, h, w) of the method.
    seed : int

    Returns
    -------
    list of dict
        For each stage ``stage``, and ``spearman`` and ``ssim``: means over the images; of the last stage also over
        ``DRAWS`` networks.
    """
    changed = keras.models.clone_model(network)
    changed.set_weights(network.get_weights())
    wanted, explainer = maps(explainer_of(network, spec), tensors), explainer_of(changed, spec)
    found: list[dict[str, Any]] = []
    for number, (stage, starts) in enumerate(MODELS[spec.model].stages.items()):
        renew(changed, starts, seed + number)
        found.append({"stage": stage} | similarity(wanted, maps(explainer, tensors)))
    everything, draws = [start for starts in MODELS[spec.model].stages.values() for start in starts], [found[-1]]
    for number in range(1, DRAWS):
        renew(changed, everything, seed + 1000 * number)
        draws.append(similarity(wanted, maps(explainer, tensors)))
    found[-1] |= {name: round(float(np.mean([one[name] for one in draws])), 4) for name in ("spearman", "ssim")}
    return found


def shuffled(path: Path, spec: ModelSpec) -> tuple[keras.Model, str] | None:
    """Weights of the same network that were trained on shuffled labels, at the size of the trained one.

    Returns
    -------
    (keras.Model, str) or None
        The network and the file's sha256; None where there is no such file.

    Raises
    ------
    EvaluationError
        When the file does not hold weights of that network.
    """
    if not path.is_file():
        return None
    network = build(spec.model, spec.input_size)
    try:
        network.set_weights(keras.models.load_model(path, compile=False).get_weights())
    except Exception as error:  # a damaged file makes the library raise anything
        raise EvaluationError("evaluation.error.shuffled", file=str(path), model=spec.model) from error
    return network, hashlib.sha256(path.read_bytes()).hexdigest()


def similarity(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Mean ``spearman`` and ``ssim`` of pairs of maps, each rounded to four decimals."""
    pairs = list(zip(first, second, strict=True))
    return {
        name: round(float(np.mean([measure(one, other) for one, other in pairs])), 4)
        for name, measure in (("spearman", spearman), ("ssim", ssim))
    }


def depends_on_model(randomised: Sequence[float], shuffled_labels: float | None) -> bool:
    """Whether a method's maps change when the learnt weights are lost.

    Parameters
    ----------
    randomised : sequence of float
        Mean rank correlation after each stage; the last, with the whole network randomised, counts.
    shuffled_labels : float or None
        The same with weights of shuffled labels; None where that was not measured.
    """
    measured = [randomised[-1]] + ([] if shuffled_labels is None else [shuffled_labels])
    return all(value < SIMILAR for value in measured)
