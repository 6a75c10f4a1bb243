"""Check of the reconstruction of the part around the lungs from the principal subspace of the training images."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.checks.subspace import lung_surroundings

__all__ = ["SURROUNDINGS_RECONSTRUCTION"]


def _error(image: CheckInput) -> float:
    return image.models.surroundings.reconstruction_error(lung_surroundings(image.canonical, image.lung_mask))


SURROUNDINGS_RECONSTRUCTION = Check(
    "surroundings_reconstruction",
    Stage.LUNGS,
    _error,
    title="checks.surroundings_reconstruction.title",
    measures="checks.surroundings_reconstruction.measures",
    rejection="checks.not_chest_radiograph",
)
