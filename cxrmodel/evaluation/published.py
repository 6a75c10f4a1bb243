"""Published figures on the same test images: ``assets/evaluation/published.json``."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.storage import EVALUATION_FOLDER
from cxrmodel.records import Record, read_document

Share = Annotated[float, Field(gt=0, le=1)]


class _File(Record):
    note: str
    images: int
    sources: dict[str, dict[str, str]]
    figures: tuple[dict[str, Any], ...]


class PublishedFigure(Record):
    """A published figure with its source.

    Attributes
    ----------
    short, description : str
    source : str
        Key of the source in the file.
    citation, doi : str
        Of the source.
    auc, accuracy : float
        0..1.
    auc_deviation, accuracy_deviation : float or None
        Standard deviation over several seeds, where published.
    sensitivity, specificity : float or None
        0..1, where published.
    """

    short: str
    description: str
    source: str
    citation: str
    doi: Annotated[str, Field(pattern=r"^10\.")]
    auc: Share
    accuracy: Share
    auc_deviation: float | None = None
    accuracy_deviation: float | None = None
    sensitivity: Share | None = None
    specificity: Share | None = None

    @property
    def reference(self) -> str:
        """The source in Markdown."""
        return f"{self.citation} [doi:{self.doi}](https://doi.org/{self.doi})"


def published(path: Path = EVALUATION_FOLDER / "published.json") -> list[PublishedFigure]:
    """Read the published figures.

    Raises
    ------
    EvaluationError
        When the file is missing or damaged.
    """
    try:
        file = _File.model_validate_json(read_document(path))
        return [PublishedFigure.model_validate(row | file.sources[row["source"]]) for row in file.figures]
    except Exception as error:  # a damaged file makes the library raise anything
        raise EvaluationError("documents.published_damaged", file=path.name) from error
