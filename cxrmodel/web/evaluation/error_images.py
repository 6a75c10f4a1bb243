"""Images of confident errors with their heatmaps, where they are on this machine; read on demand, not kept."""

from collections.abc import Sequence

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.report.rows import ConfidentError
from cxrmodel.explain.overlay import image_rgb, overlay
from cxrmodel.metrics import formatting
from cxrmodel.reading import Reader
from cxrmodel.training.archive import data_root
from cxrmodel.web import engine
from cxrmodel.web.evaluation.selection import Selection
from cxrmodel.web.text import plain, text

__all__ = ["error_images", "jpeg"]

_COLUMNS = 4
_JPEG_QUALITY = 95


def error_images(selection: Selection, errors: Sequence[ConfidentError]) -> None:
    """Offer the images of a table of errors, with the heatmap of the selected model.

    Parameters
    ----------
    selection : Selection
    errors : sequence of ConfidentError
    """
    if not selection.is_shipped:
        return
    present = [error for error in errors if (data_root() / error.file).is_file()]
    if not present:
        st.markdown(text("web.error_images.missing"))
        return
    if not st.toggle(text("web.error_images.show"), key="images of errors"):
        return
    try:
        model = selection.evaluation.model
        reader = engine.reader() if model == engine.MODEL else engine.reader(model)
    except CxrError as problem:
        st.warning(plain(problem), icon=":material/warning:")
        return
    columns = st.columns(_COLUMNS)
    for place, error in enumerate(present):
        with columns[place % _COLUMNS]:
            _image(reader, error)


def jpeg(rgb: NDArray[np.uint8]) -> bytes:
    """Code an image for the screen.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)

    Raises
    ------
    ValueError
        When the image cannot be coded.
    """
    done, coded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise ValueError(f"an image of shape {rgb.shape} cannot be coded as JPEG")
    return coded.tobytes()


def _image(reader: Reader, error: ConfidentError) -> None:
    path = data_root() / error.file
    name = plain(path.name)
    try:
        reading = reader.read(path.read_bytes(), path.name)
    except (CxrError, OSError) as problem:
        st.caption(text("web.error_images.unreadable", name=name, reason=plain(problem)))
        return
    pixels = reading.radiograph.pixels
    image, heatmap = st.columns(2, gap="small")
    image.image(jpeg(image_rgb(pixels)), width="stretch", alt=text("web.error_images.alt", name=path.name))
    heatmap.image(
        jpeg(overlay(pixels, reading.heat, reading.heat_range)),
        width="stretch",
        alt=text("web.error_images.alt_heatmap", name=path.name),
    )
    probability = formatting.share_percent(error.probability, 2)
    st.caption(text("web.error_images.caption", name=name, label=error.label, probability=probability))
