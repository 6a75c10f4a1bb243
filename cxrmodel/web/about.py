"""The About page: what the model is, what it was trained on, and its limits. Figures come from the artefact's files."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cxrmodel import __version__
from cxrmodel.errors import CxrError
from cxrmodel.evaluation.report.context import images_summary
from cxrmodel.evaluation.storage import Evaluation, load_evaluation
from cxrmodel.imaging.lung_spec import LUNGS_FOLDER
from cxrmodel.messages import TEXTS_FOLDER
from cxrmodel.metrics.formatting import percent, threshold_percent
from cxrmodel.model.spec import MODEL_FOLDER, ModelSpec
from cxrmodel.reading import Reader
from cxrmodel.report.wording import DISCLAIMER, operating_point_titles
from cxrmodel.web.components.terms import with_interval
from cxrmodel.web.engine import labels
from cxrmodel.web.text import plain

__all__ = ["about"]


def about(reader: Reader | None) -> None:
    """Draw the page.

    Parameters
    ----------
    reader : Reader or None
        None leaves out what is about the model.
    """
    values: dict[str, Any] = {"disclaimer": DISCLAIMER, "version": __version__, "spec": None} | dict(labels())
    if reader is not None:
        values |= _model(reader.spec) | _evaluation(reader.spec)
    with st.container(width=880):
        st.markdown(_template().render(values))


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(TEXTS_FOLDER / "en"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("about.md.jinja")


def _model(spec: ModelSpec) -> dict[str, Any]:
    points = [
        f"{title} {threshold_percent(spec.operating_points[name])}" for name, title in operating_point_titles().items()
    ]
    return {
        "spec": spec,
        "prevalence": percent(spec.prevalence),
        "points": ", ".join(points),
        "lungs": _json(LUNGS_FOLDER / "spec.json").get("test"),
        "split": _json(MODEL_FOLDER / f"{spec.model}.training.json").get("split"),
    }


def _evaluation(spec: ModelSpec) -> dict[str, Any]:
    try:
        evaluation = load_evaluation(spec.model, spec=spec)
    except CxrError as error:
        return {"evaluation": None, "problem": plain(error)}
    return {"evaluation": _figures(evaluation), "problem": ""}


def _figures(evaluation: Evaluation) -> dict[str, str]:
    metrics = evaluation.metrics["test"]
    balanced = metrics["at"]["balanced"]
    return {
        "images": " ".join(map(str, images_summary(evaluation, "test"))),
        "auc": with_interval(metrics["auc"]),
        "sensitivity": with_interval(balanced["recall"]),
        "specificity": with_interval(balanced["specificity"]),
        "level": f"{100 * evaluation.bootstrap['level']:.0f}",
    }


def _json(path: Path) -> dict[str, Any]:
    """Content of a file; empty where it is missing or damaged: the page then leaves its figures out."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
