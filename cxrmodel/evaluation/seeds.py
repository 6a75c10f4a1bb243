"""How much a training's seed changes its result: trained runs -> ``seeds.json``.

Runs of one model and one form (recipe but for the seed) belong together. The seed also draws the held-out patients,
so the spread contains that of the threshold which they fix.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.metrics import significant
from cxrmodel.evaluation.storage import EVALUATION_FOLDER
from cxrmodel.imaging.lungs import LungSegmenter
from cxrmodel.metrics.thresholds import choose_operating_points
from cxrmodel.model.calibration import probability
from cxrmodel.model.preprocess import normalise
from cxrmodel.training.archive import find_images
from cxrmodel.training.record import load_training_record

__all__ = ["HOW_MEASURED", "MEASURES", "load_seeds", "measure_run", "save_seeds", "spread"]

HOW_MEASURED = (
    "Each run's threshold is chosen here on the logits of its training record and at even prevalence, while "
    "`export` fixes the shipped thresholds on what a reading sees of the held-out images, so accuracies of the "
    "shipped weights differ a little from those elsewhere. Test is the official test, whatever evaluation is "
    "selected."
)
"""Why the accuracies of the runs are not those of the shipped evaluation."""
MEASURES = ("held_out_auc", "auc", "accuracy", "balanced_accuracy")
FILE = "seeds.json"
FORMAT = 1
BATCH = 32


def measure_run(run: Path, root: Path) -> dict:
    """Measure one finished training on the official test images, leaving out those on which no lungs are found.

    Parameters
    ----------
    run : Path
        Folder that ``train`` wrote.
    root : Path
        The archive.

    Returns
    -------
    dict
        ``model``, ``form``, ``seed``, ``weights_sha256`` and ``MEASURES``; accuracies at the balanced threshold that
        this run's own held-out patients fix.

    Raises
    ------
    DataError, TrainingError
        When an image cannot be read, or the folder holds no finished training.
    """
    import keras

    from cxrmodel.training.classifier import load_training_images
    from cxrmodel.training.export import load_network

    record = load_training_record(run / "training.json")
    network, weights = load_network(run, record.recipe.model)
    images = load_training_images(root, find_images(root, ("test",)), LungSegmenter.load())
    inputs = normalise(images.crops(record.options.margin, record.recipe.final_size), record.mean, record.std)
    logits = [
        keras.ops.convert_to_numpy(network(inputs[i : i + BATCH], training=False))[:, 0]
        for i in range(0, len(inputs), BATCH)
    ]
    held_out_labels = np.array([image.label for image in record.held_out])
    held_out_logits = np.array([image.logit for image in record.held_out])
    threshold = choose_operating_points(held_out_labels, probability(held_out_logits, 1.0, 0.5))["balanced"]
    labels, values = images.labels.astype(int), probability(np.concatenate(logits), 1.0, 0.5)
    return {
        "model": record.recipe.model,
        "form": str(record.summary),
        "seed": record.recipe.seed,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "held_out_auc": significant(roc_auc_score(held_out_labels, held_out_logits)),
        "auc": significant(roc_auc_score(labels, values)),
        "accuracy": significant(accuracy_score(labels, values >= threshold)),
        "balanced_accuracy": significant(balanced_accuracy_score(labels, values >= threshold)),
    }


def spread(runs: Sequence[Mapping]) -> list[dict]:
    """Mean and sample standard deviation of every measure over the runs of one model and form.

    Returns
    -------
    list of dict
        ``model``, ``form``, ``seeds``, ``weights`` (their sha256) and for each measure ``mean`` and ``deviation`` (None
        for a single run).
    """
    groups: dict[tuple[str, str], list[Mapping]] = {}
    for run in runs:
        groups.setdefault((run["model"], run["form"]), []).append(run)
    return [
        {"model": model, "form": form, "seeds": sorted(run["seed"] for run in members)}
        | {"weights": {run["weights_sha256"] for run in members}}
        | {name: _moments([run[name] for run in members]) for name in MEASURES}
        for (model, form), members in sorted(groups.items())
    ]


def _moments(values: Sequence[float]) -> dict[str, float | None]:
    deviation = significant(float(np.std(values, ddof=1))) if len(values) > 1 else None
    return {"mean": significant(float(np.mean(values))), "deviation": deviation}


def load_seeds(folder: Path = EVALUATION_FOLDER) -> list[dict]:
    """The measured runs; none when there is no file.

    Raises
    ------
    EvaluationError
        When the file is damaged.
    """
    path = Path(folder) / FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ValueError("another format")
        runs = [
            {name: run[name] for name in ("model", "form", "seed", "weights_sha256", *MEASURES)}
            for run in document["runs"]
        ]
        spread(runs)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(
            f"{path} is damaged. Restore it, or measure the runs again with python -m cxrmodel evaluate --seeds."
        ) from error
    return runs


def save_seeds(runs: Sequence[Mapping], folder: Path = EVALUATION_FOLDER) -> list[dict]:
    """Add runs to the file; one of the same model, form and seed is replaced.

    Returns
    -------
    list of dict
        All runs now in the file.
    """
    merged = {(run["model"], run["form"], run["seed"]): dict(run) for run in [*load_seeds(folder), *runs]}
    ordered = [merged[place] for place in sorted(merged)]
    rows = ",\n".join(f"  {json.dumps(run)}" for run in ordered)
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / FILE).write_text(f'{{\n "format": {FORMAT},\n "runs": [\n{rows}\n ]\n}}\n', encoding="utf-8")
    return ordered
