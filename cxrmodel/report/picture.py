"""The image of a reading under its map, as a file."""

from io import BytesIO

from cxrmodel.explain.overlay import overlay_figure
from cxrmodel.reading import Reading
from cxrmodel.report.wording import figure_caption

_DPI = 150


def overlay_png(reading: Reading) -> bytes:
    """Draw a reading's image under its map, with its caption, as a PNG.

    Parameters
    ----------
    reading : Reading
    """
    image = reading.radiograph.pixels
    figure = overlay_figure(image, reading.drawn_heat, reading.heat_range, caption=figure_caption(reading))
    picture = BytesIO()
    figure.savefig(picture, dpi=_DPI, format="png")
    return picture.getvalue()
