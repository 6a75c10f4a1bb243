"""Explanation methods: one registry, one file per method. Importing it loads no TensorFlow.

To add a method, write its file with a ``Method`` and list it here: the command line, the Heatmap page and the
evaluation offer it.
"""

from cxrmodel.explain.method import Method
from cxrmodel.explain.methods import (
    gradcam,
    gradcam_plus_plus,
    layercam,
    occlusion,
    saliency,
    scorecam,
    smoothgrad,
)
from cxrmodel.registry import Registry

__all__ = ["INSTANT", "METHODS", "Method"]

METHODS = Registry[Method](
    "explanation method",
    gradcam.METHOD,
    gradcam_plus_plus.METHOD,
    layercam.METHOD,
    scorecam.METHOD,
    saliency.METHOD,
    smoothgrad.METHOD,
    occlusion.METHOD,
)
"""In the order in which they are offered."""

INSTANT = gradcam.METHOD.name
"""The method whose map comes with every reading."""
