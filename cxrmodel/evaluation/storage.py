"""An evaluation as a file: ``assets/evaluation/<model>.json`` <-> Evaluation.

The file belongs to one set of weights. One that is missing, damaged, or of other weights is refused by name, never
drawn.
"""

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.schema import FORMAT, REMEDY, SPLITS, Evaluation, Scores, checked_document
from cxrmodel.model.spec import ModelSpec, load_spec
from cxrmodel.models import MODELS
from cxrmodel.paths import ASSETS, HOME

__all__ = [
    "EVALUATION_FOLDER",
    "FORMAT",
    "OWN_FOLDER",
    "SPLITS",
    "Evaluation",
    "Scores",
    "load_evaluation",
    "load_file",
    "own_evaluations",
    "save_evaluation",
]

EVALUATION_FOLDER = ASSETS / "evaluation"
OWN_FOLDER = HOME / "evaluations"


def load_evaluation(model: str, folder: Path = EVALUATION_FOLDER, spec: ModelSpec | None = None) -> Evaluation:
    """Read a model's evaluation and check that it is whole and belongs to the model's weights.

    Parameters
    ----------
    model : str
        Name of the model, for example ``densenet121``.
    folder : Path
        Where the evaluations lie.
    spec : ModelSpec or None
        Whose weights and operating points it must have; None takes those of the shipped model.

    Raises
    ------
    EvaluationError
        When the file is missing, damaged, of another format, or of other weights or operating points.
    ModelError
        When ``spec`` is None and the model itself cannot be used.
    """
    return load_file(Path(folder) / f"{model}.json", model, spec)


def own_evaluations(folder: Path = OWN_FOLDER) -> dict[str, dict[str, Path]]:
    """Find the evaluations on users' own images: ``NAME.MODEL.json``, as ``evaluate --data`` writes them.

    Returns
    -------
    dict of str to dict of str to Path
        By name of the images, sorted, and then by model, the deployed one first; empty where there is none.
    """
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(Path(folder).glob("*.json")):
        name, _, model = path.stem.rpartition(".")
        if name and model in MODELS:
            found.setdefault(name, {})[model] = path
    return {
        name: dict(sorted(paths.items(), key=lambda item: MODELS.names.index(item[0]))) for name, paths in found.items()
    }


def load_file(path: Path, model: str, spec: ModelSpec | None = None) -> Evaluation:
    """Read a file as :func:`load_evaluation` does, wherever it lies.

    Raises
    ------
    EvaluationError, ModelError
        As :func:`load_evaluation`.
    """
    spec = load_spec(model) if spec is None else spec
    try:
        state = path.stat()
        evaluation = _read(path, model, (state.st_ino, state.st_mtime_ns, state.st_size))
    except FileNotFoundError as error:
        raise EvaluationError(f"There is no evaluation of {model} in {path.parent}. {REMEDY}") from error
    except (OSError, ValueError) as error:
        raise EvaluationError(
            f"The evaluation of {model} cannot be read: it is no whole JSON file. {REMEDY}"
        ) from error
    if evaluation.version != spec.version:
        raise EvaluationError(
            f"The evaluation of {model} is outdated: it was measured with {evaluation.version}, and the model is "
            f"{spec.version}. {REMEDY}"
        )
    if dict(evaluation.operating_points) != dict(spec.operating_points) or evaluation.prevalence != spec.prevalence:
        raise EvaluationError(
            f"The evaluation of {model} is outdated: the model has other operating points or another prevalence "
            f"since. {REMEDY}"
        )
    return evaluation


def save_evaluation(document: Mapping, folder: Path = EVALUATION_FOLDER) -> Path:
    """Write an evaluation as ``<model>.json``, one image a line; the same document always gives the same bytes.

    One on a user's own images, which names them in ``dataset``, becomes ``<name>.<model>.json``.

    Returns
    -------
    Path
        The file, which is replaced only once the new one is whole.

    Raises
    ------
    EvaluationError
        When the document is not a whole evaluation, or the file cannot be written.
    """
    model = str(document.get("model"))
    evaluation = checked_document(document, model)
    path = Path(folder) / (f"{evaluation.dataset['name']}.{model}.json" if evaluation.dataset else f"{model}.json")
    draft = path.with_suffix(".json.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(_text(document) + "\n", encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        raise EvaluationError(
            f"The evaluation of {model} cannot be written to {folder} ({error.strerror}). Choose another folder."
        ) from error
    return path


@lru_cache(maxsize=32)
def _read(path: Path, model: str, state: tuple[int, int, int]) -> Evaluation:
    """Read and check a file, which takes long, once for each state of it that the file system tells apart."""
    return checked_document(json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant), model)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _text(value: object, indent: str = "") -> str:
    """JSON with every innermost object or list on a line of its own."""
    nested = isinstance(value, Mapping | list) and any(
        isinstance(part, Mapping | list) for part in (value.values() if isinstance(value, Mapping) else value)
    )
    if not nested:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    deeper = indent + " "
    if isinstance(value, Mapping):
        parts = [f"{deeper}{json.dumps(name)}: {_text(part, deeper)}" for name, part in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + _text(part, deeper) for part in value) + f"\n{indent}]"
