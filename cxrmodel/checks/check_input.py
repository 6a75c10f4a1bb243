"""What the checks see of one image: pixels, lung mask, features, and what is computed from them once."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cxrmodel.checks.feature_distribution import FeatureDistribution
from cxrmodel.checks.projection import Projection, ProjectionNetwork
from cxrmodel.imaging.canonical import IMAGE_SIDE, canonical_image
from cxrmodel.imaging.lungs import regions
from cxrmodel.imaging.margins import image_box
from cxrmodel.imaging.radiograph import Radiograph
from cxrmodel.imaging.tilt import Tilt, find_tilt, straightened
from cxrmodel.model.spec import AgeRange


@dataclass(frozen=True, eq=False)
class CheckModels:
    """Trained networks and statistics of the training images that checks compare an image with.

    Attributes
    ----------
    projection : ProjectionNetwork
    features : FeatureDistribution
        Of the network's features.
    ages : AgeRange
        Ages of the patients in the training images.
    """

    projection: ProjectionNetwork
    features: FeatureDistribution
    ages: AgeRange


@dataclass(frozen=True, eq=False)
class CheckInput:
    """One image as the checks see it.

    Attributes
    ----------
    models : CheckModels
    radiograph : Radiograph
    canonical : ndarray of uint8, shape (224, 224)
        Of its pixels.
    size : (float, float)
        Height and width in pixels of the file, not rounded where the image was cropped.
    mask : ndarray of bool, shape (224, 224), or None
        Lung mask, all False where no lungs were found; None before the segmenter has run.
    features : ndarray of float32, shape (F,), or None
        None before the network has run.
    known_projection : Projection or None
        What the image shows, where it was computed before.
    """

    models: CheckModels
    radiograph: Radiograph
    canonical: np.ndarray
    size: tuple[float, float]
    mask: np.ndarray | None = None
    features: np.ndarray | None = None
    known_projection: Projection | None = None

    @cached_property
    def box(self) -> tuple[int, int, int, int]:
        """The canonical image inside its even margins: top, left, bottom, right (exclusive)."""
        return image_box(self.canonical)

    @cached_property
    def tilt(self) -> Tilt | None:
        """Rotation of the image on a uniform canvas; None where there is none."""
        return find_tilt(self.canonical, self.size)

    @cached_property
    def projection(self) -> Projection:
        """What the image shows."""
        return self.known_projection or self.models.projection.examine(self.canonical)

    @cached_property
    def projection_inverted(self) -> Projection:
        """What the inverted image shows."""
        return self.models.projection.examine(255 - self.canonical)

    @property
    def lung_mask(self) -> np.ndarray:
        """The lung mask.

        Raises
        ------
        ValueError
            Before the segmenter has run.
        """
        if self.mask is None:
            raise ValueError("this check runs after the segmenter")
        return self.mask

    @cached_property
    def lung_regions(self) -> tuple[np.ndarray, np.ndarray]:
        """Areas and centroids of the mask's regions, the largest first; see ``cxrmodel.imaging.lungs.regions``."""
        return regions(self.lung_mask)

    def cropped(self) -> "CheckInput":
        """The image cropped to its box."""
        height, width = self.size
        top, left, bottom, right = self.box
        rows = slice(round(top * height / IMAGE_SIDE), round(bottom * height / IMAGE_SIDE))
        columns = slice(round(left * width / IMAGE_SIDE), round(right * width / IMAGE_SIDE))
        size = ((bottom - top) * height / IMAGE_SIDE, (right - left) * width / IMAGE_SIDE)
        return self._with_pixels(self.radiograph.pixels[rows, columns], size)

    def straightened(self) -> "CheckInput":
        """The image rotated upright and cropped to its rectangle.

        Raises
        ------
        ValueError
            Without a tilt.
        """
        if self.tilt is None:
            raise ValueError("this image is not tilted")
        width, height = self.tilt.size
        return self._with_pixels(straightened(self.radiograph.pixels, self.tilt), (height, width))

    def inverted(self) -> "CheckInput":
        """The image with inverted greyscale."""
        inverse = self._with_pixels(np.float32(1) - self.radiograph.pixels, self.size)
        return replace(inverse, known_projection=self.projection_inverted)

    def _with_pixels(self, pixels: np.ndarray, size: tuple[float, float]) -> "CheckInput":
        radiograph = replace(self.radiograph, pixels=pixels)
        canonical = canonical_image(radiograph.pixels)
        return CheckInput(self.models, radiograph, canonical, size)
