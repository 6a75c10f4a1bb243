"""Check for a photograph of a screen or light box: camera, reflections and moiré change the grey levels."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.imaging.photograph import border_range, dark_level, grid_strength

# Chosen beyond training images, their originals and enlarged copies, and adults without a trusted label.
_GRID = 1.8
_GRID_IN_VEIL, _VEIL = 1.1, 20.0
_BORDER_RANGE, _BORDER_DARK = 60.0, 15.0
# A border of exactly one level was drawn, as that of a slide.
_DRAWN = 0.2


def _traces(image: CheckInput) -> float:
    """The strongest trace of a camera; above 1 beyond real radiographs."""
    grid = grid_strength(image.radiograph.pixels)
    low, spread = border_range(image.canonical)
    around = _BORDER_RANGE / spread if low > _BORDER_DARK and spread > _DRAWN else 0.0
    veiled = min(grid / _GRID_IN_VEIL, dark_level(image.canonical) / _VEIL)
    return max(grid / _GRID, veiled, around)


SCREEN_PHOTO = Check("screen_photo", Stage.IMAGE, _traces, warning="checks.screen_photo.warning")
