"""Where the model fails: groups, disturbances, other people, its surest errors, and what it refuses."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from cxrmodel.evaluation.report.figures import forest_figure
from cxrmodel.evaluation.report.rows import (
    FindingCounts,
    Row,
    adult_findings,
    adult_rows,
    confident_errors,
    findings_by_label,
    lung_rows,
    perturbation_rows,
    subgroup_rows,
)
from cxrmodel.evaluation.report.small_samples import few, image_count
from cxrmodel.evaluation.report.verdicts import masked_lungs_verdict
from cxrmodel.evaluation.report.view import labels_of, section
from cxrmodel.metrics import formatting
from cxrmodel.web.components.downloads import download_menu
from cxrmodel.web.components.forest import forest_html
from cxrmodel.web.components.terms import explain, intervals_sentence
from cxrmodel.web.evaluation.cache import strata_of
from cxrmodel.web.evaluation.checks import checks
from cxrmodel.web.evaluation.error_images import error_pictures
from cxrmodel.web.evaluation.explanations import explanations
from cxrmodel.web.evaluation.figures import band_sentence
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
    audits = section(shown.evaluation, "audits") if shown.ours else None
    st.subheader("Groups of images")
    rows = strata_of(shown.evaluation, shown.split)
    if shown.split == "test":
        rows += subgroup_rows((audits.subgroups if audits else None) or (), labels_of(shown.evaluation))
    _forest(f"groups-{shown.split}", rows, 0.5)
    st.caption(intervals_sentence(shown.evaluation))
    _findings(shown)
    _errors(shown)
    if shown.ours:
        lungs = (audits.lungs if audits else None) or ()
        st.subheader("Lungs removed, alone and exchanged")
        st.markdown(
            "A reader of lungs should fall to chance where the lungs are gone, and stay as it is where they alone "
            f"stay. {plain(' '.join(map(str, masked_lungs_verdict(lungs))))}"
        )
        _audit("lungs", lung_rows(lungs))
        st.subheader("Disturbed images")
        st.markdown("Diamonds have no interval of their own; that of the change stands in words.")
        _audit("perturbations", perturbation_rows((audits.perturbations if audits else None) or ()))
        _adults(audits.adults if audits else None)
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
    values = [value for row in rows for value in (row.estimate.value, row.estimate.low) if value is not None]
    low = 0.0 if min(values, default=1) < mark else mark
    st.html(forest_html(rows, low, 1.0, mark if low < mark else None))
    download_menu(name, lambda: [row.record for row in rows], lambda: forest_figure(rows, "AUC or share", mark))


def _findings(shown: Shown) -> None:
    st.subheader("What the program calls them")
    points = shown.evaluation.operating_points
    rows = _counted(findings_by_label(shown.evaluation, shown.split))
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
                "Probability": 100 * row.probability,
                "Label": " ".join(filter(None, (row.label, row.stratum))),
                "Finding": row.finding,
                "Image": row.file,
            }
            for row in errors
        ],
        hide_index=True,
        column_config={"Probability": st.column_config.NumberColumn(format="%.2f %%")},
    )
    download_menu(f"surest-errors-{shown.split}", lambda: [asdict(error) for error in errors])
    error_pictures(shown, errors)


def _counted(groups: Sequence[FindingCounts]) -> list[dict[str, str]]:
    return [
        {"Images": f"{group.group} ({group.images})"}
        | {f"Finding: {name}": formatting.count_share(count, group.images) for name, count in group.counts.items()}
        for group in groups
    ]


def _adults(adults: Any) -> None:
    st.subheader("Adults")
    rows = adult_rows(adults.panels) if adults else []
    if not rows:
        st.markdown(f"The model knows children alone. {_NOT_MEASURED}")
        return
    st.markdown(
        f"The model knows children alone. Of {adults.images} images of adults {adults.rejected} were refused. Rows "
        "are of the images that were read; only those that say “refused images included” are of all of them, with the "
        "checks off. Radiologists have read these again; refusals and warnings, below, are counted on them and on more "
        "adults whose labels nobody checked."
    )
    _forest("adults", rows, 0.5)
    found = _counted(adult_findings(adults.findings or ()))
    if found:
        st.markdown(
            "What the program calls those adults that it reads, by what radiologists saw on the image; each false "
            "alarm among them is a reason not to use it on adults."
        )
        st.table(found, hide_index=True)
        download_menu("adult-findings", lambda: found)
    heat = adults.heat_in_boxes
    if heat:
        st.markdown(
            f"On {heat.images} images with boxes that radiologists drew around opacities, the share of heat within a "
            f"box is {formatting.estimate(heat.share)}, where {formatting.number(heat.expected_by_area)} would be by "
            f"area alone; the share of images with the peak in a box is {formatting.estimate(heat.peak_in_box)}. "
            f"{few(image_count(heat.images)) or ''}"
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
