"""Parts of an evaluation that are written on their own, beside the scores of the same weights."""

from collections.abc import Iterator
from contextlib import contextmanager

from cxrmodel.errors import EvaluationError

__all__ = ["whole_sections"]


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
            f"from it is not shown. Run cxrmodel evaluate again."
        ) from error
