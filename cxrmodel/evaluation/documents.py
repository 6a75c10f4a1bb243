"""What follows from evaluations without reading an image: the README's table, the model card, a report."""

from collections.abc import Sequence
from pathlib import Path

from cxrmodel.errors import EvaluationError, ModelError
from cxrmodel.evaluation.data_flow import training_record
from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.report.card import update_card
from cxrmodel.evaluation.report.html import html_report, write_report
from cxrmodel.evaluation.report.readme import README, readme_table, update_readme
from cxrmodel.evaluation.report.safety import update_safety
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.evaluation.storage import OWN_FOLDER, load_evaluation, load_file, own_evaluations
from cxrmodel.model.spec import load_spec
from cxrmodel.models import MODELS

__all__ = ["load_own", "renew_documents", "report_of", "report_text"]


def load_own(name: str, models: Sequence[str] = MODELS.names, folder: Path = OWN_FOLDER) -> list[Evaluation]:
    """Load the evaluations on a user's own images.

    Parameters
    ----------
    name : str
        Of the images.
    models : sequence of str
        Those wanted; of these, all that were evaluated are given.
    folder : Path

    Raises
    ------
    EvaluationError
        When there is none, or one is damaged or of other weights.
    """
    stored = own_evaluations(folder).get(name, {})
    found = [load_file(stored[model], model) for model in models if model in stored]
    if not found:
        raise EvaluationError(
            f"There is no evaluation named {name} in {folder}. Measure it with "
            f"python -m cxrmodel evaluate --data DIR --name {name}."
        )
    return found


def report_of(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Write the report of evaluations as one HTML file.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        Of the same images; the first is the model that the report is about.
    path : Path
        Ends in .html.

    Raises
    ------
    CxrError
        When the evaluations are of different images, something beside the weights cannot be used, or the file is named
        otherwise.
    """
    write_report(report_text(evaluations), path)


def report_text(evaluations: Sequence[Evaluation]) -> str:
    """The report of evaluations as HTML.

    Raises
    ------
    CxrError
        As :func:`report_of`.
    """
    first = evaluations[0]
    others = published() if first.dataset is None else []
    return html_report(evaluations, load_spec(first.model), training_record(first.model), others)


def renew_documents() -> list[str]:
    """Bring the README's table, the model card and docs/safety.md in line with the shipped evaluations.

    Returns
    -------
    list of str
        A sentence for each that could not be renewed and stays as it is.
    """
    kept = []
    for what, renew in (
        ("The README keeps its table", _renew_readme),
        ("The model card stays as it is", update_card),
        ("The safety page keeps its tables", update_safety),
    ):
        try:
            renew()
        except (EvaluationError, ModelError, OSError):
            kept.append(f"{what}: evaluate every model on the same images to renew it.")
    return kept


def _renew_readme() -> None:
    update_readme(README, readme_table([load_evaluation(model) for model in MODELS.names]))
