"""Both views of an image: the network runs on it and on its mirror image, and the result is the mean.

Pneumonia is equally likely on either side, and half of the training images are mirrored, yet the outputs of a
network for the two views differ a little. The mean is the same for an image and its mirror image, and more accurate.
"""

from typing import TypeVar

Tensor = TypeVar("Tensor")
"""An ndarray or a Keras tensor."""


def mirrored(views: Tensor) -> Tensor:
    """Mirror tensors of shape (N, H, W, ...) left to right."""
    return views[:, :, ::-1]  # type: ignore[index,no-any-return]  # NumPy's and Keras's tensors have no common type


def mean_of_views(maps: Tensor, of_mirrored: Tensor) -> Tensor:
    """Mean of maps of images and, mirrored back, those of their mirror images; shape (N, H, W, ...)."""
    return (maps + mirrored(of_mirrored)) / 2  # type: ignore[operator,no-any-return]  # as above
