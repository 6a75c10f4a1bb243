"""Data flow: from archives to figures, with the count of images at every station and of those left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.messages import Message
from cxrmodel.training.record import TrainingRecord, TrainingSplit, summarise


@dataclass(frozen=True)
class Station:
    """A station of the data flow.

    Attributes
    ----------
    name : str
        Unique among the stations of a flow.
    title : Message
    lines : tuple of Message
        Counts.
    lane : {"training", "test"}
    source : str
        Name of the station that its images come from; empty where the flow begins.
    kind : {"main", "part", "excluded"}
        A part stands beside others of the same source; excluded images end there.
    """

    name: str
    title: Message
    lines: tuple[Message, ...]
    lane: Literal["training", "test"]
    source: str = ""
    kind: Literal["main", "part", "excluded"] = "main"


@dataclass(frozen=True)
class Hash:
    """A sha256 that identifies what an evaluation was made with."""

    title: Message
    sha256: str


def training_summaries(record: TrainingRecord) -> tuple[Message, ...]:
    """Image sizes, epochs and starting weights of each training behind the weights, in order."""
    first, *others = record.runs
    return (
        summarise([first]),
        *(
            Message("documents.training.continued", schedule=run.schedule, number=number)
            for number, run in enumerate(others, start=1)
        ),
    )


def flow(evaluation: Evaluation, record: TrainingRecord | None) -> list[Station]:
    """List the stations from archives to splits; without a training record only those of the test images."""
    return [*(_training_lane(record.split) if record else ()), *_test_lane(evaluation)]


def _training_lane(split: TrainingSplit) -> list[Station]:
    kept, repeats = split.train_images + split.held_out_images, len(split.repeats_dropped)
    held_patients = len(split.held_out_patients)
    return [
        _station("archive", "training", _images(kept + repeats)),
        _station("repeats", "training", _images(repeats), source="archive", kind="excluded"),
        _station("pool", "training", _patients(kept, split.train_patients + held_patients), source="archive"),
        _station(
            "training_set",
            "training",
            _patients(split.train_images, split.train_patients),
            _strata(split.train_strata),
            source="pool",
            kind="part",
        ),
        _station(
            "held_out",
            "training",
            _patients(split.held_out_images, held_patients),
            _strata(split.held_out_strata),
            source="pool",
            kind="part",
        ),
    ]


def _test_lane(evaluation: Evaluation) -> list[Station]:
    counts = evaluation.splits["test"].counts
    classes = _strata({evaluation.labels.negative: counts.negative, evaluation.labels.positive: counts.positive})
    found = _patients(counts.images, counts.patients)
    first = _station("test_folder", "test", found, classes)
    if evaluation.dataset is not None:
        title = Message("documents.station.own_images", name=evaluation.dataset.name)
        first = Station("test_folder", title, first.lines, "test")
    return [
        first,
        _station("not_scored", "test", _images(counts.refused), source="test_folder", kind="excluded"),
        _station("evaluated", "test", _images(counts.images - counts.refused), source="test_folder"),
    ]


def hashes(evaluation: Evaluation) -> list[Hash]:
    """Hashes of weights, code and images, by which an evaluation can be repeated."""
    found = {"weights": evaluation.weights_sha256}
    if evaluation.provenance:
        found["code"] = evaluation.provenance.code_sha256
        found |= {f"images_{split}": sha256 for split, sha256 in evaluation.provenance.images_sha256.items()}
    return [Hash(Message(f"documents.hash.{name}"), sha256) for name, sha256 in found.items()]


def _station(
    name: str,
    lane: Literal["training", "test"],
    *lines: Message,
    source: str = "",
    kind: Literal["main", "part", "excluded"] = "main",
) -> Station:
    return Station(name, Message(f"documents.station.{name}"), lines, lane, source, kind)


def _images(images: int) -> Message:
    return Message("documents.count.images", n=images)


def _patients(images: int, patients: int) -> Message:
    return Message("documents.count.images_of_patients", images=images, patients=patients)


def _strata(counts: Mapping[str, int]) -> Message:
    named = tuple(Message("documents.count.stratum", name=name, n=count) for name, count in counts.items() if count)
    return Message("documents.count.strata", strata=named)
