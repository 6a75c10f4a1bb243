"""Format 1 views of an evaluation, for consumers that do not use the typed records yet."""

from collections.abc import Mapping
from typing import Any

from cxrmodel.evaluation.audits.schema import Audits, CheckAudit
from cxrmodel.evaluation.explanations.schema import ExplanationAudit
from cxrmodel.explain.methods import METHODS
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.performance import Performance

NOT_RERUN = "not rerun"
HOW = (
    "The closed-form map is drawn of every official test image that is read. The other methods are compared on a "
    "sample, stratified by normal, bacterial and viral images and seeded; where a costly method needs more maps for a "
    "figure, on the sample's first images, which are stratified too. Deletion and insertion are measured where the "
    "model calls pneumonia at the balanced threshold."
)
RULE = (
    "Images are explained by Grad-CAM, which every reading brings along, unless another method of at most one pass of "
    "the network depends on the model, does not have clearly less of its heat in the lungs (by intervals) and, on the "
    "same images, exceeds it in insertion less deletion area by a mean whose interval lies above zero. Of several such, "
    "the one with the highest mean. Should Grad-CAM not depend on the model, any other of these that does comes before "
    "it."
)
_OLD = {"sensitivity": "recall", "ppv": "precision"}
_RATES = ("accuracy", "balanced_accuracy", "ppv", "sensitivity", "specificity", "f1")


def figure(made: Estimate) -> dict[str, float | None]:
    return {"value": made.value, "low": made.low, "high": made.high}


def metrics(made: Performance) -> dict[str, Any]:
    return {name: figure(part) for name, part in made.overall.items()} | {
        "at": {
            point: {"threshold": at.threshold}
            | {_OLD.get(name, name): figure(at.rates[name]) for name in _RATES}
            | {"confusion": {cell: getattr(at.confusion, cell) for cell in ("tn", "fp", "fn", "tp")}}
            for point, at in made.at.items()
        }
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"value", "low", "high", "n"}:
            return {name: value[name] for name in ("value", "low", "high")}
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _row(row: Any, **more: Any) -> dict[str, Any]:
    return {"name": str(row.title), "description": str(row.description)} | more


def audits(a: Audits) -> dict[str, Any]:
    n = a.auc.n
    section: dict[str, Any] = {
        "images": n,
        "unreadable": a.unreadable,
        "full": figure(a.auc),
        "shortcuts": [
            _row(r, images=r.auc.n, auc=figure(r.auc), curve=[list(p) for p in r.curve]) for r in a.shortcuts
        ],
        "masks": a.masks,
        "full_of_lungs": figure(a.auc_with_masks),
        "lungs": [
            _row(r, kind=r.kind, seen_in_training=r.seen_in_training, images=r.auc.n, auc=figure(r.auc))
            | ({"auc_of_surroundings": figure(r.auc_of_surroundings)} if r.auc_of_surroundings else {})
            for r in a.lungs
        ],
        "perturbations": [
            _row(
                r,
                images=r.auc.n,
                changed=r.changed,
                refused=r.without_lungs,
                auc=r.auc.value,
                auc_change=r.auc_change.value,
                auc_change_interval=figure(r.auc_change),
                mean_probability_change=r.mean_probability_change,
            )
            for r in a.perturbations
        ],
        "subgroups": [_row(r, images=r.auc.n, positives=r.positives, auc=figure(r.auc)) for r in a.subgroups],
        "left_out": [{"name": str(r.title), "reason": str(r.message)} for r in a.not_measured],
    }
    if a.adults:
        section["adult"] = {
            "images": a.adults.images,
            "unreadable": a.adults.unreadable,
            "refused": a.adults.rejected,
            "panels": [_row(r, images=r.auc.n, positives=r.positives, auc=figure(r.auc)) for r in a.adults.panels],
            "findings": [{"group": r.group, "images": r.images} | r.findings for r in a.adults.findings],
            "heat_in_boxes": _plain(a.adults.boxes.model_dump()) if a.adults.boxes else {},
        }
    if a.calibration:
        c = a.calibration
        section["calibration"] = _plain(c.model_dump(exclude={"methods", "by_source", "shift"})) | {
            "images": {"held_out": c.methods[0].ece.n, "test": c.test_as_read.ece.n},
            "methods": [
                {"name": m.name, "description": f"{m.title}: {m.description}"} | _plain(m.model_dump(exclude={"name"}))
                for m in c.methods
            ],
            "held_out_cross_fitted": _plain(c.held_out_cross_fitted.model_dump(exclude={"name"})),
            "by_source": [{"normal": r.negative, "pneumonia": r.positive, "ece": figure(r.ece)} for r in c.by_source],
            "shift": [
                {"class": ("normal", "pneumonia")[r.label]} | _plain(r.model_dump(exclude={"label"})) for r in c.shift
            ],
        }
    return section


def checks(c: CheckAudit) -> dict[str, Any]:
    return {
        "sets": [
            {
                "name": r.name.replace("_", " "),
                "description": str(r.description),
                "images": r.images,
                "read": r.read,
                "warned": r.warned,
                "refused": r.rejected,
                "by_rule": r.rejected_by,
                "warned_by_rule": r.warned_by,
            }
            for r in c.sets
        ],
        "polarity": c.inversion.model_dump(),
        "metrics_off": metrics(c.all_images),
        "metrics_read": metrics(c.read_images),
    }


def explanations(e: ExplanationAudit) -> dict[str, Any]:
    return {
        "images": {
            "how": HOW,
            "seed": e.images.seed,
            "test": e.images.test,
            "sample": len(e.images.sample),
            "called": e.images.positive,
            "names": list(e.images.sample),
        },
        "settings": e.settings.model_dump(),
        "methods": [
            _plain(m.model_dump(exclude={"randomisation", "in_lungs", "map_range"}))
            | {
                "title": METHODS[m.name].title,
                "curve_images": m.deletion_auc.n,
                "heat_in_lungs": figure(m.in_lungs),
                "stability_images": m.stability.n,
                "heat_range": m.map_range,
                "sanity": {
                    "images": m.randomisation.images,
                    "randomised": list(m.randomisation.spearman),
                    "randomised_ssim": list(m.randomisation.ssim),
                    "shuffled_labels": NOT_RERUN
                    if m.randomisation.shuffled_labels is None
                    else m.randomisation.shuffled_labels,
                    "depends_on_model": m.randomisation.depends_on_model,
                },
            }
            for m in e.methods
        ],
        "agreement": [list(row) for row in e.agreement],
        "sanity_rule": {"alike_from": e.similar_from},
        "shuffled": {}
        if e.shuffled is None
        else e.shuffled.model_dump(exclude={"similarity"})
        | {"likeness": {name: part.model_dump() for name, part in e.shuffled.similarity.items()}},
        "adults": None
        if e.adults is None
        else _plain(e.adults.model_dump(exclude={"methods"}))
        | {
            "methods": [
                {"name": m.name, "images": m.peak_in_box.n, "peak_in_box": figure(m.peak_in_box)}
                | {"share": figure(m.share)}
                for m in e.adults.methods
            ]
        },
        "default": e.default,
        "default_rule": RULE,
    }


def sections(evaluation: Any) -> dict[str, Any]:
    found = {}
    if evaluation.audits:
        found["audits"] = audits(evaluation.audits)
    if evaluation.checks:
        found["checks"] = checks(evaluation.checks)
    if evaluation.explanations:
        found["explanations"] = explanations(evaluation.explanations)
    return found
