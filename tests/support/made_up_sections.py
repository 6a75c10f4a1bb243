"""Made-up sections of an evaluation, in the shapes that the commands write."""


def interval(value: float, width: float = 0.02) -> dict[str, float]:
    """A figure with an interval."""
    return {"value": value, "low": round(value - width, 6), "high": round(min(value + width, 1.0), 6)}


AUDITS = {
    "shortcuts": [
        {"name": "file size", "description": "bytes of the file alone", "images": 60, "auc": interval(0.611)}
        | {"curve": [[0.0, 0.0, 1.0], [0.4, 0.6, 0.75], [1.0, 1.0, 0.66667]]},
        {"name": "grey levels", "description": "histogram alone", "auc": interval(0.622)},
    ],
    "lungs": [
        {"name": "mean grey", "description": "lungs filled", "kind": "removed", "seen_in_training": True, "images": 60}
        | {"auc": interval(0.633)},
        {"name": "black surroundings", "description": "all else black", "kind": "only", "seen_in_training": False}
        | {"images": 60, "auc": interval(0.944)},
        {"name": "other image", "description": "lungs of another", "kind": "exchange", "seen_in_training": False}
        | {"images": 58, "auc": interval(0.855), "auc_of_surroundings": interval(0.566)},
    ],
    "perturbations": [
        {"name": "noise", "description": "of 5 %", "images": 60, "changed": 60, "refused": 2, "auc": 0.877}
        | {"auc_change": -0.031, "auc_change_interval": interval(-0.031), "mean_probability_change": 0.047},
        {"name": "turned", "description": "by 10 degrees", "images": 60, "changed": 60, "refused": 0, "auc": 0.888}
        | {"auc_change": -0.0004, "auc_change_interval": interval(-0.0004, 0.0003), "mean_probability_change": 0.005},
    ],
    "subgroups": [{"name": "small children", "description": "", "images": 31, "positives": 17, "auc": interval(0.899)}],
    "adult": {
        "images": 169,
        "refused": 7,
        "panels": [
            {"name": "opacity against normal", "description": "", "images": 99, "positives": 65, "auc": interval(0.711)}
        ],
        "findings": [
            {"group": "normal", "images": 34, "pneumonia": 21, "uncertain": 10, "normal": 3},
            {"group": "abnormal_no_opacity", "images": 0, "pneumonia": 0, "uncertain": 0, "normal": 0},
        ],
        "heat_in_boxes": {"images": 61, "share": interval(0.322), "peak_in_box": interval(0.433)}
        | {"expected_by_area": 0.177},
    },
    "calibration": {
        "prevalence": 0.74,
        "chosen": "platt",
        "methods": [
            {"name": "temperature", "description": "one slope"}
            | {"ece": interval(0.0413, 0.01), "brier": interval(0.0623, 0.01)},
            {"name": "platt", "description": "slope and intercept"}
            | {"ece": interval(0.0213, 0.01), "brier": interval(0.0523, 0.01)},
        ],
        "test_as_read": {"prevalence": 0.74, "ece": interval(0.0313, 0.01), "brier": interval(0.0423, 0.01)},
        "test_at_its_own_prevalence": {"prevalence": 0.67}
        | {"ece": interval(0.0293, 0.01), "brier": interval(0.0403, 0.01)},
        "test_refitted": {"prevalence": 0.67, "ece": interval(0.0193, 0.01), "brier": interval(0.0383, 0.01)},
        "by_prevalence": [{"prevalence": 0.25, "ece": interval(0.0113, 0.01), "brier": interval(0.0323, 0.01)}],
        "by_source": [{"normal": "test", "pneumonia": "held_out", "ece": interval(0.0233, 0.01)}],
        "shift": [
            {"class": "normal", "held_out_median": -5.25, "test_median": -4.75, "test_above_held_out": interval(0.603)}
        ],
    },
}
CHECKS = {
    "sets": [
        {"name": "hands", "description": "images of hands", "images": 40, "read": 2, "warned": 1, "refused": 38}
        | {"by_rule": {"no lungs": 38}, "warned_by_rule": {"clipped": 1}},
        {"name": "scene", "description": "scenes, drawn", "images": 24, "read": 0, "warned": 0, "refused": 24}
        | {"by_rule": {"strange": 24}, "warned_by_rule": {}},
    ],
    "metrics_off": {"auc": interval(0.951)},
    "metrics_read": {"auc": interval(0.952)},
}
EXPLANATIONS = {
    "images": {"how": "Drawn by lot.", "test": 60, "sample": 50, "called": 40},
    "methods": [
        {"name": "gradcam", "title": "Grad-CAM", "images": 50, "curve_images": 40, "stability_images": 30}
        | {"deletion_auc": interval(0.412), "insertion_auc": interval(0.813)}
        | {"random_deletion_auc": 0.6, "random_insertion_auc": 0.6}
        | {"heat_in_lungs": interval(0.714), "stability": interval(0.915)}
        | {"sanity": {"randomised": [0.1], "shuffled_labels": "not rerun", "depends_on_model": True, "images": 9}},
    ],
    "agreement": [[1.0]],
    "default": "gradcam",
    "default_rule": "The first.",
    "sanity_rule": {"alike_from": 0.5},
    "settings": {"stages": ["output"]},
}
SECTIONS = {"audits": AUDITS, "checks": CHECKS, "explanations": EXPLANATIONS}


def figures_in(part: object) -> list[float]:
    """Every value and bound of every interval in a section."""
    if isinstance(part, dict):
        own = [part[key] for key in ("value", "low", "high") if isinstance(part.get(key), float)]
        return own + [number for inner in part.values() for number in figures_in(inner)]
    return [number for inner in part for number in figures_in(inner)] if isinstance(part, list) else []
