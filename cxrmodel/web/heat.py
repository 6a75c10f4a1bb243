"""The heatmap beside its film."""

from io import BytesIO

import matplotlib
import streamlit as st

from cxrmodel.evaluation.offered import FIXED_RANGE
from cxrmodel.explain.overlay import COLOUR_MAPS, LEGEND, film_rgb, overlay, overlay_figure
from cxrmodel.reading import Reading
from cxrmodel.reasons import HARDLY, MOSTLY
from cxrmodel.records.wording import DISCLAIMER, heat_peak, heat_sentence, probability_percent, reason_for_finding
from cxrmodel.web.badges import badges
from cxrmodel.web.downloads import file_title, lazily
from cxrmodel.web.pictures import for_display, jpeg, outlined
from cxrmodel.web.text import plain

__all__ = ["heatmap"]

_STOPS = 16
_MEANING = {
    "uncertain": "Finding: uncertain, whatever the map shows.",
    "normal": "Whatever heat the map shows did not suffice for pneumonia.",
}
_HIDDEN = "overlay hidden by the user"


def heatmap(reading: Reading, legend: str = LEGEND, range_note: str = FIXED_RANGE) -> None:
    """Draw film and overlay side by side, with the controls and the words that belong to them.

    Parameters
    ----------
    reading : Reading
        With the map to be shown and its range.
    legend, range_note : str
        What the map's values are, and whether its colours can be compared between films.
    """
    shown, opacity, colour_map, outline = _controls()
    pixels = for_display(reading.radiograph.pixels)
    original, overlaid = st.columns(2, gap="medium")
    with original:
        st.image(jpeg(film_rgb(pixels)), width="stretch", alt="The film as it was given")
        st.caption(f"The film: {plain(reading.name)}")
        badges(reading)
    with overlaid:
        picture = film_rgb(pixels)
        if shown:
            picture = overlay(pixels, reading.heat, reading.heat_range, opacity, colour_map)
        if outline:
            picture = outlined(picture, reading.lungs.mask)
        alt = f"The film {'with' if shown else 'without'} the heatmap, {'with' if outline else 'without'} lung outline"
        st.image(jpeg(picture), width="stretch", alt=alt)
        if shown:
            st.html(_colour_bar(colour_map, reading.heat_range, legend, range_note))
        else:
            st.caption("The overlay is off.")
    _words(reading)
    st.download_button(
        "Overlay as PNG",
        lazily(lambda: _file(reading, opacity, colour_map, legend)),
        file_name=file_title(reading, "heatmap.png"),
        mime="image/png",
        icon=":material/download:",
        on_click="ignore",
    )


def _controls() -> tuple[bool, float, str, bool]:
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
        outline = st.toggle("Lung outline", value=True, help="The lung fields that the program found on this film.")
    return shown, opacity / 100, colour_map, outline


def _shown() -> bool:
    shown = not st.session_state.get(_HIDDEN, False)
    st.button(
        "Hide the overlay" if shown else "Show the overlay",
        icon=":material/visibility_off:" if shown else ":material/visibility:",
        shortcut="H",
        on_click=lambda: st.session_state.update({_HIDDEN: shown}),
    )
    return shown


def _colour_bar(colour_map: str, heat_range: float, legend: str, range_note: str) -> str:
    shades = (matplotlib.colors.to_hex(matplotlib.colormaps[colour_map](i / (_STOPS - 1))) for i in range(_STOPS))
    return (
        f'<div class="ramp" role="img" aria-label="Colour bar from 0 to {heat_range:.3g}">'
        f'<span>0</span><div style="background:linear-gradient(to right,{",".join(shades)})"></div>'
        f"<span>{heat_range:.3g} or more</span></div>"
        f'<div class="ramp-note">{legend}. {range_note} '
        "On the film colours are paler, because opacity follows heat.</div>"
    )


def _words(reading: Reading) -> None:
    said = probability_percent(reading.probability, reading.operating_points)
    st.markdown(f"Finding: **{reading.finding}**. Probability of pneumonia: **{said}**.")
    sentence = heat_sentence(reading)
    if reading.heat_in_lungs is None or heat_peak(reading) < HARDLY:
        st.info(sentence, icon=":material/info:")
    elif reading.heat_in_lungs < MOSTLY:
        st.warning(sentence, icon=":material/priority_high:")
    else:
        st.markdown(sentence)
    meaning = _MEANING.get(reading.finding)
    if meaning and (reading.heat_in_lungs is not None or reading.finding == "uncertain"):
        st.info(f"{reason_for_finding(reading.finding, reading.operating_points)} {meaning}", icon=":material/info:")
    st.caption("A heatmap says where the score comes from, not where disease is. It may be wrong in place and extent.")


def _file(reading: Reading, opacity: float, colour_map: str, legend: str) -> bytes:
    pixels = for_display(reading.radiograph.pixels)
    figure = overlay_figure(pixels, reading.heat, reading.heat_range, opacity, colour_map, legend)
    figure.suptitle(f"{DISCLAIMER}. {reading.model}", color="white", fontsize=9)
    coded = BytesIO()
    figure.savefig(coded, format="png", dpi=200)
    return coded.getvalue()
