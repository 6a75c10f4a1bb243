"""The heat map beside its film."""

from io import BytesIO
from pathlib import PurePath

import matplotlib
import streamlit as st

from cxrmodel.explain.overlay import COLOUR_MAPS, NO_HEAT, film_rgb, overlay, overlay_figure
from cxrmodel.reading import MOSTLY, Reading
from cxrmodel.records.wording import DISCLAIMER, OPERATING_POINTS, heat_sentence, percent, threshold_percent
from cxrmodel.web.downloads import lazily
from cxrmodel.web.pictures import for_display, jpeg
from cxrmodel.web.text import plain

__all__ = ["heatmap"]

_STOPS = 16
_HIDDEN = "overlay hidden by the user"


def heatmap(reading: Reading) -> None:
    """Draw film and overlay side by side, with the controls and the words that belong to them.

    Parameters
    ----------
    reading : Reading
    """
    shown, opacity, colour_map = _controls()
    pixels = for_display(reading.radiograph.pixels)
    original, overlaid = st.columns(2, gap="medium")
    with original:
        st.image(jpeg(film_rgb(pixels)), width="stretch", alt="The film as it was given")
        st.caption(f"The film: {plain(reading.name)}")
    with overlaid:
        if shown:
            picture = overlay(pixels, reading.heat, reading.heat_range, opacity, colour_map)
            st.image(jpeg(picture), width="stretch", alt="The film with the heat map laid over it")
            st.html(_colour_bar(colour_map, reading.heat_range))
        else:
            st.image(jpeg(film_rgb(pixels)), width="stretch", alt="The film without the heat map")
            st.caption("The overlay is off.")
    _words(reading)
    st.download_button(
        "Overlay as PNG",
        lazily(lambda: _file(reading, opacity, colour_map)),
        file_name=f"{PurePath(reading.name).stem} heatmap.png",
        mime="image/png",
        icon=":material/download:",
        on_click="ignore",
    )


def _controls() -> tuple[bool, float, str]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        shown = _shown()
        opacity = st.slider("Opacity", 0, 100, 50, step=5, format="%d %%", disabled=not shown, width=320)
        colour_map = st.selectbox(
            "Colour map",
            COLOUR_MAPS,
            disabled=not shown,
            width=220,
            help="All four rise evenly in brightness, so they hold for colour-blind readers; cividis most of all.",
        )
    return shown, opacity / 100, colour_map


def _shown() -> bool:
    shown = not st.session_state.get(_HIDDEN, False)
    st.button(
        "Hide the overlay" if shown else "Show the overlay",
        icon=":material/visibility_off:" if shown else ":material/visibility:",
        shortcut="H",
        on_click=lambda: st.session_state.update({_HIDDEN: shown}),
    )
    return shown


def _colour_bar(colour_map: str, heat_range: float) -> str:
    shades = (matplotlib.colors.to_hex(matplotlib.colormaps[colour_map](i / (_STOPS - 1))) for i in range(_STOPS))
    return (
        f'<div class="ramp" role="img" aria-label="Colour bar from 0 to {heat_range:.3g}">'
        f'<span>0</span><div style="background:linear-gradient(to right,{",".join(shades)})"></div>'
        f"<span>{heat_range:.3g} or more</span></div>"
        '<div class="ramp-note">Grad-CAM, raw values: what each place adds to the score. '
        "The range is the same for every film.</div>"
    )


def _words(reading: Reading) -> None:
    point = OPERATING_POINTS.get(reading.operating_point, reading.operating_point)
    st.markdown(f"Finding: **{reading.finding}**. Probability of pneumonia: **{percent(reading.probability)}**.")
    if reading.heat_in_lungs is None:
        st.info(NO_HEAT, icon=":material/info:")
    elif reading.heat_in_lungs < MOSTLY:
        st.warning(heat_sentence(reading.heat_in_lungs), icon=":material/priority_high:")
    else:
        st.markdown(heat_sentence(reading.heat_in_lungs))
    if reading.heat_in_lungs is not None and reading.probability < reading.threshold:
        st.info(
            f"This film is below the {point} operating point (threshold {threshold_percent(reading.threshold)}): "
            "what the map shows did not suffice for pneumonia.",
            icon=":material/info:",
        )
    st.caption("A heat map says where the score comes from, not where disease is. It may be wrong in place and extent.")


def _file(reading: Reading, opacity: float, colour_map: str) -> bytes:
    pixels = for_display(reading.radiograph.pixels)
    figure = overlay_figure(pixels, reading.heat, reading.heat_range, opacity, colour_map)
    figure.suptitle(f"{DISCLAIMER}. {reading.model}", color="white", fontsize=9)
    coded = BytesIO()
    figure.savefig(coded, format="png", dpi=200)
    return coded.getvalue()
