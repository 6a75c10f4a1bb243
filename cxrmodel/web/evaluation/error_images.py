"""Pictures of the surest errors with their heat, where the images lie on this machine; read when asked for, not kept."""

from collections.abc import Sequence

import cv2
import numpy as np
import streamlit as st

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.report.rows import ConfidentError
from cxrmodel.explain.overlay import image_rgb, overlay
from cxrmodel.reading import Reader
from cxrmodel.training.archive import data_root
from cxrmodel.web import engine
from cxrmodel.web.evaluation.selection import Shown
from cxrmodel.web.text import plain

__all__ = ["error_pictures", "jpeg"]

_COLUMNS = 4
_JPEG_QUALITY = 95


def error_pictures(shown: Shown, errors: Sequence[ConfidentError]) -> None:
    """Offer the images of a table of errors as pictures, with the heatmap of the model that reads.

    Parameters
    ----------
    shown : Shown
    errors : sequence of ConfidentError
    """
    if not shown.ours:
        return
    present = [row for row in errors if (data_root() / row.file).is_file()]
    if not present:
        st.markdown("The images themselves are not on this machine, so their pictures are not shown.")
        return
    if not st.toggle("Show the images with their heatmaps", key="pictures of errors"):
        return
    try:
        model = shown.evaluation.model
        reader = engine.reader() if model == engine.MODEL else engine.reader(model)
    except CxrError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return
    columns = st.columns(_COLUMNS)
    for place, row in enumerate(present):
        with columns[place % _COLUMNS]:
            _picture(reader, row)


def jpeg(rgb: np.ndarray) -> bytes:
    """Code a picture for the screen.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)

    Raises
    ------
    ValueError
        When the picture cannot be coded.
    """
    done, coded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise ValueError(f"a picture of shape {rgb.shape} cannot be coded as JPEG")
    return coded.tobytes()


def _picture(reader: Reader, row: ConfidentError) -> None:
    path = data_root() / row.file
    try:
        reading = reader.read(path.read_bytes(), path.name)
    except (CxrError, OSError) as error:
        st.caption(f"{plain(path.name)} cannot be shown: {plain(str(error))}")
        return
    pixels = reading.radiograph.pixels
    image, heat = st.columns(2, gap="small")
    image.image(jpeg(image_rgb(pixels)), width="stretch", alt=f"Image {path.name}")
    heat.image(
        jpeg(overlay(pixels, reading.heat, reading.heat_range)),
        width="stretch",
        alt=f"Image {path.name} with its heatmap",
    )
    st.caption(f"{plain(path.name)}: {row.label}, stated {100 * row.probability:.2f} %")
