"""Small-sample caveats for bootstrap intervals, and figures that are withheld because too few images are behind them.

References
----------
Hesterberg, What teachers should know about the bootstrap, The American Statistician 69, 2015 (percentile intervals of
small samples are too narrow).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.messages import Message
from cxrmodel.metrics.calibration import Reliability
from cxrmodel.metrics.rates import Confusion
from cxrmodel.model.spec import Labels

if TYPE_CHECKING:
    from cxrmodel.evaluation.report.rows import Row


FEWEST = 30
"""Images of a class, or patients, below which an interval comes with a caveat."""
SCARCEST = 10
"""Images of a class below which no area under a curve is given, as it would compare all others with a handful."""


def few(*counts: Message) -> Message | None:
    """Caveat of a figure.

    Parameters
    ----------
    *counts : Message
        What the figure is computed from, each with its number ``n``; see :func:`image_count` and the like.

    Returns
    -------
    Message or None
        Names every count below `FEWEST`; None where there is none.
    """
    return _caveat("documents.few.counts", counts, FEWEST)


def few_in_split(evaluation: Evaluation, split: str) -> Message | None:
    """Caveat of all figures of a split."""
    return _caveat("documents.few.split", split_counts(evaluation, split), FEWEST)


def few_findings(confusion: Confusion, labels: Labels) -> Message | None:
    """Caveat of predictive values: few images with a positive or with a negative finding."""
    found = {labels.positive: confusion.tp + confusion.fp, labels.negative: confusion.tn + confusion.fn}
    return few(*(Message("documents.count.found", n=n, label=label) for label, n in found.items()))


def few_in_bins(diagram: Reliability) -> Message | None:
    """Caveat of a reliability diagram whose bins hold few images."""
    return few(bin_count(diagram.images))


def few_rows(rows: Iterable["Row"]) -> tuple[Message, ...]:
    """Caveats of rows of figures: those with few images by name, and those that are withheld."""
    rows = list(rows)
    names = tuple(row.name for row in rows if row.caveat)
    gone = (row for row in rows if row.withheld)
    return (
        *([Message("documents.few.rows", names=names)] if names else []),
        *(Message("documents.few.withheld_row", name=row.name, reason=row.withheld) for row in gone),
    )


def withheld(*counts: Message) -> Message | None:
    """Reason why an area under a curve is not given: a class of fewer than `SCARCEST` images; None where it is."""
    return _caveat("documents.few.withheld", counts, SCARCEST)


def withheld_in_split(evaluation: Evaluation, split: str) -> Message | None:
    """Reason why areas under the curves of a whole split are not given; None where they are."""
    return withheld(*split_counts(evaluation, split)[:2])


def split_counts(evaluation: Evaluation, split: str) -> tuple[Message, Message, Message]:
    """Scored images of each class, negative first, and patients."""
    scores = evaluation.splits[split]
    positives = int(scores.labels.sum())
    classes = class_counts(len(scores.labels) - positives, positives, evaluation.labels)
    return (*classes, patient_count(len(set(scores.patients))))


def class_counts(negatives: int, positives: int, labels: Labels) -> tuple[Message, Message]:
    """Images of each class."""
    return (
        Message("documents.count.labelled", n=negatives, label=labels.negative),
        Message("documents.count.labelled", n=positives, label=labels.positive),
    )


def image_count(images: int) -> Message:
    """Images behind a figure."""
    return Message("documents.count.images", n=images)


def patient_count(patients: int) -> Message:
    """Patients behind a figure."""
    return Message("documents.count.patients", n=patients)


def bin_count(images: float) -> Message:
    """Images in each bin of a diagram; a fraction is possible."""
    return Message("documents.count.bin", n=images)


def _caveat(code: str, counts: Iterable[Message], least: int) -> Message | None:
    scarce = tuple(count for count in counts if count.values["n"] < least)
    return Message(code, counts=scarce) if scarce else None
