"""Schema of the audits: what is stored beside the performance of a model."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, NonNegativeInt, ValidationInfo, field_validator

from cxrmodel.messages import Message, catalogue
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.performance import Performance
from cxrmodel.records import Record, Share
from cxrmodel.training.record import CalibrationChoice

Split = Literal["test", "held_out"]


def known_text(code: str) -> str:
    """Give a message code back.

    Raises
    ------
    ValueError
        When the catalogue has no text for it.
    """
    if code not in catalogue().texts:
        raise ValueError(f"there is no text {code}")
    return code


def _in_unit_range(estimate: Estimate) -> Estimate:
    if any(number is not None and not 0 <= number <= 1 for number in (estimate.value, estimate.low, estimate.high)):
        raise ValueError("not between 0 and 1")
    return estimate


UnitEstimate = Annotated[Estimate, AfterValidator(_in_unit_range)]
"""An estimate in 0..1, as an AUC or a share is."""


class Described(Record):
    """A row with texts.

    Attributes
    ----------
    area : str
        Class variable: the code under which the texts of its names are.
    name : str
    """

    area: ClassVar[str]
    name: str

    @field_validator("name")
    @classmethod
    def _has_texts(cls, name: str) -> str:
        for part in ("title", "description"):
            known_text(f"{cls.area}.{name}.{part}")
        return name

    @property
    def title(self) -> Message:
        """Its name for readers."""
        return Message(f"{self.area}.{self.name}.title")

    @property
    def description(self) -> Message:
        """A description, in a phrase."""
        return Message(f"{self.area}.{self.name}.description")


class NotMeasured(Record):
    """An audit that could not be run: its ``name``, and the ``reason`` as a message code."""

    name: str
    reason: str

    @field_validator("name", "reason")
    @classmethod
    def _has_text(cls, value: str, info: ValidationInfo) -> str:
        known_text(value if info.field_name == "reason" else f"audits.not_measured.{value}")
        return value

    @property
    def title(self) -> Message:
        """Its name for readers."""
        return Message(f"audits.not_measured.{self.name}")

    @property
    def message(self) -> Message:
        """The reason in words."""
        return Message(self.reason)


class Shortcut(Described):
    """A classifier that sees no image content.

    Attributes
    ----------
    auc : Estimate
    curve : tuple of (float, float, float)
        False positive rate, recall and precision at each corner of the ROC curve, 0..1.
    """

    area: ClassVar[str] = "audits.shortcut"
    auc: UnitEstimate
    curve: tuple[tuple[float, float, float], ...]


class LungMasking(Described):
    """An intervention on the lungs: masked, alone, or exchanged with those of another image.

    Attributes
    ----------
    kind : {"removed", "only", "exchange"}
    seen_in_training : bool
        Whether training used this fill.
    auc : Estimate
        Against the label of the image that the lungs come from.
    auc_of_surroundings : Estimate or None
        Of an exchange: against the label of the image that the lungs were put into.
    """

    area: ClassVar[str] = "audits.lungs"
    kind: Literal["removed", "only", "exchange"]
    seen_in_training: bool
    auc: UnitEstimate
    auc_of_surroundings: UnitEstimate | None = None


class Perturbation(Described):
    """A perturbation of whole images.

    Attributes
    ----------
    changed : int
        Images that it changes.
    without_lungs : int
        Images on which lungs are no longer found; they are measured all the same.
    auc : Estimate
        Without an interval.
    auc_change : Estimate
        Perturbed minus intact; negative is worse.
    mean_probability_change : float
        Absolute, 0..1.
    """

    area: ClassVar[str] = "audits.perturbation"
    changed: NonNegativeInt
    without_lungs: NonNegativeInt
    auc: UnitEstimate
    auc_change: Estimate
    mean_probability_change: Annotated[float, Field(ge=0, le=1)]


class Subgroup(Described):
    """A part of the test images.

    Attributes
    ----------
    positives : int
        Images with the disease.
    auc : Estimate
    megapixels : (float, float) or None
        Least and greatest size of the originals, where the group is one of sizes.
    """

    area: ClassVar[str] = "audits.subgroup"
    positives: NonNegativeInt
    auc: UnitEstimate
    megapixels: tuple[float, float] | None = None

    @property
    def description(self) -> Message:
        """A description, in a phrase."""
        low, high = self.megapixels or (0.0, 0.0)
        return Message(f"{self.area}.{self.name}.description", low=low, high=high)


class AdultPanel(Described):
    """Adults with an opacity against normal ones, or all others; of images that are read, or all.

    Attributes
    ----------
    positives : int
        Images with an opacity.
    auc : Estimate
    """

    area: ClassVar[str] = "audits.adults"
    positives: NonNegativeInt
    auc: UnitEstimate


class AdultFindings(Record):
    """Findings on adults of one group.

    Attributes
    ----------
    group : {"normal", "abnormal_no_opacity", "opacity"}
        By radiologists.
    images : int
    findings : dict of str to int
        Images by finding.
    """

    group: Literal["normal", "abnormal_no_opacity", "opacity"]
    images: NonNegativeInt
    findings: dict[str, NonNegativeInt]


class BoxAttribution(Record):
    """Where attribution falls on images with boxes of radiologists.

    Attributes
    ----------
    images : int
        With boxes.
    empty : int
        Of these, images without any attribution, which are left out.
    share : Estimate
        Mean share of attribution inside the boxes.
    peak_in_box : Estimate
        Share of images whose peak is inside a box.
    expected_by_area, expected_in_lungs : float or None
        Expected by chance, with attribution even over the crop, or over the lungs.
    """

    images: NonNegativeInt
    empty: NonNegativeInt
    share: UnitEstimate
    peak_in_box: UnitEstimate
    expected_by_area: float | None
    expected_in_lungs: float | None


class Adults(Record):
    """Adults from another hospital, never trained or chosen on.

    Attributes
    ----------
    images : int
        That can be decoded.
    unreadable, rejected : int
        Images that cannot be decoded, and decoded ones that the checks reject.
    panels : tuple of AdultPanel
    findings : tuple of AdultFindings
        Of images that are read.
    boxes : BoxAttribution or None
    """

    images: NonNegativeInt
    unreadable: NonNegativeInt
    rejected: NonNegativeInt
    panels: tuple[AdultPanel, ...]
    findings: tuple[AdultFindings, ...]
    boxes: BoxAttribution | None


class CalibrationFigures(Record):
    """Calibration of the images of a split.

    Attributes
    ----------
    split : {"test", "held_out"}
    prevalence : float
        Share of positives among them, to which their probabilities are shifted.
    log_loss, ece, corrected_ece, brier : Estimate
        Log loss in nats, expected calibration error, the same corrected for bias, and Brier score.
    """

    split: Split
    prevalence: Share
    log_loss: Estimate
    ece: Estimate
    corrected_ece: Estimate
    brier: Estimate


class EvidenceAgreement(Record):
    """How far the probability of a test image is from the share of positives among the nearest other test images.

    Attributes
    ----------
    prevalence : float
        Of the probability, and to which the share is weighted.
    apart : float
        Difference beyond which the two disagree.
    differ, other_side : Estimate
        Shares of the images whose two numbers differ by more, and whose two numbers are on different sides of the
        middle of the uncertain band.
    """

    prevalence: Share
    apart: Share
    differ: UnitEstimate
    other_side: UnitEstimate


class PrevalenceFigures(Record):
    """Calibration of the test images, weighted and adjusted to a prevalence."""

    prevalence: Share
    ece: Estimate
    corrected_ece: Estimate
    brier: Estimate


class SourceFigures(Record):
    """Corrected calibration error when negative and positive images come from either split."""

    negative: Split
    positive: Split
    corrected_ece: Estimate


class ScoreShift(Record):
    """Logits of one class in each split: medians, and how far the test is shifted.

    Attributes
    ----------
    label : int
        0 or 1.
    held_out_median, test_median : float
    test_above_held_out : Estimate
        Probability that a test logit is above a held-out one (AUC).
    """

    label: Literal[0, 1]
    held_out_median: float
    test_median: float
    test_above_held_out: UnitEstimate


class CalibrationAudit(Record):
    """How the calibration was chosen, and how well it holds on held-out and on test images.

    Attributes
    ----------
    bins : int
    temperature, intercept, prevalence : float
        Of the model's spec.
    choice : CalibrationChoice or None
        From the training record, where that holds it.
    splits : tuple of CalibrationFigures
        Held-out and test images, each at its own prevalence.
    evidence : EvidenceAgreement
        On the test images.
    by_prevalence : tuple of PrevalenceFigures
    by_source : tuple of SourceFigures
    shift : tuple of ScoreShift
    """

    bins: NonNegativeInt
    temperature: float
    intercept: float
    prevalence: Share
    choice: CalibrationChoice | None
    splits: tuple[CalibrationFigures, ...]
    evidence: EvidenceAgreement
    by_prevalence: tuple[PrevalenceFigures, ...]
    by_source: tuple[SourceFigures, ...]
    shift: tuple[ScoreShift, ...]


class Audits(Record):
    """Interventions, shortcuts, perturbations, subgroups, adults and calibration.

    Attributes
    ----------
    unreadable : int
        Test images that cannot be decoded.
    auc : Estimate
        Of the intact test images.
    masks : {"annotated", "segmenter"}
        Whose lungs were masked.
    auc_with_masks : Estimate
        Of the intact images whose lungs are known.
    not_measured : tuple of NotMeasured
    """

    unreadable: NonNegativeInt
    auc: UnitEstimate
    shortcuts: tuple[Shortcut, ...]
    masks: Literal["annotated", "segmenter"]
    auc_with_masks: UnitEstimate
    lungs: tuple[LungMasking, ...]
    perturbations: tuple[Perturbation, ...]
    subgroups: tuple[Subgroup, ...]
    adults: Adults | None
    calibration: CalibrationAudit | None
    not_measured: tuple[NotMeasured, ...]


class CheckSet(Described):
    """Outcomes of the checks on one set of pictures.

    Attributes
    ----------
    images, read, warned, rejected : int
        All; those that are read, of which some with a warning; those that are rejected.
    measured : tuple of str
        Names of the checks that gave a result on at least one picture, sorted.
    rejected_by, warned_by : dict of str to int
        Images by the name of each check, or of the refusal of a file that cannot be decoded. Every check runs on every
        picture, also when an earlier one rejects it.
    silent : int or None
        Of valid hard cases: those that are read without a warning although their probability differs from that of the
        undisturbed image by more than ``cxrmodel.evaluation.audits.valid_cases.LARGEST_DIFFERENCE``.
    """

    area: ClassVar[str] = "audits.check_set"
    images: NonNegativeInt
    read: NonNegativeInt
    warned: NonNegativeInt
    rejected: NonNegativeInt
    measured: tuple[str, ...]
    rejected_by: dict[str, NonNegativeInt]
    warned_by: dict[str, NonNegativeInt]
    silent: NonNegativeInt | None = None


class Inversion(Record):
    """How far the probability of an image and of its inverse differ.

    Attributes
    ----------
    images, compared : int
        Chosen, and read both ways.
    max_difference : float
        0..1.
    """

    images: NonNegativeInt
    compared: NonNegativeInt
    max_difference: Annotated[float, Field(ge=0, le=1)]


class CheckAudit(Record):
    """Outcomes of the checks, and what they do to the performance.

    Attributes
    ----------
    sets : tuple of CheckSet
    inversion : Inversion
    all_images, read_images : Performance
        Of the test images, all of them, and those that the checks let pass.
    """

    sets: tuple[CheckSet, ...]
    inversion: Inversion
    all_images: Performance
    read_images: Performance

    @field_validator("all_images", "read_images")
    @classmethod
    def _not_empty(cls, performance: Performance) -> Performance:
        if not performance.overall:
            raise ValueError("overall is empty")
        return performance
