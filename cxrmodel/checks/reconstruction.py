"""Checks of the reconstruction from the principal subspaces of the training images."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.subspace import lung_surroundings, standardised

IMAGE_RECONSTRUCTION = Check(
    "image_reconstruction",
    Stage.IMAGE,
    lambda image: image.models.image.reconstruction_error(standardised(image.canonical)),
    rejection="checks.not_chest_radiograph",
)

SURROUNDINGS_RECONSTRUCTION = Check(
    "surroundings_reconstruction",
    Stage.LUNGS,
    lambda image: image.models.surroundings.reconstruction_error(lung_surroundings(image.canonical, image.lung_mask)),
    rejection="checks.not_chest_radiograph",
)
