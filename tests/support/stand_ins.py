"""Stand-ins for a trained reader: readings with numbers that a test sets, on images that a test draws."""

import hashlib
from dataclasses import replace
from datetime import date

import cv2
import numpy as np

from cxrmodel.errors import EmptyFile, UnsupportedFile
from cxrmodel.evaluation.schema import SPLITS, Bootstrap, Evaluation, ScoredImage, SplitCounts, SplitScores
from cxrmodel.imaging.lungs import LungFields
from cxrmodel.imaging.radiograph import Radiograph
from cxrmodel.imaging.repairs import AS_STORED
from cxrmodel.metrics.performance import evaluate_scores
from cxrmodel.model.calibration import finding, log_odds
from cxrmodel.model.spec import FORMAT, AgeRange, Labels, Levels, ModelSpec, OperatingPoints, Population
from cxrmodel.reading import Reading

POINTS = OperatingPoints(high_sensitivity=0.2, balanced=0.45, high_specificity=0.8)

SPEC = ModelSpec(
    format=FORMAT,
    model="densenet121",
    labels=Labels(positive="pneumonia", negative="normal"),
    weights_sha256="e" * 64,
    graph_sha256="0123456789ab" + "0" * 52,
    lungs_sha256="f" * 64,
    input_size=224,
    mean=0.5,
    std=0.2,
    margin=0.05,
    cam_layer="relu",
    bias=0.0,
    temperature=1.0,
    intercept=0.0,
    prevalence=0.5,
    operating_points=POINTS,
    heat_range=2.5,
    heat_percentile=99.0,
    ages=AgeRange(low=1, high=5),
    population=Population(
        distance=Levels(somewhat=2.0, clearly=5.0, source="drawn"),
        similarity=Levels(somewhat=0.3, clearly=0.5, source="drawn"),
        adult_images=4,
        sha256="d" * 64,
    ),
    trained_on="a drawn collection",
    split_seed=0,
    held_out_patients=("p1",),
    version="densenet121 0123456789ab",
)


def spec_of(model: str) -> ModelSpec:
    """The same specification under the name of a model."""
    return SPEC.replace(model=model, version=f"{model} 0123456789ab")


def lung_mask() -> np.ndarray:
    """Two blocks where the drawn image has its lungs."""
    mask = np.zeros((224, 224), bool)
    mask[50:170, 40:95] = mask[50:170, 130:185] = True
    return mask


def fake_reading(pixels: np.ndarray, name: str = "image.png", probability: float = 0.87, **changes) -> Reading:
    """A reading of the given image at the given probability; any field can be changed."""
    rows, columns = np.mgrid[0:224, 0:224]
    heat = 2.2 * np.exp(-((rows - 130) ** 2 + (columns - 160) ** 2) / 900).astype(np.float32)
    reading = Reading(
        radiograph=Radiograph(
            pixels.astype(np.float32), name, hashlib.sha256(pixels.tobytes()).hexdigest(), "PNG", 8, ()
        ),
        lungs=LungFields(lung_mask()),
        logit=_logit(probability),
        probability=probability,
        finding=finding(probability, POINTS, SPEC.labels),
        labels=SPEC.labels,
        operating_point="balanced",
        operating_points=POINTS,
        prevalence=SPEC.prevalence,
        heat=heat,
        heat_range=SPEC.heat_range,
        heat_in_lungs=0.83,
        reasons=(),
        model=SPEC.version,
        ages=SPEC.ages,
        milliseconds=120.0,
    )
    return replace(reading, **changes)


def _logit(probability: float) -> float:
    """Of the stand-in's network, whose temperature is 1 and whose intercept is 0."""
    return log_odds(probability) - log_odds(SPEC.prevalence)


class FakeReader:
    """Reads any picture at a set probability, counts its readings, and refuses or breaks where a real one would."""

    def __init__(self, probability: float = 0.87, **changes):
        self.spec, self.prevalence, self.read_names = SPEC, SPEC.prevalence, []
        self._probability, self._changes = probability, changes

    def read(self, data: bytes, name: str, client=None, notify=None, repairs=AS_STORED) -> Reading:
        """A reading of the decoded picture; b"" and undecodable bytes are refused, b"break" breaks."""
        self.read_names.append(name)
        if not data:
            raise EmptyFile("imaging.empty")
        if data == b"break":
            raise RuntimeError(f"inner detail of {name}")
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        if pixels is None:
            raise UnsupportedFile("imaging.unsupported.pdf")
        reading = fake_reading(pixels.astype(np.float32) / 255, name, self._probability, **self._changes)
        image = repairs.apply(reading.radiograph)
        return replace(reading, radiograph=image, reasons=(*reading.reasons, *repairs.notes))

    def read_many(self, sources, repairs=AS_STORED):
        """The outcome of each source, in order."""
        for source, name in sources:
            try:
                yield self.read(source(), name, repairs=repairs)
            except Exception as error:
                yield error


def made_up_evaluation(model: str = "densenet121", separation: float = 3.0, **changes) -> Evaluation:
    """An evaluation of drawn scores, of the stand-in's weights: 60 images of 40 patients in each split."""
    splits = {}
    for seed, split in enumerate(SPLITS):
        rng = np.random.default_rng(seed)
        labels = np.arange(60) % 3 > 0
        probabilities = np.round(1 / (1 + np.exp(-rng.normal((labels - 0.5) * separation))), 6)
        patients = [f"p{number}" for number in np.arange(60) % 40]
        organisms = np.where(labels, np.where(np.arange(60) % 3 > 1, "virus", "bacteria"), "")
        rows = zip(labels, organisms, patients, probabilities, strict=True)
        splits[split] = SplitScores(
            counts=SplitCounts(
                images=60, patients=40, negative=20, positive=40, refused=0, strata={"bacteria": 20, "virus": 20}
            ),
            performance=evaluate_scores(labels, probabilities, patients, POINTS, 50, 0, prevalence=SPEC.prevalence),
            images=tuple(
                ScoredImage(
                    file=f"{i}.jpeg",
                    label=int(label),
                    organism=str(organism),
                    patient=patient,
                    logit=_logit(probability),
                    probability=float(probability),
                )
                for i, (label, organism, patient, probability) in enumerate(rows)
            ),
        )
    made = Evaluation(
        model=model,
        version=spec_of(model).version,
        weights_sha256=SPEC.weights_sha256,
        created=date(2026, 3, 4),
        labels=SPEC.labels,
        prevalence=SPEC.prevalence,
        operating_points=dict(POINTS),
        bootstrap=Bootstrap(resamples=50, seed=0, level=0.95),
        splits=splits,
    )
    return made.replace(**changes)
