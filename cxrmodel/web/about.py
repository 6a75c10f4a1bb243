"""The About page: what the model is, what it was trained on, and its limits. Figures come from the artefact's files."""

from functools import cache
from typing import Any

import streamlit as st
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cxrmodel import __version__
from cxrmodel.errors import CxrError
from cxrmodel.evaluation.report.context import images_summary
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.evaluation.training_record import TrainingSplit, load_training_record
from cxrmodel.imaging.lung_spec import LUNGS_FOLDER, load_lung_spec
from cxrmodel.messages import LANGUAGE, TEXTS_FOLDER
from cxrmodel.metrics import formatting
from cxrmodel.model.spec import MODEL_FOLDER, ModelSpec
from cxrmodel.reading import Reader
from cxrmodel.report.wording import DISCLAIMER, operating_point_titles
from cxrmodel.web.text import plain

__all__ = ["about"]


def about(reader: Reader | None) -> None:
    """Draw the page.

    Parameters
    ----------
    reader : Reader or None
        None leaves out what is about the model.
    """
    values: dict[str, Any] = {"disclaimer": DISCLAIMER, "version": __version__, "spec": None}
    if reader is not None:
        values |= _model(reader.spec) | _evaluation(reader.spec)
    with st.container(width=880):
        st.markdown(_template().render(values))


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(TEXTS_FOLDER / LANGUAGE),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("about.md.jinja")


def _model(spec: ModelSpec) -> dict[str, Any]:
    points = [
        f"{title} {formatting.threshold_percent(spec.operating_points[name])}"
        for name, title in operating_point_titles().items()
    ]
    return {
        "spec": spec,
        "prevalence": formatting.percent(spec.prevalence),
        "points": ", ".join(points),
        "lungs": _lungs(),
        "split": _split(spec),
    }


def _split(spec: ModelSpec) -> TrainingSplit | None:
    """Split of the training images; None where the training record cannot be used."""
    try:
        record = load_training_record(spec.model, MODEL_FOLDER)
    except CxrError:
        return None
    return record.split if record else None


def _lungs() -> dict[str, Any] | None:
    """Test results of the lung segmenter; None where its specification cannot be used."""
    try:
        return load_lung_spec(LUNGS_FOLDER).test
    except CxrError:
        return None


def _evaluation(spec: ModelSpec) -> dict[str, Any]:
    try:
        evaluation = load_evaluation(spec.model, spec=spec)
    except CxrError as error:
        return {"evaluation": None, "problem": plain(error)}
    return {"evaluation": _figures(evaluation), "problem": ""}


def _figures(evaluation: Evaluation) -> dict[str, str]:
    measured = evaluation.splits["test"].performance
    balanced = measured.at["balanced"].rates
    return {
        "images": " ".join(plain(message) for message in images_summary(evaluation, "test")),
        "auc": formatting.estimate(measured.overall["auc"]),
        "sensitivity": formatting.estimate(balanced["sensitivity"]),
        "specificity": formatting.estimate(balanced["specificity"]),
        "level": formatting.share_percent(evaluation.bootstrap.level),
    }
