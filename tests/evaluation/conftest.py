"""A small archive without pictures, a reader that reads numbers, and an evaluation made of both."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cxrmodel.errors import UnreadableFile
from cxrmodel.evaluation.schema import SPLITS, Bootstrap, Evaluation, ScoredImage, SplitCounts, SplitScores
from cxrmodel.metrics.performance import evaluate_scores
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
                yield UnreadableFile("metrics.error.no_images")
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
                "version": "densenet121 abababababab",
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
def make_evaluation() -> Callable[..., Evaluation]:
    """A function ``make_evaluation(model="densenet121", centre=1.0, **changes)``: 60 + 60 drawn scores."""

    def make(model: str = "densenet121", centre: float = 1.0, points: dict = POINTS, **changes) -> Evaluation:
        splits = {}
        for seed, split in enumerate(SPLITS[:1] if "dataset" in changes else SPLITS):
            rows = _rows(np.random.default_rng(seed), centre)
            columns = ([getattr(row, name) for row in rows] for name in ("label", "probability", "patient"))
            splits[split] = SplitScores(
                counts=SplitCounts(
                    images=60, patients=30, negative=30, positive=30, refused=0, strata={"bacteria": 30, "virus": 0}
                ),
                performance=evaluate_scores(*columns, points, 200),
                images=tuple(rows),
            )
        made = Evaluation(
            model=model,
            version=f"{model} abababababab",
            weights_sha256="ab" * 32,
            created=date(2024, 5, 6),
            labels=SPEC.labels,
            prevalence=0.5,
            operating_points=dict(points),
            bootstrap=Bootstrap(resamples=200, seed=0, level=0.95),
            splits=splits,
            dataset=changes.pop("dataset", None),
        )
        return made.replace(**changes)

    return make


def _rows(rng: np.random.Generator, centre: float) -> list[ScoredImage]:
    rows = []
    for index in range(60):
        label = index % 2
        logit = round(rng.normal(centre if label else -centre, 1.5), 4)
        rows.append(
            ScoredImage(
                file=f"chest_xray/test/image{index:02d}.jpeg",
                label=label,
                organism="bacteria" if label else "",
                patient=f"patient{index // 4 * 2 + label}",
                logit=logit,
                probability=round(probability(logit, 1.0, 0.5), 6),
            )
        )
    return rows
