"""An image is read twice, as it is and mirrored, and what is said of it is the mean of both.

Pneumonia is as likely on either side, and training mirrors half of its images, yet a network answers the two views of
one image a little differently. The mean does not depend on how the image lies, and is nearer the truth than either.
"""

__all__ = ["laid_together", "mirrored"]


def mirrored(views):
    """Exchange left and right: any tensor of shape (N, H, W, ...)."""
    return views[:, :, ::-1]


def laid_together(maps, of_mirrored):
    """Mean of maps of images and, laid back, those of their mirror images: any tensors of shape (N, H, W, ...)."""
    return (maps + mirrored(of_mirrored)) / 2
