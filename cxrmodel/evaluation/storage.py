"""Evaluations as files: ``assets/evaluation/<model>.json``, and ``evaluations/<name>.<model>.json`` of a user's images.

A file belongs to one set of weights. One that is missing, damaged, or of other weights is refused by name.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from cxrmodel import outputs
from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.schema import FORMAT, Evaluation
from cxrmodel.model.spec import ModelSpec, load_spec
from cxrmodel.models import MODELS
from cxrmodel.paths import ASSETS, HOME
from cxrmodel.records import first_problem, read_document
from cxrmodel.sinks import shortened

EVALUATION_FOLDER = ASSETS / "evaluation"
OWN_FOLDER = HOME / "evaluations"


def load_evaluation(model: str, folder: Path = EVALUATION_FOLDER, spec: ModelSpec | None = None) -> Evaluation:
    """Read a model's evaluation and check that it is whole and belongs to the model's weights.

    Parameters
    ----------
    model : str
        Name of the model, for example ``densenet121``.
    folder : Path
        The folder of the evaluations.
    spec : ModelSpec or None
        Whose weights, labels and operating points it must have; None takes those of the shipped model.

    Raises
    ------
    EvaluationError
        When the file is missing, damaged, of another format, or of other weights, labels or operating points.
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
    """Read a file from any folder, checked as by :func:`load_evaluation`.

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
        raise EvaluationError("evaluation.error.missing", model=model, folder=str(path.parent)) from error
    except OSError as error:
        raise EvaluationError("evaluation.error.unreadable", model=model, reason=error.strerror) from error
    if evaluation.version != spec.version:
        raise EvaluationError("evaluation.error.version", model=model, found=evaluation.version, expected=spec.version)
    if evaluation.labels != spec.labels:
        raise EvaluationError("evaluation.error.labels", model=model)
    if evaluation.operating_points != dict(spec.operating_points) or evaluation.prevalence != spec.prevalence:
        raise EvaluationError("evaluation.error.operating_points", model=model)
    return evaluation


def earlier_evaluation(model: str, version: str, folder: Path = EVALUATION_FOLDER) -> Evaluation | None:
    """Read the evaluation of a version, whose audits a new one keeps; None where none can be used."""
    try:
        evaluation = parse_evaluation(_content(Path(folder) / f"{model}.json", model), model)
    except (OSError, EvaluationError):
        return None
    return evaluation if evaluation.version == version else None


def parse_evaluation(data: bytes, model: str) -> Evaluation:
    """Check a document against the schema. Metrics that were registered since are computed from its scores.

    Raises
    ------
    EvaluationError
        When it is not JSON, of another format or model, or breaks the schema; the message names the field.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EvaluationError("evaluation.error.not_json", model=model) from error
    found = document.get("format") if isinstance(document, Mapping) else None
    if found != FORMAT:
        raise EvaluationError("evaluation.error.format", model=model, found=shortened(str(found)), expected=FORMAT)
    try:
        evaluation = Evaluation.model_validate_json(data).completed()
    except Exception as error:  # a validator may stumble over a value of the right type, such as a huge number
        raise EvaluationError("evaluation.error.damaged", model=model, what=first_problem(error)) from error
    if evaluation.model != model:
        raise EvaluationError("evaluation.error.other_model", model=model, found=evaluation.model)
    return evaluation


def save_evaluation(evaluation: Evaluation, folder: Path = EVALUATION_FOLDER) -> Path:
    """Write an evaluation as ``<model>.json``; the same evaluation always gives the same bytes.

    One of a user's own images, which has a ``dataset``, becomes ``<name>.<model>.json``.

    Returns
    -------
    Path
        The file, which is replaced only once the new one is whole.

    Raises
    ------
    OutputRefused, OutputFailed
        When the file cannot be written.
    """
    name = f"{evaluation.dataset.name}.{evaluation.model}" if evaluation.dataset else evaluation.model
    path = Path(folder) / f"{name}.json"
    outputs.write(path, text_of(evaluation), overwrite=True)
    return path


def text_of(evaluation: Evaluation) -> str:
    """Write an evaluation as JSON, with every innermost object or list on a line of its own."""
    return _indented(json.loads(evaluation.model_dump_json())) + "\n"


@lru_cache(maxsize=32)
def _read(path: Path, model: str, state: tuple[int, int, int]) -> Evaluation:
    """Read and check a file, which takes long, once for each state of it that the file system tells apart."""
    return parse_evaluation(_content(path, model), model)


def _content(path: Path, model: str) -> bytes:
    try:
        return read_document(path)
    except ValueError as error:
        raise EvaluationError("evaluation.error.damaged", model=model, what=first_problem(error)) from error


def _indented(value: object, indent: str = "") -> str:
    """JSON with every innermost object or list on a line of its own."""
    nested = isinstance(value, Mapping | list) and any(
        isinstance(part, Mapping | list) for part in (value.values() if isinstance(value, Mapping) else value)
    )
    if not nested:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    deeper = indent + " "
    if isinstance(value, Mapping):
        parts = [f"{deeper}{json.dumps(name)}: {_indented(part, deeper)}" for name, part in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    assert isinstance(value, list)
    return "[\n" + ",\n".join(deeper + _indented(part, deeper) for part in value) + f"\n{indent}]"
