"""Error rates on images unlike those that the model was made for: adults of another hospital, counted by the audit."""

from dataclasses import dataclass

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.audits.schema import Adults
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.model.spec import UNCERTAIN, Labels


@dataclass(frozen=True)
class ErrorRates:
    """Findings on images with an opacity and on normal ones.

    Attributes
    ----------
    positives, detected : int
        Images with an opacity, and those of them with the positive finding.
    negatives, cleared : int
        Normal images, and those of them with the negative finding.
    uncertain : int
        Images of either group with an uncertain finding, which is not wrong.
    """

    positives: int
    detected: int
    negatives: int
    cleared: int
    uncertain: int

    @property
    def images(self) -> int:
        """Images of both groups."""
        return self.positives + self.negatives

    @property
    def wrong(self) -> int:
        """Images with the finding of the other group."""
        return self.images - self.detected - self.cleared - self.uncertain


def count_errors(adults: Adults, labels: Labels) -> ErrorRates | None:
    """Count the findings on adults with an opacity and on normal ones; None unless images of both were read."""
    found = {row.group: row for row in adults.findings if row.images}
    opacity, normal = found.get("opacity"), found.get("normal")
    if opacity is None or normal is None:
        return None
    return ErrorRates(
        positives=opacity.images,
        detected=opacity.findings.get(labels.positive, 0),
        negatives=normal.images,
        cleared=normal.findings.get(labels.negative, 0),
        uncertain=sum(row.findings.get(UNCERTAIN, 0) for row in (opacity, normal)),
    )


def shipped_error_rates(version: str) -> ErrorRates | None:
    """Count them in the shipped evaluation of a version; None where these weights were not evaluated on adults."""
    try:
        evaluation = load_evaluation(version.split()[0])
    except CxrError:
        return None
    if evaluation.version != version or not (evaluation.audits and evaluation.audits.adults):
        return None
    return count_errors(evaluation.audits.adults, evaluation.labels)
