"""A small archive without pictures, a reader that reads numbers, and an evaluation made of both."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cxrmodel.errors import UnreadableFile
from cxrmodel.evaluation.metrics import evaluate_scores
from cxrmodel.evaluation.storage import SPLITS, Evaluation, load_evaluation, save_evaluation
from cxrmodel.model.calibration import probability
from cxrmodel.model.spec import ModelSpec, OperatingPoints
from cxrmodel.training.archive import training_split
from tests.support.stand_ins import SPEC

POINTS = {"high_sensitivity": 0.2, "balanced": 0.5, "high_specificity": 0.8}


class NumberReader:
    """Stands for the real reader: a file's bytes are its logit; anything else is refused."""

    def __init__(self, spec: ModelSpec):
        self.spec = spec

    def score_many(
        self, items: Iterable[tuple[bytes, str]], checked: bool = True
    ) -> Iterator[SimpleNamespace | UnreadableFile]:
        """Give a score or a refusal for each file, in order."""
        for data, _ in items:
            try:
                logit = float(data.split(b"#")[0])
            except ValueError:
                yield UnreadableFile("The file is broken. Export it again.")
            else:
                chance = probability(logit, **self.spec.calibration)
                yield SimpleNamespace(logit=logit, probability=chance)


@pytest.fixture
def make_spec() -> Callable[..., ModelSpec]:
    """A function ``make_spec(**changes)``: a specification whose probability is the logistic of the logit."""

    def make(**changes) -> ModelSpec:
        if "operating_points" in changes:
            changes["operating_points"] = OperatingPoints(**changes["operating_points"])
        return SPEC.replace(
            **{
                "weights_sha256": "ab" * 32,
                "graph_sha256": "ab" * 32,
                "lungs_sha256": "cd" * 32,
                "input_size": 8,
                "std": 0.25,
                "margin": 0.1,
                "prevalence": 0.5,
                "operating_points": OperatingPoints(**POINTS),
                "heat_range": 1.0,
                "split_seed": 3,
                "held_out_patients": (),
            }
            | changes
        )

    return make


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of 12 patients a class and folder with two images each; a file holds its logit and its own name."""
    rng = np.random.default_rng(5)
    for first, folder in ((0, "train"), (100, "val"), (200, "test")):
        for person in range(first, first + 12):
            for shot in range(2):
                kind = "virus" if person % 3 == 0 else "bacteria"
                for name, stem, centre in (
                    ("NORMAL", f"IM-{person:04d}-{shot:04d}", -1.0),
                    ("PNEUMONIA", f"person{person}_{kind}_{shot}", 1.0),
                ):
                    path = tmp_path / "chest_xray" / folder / name / f"{stem}.jpeg"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(f"{rng.normal(centre, 1.5):.4f}#{stem}")
    return tmp_path


@pytest.fixture
def reader(archive: Path, make_spec) -> NumberReader:
    """The reader that fits the archive's held-out patients."""
    held_out = training_split(archive, 3).held_out
    return NumberReader(make_spec(held_out_patients=tuple(sorted({image.patient for image in held_out}))))


@pytest.fixture
def make_document() -> Callable[..., dict]:
    """A function ``make_document(model="densenet121", centre=1.0)``: an evaluation of 60 + 60 drawn scores."""

    def make(model: str = "densenet121", centre: float = 1.0) -> dict:
        document = {
            "format": 1,
            "model": model,
            "version": f"{model} abababababab",
            "weights_sha256": "ab" * 32,
            "created": date(2024, 5, 6).isoformat(),
            "prevalence": 0.5,
            "operating_points": dict(POINTS),
            "bootstrap": {"resamples": 200, "seed": 0, "level": 0.95, "unit": "patient"},
            "data": {},
            "metrics": {},
            "refused": {split: [] for split in SPLITS},
            "scores": {},
        }
        for seed, split in enumerate(SPLITS):
            rows = _rows(np.random.default_rng(seed), centre)
            columns = ([row[name] for row in rows] for name in ("label", "probability", "patient"))
            document["scores"][split] = rows
            document["metrics"][split] = evaluate_scores(*columns, POINTS, 200)
            document["data"][split] = {
                "images": 60,
                "patients": 30,
                "normal": 30,
                "pneumonia": 30,
                "bacteria": 30,
                "virus": 0,
                "refused": 0,
            }
        return document

    return make


@pytest.fixture
def make_evaluation(make_document, make_spec, tmp_path: Path) -> Callable[..., Evaluation]:
    """A function with the arguments of ``make_document``: the same, saved and loaded."""

    def make(model: str = "densenet121", centre: float = 1.0) -> Evaluation:
        save_evaluation(make_document(model, centre), tmp_path)
        return load_evaluation(model, tmp_path, make_spec(model=model))

    return make


def _rows(rng: np.random.Generator, centre: float) -> list[dict]:
    rows = []
    for index in range(60):
        label = index % 2
        logit = round(rng.normal(centre if label else -centre, 1.5), 4)
        rows.append(
            {
                "file": f"chest_xray/test/image{index:02d}.jpeg",
                "label": label,
                "organism": "bacteria" if label else "",
                "patient": f"patient{index // 4 * 2 + label}",
                "logit": logit,
                "probability": round(probability(logit, 1.0, 0.5), 6),
            }
        )
    return rows
