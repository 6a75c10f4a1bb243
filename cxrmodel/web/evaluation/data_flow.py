"""What the model and its figures were made from."""

import json
from collections.abc import Mapping
from dataclasses import asdict

import streamlit as st

from cxrmodel.errors import EvaluationError, ModelError
from cxrmodel.evaluation.data_flow import Station, flow, hashes, training_summaries
from cxrmodel.evaluation.documents import report_text
from cxrmodel.evaluation.report.charts import training_history
from cxrmodel.evaluation.report.figures import history_figure
from cxrmodel.evaluation.report.flow_diagram import flow_svg
from cxrmodel.evaluation.seeds import HOW_MEASURED, MEASURES, load_seeds, spread
from cxrmodel.evaluation.training_record import TrainingRecord, load_training_record
from cxrmodel.messages import Message
from cxrmodel.model.spec import ModelSpec, load_spec
from cxrmodel.models import model_title
from cxrmodel.web.components.downloads import download_menu, lazily
from cxrmodel.web.evaluation.chart_order import draw
from cxrmodel.web.evaluation.history_charts import history_charts
from cxrmodel.web.evaluation.selection import Shown
from cxrmodel.web.text import plain

__all__ = ["origin"]

_MEASURES = ("Held-out AUC", "Test AUC", "Test accuracy", "Test balanced accuracy")


def origin(shown: Shown) -> None:
    """Draw the way of the images, the training, its configuration, and the hashes of everything.

    Parameters
    ----------
    shown : Shown
    """
    evaluation = shown.evaluation
    record = load_training_record(evaluation.model)
    boxes = flow(evaluation, record)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("From images to figures")
        told = "; ".join(
            f"{row['Station']}{', from ' if row['From'] else ''}{row['From']}: {row['Count']}"
            for row in _stations(boxes)
        )
        st.image(flow_svg(boxes), width="content", alt=told)
        download_menu("images", lambda: _stations(boxes), svg=lambda: flow_svg(boxes, dark=False))
    with right:
        st.subheader("Training")
        _history(evaluation.model, record)
    _seeds({measured.weights_sha256 for measured in shown.models.values()})
    _configuration(evaluation.model, asdict(record.recipe) if record else {})
    st.subheader("Hashes")
    rows = [{"Of": str(item.title), "sha256": item.sha256} for item in hashes(evaluation)]
    with st.container(key="hashes"):
        st.markdown("\n".join(f"- {row['Of']}: `{row['sha256']}`" for row in rows))
    missing = "" if evaluation.provenance else " Code and images were not hashed when these figures were made."
    st.caption(f"Measured on {evaluation.created} with {evaluation.version}.{missing}")
    download_menu("hashes", lambda: rows)
    if evaluation.agreement:
        _agreement(evaluation.agreement)
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "The whole evaluation as JSON",
            lazily(lambda: _whole(shown)),
            f"{evaluation.model}-evaluation.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        if shown.split == "test":
            st.download_button(
                "Everything as one HTML file",
                lazily(lambda: report_text(list(shown.first.values())).encode()),
                f"{evaluation.model}-evaluation.html",
                "text/html",
                icon=":material/download:",
                on_click="ignore",
            )
    name = f' --name "{evaluation.dataset["name"]}"' if evaluation.dataset else ""
    st.caption(f"On the command line: `python -m cxrmodel evaluate --no-read{name} --report OUT.html`.")


def _stations(stations: list[Station]) -> list[dict[str, str]]:
    titles = {"": ""} | {station.name: str(station.title) for station in stations}
    return [
        {
            "Images of": str(Message(f"documents.lane.{station.lane}")),
            "Station": titles[station.name],
            "From": titles[station.source],
            "Count": "; ".join(map(str, station.lines)),
        }
        for station in stations
    ]


def _history(model: str, record: TrainingRecord | None) -> None:
    if record is None or not record.history:
        st.markdown(f"The history of the training of {plain(model)} is not beside its weights.")
        return
    history, summaries = training_history(record), training_summaries(record)
    said = ("Loss of training and held-out images by epoch", "Held-out AUC by epoch")
    for place, title in enumerate(said):
        draw(lambda place=place: history_charts(history)[place], title, model, place, record.model_dump_json())
    if len(summaries) > 1:
        st.markdown(
            f"The weights come from {len(summaries)} trainings, each from the weights of the one before; a dashed line "
            "marks where each begins."
        )
    st.markdown("\n".join(f"{place}. {plain(str(words))}" for place, words in enumerate(summaries, start=1)))
    rows = [{"training": run} | epoch.model_dump() | {"epoch": number} for number, run, epoch in record.epochs()]
    download_menu("training-history", lambda: rows, lambda: history_figure(history))


def _seeds(in_use: set[str]) -> None:
    st.subheader("Other seeds and recipes")
    try:
        runs = load_seeds()
    except EvaluationError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return
    if not runs:
        st.markdown("How much another seed of the training would change has not been measured.")
        return
    rows = [
        {
            "Network": f"{model_title(group['model'])}{', in use' if group['weights'] & in_use else ''}",
            "Seeds": ", ".join(map(str, group["seeds"])),
            **{title: _moments(group[name]) for name, title in zip(MEASURES, _MEASURES, strict=True)},
            "Sizes and start": group["form"],
        }
        for group in spread(runs)
    ]
    with st.container(key="seeds"):
        st.table(rows, hide_index=True)
    st.caption(
        "Mean ± standard deviation over the seeds, each trained and measured anew. The held-out AUC decided what is in "
        f"use, whatever the test says. {HOW_MEASURED}"
    )
    download_menu("seeds", lambda: runs)


def _moments(moments: Mapping[str, float | None]) -> str:
    spread_of = "" if moments["deviation"] is None else f" ± {moments['deviation']:.4f}"
    return f"{moments['mean']:.4f}{spread_of}"


def _configuration(model: str, recipe: Mapping) -> None:
    st.subheader("Configuration")
    try:
        spec = load_spec(model)
    except ModelError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return
    rows = [{"Setting": name, "Value": value} for name, value in _settings(spec, recipe)]
    with st.expander("Every setting of model and training", icon=":material/tune:"):
        st.table(rows, hide_index=True)
        download_menu("configuration", lambda: rows)


def _settings(spec: ModelSpec, recipe: Mapping) -> list[tuple[str, str]]:
    kept = (
        "input_size",
        "mean",
        "std",
        "margin",
        "cam_layer",
        "temperature",
        "intercept",
        "prevalence",
        "heat_range",
        "heat_percentile",
        "ages",
        "trained_on",
        "split_seed",
        "graph_sha256",
        "lungs_sha256",
    )
    rows = [(name.replace("_", " "), str(getattr(spec, name))) for name in kept]
    for name, value in recipe.items():
        if isinstance(value, Mapping):
            rows += [(f"training, {name}: {key.replace('_', ' ')}", str(inner)) for key, inner in value.items()]
        else:
            rows.append((f"training: {name.replace('_', ' ')}", str(value)))
    return rows


def _agreement(agreement: Mapping) -> None:
    st.subheader("Large originals against their small copies")
    probability = agreement["probability"]
    st.markdown(
        f"{agreement['images']} images at their original size and as the small copies that figures are made of: the "
        f"probability differs by {probability['mean_difference']:.4f} on average and by "
        f"{probability['max_difference']:.4f} at most; the finding differs on {agreement['flipped_findings']}."
    )


def _whole(shown: Shown) -> bytes:
    evaluation = shown.evaluation
    scores = {
        split: [
            {"file": file, "organism": organism, "patient": patient, "label": int(label)}
            | {"logit": float(logit), "probability": float(probability)}
            for file, organism, patient, label, logit, probability in zip(
                kept.files, kept.organisms, kept.patients, kept.labels, kept.logits, kept.probabilities, strict=True
            )
        ]
        for split, kept in evaluation.scores.items()
    }
    names = ("model", "version", "weights_sha256", "created", "prevalence", "operating_points", "bootstrap", "data")
    parts = {name: getattr(evaluation, name) for name in (*names, "metrics", "refused", "agreement", "sections")}
    return json.dumps({**parts, "dataset": evaluation.dataset, "scores": scores}, indent=1).encode()
