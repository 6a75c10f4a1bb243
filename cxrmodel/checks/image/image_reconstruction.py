"""Check of the whole image's reconstruction from the principal subspace of the training images."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.checks.subspace import standardised

__all__ = ["IMAGE_RECONSTRUCTION"]


def _error(image: CheckInput) -> float:
    return image.models.image.reconstruction_error(standardised(image.canonical))


IMAGE_RECONSTRUCTION = Check(
    "image_reconstruction",
    Stage.IMAGE,
    _error,
    title="checks.image_reconstruction.title",
    measures="checks.image_reconstruction.measures",
    rejection="checks.not_chest_radiograph",
)
