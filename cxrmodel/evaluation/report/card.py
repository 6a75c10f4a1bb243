"""Evaluations -> the model card, with fixed sections, so that its words cannot drift from the measurements.

References
----------
Mitchell et al., Model cards for model reporting, FAT* 2019.
Collins et al., TRIPOD+AI statement, BMJ 385, 2024.
Tejani et al., Checklist for artificial intelligence in medical imaging (CLAIM): 2024 update, Radiology: AI 6, 2024.
Sounderajah et al., The STARD-AI reporting guideline, Nature Medicine 31, 2025.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.data_flow import flow, flow_rows, hash_rows, training_record
from cxrmodel.evaluation.published import Published, published
from cxrmodel.evaluation.report import card_words as words
from cxrmodel.evaluation.report.card_metrics import POINTS, metrics_section
from cxrmodel.evaluation.report.lung_words import lungs_verdict
from cxrmodel.evaluation.report.rows import (
    DISTURBED_CHECKS,
    adult_finding_rows,
    adult_rows,
    lung_rows,
    perturbation_rows,
    stratum_rows,
    subgroup_rows,
)
from cxrmodel.evaluation.report.small_samples import few
from cxrmodel.evaluation.report.tables import figure_cell, forest_table, table
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.evaluation.sections import whole_sections
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.model.spec import ModelSpec, load_spec
from cxrmodel.models import DEFAULT_MODEL, MODELS, model_title
from cxrmodel.paths import ROOT

__all__ = ["CARD", "SECTIONS", "model_card", "shipped_card", "update_card"]

CARD = ROOT / "MODEL_CARD.md"
SECTIONS = (
    "Model",
    "Intended use",
    "Out of scope",
    "Data",
    "Metrics",
    "Where it fails",
    "Caveats",
    "Ethical considerations",
    "How to report a problem",
    "Where reporting guidelines are answered",
)


def shipped_card() -> str:
    """The card of the shipped models.

    Raises
    ------
    EvaluationError, ModelError
        When an evaluation, a specification or the published figures cannot be used.
    """
    evaluations = [load_evaluation(model) for model in MODELS.names]
    return model_card(evaluations, load_spec(DEFAULT_MODEL), training_record(DEFAULT_MODEL), published())


def update_card(path: Path = CARD) -> bool:
    """Write the card of the shipped models.

    Returns
    -------
    bool
        Whether the file changed.

    Raises
    ------
    EvaluationError, ModelError
        As :func:`shipped_card`; the file is left as it is.
    """
    text = shipped_card()
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8")
    return True


def model_card(
    evaluations: Sequence[Evaluation], spec: ModelSpec, record: Mapping, others: Sequence[Published] = ()
) -> str:
    """Write the card of a model, beside its baselines.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        Of the same images; the first is the model that the card is about.
    spec : ModelSpec
        Of the first.
    record : mapping
        Of its training, as :func:`cxrmodel.evaluation.data_flow.training_record` gives it.
    others : sequence of Published

    Returns
    -------
    str
        Markdown that ends with a line break; the same evaluations always give the same text.

    Raises
    ------
    EvaluationError
        When there is no evaluation, they are of different images, or a section is damaged.
    """
    if not evaluations:
        raise EvaluationError("There is no evaluation to write a card of. Run python -m cxrmodel evaluate.")
    with whole_sections(evaluations[0].model):
        return _card(evaluations, spec, record, others)


def _card(evaluations: Sequence[Evaluation], spec: ModelSpec, record: Mapping, others: Sequence[Published]) -> str:
    first = evaluations[0]
    audits = first.sections.get("audits", {})
    parts = {
        "Model": _model(first, spec),
        "Intended use": words.INTENDED_USE.format(ages=spec.ages),
        "Out of scope": words.OUT_OF_SCOPE.format(ages=spec.ages),
        "Data": _data(first, spec, record),
        "Metrics": metrics_section(evaluations, audits, others),
        "Where it fails": _failures(first, audits),
        "Caveats": words.CAVEATS,
        "Ethical considerations": words.ETHICS,
        "How to report a problem": words.PROBLEMS,
        "Where reporting guidelines are answered": words.GUIDELINES,
    }
    body = "\n\n".join(f"## {title}\n\n{parts[title].strip()}" for title in SECTIONS)
    return f"# Model card: {model_title(first.model)}\n\n{words.OPENING.strip()}\n\n{body}\n"


def _model(evaluation: Evaluation, spec: ModelSpec) -> str:
    points = ", ".join(f"{said.lower()} {100 * spec.operating_points[name]:.1f} %" for name, said in POINTS.items())
    rows = {
        "Name and version": spec.version,
        "Evaluated": evaluation.created,
        "Kind": words.KINDS.get(spec.model, spec.model),
        "Input": f"one chest radiograph, cropped to its lung fields and reduced to {spec.input_size} x "
        f"{spec.input_size} pixels, read as it is and mirrored",
        "Output": "probability of pneumonia, finding (pneumonia, uncertain or normal), heatmap",
        "Calibration": f"temperature {spec.temperature:.3f}, intercept {spec.intercept:.3f}, "
        f"assumed prevalence {100 * spec.prevalence:.1f} %",
        "Thresholds on the probability": points,
        "Licence": "MIT; trained on images under CC BY 4.0",
    }
    return f"{table(['Property', 'Value'], rows.items())}\n\n{table(['Hash of', 'sha256'], _hashes(evaluation, spec))}"


def _hashes(evaluation: Evaluation, spec: ModelSpec) -> list[tuple[str, str]]:
    exported = [("Graph, whose first digits are the version", f"`{spec.graph_sha256}`")]
    return exported + [(row["Of"], f"`{row['sha256']}`") for row in hash_rows(evaluation)]


def _data(evaluation: Evaluation, spec: ModelSpec, record: Mapping) -> str:
    columns = ["Images of", "Station", "From", "Count"]
    stations = [[row[column] for column in columns] for row in flow_rows(flow(evaluation, dict(record)))]
    parts = [words.DATA.strip().format(trained_on=spec.trained_on), table(columns, stations)]
    told = [f"{part['words']}." for part in record.get("trainings", ())]
    if len(told) == 1:
        parts.append(f"Training: {told[0]}")
    elif told:
        listed = "\n".join(f"{place}. {training}" for place, training in enumerate(told, start=1))
        parts.append(f"Trainings, one after another:\n\n{listed}")
    return "\n\n".join(parts)


def _failures(evaluation: Evaluation, audits: Mapping) -> str:
    groups = {
        "Groups of images": stratum_rows(evaluation, "test") + subgroup_rows(audits),
        "Lungs removed, alone and exchanged": lung_rows(audits),
        "Disturbed images": perturbation_rows(audits),
        "Adults": adult_rows(audits),
    }
    before = {"Lungs removed, alone and exchanged": lungs_verdict(audits)}
    if groups["Disturbed images"]:
        before["Disturbed images"] = DISTURBED_CHECKS
    called = adult_finding_rows(audits)
    said = "What the program calls those adults that it reads, by what radiologists saw on the image:"
    after = {"Adults": f"{said}\n\n{table(called[0], [line.values() for line in called])}" if called else None}
    parts = []
    for title, rows in groups.items():
        told = (before.get(title), forest_table(rows, "Figure") if rows else words.NOT_MEASURED, after.get(title))
        parts.append("\n\n".join(filter(None, (f"### {title}", *told))))
    return "\n\n".join(
        [*parts, f"### Refusals and warnings\n\n{_checks(evaluation)}", f"### Heatmaps\n\n{_maps(evaluation)}"]
    )


def _checks(evaluation: Evaluation) -> str:
    sets = evaluation.sections.get("checks", {}).get("sets", ())
    refused = evaluation.data["test"]["refused"]
    scored = f"{refused} could not be scored" if refused else "all could be scored"
    said = f"Figures elsewhere are of all images, with the checks off; {scored}."
    if not sets:
        return f"{said} For other pictures: {words.NOT_MEASURED}"
    rows = [(item["name"], *(str(item[key]) for key in ("images", "read", "warned", "refused"))) for item in sets]
    return f"{said}\n\n{table(['Pictures', 'Images', 'Read', 'Warned', 'Refused'], rows)}"


def _maps(evaluation: Evaluation) -> str:
    methods = evaluation.sections.get("explanations", {}).get("methods", ())
    if not methods:
        return words.NOT_MEASURED
    keys = ("deletion_auc", "insertion_auc", "heat_in_lungs", "stability")
    rows = [(item["title"], *(figure_cell(item[key]) for key in keys)) for item in methods]
    told = table(["Method", "Deletion", "Insertion", "Heat in the lungs", "Stability"], rows)
    return f"{told}\n\n{few({'images': min(item['curve_images'] for item in methods)})}".rstrip()
