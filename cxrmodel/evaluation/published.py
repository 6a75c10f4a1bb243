"""What others published on the same test images: ``assets/evaluation/published.json``."""

import json
from pathlib import Path

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.storage import EVALUATION_FOLDER

__all__ = ["Published", "published"]

Published = dict[str, str | float]


def published(path: Path = EVALUATION_FOLDER / "published.json") -> list[Published]:
    """Read the published figures, each with its source.

    Returns
    -------
    list of dict
        ``short``, ``description``, ``auc`` and ``accuracy`` (0..1), ``citation`` and ``doi``; where they were
        published ``auc_deviation`` and ``accuracy_deviation`` (of several seeds), ``sensitivity`` and ``specificity``.

    Raises
    ------
    EvaluationError
        When the file is missing or damaged.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        figures = []
        for row in document["figures"]:
            source = document["sources"][row["source"]]
            if not (0 < row["auc"] <= 1 and 0 < row["accuracy"] <= 1):
                raise ValueError("a share out of range")
            words = {name: row[name] for name in ("short", "description")}
            figures.append({**row, **words, **{name: source[name] for name in ("citation", "doi")}})
        return figures
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(
            "The figures that others published cannot be read, so none is shown. Install the program again."
        ) from error
