"""The part of the Evaluation page about explanations: whole, and in plain words where it is missing."""

import pytest
from streamlit.testing.v1 import AppTest

SECTION = {
    "images": {"how": "How they were chosen.", "test": 624, "sample": 100, "called": 60},
    "settings": {"stages": ["output", "stem"]},
    "methods": [
        {
            "name": name,
            "title": title,
            "images": 100,
            "curve_images": 60,
            "stability_images": 30,
            "deletion_auc": {"value": 0.51, "low": 0.4, "high": 0.6},
            "insertion_auc": {"value": 0.8, "low": None, "high": None},
            "random_deletion_auc": 0.7,
            "random_insertion_auc": 0.69,
            "heat_in_lungs": {"value": 0.66, "low": 0.6, "high": 0.7},
            "stability": {"value": None, "low": None, "high": None},
            "sanity": {"images": 20, "randomised": [0.8, last], "shuffled_labels": shuffled, "depends_on_model": sane},
        }
        for name, title, last, shuffled, sane in (
            ("gradcam", "Grad-CAM", 0.11, 0.22, True),
            ("saliency", "Saliency", 0.77, "not rerun", False),
        )
    ],
    "agreement": [[None, 0.33], [0.33, None]],
    "sanity_rule": {"alike_from": 0.5},
    "default": "gradcam",
    "default_rule": "The rule.",
    "adults": {
        "images": 68,
        "expected_by_area": 0.12,
        "methods": [
            {
                "name": "gradcam",
                "images": 68,
                "peak_in_box": {"value": 0.5, "low": 0.4, "high": 0.6},
                "share": {"value": 0.3, "low": 0.2, "high": 0.4},
            }
        ],
    },
}


def page(section):
    """The part on a page of its own."""
    from types import SimpleNamespace as Evaluation

    from cxrmodel.web.evaluation.explanations import explanations

    sections = {} if section is None else {"explanations": section}
    explanations(Evaluation(sections=sections, bootstrap={"level": 0.95}))


def draw(section):
    """The part, drawn."""
    return AppTest.from_function(page, args=(section,), default_timeout=60).run()


def test_missing():
    """A plain sentence with the command, and nothing drawn."""
    app = draw(None)
    (said,) = app.markdown
    assert "evaluate --explanations" in said.value
    assert not app.table


def test_whole():
    """Images, rule, and every figure with its interval; a method that fails is named in words."""
    app = draw(SECTION)
    assert not app.exception
    assert "624 for the closed-form map, 100 in the sample" in app.markdown[0].value
    assert "Default: **Grad-CAM**. The rule." in app.markdown[0].value
    faithful, sane, agreement, adults = (table.value for table in app.table)
    assert faithful["Deletion"][0] == "0.51 (0.40–0.60), random 0.70"
    assert faithful["Insertion"][0] == "0.80, random 0.69"
    assert faithful["Stability"][0] == "undefined"
    assert list(sane["All weights drawn anew"]) == ["0.11", "0.77"]
    assert list(sane["Shuffled labels"]) == ["0.22", "not rerun"]
    assert list(sane["Depends on the model"]) == ["yes", "no: do not rely on it"]
    assert list(agreement["Saliency"]) == ["0.33", ""]
    assert adults["Peak in a box"][0] == "0.50 (0.40–0.60)"
    assert len(app.get("vega_lite_chart")) == 1


@pytest.mark.parametrize("stated", [True, False])
def test_without_adults(stated):
    """Whoever has only the public archive sees the rest."""
    app = draw({**SECTION, "adults": None} if stated else {k: v for k, v in SECTION.items() if k != "adults"})
    assert len(app.table) == 3
