"""Rows of figures with intervals, for forest plots, tables and files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cxrmodel.evaluation.audits.schema import (
    AdultFindings,
    AdultPanel,
    Described,
    LungMasking,
    Perturbation,
    Shortcut,
    Subgroup,
)
from cxrmodel.evaluation.published import PublishedFigure
from cxrmodel.evaluation.report.small_samples import (
    class_counts,
    few,
    image_count,
    patient_count,
    split_counts,
    withheld,
    withheld_in_split,
)
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.messages import Message
from cxrmodel.metrics import formatting
from cxrmodel.metrics.bootstrap import patient_weights, ratio
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.intervals import estimate
from cxrmodel.model.spec import Labels
from cxrmodel.models import model_title


@dataclass(frozen=True)
class Row:
    """A named figure.

    Attributes
    ----------
    group : Message
        Rows of one group stand together under its title.
    name : str
    estimate : Estimate
        Undefined where it is withheld.
    notes : tuple of Message
    caveat, withheld : Message or None
        That few images are behind the figure; why it is not given.
    """

    group: Message
    name: str
    estimate: Estimate
    notes: tuple[Message, ...] = ()
    caveat: Message | None = None
    withheld: Message | None = None

    @property
    def note(self) -> str:
        """Notes as one text."""
        return "; ".join(map(str, self.notes))

    @property
    def record(self) -> dict[str, str | float | None]:
        """Plain values, for a table or a file."""
        return {
            "group": str(self.group),
            "name": self.name,
            "value": self.estimate.value,
            "low": self.estimate.low,
            "high": self.estimate.high,
            "note": self.note,
            "caveat": str(self.withheld or self.caveat or ""),
        }


@dataclass(frozen=True)
class FindingCounts:
    """Findings of a group of images: count of each finding, from positive to negative."""

    group: str
    images: int
    counts: dict[str, int]


@dataclass(frozen=True)
class FindingShares(FindingCounts):
    """The same with the share of each finding in the group and its interval."""

    shares: dict[str, Estimate]


@dataclass(frozen=True)
class ConfidentError:
    """An image on the wrong side of the balanced threshold; ``probability`` 0..1."""

    file: str
    label: str
    stratum: str
    probability: float
    finding: str


def auc_rows(
    evaluations: Sequence[Evaluation],
    split: str,
    shortcuts: Iterable[Shortcut] = (),
    published: Iterable[PublishedFigure] = (),
) -> list[Row]:
    """Areas under the ROC curve: of the models, of shortcuts that see no lung, and published ones."""
    group = Message("documents.group.models")
    rows = [
        _or_withheld(
            Row(
                group,
                model_title(e.model),
                e.splits[split].performance.overall["auc"],
                (),
                few(*split_counts(e, split)),
            ),
            withheld_in_split(e, split),
        )
        for e in evaluations
    ]
    group = Message("documents.group.shortcuts")
    rows += [Row(group, str(item.title), item.auc, _described(item)) for item in shortcuts]
    group = Message("documents.group.published")
    for figure in published:
        notes = [Message("documents.note.text", text=figure.description)]
        if figure.auc_deviation is not None:
            notes.append(Message("documents.note.deviation", deviation=figure.auc_deviation))
        rows.append(Row(group, figure.short, Estimate(figure.auc, None, None, 0), tuple(notes)))
    return rows


def stratum_rows(evaluation: Evaluation, split: str) -> list[Row]:
    """Share of images with the right finding at the balanced threshold, by label and stratum of the data."""
    scores, threshold = evaluation.splits[split], evaluation.operating_points["balanced"]
    patients = np.asarray(scores.patients, str)
    right = (scores.probabilities >= threshold) == (scores.labels == 1)
    weights = patient_weights(patients, **evaluation.resampling)
    rows = []
    for name, members in strata(evaluation, split).items():
        images, people = int(members.sum()), len(set(patients[members]))
        drawn = weights[:, members]
        shares = ratio(drawn @ right[members], drawn.sum(axis=1))
        note = Message("documents.note.right", right=int(right[members].sum()), images=images)
        caveat = few(image_count(images), patient_count(people))
        rows.append(Row(Message("documents.group.right"), name, estimate(shares, images, people), (note,), caveat))
    return rows


def strata(evaluation: Evaluation, split: str) -> dict[str, NDArray[np.bool_]]:
    """Masks of the images of each label, the positive ones by stratum where the data names strata."""
    scores, labels = evaluation.splits[split], evaluation.labels
    kinds = np.asarray(scores.organisms, str)
    masks = {labels.negative.capitalize(): scores.labels == 0}
    for kind in sorted(set(kinds[scores.labels == 1])):
        positive = labels.positive.capitalize()
        name = f"{positive} ({kind})" if kind else positive
        masks[name] = (scores.labels == 1) & (kinds == kind)
    return {name: mask for name, mask in masks.items() if mask.any()}


def subgroup_rows(subgroups: Iterable[Subgroup], labels: Labels) -> list[Row]:
    """AUC in each subgroup of the audits."""
    group = Message("documents.group.subgroups")
    return [_of_classes(group, item, labels) for item in subgroups]


def perturbation_rows(perturbations: Iterable[Perturbation]) -> list[Row]:
    """AUC under each perturbation of the audits."""
    rows = []
    for item in perturbations:
        notes = [
            *_described(item),
            Message("documents.note.auc_change", change=formatting.change(item.auc_change)),
            Message("documents.note.probability_change", change=formatting.number(item.mean_probability_change)),
        ]
        if item.without_lungs:
            notes.append(Message("documents.note.no_lungs", n=item.without_lungs, images=item.auc.n))
        caveat = few(image_count(item.auc.n))
        rows.append(Row(Message("documents.group.perturbations"), str(item.title), item.auc, tuple(notes), caveat))
    return rows


def lung_rows(interventions: Iterable[LungMasking]) -> list[Row]:
    """AUC with lungs masked, alone, or exchanged."""
    rows = []
    for item in interventions:
        group = Message(f"documents.group.lungs_{item.kind}")
        seen = Message(f"documents.note.{'seen' if item.seen_in_training else 'unseen'}")
        notes, caveat = (image_count(item.auc.n), seen), few(image_count(item.auc.n))
        rows.append(Row(group, str(item.title), item.auc, notes, caveat))
        if item.auc_of_surroundings is not None:
            name = str(Message("documents.note.surroundings", name=item.title))
            rows.append(Row(group, name, item.auc_of_surroundings, notes, caveat))
    return rows


def adult_rows(panels: Iterable[AdultPanel]) -> list[Row]:
    """AUC on adults; aggregates alone."""
    group = Message("documents.group.adults")
    labels = Labels(positive=str(Message("documents.adults.present")), negative=str(Message("documents.adults.absent")))
    return [_of_classes(group, item, labels) for item in panels]


def adult_findings(findings: Iterable[AdultFindings]) -> list[FindingCounts]:
    """Findings on adults, by what radiologists saw on the image."""
    return [
        FindingCounts(
            str(Message(f"documents.adults.{item.group}")),
            item.images,
            item.findings,
        )
        for item in findings
        if item.images
    ]


def findings_by_label(evaluation: Evaluation, split: str) -> list[FindingCounts]:
    """Findings on the images of each label and stratum."""
    found = evaluation.splits[split].findings(evaluation.operating_points, evaluation.labels)
    names = evaluation.labels.findings
    return [
        FindingCounts(group, int(mask.sum()), {name: int((found[mask] == name).sum()) for name in names})
        for group, mask in strata(evaluation, split).items()
    ]


def three_way(evaluation: Evaluation, split: str) -> list[FindingShares]:
    """Findings on the images of each label, positive first, with intervals by patient."""
    scores, labels = evaluation.splits[split], evaluation.labels
    found, patients = scores.findings(evaluation.operating_points, labels), np.asarray(scores.patients, str)
    weights = patient_weights(patients, **evaluation.resampling)
    rows = []
    for label, group in ((1, labels.positive), (0, labels.negative)):
        members = scores.labels == label
        images, people = int(members.sum()), len(set(patients[members]))
        drawn = weights[:, members]
        of = {name: found[members] == name for name in labels.findings}
        counts = {name: int(mask.sum()) for name, mask in of.items()}
        shares = {name: estimate(ratio(drawn @ mask, drawn.sum(axis=1)), images, people) for name, mask in of.items()}
        rows.append(FindingShares(group.capitalize(), images, counts, shares))
    return rows


def confident_errors(evaluation: Evaluation, split: str, most: int = 12) -> list[ConfidentError]:
    """Images on the wrong side of the balanced threshold, those farthest from their label first."""
    scores, threshold = evaluation.splits[split], evaluation.operating_points["balanced"]
    labels = evaluation.labels
    wrong = np.flatnonzero((scores.probabilities >= threshold) != (scores.labels == 1))
    order = np.argsort(-np.abs(scores.probabilities[wrong] - scores.labels[wrong]), kind="stable")
    found = scores.findings(evaluation.operating_points, evaluation.labels)
    return [
        ConfidentError(
            scores.files[i],
            (labels.negative, labels.positive)[scores.labels[i]],
            scores.organisms[i],
            float(scores.probabilities[i]),
            str(found[i]),
        )
        for i in wrong[order][:most]
    ]


def _of_classes(group: Message, item: Subgroup | AdultPanel, labels: Labels) -> Row:
    counts = class_counts(item.auc.n - item.positives, item.positives, labels)
    return _or_withheld(Row(group, str(item.title), item.auc, counts, few(*counts)), withheld(*counts))


def _or_withheld(row: Row, reason: Message | None) -> Row:
    if reason is None:
        return row
    return replace(row, estimate=Estimate.undefined(row.estimate.n or 0), caveat=None, withheld=reason)


def _described(item: Described) -> tuple[Message, ...]:
    return (Message("documents.note.text", text=item.description),)
