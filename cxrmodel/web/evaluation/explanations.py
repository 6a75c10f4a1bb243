"""How the methods of explaining fared in their tests: the part of the Evaluation page about them."""

from collections.abc import Mapping, Sequence

import altair as alt
import streamlit as st

from cxrmodel.evaluation.report.charts import RandomisationCurve, randomisation_curves
from cxrmodel.evaluation.report.figures import randomisation_figure
from cxrmodel.evaluation.report.small_samples import few, image_count
from cxrmodel.evaluation.report.view import section as section_of
from cxrmodel.evaluation.storage import Evaluation
from cxrmodel.explain.methods import METHODS
from cxrmodel.messages import Message
from cxrmodel.web.components.downloads import download_menu

__all__ = ["explanations"]

_MISSING = (
    "The methods of explaining have not been tested for these weights. Run python -m cxrmodel evaluate --explanations "
    "to do so."
)


def explanations(evaluation: Evaluation) -> None:
    """Draw what was found of the methods of explaining, or say that nothing was.

    Parameters
    ----------
    evaluation : Evaluation
    """
    st.subheader("Heatmaps")
    section = evaluation.sections.get("explanations")
    if not section:
        st.markdown(_MISSING)
        return
    images, default = section["images"], section["default"]
    st.markdown(
        f"{images['how']} Images: {images['test']} for the closed-form map, {images['sample']} in the sample, "
        f"{images['called']} of these called pneumonia. Default: **{_title(default)}**. {section['default_rule']}"
    )
    st.markdown("#### Is the place right?")
    faithful, sane = ([make(row) for row in section["methods"]] for make in (_faithful, _sane))
    st.table(faithful, hide_index=True)
    st.caption(
        "Deletion: mean score at even prevalence while the hottest places are blurred away, lower is better. "
        "Insertion: while they are put back on a blurred image, higher is better. Beside each, the same for places in a "
        "random order. Stability: rank correlation of the map with that under noise too small to see. In brackets "
        f"{100 * evaluation.bootstrap['level']:.0f} % intervals, resampled by patient. "
        f"{_few(section['methods'])}"
    )
    download_menu("explanations", lambda: faithful)
    st.markdown("#### Does the map depend on what was learnt?")
    st.table(sane, hide_index=True)
    curves = randomisation_curves(section_of(evaluation, "explanations"))
    cascade = _cascade_rows(curves)
    st.altair_chart(_cascade(cascade), alt="Likeness of each method's map as more of the network is drawn anew.")
    st.caption(
        "Rank correlation of maps with those of the trained network, after its weights were drawn anew from the "
        "output downwards, and with those of weights trained on shuffled labels (Adebayo et al., NeurIPS 2018). A "
        "method is marked whose "
        f"maps stay at {section['sanity_rule']['alike_from']} or more when nothing learnt is left."
    )
    download_menu("explanations-sanity", lambda: sane)
    download_menu(
        "explanations-cascade", lambda: cascade, lambda: randomisation_figure(curves), label="Download the curves"
    )
    st.markdown("#### Do the methods agree?")
    agreement = _agreement(section)
    st.table(agreement, hide_index=True)
    st.caption("Mean rank correlation of two methods' maps within the crop, on the images that both have.")
    download_menu("explanations-agreement", lambda: agreement)
    if adults := section.get("adults"):
        _adults(adults)


def _adults(adults: Mapping) -> None:
    st.markdown("#### Does heat fall where radiologists marked opacities?")
    st.markdown(
        f"{adults['images']} images of adults with boxes around opacities: a population that the model never learnt. "
        f"Boxes cover {100 * adults['expected_by_area']:.0f} % of what the network sees, which is what heat strewn at "
        "random would reach in both columns."
    )
    rows = [
        {
            "Method": _title(row["name"]),
            "Images": str(row["images"]),
            "Peak in a box": _interval(row["peak_in_box"]),
            "Share of heat in boxes": _interval(row["share"]),
        }
        for row in adults["methods"]
    ]
    st.table(rows, hide_index=True)
    if caveat := few(image_count(adults["images"])):
        st.caption(str(caveat))
    download_menu("explanations-adults", lambda: rows)


def _few(methods: Sequence[Mapping]) -> str:
    counts = (
        Message("documents.count.titled", title=row["title"], n=min(row["images"], row["curve_images"]))
        for row in methods
    )
    return str(few(*counts) or "")


def _title(name: str) -> str:
    return METHODS[name].title if name in METHODS else name


def _interval(figures: Mapping[str, float | None]) -> str:
    if figures["value"] is None:
        return "undefined"
    if figures["low"] is None:
        return f"{figures['value']:.2f}"
    return f"{figures['value']:.2f} ({figures['low']:.2f}–{figures['high']:.2f})"


def _faithful(row: Mapping) -> dict[str, str]:
    return {
        "Method": row["title"],
        "Deletion": f"{_interval(row['deletion_auc'])}, random {row['random_deletion_auc']:.2f}",
        "Insertion": f"{_interval(row['insertion_auc'])}, random {row['random_insertion_auc']:.2f}",
        "Heat in the lungs": _interval(row["heat_in_lungs"]),
        "Stability": _interval(row["stability"]),
        "Images": f"{row['images']}; curves {row['curve_images']}, stability {row['stability_images']}",
    }


def _sane(row: Mapping) -> dict[str, str]:
    sanity = row["sanity"]
    shuffled = sanity["shuffled_labels"]
    return {
        "Method": row["title"],
        "All weights drawn anew": f"{sanity['randomised'][-1]:.2f}",
        "Shuffled labels": shuffled if isinstance(shuffled, str) else f"{shuffled:.2f}",
        "Depends on the model": "yes" if sanity["depends_on_model"] else "no: do not rely on it",
        "Images": str(sanity["images"]),
    }


def _agreement(section: Mapping) -> list[dict[str, str]]:
    titles = [row["title"] for row in section["methods"]]
    return [
        {"": title} | {other: "" if x is None else f"{x:.2f}" for other, x in zip(titles, line, strict=True)}
        for title, line in zip(titles, section["agreement"], strict=True)
    ]


def _cascade_rows(curves: Sequence[RandomisationCurve]) -> list[dict[str, str | float]]:
    return [
        {"method": curve.title, "stage": stage or "as trained", "likeness": value}
        for curve in curves
        for stage, value in zip(curve.stages, curve.similarity, strict=True)
    ]


def _cascade(rows: list[dict[str, str | float]]) -> alt.Chart:
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(point=True, strokeWidth=2)
        .encode(
            alt.X("stage:N", sort=stages, title="Drawn anew down to", axis=alt.Axis(labelAngle=0)),
            alt.Y("likeness:Q", title="Rank correlation"),
            alt.Color("method:N", title=None),
            alt.Shape("method:N", title=None),
            tooltip=["method:N", "stage:N", alt.Tooltip("likeness:Q", format=".2f")],
        )
        .properties(height=320)
        .configure_legend(orient="bottom", columns=4, labelLimit=260)
    )
