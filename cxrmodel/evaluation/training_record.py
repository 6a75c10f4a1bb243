"""Training record of a shipped model, as evaluations and documents use it."""

from pathlib import Path

from cxrmodel.model.spec import MODEL_FOLDER
from cxrmodel.training.record import TrainingRecord, TrainingRun, TrainingSplit
from cxrmodel.training.record import load_training_record as load_file

__all__ = ["TrainingRecord", "TrainingRun", "TrainingSplit", "load_training_record"]


def load_training_record(model: str, folder: Path = MODEL_FOLDER) -> TrainingRecord | None:
    """Read the training record of a model; None where there is none.

    Raises
    ------
    TrainingError
        When the file is damaged.
    """
    path = folder / f"{model}.training.json"
    return load_file(path) if path.is_file() else None
