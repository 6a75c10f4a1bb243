"""Where the model fails: groups, disturbances, other people, its surest errors, and what it refuses."""

from collections.abc import Mapping, Sequence

import streamlit as st

from cxrmodel.evaluation.report.lung_words import lungs_verdict
from cxrmodel.evaluation.report.plots import forest_figure
from cxrmodel.evaluation.report.rows import (
    DISTURBED_CHECKS,
    Row,
    adult_finding_rows,
    adult_rows,
    confident_errors,
    lung_rows,
    perturbation_rows,
    subgroup_rows,
)
from cxrmodel.evaluation.report.small_samples import few
from cxrmodel.web.components.downloads import download_menu
from cxrmodel.web.components.forest import forest_html
from cxrmodel.web.components.terms import explain, intervals_sentence, number, with_interval
from cxrmodel.web.evaluation.cache import strata_of
from cxrmodel.web.evaluation.checks import checks
from cxrmodel.web.evaluation.error_images import error_pictures
from cxrmodel.web.evaluation.explanations import explanations
from cxrmodel.web.evaluation.figures import band_sentence, finding_rows
from cxrmodel.web.evaluation.selection import Shown
from cxrmodel.web.text import plain

__all__ = ["failures"]

_NOT_MEASURED = "This has not been measured for these weights. The command that audits them adds it."


def failures(shown: Shown) -> None:
    """Draw everything that speaks against the model.

    Parameters
    ----------
    shown : Shown
    """
    audits = shown.evaluation.sections.get("audits", {}) if shown.ours else {}
    st.subheader("Groups of images")
    rows = strata_of(shown.evaluation, shown.split)
    if shown.split == "test":
        rows += subgroup_rows(audits)
    _forest(f"groups-{shown.split}", rows, 0.5)
    st.caption(intervals_sentence(shown.evaluation))
    _findings(shown)
    _errors(shown)
    if shown.ours:
        st.subheader("Lungs removed, alone and exchanged")
        st.markdown(
            "A reader of lungs should fall to chance where the lungs are gone, and stay as it is where they alone "
            f"stay. {plain(lungs_verdict(audits))}"
        )
        _audit("lungs", lung_rows(audits))
        st.subheader("Disturbed images")
        st.markdown(f"Diamonds have no interval of their own; that of the change stands in words. {DISTURBED_CHECKS}")
        _audit("perturbations", perturbation_rows(audits))
        _adults(audits)
        checks(shown.evaluation.sections.get("checks", {}))
        explanations(shown.evaluation)
    _refused(shown)
    explain("AUC", "Sensitivity (recall)", "Specificity", "Operating point", "95 % interval", "Few images")


def _audit(name: str, rows: Sequence[Row]) -> None:
    if rows:
        _forest(name, rows, 0.5)
    else:
        st.markdown(_NOT_MEASURED)


def _forest(name: str, rows: Sequence[Row], mark: float) -> None:
    values = [value for row in rows for value in (row["value"], row["low"]) if value is not None]
    low = 0.0 if min(values, default=1) < mark else mark
    st.html(forest_html(rows, low, 1.0, mark if low < mark else None))
    download_menu(name, lambda: rows, lambda: forest_figure(rows, "AUC or share", mark))


def _findings(shown: Shown) -> None:
    st.subheader("What the program calls them")
    points = shown.evaluation.operating_points
    rows = finding_rows(shown.scores, points)
    st.table(rows, hide_index=True)
    st.caption(band_sentence(shown.scores, points))
    download_menu(f"findings-{shown.split}", lambda: rows)


def _errors(shown: Shown) -> None:
    st.subheader("The surest errors")
    errors = confident_errors(shown.evaluation, shown.split)
    if not errors:
        st.markdown("At the balanced point no image is called wrongly.")
        return
    st.markdown("Images on the wrong side of the balanced threshold, those first of which the model was surest.")
    st.dataframe(
        [
            {
                "Probability": 100 * row["probability"],
                "Label": " ".join(filter(None, (row["label"], row["organism"]))),
                "Finding": row["finding"],
                "Image": row["file"],
            }
            for row in errors
        ],
        hide_index=True,
        column_config={"Probability": st.column_config.NumberColumn(format="%.2f %%")},
    )
    download_menu(f"surest-errors-{shown.split}", lambda: errors)
    error_pictures(shown, errors)


def _adults(audits: Mapping) -> None:
    st.subheader("Adults")
    adult, rows = audits.get("adult"), adult_rows(audits)
    if not adult or not rows:
        st.markdown(f"The model knows children alone. {_NOT_MEASURED}")
        return
    st.markdown(
        f"The model knows children alone. Of {adult['images']} images of adults {adult['refused']} were refused. Rows "
        "are of the images that were read; only those that say “refused images included” are of all of them, "
        "with the checks off. Radiologists have read these again; refusals and warnings, below, are counted on them and "
        "on more adults whose labels nobody checked."
    )
    _forest("adults", rows, 0.5)
    called = adult_finding_rows(audits)
    if called:
        st.markdown(
            "What the program calls those adults that it reads, by what radiologists saw on the image; each false alarm "
            "among them is a reason not to use it on adults."
        )
        st.table(called, hide_index=True)
        download_menu("adult-findings", lambda: called)
    heat = adult.get("heat_in_boxes")
    if heat:
        st.markdown(
            f"On {heat['images']} images with boxes that radiologists drew around opacities, the share of heat within a "
            f"box is {with_interval(heat['share'])}, where {number(heat['expected_by_area'])} would be by area alone; "
            f"the share of images with the peak in a box is {with_interval(heat['peak_in_box'])}. "
            f"{few({'images': heat['images']})}"
        )


def _refused(shown: Shown) -> None:
    st.subheader("Images without a score")
    refused = shown.evaluation.refused[shown.split]
    counts = shown.evaluation.data[shown.split]
    if not refused:
        st.markdown(f"All of these {counts['images']} images were scored, with the checks off.")
        return
    st.markdown(
        f"{len(refused)} of {counts['images']} files could not be decoded as an image and are in no figure above."
    )
    with st.expander("Which, and why", icon=":material/block:"):
        st.markdown("\n".join(f"- {plain(row['file'])}: {plain(row['reason'])}" for row in refused))
    download_menu(f"refused-{shown.split}", lambda: refused)
