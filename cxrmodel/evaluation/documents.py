"""Documents that follow from stored evaluations: one registry entry each, and the HTML report.

To add a document, add its template to ``evaluation/templates``, and an entry to `DOCUMENTS` that renders it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrmodel import outputs
from cxrmodel.errors import EvaluationError, ModelError
from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.report.context import make_card, of_the_same_images
from cxrmodel.evaluation.report.html import html_report, write_report
from cxrmodel.evaluation.report.render import part_between, render, replace_between
from cxrmodel.evaluation.report.safety import shipped_safety_text
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.evaluation.seeds import SeedRun, load_seeds, spread
from cxrmodel.evaluation.storage import OWN_FOLDER, load_evaluation, load_file, own_evaluations
from cxrmodel.messages import Message
from cxrmodel.model.spec import load_spec
from cxrmodel.models import MODELS
from cxrmodel.paths import ROOT
from cxrmodel.registry import Registry
from cxrmodel.training.record import shipped_training_record


@dataclass(frozen=True)
class Document:
    """A document that is generated, wholly or in part.

    Attributes
    ----------
    name : str
    target : Path
        File that holds it.
    text : callable
        Generates the document or its part from what is shipped. It raises EvaluationError or ModelError where
        something that it follows from cannot be used.
    mark : str
        Name of the marks between which the generated part stands; empty where the whole file is generated.
    """

    name: str
    target: Path
    text: Callable[[], str]
    mark: str = ""

    def written(self) -> str:
        """Read what stands in the file.

        Raises
        ------
        OSError, EvaluationError
            When the file cannot be read, or lacks its marks.
        """
        text = self.target.read_text(encoding="utf-8")
        return part_between(text, self.mark, self.target.name)[1].strip() + "\n" if self.mark else text

    def renew(self) -> bool:
        """Generate the document and write it where it differs.

        Returns
        -------
        bool
            Whether the file changed.

        Raises
        ------
        EvaluationError, ModelError, OSError
            As ``text`` and :meth:`written`; the file stays unchanged.
        """
        text = self.text()
        if self.mark:
            if self.written() == text:
                return False
            replace_between(self.target, self.mark, text)
        elif self.target.is_file() and self.written() == text:
            return False
        else:
            outputs.write(self.target, text, overwrite=True)
        return True


def _shipped() -> list[Evaluation]:
    return [load_evaluation(model) for model in MODELS.names]


DOCUMENTS: Registry[Document] = Registry(
    "document",
    Document("readme", ROOT / "README.md", lambda: performance_text(_shipped()), mark="figures"),
    Document("model_card", ROOT / "MODEL_CARD.md", lambda: card_text(_shipped())),
    Document("safety", ROOT / "docs" / "reference" / "image-checks.md", shipped_safety_text, mark="checks"),
    Document(
        "training", ROOT / "docs" / "reference" / "training.md", lambda: trainings_text(load_seeds()), mark="trainings"
    ),
)
"""Documents that ``cxrmodel evaluate`` renews."""


def renew_documents() -> list[Message]:
    """Renew every document.

    Returns
    -------
    list of Message
        One for each document that could not be renewed and stays as it is.
    """
    kept = []
    for document in DOCUMENTS:
        try:
            document.renew()
        except (EvaluationError, ModelError) as error:
            kept.append(Message("documents.not_renewed", file=document.target.name, reason=error.message))
        except OSError as error:
            kept.append(Message("documents.not_renewed", file=document.target.name, reason=str(error.strerror)))
    return kept


def performance_text(evaluations: Sequence[Evaluation]) -> str:
    """Performance of evaluations as in the README.

    Raises
    ------
    EvaluationError
        When there is none, or they are of different images.
    """
    return render("readme_figures.md.j2", evaluations=of_the_same_images(evaluations))


def trainings_text(runs: Iterable[SeedRun]) -> str:
    """Measured trainings as in docs/reference/training.md."""
    return render("training_table.md.j2", groups=spread(runs))


def card_text(evaluations: Sequence[Evaluation]) -> str:
    """Model card of evaluations on the official test images.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        The first is of the model that the card is about.

    Raises
    ------
    EvaluationError, ModelError
        When they are of different images, or something beside the weights cannot be used.
    """
    first = evaluations[0].model
    card = make_card(evaluations, load_spec(first), shipped_training_record(first), published())
    return render("model_card.md.j2", **vars(card))


def report_text(evaluations: Sequence[Evaluation]) -> str:
    """HTML report of evaluations of the same images; the first is of the model that it is about.

    Raises
    ------
    EvaluationError, ModelError
        As :func:`card_text`.
    """
    first = evaluations[0]
    others = [] if first.dataset else published()
    return html_report(evaluations, load_spec(first.model), shipped_training_record(first.model), others)


def report_of(evaluations: Sequence[Evaluation], path: Path, *, overwrite: bool = False) -> None:
    """Write the HTML report of evaluations.

    Raises
    ------
    CxrError
        As :func:`report_text`, and when the file is not named as HTML, or exists and is not to be replaced.
    """
    write_report(report_text(evaluations), path, overwrite=overwrite)


def load_own(name: str, models: Sequence[str] = MODELS.names, folder: Path = OWN_FOLDER) -> list[Evaluation]:
    """Load the evaluations on a user's own images.

    Parameters
    ----------
    name : str
        Of the images.
    models : sequence of str
        Models wanted; those that were evaluated are given.
    folder : Path

    Raises
    ------
    EvaluationError
        When there is none, or one is damaged or of other weights.
    """
    stored = own_evaluations(folder).get(name, {})
    found = [load_file(stored[model], model) for model in models if model in stored]
    if not found:
        raise EvaluationError("documents.no_own_evaluation", name=name, folder=folder)
    return found
