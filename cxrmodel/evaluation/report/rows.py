"""Evaluations -> rows of named figures with intervals, for forest plots, tables and files.

A row is plain JSON: ``group``, ``name``, ``value``, ``low``, ``high`` (None where undefined), ``note``, and ``few``: a
caution where it rests on few images, or why its figure is withheld, else empty.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from cxrmodel.evaluation import bootstrap
from cxrmodel.evaluation.metrics import LEVEL, significant
from cxrmodel.evaluation.report.small_samples import few, few_alike, few_images, withheld, withheld_of
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.model.calibration import FINDINGS

__all__ = [
    "DISTURBED_CHECKS",
    "Row",
    "adult_finding_rows",
    "adult_rows",
    "auc_rows",
    "confident_errors",
    "finding_row",
    "lung_rows",
    "perturbation_rows",
    "row",
    "signed",
    "stratum_rows",
    "subgroup_rows",
]

DISTURBED_CHECKS = (
    "Of the checks only missing lungs are counted here. The others are off and would refuse more of these images, above "
    "all those turned by 10 degrees, for their black corners, and those equalised locally."
)
"""What the rows of disturbed images leave out."""
Row = dict[str, str | float | None]
_STRATA = {"normal": "Normal", "bacteria": "Bacterial pneumonia", "virus": "Viral pneumonia"}
_LUNGS = {"removed": "Lungs removed", "only": "Only the lungs left", "exchange": "Lungs exchanged"}


def row(group: str, name: str, figure: Mapping, note: str = "", few: str = "") -> Row:
    """Make a row of an interval.

    Parameters
    ----------
    group, name, note : str
    figure : mapping
        ``value``, ``low`` and ``high``.
    few : str
        As :func:`cxrmodel.evaluation.report.small_samples.few` says it.
    """
    bounds = {key: figure.get(key) for key in ("value", "low", "high")}
    return {"group": group, "name": name, **bounds, "note": note, "few": few}


def auc_rows(
    evaluations: Mapping[str, Evaluation], split: str, audits: Mapping, published: Sequence[Mapping] = ()
) -> list[Row]:
    """Areas under the ROC curve: the models', those of shortcuts that see no lung, and published ones.

    Parameters
    ----------
    evaluations : mapping of str to Evaluation
        By the name to show.
    split : str
    audits : mapping
        The section of that name; may be empty.
    published : sequence of mapping
        As :func:`cxrmodel.evaluation.published.published` gives them. The spread of several seeds is told as twice
        the standard deviation, in the note, not as an interval.
    """
    rows = [
        _or_withheld(
            row("This program", name, e.metrics[split]["auc"], few=few_images(e, split)), withheld_of(e, split)
        )
        for name, e in evaluations.items()
    ]
    rows += [
        row("Shortcuts, which see no lung", item["name"], item["auc"], item.get("description", ""))
        for item in audits.get("shortcuts", ())
    ]
    for item in published:
        spread = f", standard deviation of the seeds {item['auc_deviation']:g}" if "auc_deviation" in item else ""
        figure = {"value": item["auc"], "low": None, "high": None}
        rows.append(row("Published, same images", item["short"], figure, f"{item['description']}{spread}"))
    return rows


def signed(value: float) -> str:
    """Write a change with its sign and three decimals; one too small to show has none."""
    said = f"{value:+.3f}"
    return "0.000" if float(said) == 0 else said


def stratum_rows(evaluation: Evaluation, split: str) -> list[Row]:
    """Share of images called rightly at the balanced point, by organism, with intervals over patients."""
    scores, threshold = evaluation.scores[split], evaluation.operating_points["balanced"]
    weights = bootstrap.patient_weights(np.asarray(scores.patients, str), **evaluation.resampling)
    groups = np.array(
        [o or ("normal" if y == 0 else "other") for o, y in zip(scores.organisms, scores.labels, strict=True)]
    )
    right = (scores.probabilities >= threshold) == (scores.labels == 1)
    rows = []
    for group, said in {**_STRATA, "other": "Pneumonia"}.items():
        members = groups == group
        if not members.any():
            continue
        drawn = weights[:, members]
        with np.errstate(invalid="ignore"):
            shares = (drawn * right[members]).sum(axis=1) / drawn.sum(axis=1)
        low, high = bootstrap.percentile_interval(shares, LEVEL) or (None, None)
        figure = {"value": float(right[members].mean()), "low": low, "high": high}
        people = len(set(np.asarray(scores.patients, str)[members].tolist()))
        rows.append(
            row(
                "Called rightly, balanced point",
                said,
                _rounded(figure),
                f"{right[members].sum()} of {members.sum()} images",
                " ".join(
                    filter(None, (few({"images": int(members.sum()), "patients": people}), few_alike(figure, people)))
                ),
            )
        )
    return rows


def subgroup_rows(audits: Mapping) -> list[Row]:
    """AUC in each subgroup of the section ``audits``."""
    return [
        _of_classes("AUC", item, f"{item['positives']} with pneumonia", ("normal images", "images with pneumonia"))
        for item in audits.get("subgroups", ())
    ]


def perturbation_rows(audits: Mapping) -> list[Row]:
    """AUC under each disturbance of the section ``audits``."""
    rows = []
    for item in audits.get("perturbations", ()):
        moved = _signed(item.get("mean_probability_change")).lstrip("+")
        change = _change(item.get("auc_change_interval", item.get("auc_change")))
        said = f"change of AUC {change}; mean absolute change of the probability {moved}"
        if item.get("refused"):
            said += f"; no lungs are found on {item['refused']} of {item['images']} images"
        note = "; ".join(filter(None, (item.get("description", ""), said)))
        rows.append(row("AUC of disturbed images", item["name"], _figure(item["auc"]), note, _few_images(item)))
    return rows


def lung_rows(audits: Mapping) -> list[Row]:
    """AUC with lungs removed, alone, or exchanged, of the section ``audits``."""
    rows = []
    for item in audits.get("lungs", ()):
        seen = "seen in training" if item.get("seen_in_training") else "not seen in training"
        group = _LUNGS.get(item["kind"], item["kind"])
        note = f"{item['images']} images, {seen}"
        scarce = _few_images(item)
        rows.append(row(group, item["name"], item["auc"], note, scarce))
        if "auc_of_surroundings" in item:
            name = f"{item['name']}: label of the surroundings"
            rows.append(row(group, name, item["auc_of_surroundings"], note, scarce))
    return rows


def adult_rows(audits: Mapping) -> list[Row]:
    """AUC on adults, of the section ``audits``; aggregates alone."""
    kinds = ("images without opacities", "images with opacities")
    return [
        _of_classes("AUC on adults", item, f"{item['positives']} with opacities", kinds)
        for item in audits.get("adult", {}).get("panels", ())
    ]


def adult_finding_rows(audits: Mapping) -> list[dict[str, str]]:
    """What the program calls the adults that it reads, by what radiologists saw; a row as of ``finding_row``."""
    said = {"normal": "Normal", "abnormal_no_opacity": "Abnormal, without an opacity", "opacity": "With an opacity"}
    return [
        finding_row(said[row["group"]], row["images"], row)
        for row in audits.get("adult", {}).get("findings", ())
        if row["images"]
    ]


def finding_row(said: str, images: int, counts: Mapping[str, int]) -> dict[str, str]:
    """What a group of images is called, as a row: ``Images``, and for each finding its count and share of the group."""
    shares = {f"Finding: {name}": f"{counts[name]} ({100 * counts[name] / images:.1f} %)" for name in FINDINGS}
    return {"Images": f"{said} ({images})"} | shares


def confident_errors(evaluation: Evaluation, split: str, most: int = 12) -> list[dict]:
    """The images that the model was surest of and wrong about at the balanced point, the surest first.

    Returns
    -------
    list of dict
        ``file``, ``label`` ("normal" or "pneumonia"), ``organism``, ``probability`` and ``finding``.
    """
    scores, threshold = evaluation.scores[split], evaluation.operating_points["balanced"]
    wrong = np.flatnonzero((scores.probabilities >= threshold) != (scores.labels == 1))
    surest = wrong[np.argsort(-np.abs(scores.probabilities[wrong] - scores.labels[wrong]), kind="stable")]
    findings = scores.findings(evaluation.operating_points)
    return [
        {
            "file": scores.files[i],
            "label": ("normal", "pneumonia")[scores.labels[i]],
            "organism": scores.organisms[i],
            "probability": float(scores.probabilities[i]),
            "finding": str(findings[i]),
        }
        for i in surest[:most]
    ]


def _few_images(item: Mapping) -> str:
    return few({"images": item["images"]})


def _of_classes(group: str, item: Mapping, positives: str, kinds: Sequence[str]) -> Row:
    counts = dict(zip(kinds, (item["images"] - item["positives"], item["positives"]), strict=True))
    note = f"{item['images']} images, {positives}"
    return _or_withheld(row(group, item["name"], item["auc"], note, few(counts)), withheld(counts))


def _or_withheld(made: Row, reason: str) -> Row:
    return made | {"value": None, "low": None, "high": None, "few": reason} if reason else made


def _figure(stated: Mapping | float | None) -> Mapping:
    return stated if isinstance(stated, Mapping) else {"value": stated, "low": None, "high": None}


def _signed(stated: Mapping | float | None) -> str:
    value = _figure(stated)["value"]
    return "not measured" if value is None else signed(value)


def _change(stated: Mapping | float | None) -> str:
    figure = _figure(stated)
    if figure["low"] is None or figure["high"] is None:
        return _signed(stated)
    return f"{_signed(stated)} ({signed(figure['low'])} to {signed(figure['high'])})"


def _rounded(figure: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else significant(value) for name, value in figure.items()}
