"""One map of one image put to the test: what taking its hottest places away does, and whether it holds under noise."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cxrmodel.explain.explainer import Explainer
from cxrmodel.explain.faithfulness import Curves, curves, disturbed, order_of, random_order
from cxrmodel.explain.similarity import spearman
from cxrmodel.model.preprocess import ModelInput

__all__ = ["RANDOM_ORDERS", "ImageTest", "image_test"]

RANDOM_ORDERS = 3
SEED = 0


@dataclass(frozen=True, eq=False)
class ImageTest:
    """What became of one map.

    Attributes
    ----------
    own : Curves
        Scores as the cells are taken away, or put back, from hottest to coldest.
    random : Curves
        The mean over ``RANDOM_ORDERS`` random orders.
    stability : float
        Rank correlation with the map of the same image under noise too small to see, -1..1.
    """

    own: Curves
    random: Curves
    stability: float


def image_test(
    explainer: Explainer,
    method: str,
    ready: ModelInput,
    heat: np.ndarray,
    progress: Callable[[float, str], None],
) -> ImageTest:
    """Test a map.

    Parameters
    ----------
    explainer : Explainer
    method : str
        That drew the map.
    ready : ModelInput
        The image as the network saw it.
    heat : ndarray of float32, shape (224, 224)
        The map on the canonical image.
    progress : callable
        Told the share done and what is being done; what it raises stops the work.

    Returns
    -------
    ImageTest
    """
    top, left, bottom, right = ready.box
    orders = [order_of(heat[top:bottom, left:right], SEED)]
    orders += [random_order(SEED + number) for number in range(RANDOM_ORDERS)]
    parts, found = len(orders) + 1, []
    for number, order in enumerate(orders):
        words = "Taking the hottest places away" if number == 0 else "Taking places away in a random order"

        def told(share: float, number: int = number, words: str = words) -> None:
            progress((number + share) / parts, words)

        found.append(curves(explainer.scores, ready.tensor, order, progress=told))
    noisy = disturbed(ready.tensor, explainer.spec.std, SEED)
    pair = [
        explainer.crop_maps(method, tensor[None], lambda share, words: progress((parts - 1 + share) / parts, words))[0]
        for tensor in (ready.tensor, noisy)
    ]
    random = Curves(
        found[0].share,
        np.mean([one.deletion for one in found[1:]], axis=0),
        np.mean([one.insertion for one in found[1:]], axis=0),
    )
    return ImageTest(found[0], random, spearman(*pair))
