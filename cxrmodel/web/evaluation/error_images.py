"""Images of confident errors with their heatmaps, where they are on this machine; read on demand, not kept."""

from collections.abc import Sequence
from itertools import cycle

import streamlit as st

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.report.rows import ConfidentError
from cxrmodel.explain.overlay import image_rgb, overlay
from cxrmodel.metrics import formatting
from cxrmodel.reading import Reader
from cxrmodel.sinks import label
from cxrmodel.training.archive import data_root
from cxrmodel.web import engine
from cxrmodel.web.evaluation.selection import Selection
from cxrmodel.web.text import named, plain, text

_COLUMNS = 4


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
    for column, error in zip(cycle(st.columns(_COLUMNS)), present, strict=False):
        with column:
            _image(reader, error)


def _image(reader: Reader, error: ConfidentError) -> None:
    path = data_root() / error.file
    name = named(path.name)
    try:
        reading = reader.read(path.read_bytes(), path.name)
    except (CxrError, OSError) as problem:
        st.caption(text("web.error_images.unreadable", name=name, reason=plain(problem)))
        return
    pixels = reading.radiograph.pixels
    pictures = {
        text("web.error_images.alt", name=label(path.name)): image_rgb(pixels),
        text("web.error_images.alt_heatmap", name=label(path.name)): overlay(
            pixels, reading.drawn_heat, reading.heat_range
        ),
    }
    for column, (alt, rgb) in zip(st.columns(2, gap="small"), pictures.items(), strict=True):
        column.image(rgb, width="stretch", output_format="JPEG", alt=alt)
    probability = formatting.share_percent(error.probability, 2)
    st.caption(text("web.error_images.caption", name=name, label=error.label, probability=probability))
