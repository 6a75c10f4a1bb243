"""Published figures on the same test images: ``assets/evaluation/published.json``."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.storage import EVALUATION_FOLDER

__all__ = ["PublishedFigure", "published"]

Share = Annotated[float, Field(gt=0, le=1)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Source(_Record):
    citation: str
    doi: Annotated[str, Field(pattern=r"^10\.")]


class _Row(_Record):
    short: str
    description: str
    source: str
    auc: Share
    accuracy: Share
    auc_deviation: float | None = None
    accuracy_deviation: float | None = None
    sensitivity: Share | None = None
    specificity: Share | None = None


class _File(_Record):
    note: str
    images: int
    sources: dict[str, _Source]
    figures: tuple[_Row, ...]


class PublishedFigure(_Row):
    """A published figure with its source.

    Attributes
    ----------
    short, description : str
    source : str
        Key of the source in the file.
    auc, accuracy : float
        0..1.
    auc_deviation, accuracy_deviation : float or None
        Standard deviation over several seeds, where published.
    sensitivity, specificity : float or None
        0..1, where published.
    citation, doi : str
    """

    citation: str
    doi: str

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
        file = _File.model_validate_json(path.read_bytes())
        return [PublishedFigure(**row.model_dump(), **file.sources[row.source].model_dump()) for row in file.figures]
    except (OSError, ValidationError, KeyError) as error:
        raise EvaluationError("documents.published_damaged", file=path.name) from error
