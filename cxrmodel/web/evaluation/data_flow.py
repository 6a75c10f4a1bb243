"""Data flow: the sources of the model and its figures. Images, training, seeds, settings and hashes."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import streamlit as st
from pydantic import BaseModel
from streamlit.delta_generator import DeltaGenerator

from cxrmodel.errors import EvaluationError, ModelError, TrainingError
from cxrmodel.evaluation.data_flow import Station, flow, hashes, training_summaries
from cxrmodel.evaluation.documents import report_text
from cxrmodel.evaluation.report import charts, figures, flow_diagram
from cxrmodel.evaluation.schema import Agreement, Evaluation
from cxrmodel.evaluation.seeds import MEASURES, SeedGroup, load_seeds, spread
from cxrmodel.evaluation.storage import text_of
from cxrmodel.metrics import formatting
from cxrmodel.model.spec import load_spec
from cxrmodel.models import model_title
from cxrmodel.training.record import TrainingRecord, shipped_training_record
from cxrmodel.web.components import chart, downloads
from cxrmodel.web.evaluation.charts import auc_chart, loss_chart
from cxrmodel.web.evaluation.selection import Selection
from cxrmodel.web.text import plain, text

_COLUMNS = {"auc": "test_auc", "accuracy": "test_accuracy", "balanced_accuracy": "test_balanced_accuracy"}
_LARGE = ("held_out_patients",)


def data_flow(selection: Selection) -> None:
    """Draw the part.

    Parameters
    ----------
    selection : Selection
    """
    evaluation = selection.evaluation
    record = _record(evaluation.model)
    (left, right), whole = st.columns(2, gap="large"), st.container()
    parts: list[tuple[str, DeltaGenerator, Callable[[], None]]] = [
        ("flow", left, lambda: _flow(flow(evaluation, record))),
        ("training", right, lambda: _training(evaluation.model, record)),
        ("seeds", whole, lambda: _seeds({e.weights_sha256 for e in selection.evaluations.values()})),
        ("configuration", whole, lambda: _configuration(evaluation.model, record)),
        ("hashes", whole, lambda: _hashes(evaluation)),
    ]
    for name, place, part in parts:
        with place:
            st.subheader(text(f"web.data_flow.{name}"))
            part()
    if evaluation.agreement:
        _agreement(evaluation.agreement)
    _files(selection)


def _flow(stations: list[Station]) -> None:
    titles = {station.name: str(station.title) for station in stations}
    described = [
        text(
            "web.data_flow.station_from" if station.source else "web.data_flow.station",
            title=titles[station.name],
            source=titles.get(station.source, ""),
            counts=", ".join(map(str, station.lines)),
        )
        for station in stations
    ]
    st.image(flow_diagram.flow_svg(stations), width="content", alt="; ".join(described))
    rows = [
        {
            text("web.data_flow.lane"): text(f"documents.lane.{station.lane}"),
            text("web.data_flow.station_title"): titles[station.name],
            text("web.data_flow.source"): titles.get(station.source, ""),
            text("web.data_flow.count"): "; ".join(map(str, station.lines)),
        }
        for station in stations
    ]
    downloads.menu("images", lambda: rows, svg=lambda: flow_diagram.flow_svg(stations, dark=False))


def _record(model: str) -> TrainingRecord | None:
    try:
        return shipped_training_record(model)
    except TrainingError as error:
        st.warning(plain(error), icon=":material/warning:")
        return None


def _training(model: str, record: TrainingRecord | None) -> None:
    history = charts.training_history(record) if record else None
    if record is None or history is None or not history.epochs.size:
        st.markdown(text("web.data_flow.no_history", model=plain(model_title(model))))
        return
    chart.draw(loss_chart, text("web.data_flow.loss_alt"), history)
    chart.draw(auc_chart, text("web.data_flow.auc_alt"), history)
    if len(record.runs) > 1:
        st.markdown(text("web.data_flow.starts", count=len(record.runs)))
    lines = [
        text("web.data_flow.training_line", number=number, summary=plain(summary))
        for number, summary in enumerate(training_summaries(record), start=1)
    ]
    st.markdown("\n".join(lines))
    rows = [epoch.model_dump() | {"epoch": number, "training": run} for number, run, epoch in record.epochs()]
    downloads.menu("training-history", lambda: rows, lambda: figures.history_figure(history))


def _seeds(in_use: Collection[str]) -> None:
    try:
        runs = load_seeds()
    except EvaluationError as error:
        st.warning(plain(error), icon=":material/warning:")
        return
    if not runs:
        st.markdown(text("web.data_flow.no_seeds"))
        return
    rows = [_seed_row(group, not group.weights.isdisjoint(in_use)) for group in spread(runs)]
    with st.container(key="seeds"):
        st.table(rows, hide_index=True)
    st.caption(text("web.data_flow.seeds_note"))
    downloads.menu("seeds", lambda: [run.model_dump() for run in runs])


def _seed_row(group: SeedGroup, in_use: bool) -> dict[str, str]:
    title = model_title(group.model)
    measures = {
        text(f"web.data_flow.{_COLUMNS.get(name, name)}"): formatting.spread(*group.measures[name]) for name in MEASURES
    }
    return {
        text("web.data_flow.network"): text("web.data_flow.in_use", title=title) if in_use else title,
        text("web.data_flow.seed_column"): ", ".join(map(str, group.seeds)),
        **measures,
        text("web.data_flow.form"): plain(group.form),
    }


def _configuration(model: str, record: TrainingRecord | None) -> None:
    try:
        spec = load_spec(model)
    except ModelError as error:
        st.warning(plain(error), icon=":material/warning:")
        return
    recipe = record.recipe.model_dump() if record else {}
    settings = _flat(spec.model_dump()) | _flat(recipe, "training: ")
    setting, value = text("web.data_flow.setting"), text("web.data_flow.value")
    rows = [{setting: plain(name), value: plain(stored)} for name, stored in settings.items()]
    with st.expander(text("web.data_flow.settings"), icon=":material/tune:"):
        downloads.table(
            "configuration",
            rows,
            records=lambda: [{setting: name, value: str(stored)} for name, stored in settings.items()],
        )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings in one table, without long lists."""
    rows: dict[str, Any] = {}
    for name, value in settings.items():
        title = f"{prefix}{name.replace('_', ' ')}"
        if isinstance(value, BaseModel):
            rows |= _flat(dict(value), f"{title}: ")
        elif isinstance(value, Mapping):
            rows |= _flat(value, f"{title}: ")
        elif name not in _LARGE:
            rows[title] = value
    return rows


def _hashes(evaluation: Evaluation) -> None:
    found = hashes(evaluation)
    with st.container(key="hashes"):
        lines = [text("web.data_flow.hash", title=plain(entry.title), sha256=entry.sha256) for entry in found]
        st.markdown("\n".join(lines))
    measured = text("web.data_flow.measured", created=evaluation.created, version=evaluation.version)
    st.caption(measured if evaluation.provenance else f"{measured} {text('web.data_flow.not_hashed')}")
    rows = [{text("web.data_flow.hash_of"): str(entry.title), "sha256": entry.sha256} for entry in found]
    downloads.menu("hashes", lambda: rows)


def _agreement(agreement: Agreement) -> None:
    st.subheader(text("web.data_flow.agreement"))
    values = {"mean": agreement.probability.mean, "max": agreement.probability.max, "images": agreement.images}
    st.markdown(text("web.data_flow.agreement_note", changed=agreement.changed_findings, **values))


def _files(selection: Selection) -> None:
    evaluation = selection.evaluation
    with st.container(horizontal=True, gap="small"):
        name = f"{evaluation.model}-evaluation"
        downloads.button(
            text("web.data_flow.json"), lambda: text_of(evaluation).encode(), f"{name}.json", "application/json"
        )
        if selection.split == "test":
            evaluations = list(selection.selected_first.values())
            downloads.button(
                text("web.data_flow.html"), lambda: report_text(evaluations).encode(), f"{name}.html", "text/html"
            )
    own = evaluation.dataset
    st.caption(text("web.data_flow.command_own", name=own.name) if own else text("web.data_flow.command"))
