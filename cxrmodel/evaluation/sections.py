"""Parts of an evaluation that are written on their own, beside the scores of the same weights."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.schema import REMEDY
from cxrmodel.evaluation.storage import EVALUATION_FOLDER, save_evaluation

__all__ = ["kept_sections", "require_evaluation", "save_section", "whole_sections"]


@contextmanager
def whole_sections(model: str) -> Iterator[None]:
    """Tell a section that is not in the shape in which it is written, where it is used.

    Raises
    ------
    EvaluationError
        In place of whatever its use raised.
    """
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise EvaluationError(
            f"A section of the evaluation of {model} is damaged or was written by another version, so what follows "
            f"from it is not shown. {REMEDY}"
        ) from error


def kept_sections(model: str, version: str, folder: Path = EVALUATION_FOLDER) -> dict[str, Mapping]:
    """The sections of an earlier evaluation of the same version, for a new one to keep.

    Returns
    -------
    dict of str to mapping
        Empty when there is no earlier evaluation, it cannot be read, or it is of another version.
    """
    try:
        document = json.loads((Path(folder) / f"{model}.json").read_text(encoding="utf-8"))
        return dict(document["sections"]) if document["version"] == version else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def save_section(model: str, version: str, name: str, section: Mapping, folder: Path = EVALUATION_FOLDER) -> Path:
    """Put a section into a model's evaluation, in place of one of the same name.

    Parameters
    ----------
    model, version : str
        What was evaluated.
    name : str
        Of the section: ``audits``, ``checks`` or ``explanations``.
    section : mapping
        Plain JSON, without NaN.

    Returns
    -------
    Path
        The evaluation's file.

    Raises
    ------
    EvaluationError
        When there is no whole evaluation of this version to put it into, or the file cannot be written.
    """
    document = require_evaluation(model, version, folder)
    document["sections"] = {**document.get("sections", {}), name: section}
    return save_evaluation(document, folder)


def require_evaluation(model: str, version: str, folder: Path = EVALUATION_FOLDER) -> dict:
    """Read the evaluation that a section would be put into; to be asked before long measurements, too.

    Raises
    ------
    EvaluationError
        When there is none of this version.
    """
    path = Path(folder) / f"{model}.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        same = document["version"] == version
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(
            f"There is no whole evaluation of {model} in {folder} to add to. Run python -m cxrmodel evaluate first."
        ) from error
    if not same:
        raise EvaluationError(
            f"The evaluation of {model} is of another version. Run python -m cxrmodel evaluate before adding to it."
        )
    return document
