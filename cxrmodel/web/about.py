"""The About page: the model, its training data, and its limits. Figures come from the artefact's files."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import streamlit as st
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cxrmodel import __version__
from cxrmodel.errors import CxrError
from cxrmodel.evaluation.report.context import images_summary
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.imaging.lung_spec import load_lung_spec
from cxrmodel.messages import LANGUAGE, TEXTS_FOLDER
from cxrmodel.metrics import formatting
from cxrmodel.model.calibration import points_at
from cxrmodel.model.spec import ModelSpec
from cxrmodel.paths import LUNGS_FOLDER, MODEL_FOLDER
from cxrmodel.prevalence import prevalence_words
from cxrmodel.reading import Reader
from cxrmodel.report.wording import DISCLAIMER, operating_point_title
from cxrmodel.training.record import shipped_training_record
from cxrmodel.web import session
from cxrmodel.web.text import plain

Loaded = TypeVar("Loaded")


def about(reader: Reader | None) -> None:
    """Draw the page.

    Parameters
    ----------
    reader : Reader or None
        None leaves out the sections about the model.
    """
    about_model = _model(reader.spec) | _evaluation(reader.spec) if reader else {"spec": None}
    with st.container(width=880):
        st.markdown(
            _template().render(about_model, disclaimer=DISCLAIMER, version=__version__, minutes=session.minutes_kept())
        )


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
    prevalence = session.prevalence()
    points = [
        f"{operating_point_title(name)} {formatting.threshold_percent(threshold)}"
        for name, threshold in points_at(spec.operating_points, spec.prevalence, prevalence).items()
    ]
    record = _known(lambda: shipped_training_record(spec.model, MODEL_FOLDER))
    return {
        "spec": spec,
        "prevalence": prevalence_words(prevalence),
        "points": ", ".join(points),
        "lungs": _known(lambda: load_lung_spec(LUNGS_FOLDER).test),
        "split": record.split if record else None,
        "calibration": record.calibration if record else None,
    }


def _known(load: Callable[[], Loaded]) -> Loaded | None:
    """What a file holds; None where the file cannot be used."""
    try:
        return load()
    except CxrError:
        return None


def _evaluation(spec: ModelSpec) -> dict[str, Any]:
    try:
        evaluation = load_evaluation(spec.model, spec=spec)
    except CxrError as error:
        return {"evaluation": None, "problem": plain(error)}
    measured = evaluation.splits["test"].performance
    balanced = measured.at["balanced"].rates
    figures = {
        "images": " ".join(plain(message) for message in images_summary(evaluation, "test")),
        "auc": formatting.estimate(measured.overall["auc"]),
        "sensitivity": formatting.estimate(balanced["sensitivity"]),
        "specificity": formatting.estimate(balanced["specificity"]),
        "level": formatting.share_percent(evaluation.bootstrap.level),
    }
    return {"evaluation": figures, "problem": ""}
