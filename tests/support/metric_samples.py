"""Samples for tests of metrics: strategies, weighted images, and images of a calibrated model."""

import numpy as np
from hypothesis import strategies as st

from cxrmodel.metrics.bootstrap import WeightedSamples, weighted

IMAGE = st.tuples(st.integers(0, 1), st.integers(0, 8), st.integers(0, 3))
"""Label, score in eighths (so that ties abound), weight."""
BOTH_CLASSES = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=2, max_size=60).filter(
    lambda images: len({label for label, _ in images}) == 2
)
"""Label and score in twentieths."""


def unzip(images) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores and weights of images."""
    labels, eighths, weights = (np.array(column) for column in zip(*images, strict=True))
    return labels, eighths / 8, weights.astype(float)


def samples_of(images) -> WeightedSamples:
    """One weighted sample."""
    labels, scores, weights = unzip(images)
    return weighted(labels, scores, weights[None])


@st.composite
def weighted_images(draw):
    """Images with weights, of both classes in some weight."""
    images = draw(st.lists(IMAGE, min_size=1, max_size=40))
    return [*images, (0, draw(st.integers(0, 8)), 1), (1, draw(st.integers(0, 8)), 2)]


def calibrated(seed: int, images: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from the probabilities themselves."""
    rng = np.random.default_rng(seed)
    probabilities = 1 / (1 + np.exp(-rng.normal(0.5, 2, images)))
    return (rng.random(images) < probabilities).astype(int), probabilities
