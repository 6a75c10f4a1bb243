"""Faithfulness test of one map: deletion and insertion of its regions, and stability under noise."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from cxrmodel.explain.explainer import Explainer, Report
from cxrmodel.explain.faithfulness import Curves, curves, order_of, random_order, with_noise
from cxrmodel.explain.method import Floats
from cxrmodel.explain.similarity import spearman
from cxrmodel.messages import Message
from cxrmodel.model.preprocess import ModelInput

RANDOM_ORDERS = 3
SEED = 0


@dataclass(frozen=True, eq=False)
class ImageTest:
    """Result of testing one map.

    Attributes
    ----------
    own : Curves
        Scores as cells are deleted, or inserted, from the highest value of the map to the lowest.
    random : Curves
        Mean over ``RANDOM_ORDERS`` random orders.
    stability : float
        Rank correlation with the map of the same image under imperceptible noise, -1..1.
    """

    own: Curves
    random: Curves
    stability: float


def image_test(explainer: Explainer, method: str, model_input: ModelInput, heat: Floats, progress: Report) -> ImageTest:
    """Test a map.

    Parameters
    ----------
    explainer : Explainer
    method : str
        Of the map.
    model_input : ModelInput
        The image as the network saw it.
    heat : ndarray of float32, shape (224, 224)
        The map on the canonical image.
    progress : callable
        Takes the share done and the current step; an exception that it raises stops the work.
    """
    top, left, bottom, right = model_input.box
    steps = [("explain.test.ordered", order_of(heat[top:bottom, left:right], SEED))]
    steps += [("explain.test.random", random_order(SEED + number)) for number in range(RANDOM_ORDERS)]
    parts = len(steps) + 1

    def report(done: int, message: Message, share: float) -> None:
        progress((done + share) / parts, message)

    own, *random = (
        curves(explainer.scores, model_input.tensor, order, progress=partial(report, done, Message(code)))
        for done, (code, order) in enumerate(steps)
    )
    noisy = with_noise(model_input.tensor, explainer.spec.std, SEED)
    pair = [
        explainer.crop_maps(method, tensor[None], lambda share, message: report(parts - 1, message, share))[0]
        for tensor in (model_input.tensor, noisy)
    ]
    mean = Curves(
        own.share,
        np.mean([one.deletion for one in random], axis=0),
        np.mean([one.insertion for one in random], axis=0),
    )
    return ImageTest(own, mean, spearman(*pair))
