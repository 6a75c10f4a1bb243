"""Schema of the evaluation of explanations: one row for each attribution method."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, NonNegativeInt, model_validator

from cxrmodel.explain.methods import METHODS
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.records import Record
from cxrmodel.training.recipe import Recipe


def _known_method(name: str) -> str:
    if name not in METHODS:
        raise ValueError(f"there is no method {name}")
    return name


MethodName = Annotated[str, AfterValidator(_known_method)]
"""Name of a method in `cxrmodel.explain.methods.METHODS`."""


class ExplainedImages(Record):
    """Images on which the methods are compared.

    Attributes
    ----------
    seed : int
        Of the stratified sample.
    test : int
        All test images with lungs: on them the map of every reading is measured.
    sample : tuple of str
        Names of the images on which all methods are compared.
    positive : int
        Images of the sample that are positive at the balanced threshold: on them deletion and insertion are measured.
    """

    seed: int
    test: NonNegativeInt
    sample: tuple[str, ...]
    positive: NonNegativeInt


class ExplanationSettings(Record):
    """Settings of methods and measures.

    Attributes
    ----------
    cells, steps : int
        Of deletion and insertion.
    noise_grey_levels : float
        Standard deviation of the noise under which stability is measured.
    fine_layer, scorecam_layer : str
    occlusion : (int, int)
        Cells a side, and window in pixels.
    scorecam_channels, smoothgrad_copies : int
    passes : dict of str to int
        Passes of the network that one method may take for each part.
    draws : int
        How often the whole network is randomised.
    range_images : int
    stages : tuple of str
        Parts of the network that are randomised in turn, from the output downwards.
    """

    cells: int
    steps: int
    noise_grey_levels: float
    fine_layer: str
    scorecam_layer: str
    occlusion: tuple[int, int]
    scorecam_channels: int
    smoothgrad_copies: int
    passes: dict[str, int]
    draws: int
    range_images: NonNegativeInt
    stages: Annotated[tuple[str, ...], Field(min_length=1)]


class Randomisation(Record):
    """Randomisation test of a method (Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018).

    Attributes
    ----------
    images : int
    spearman, ssim : tuple of float
        Mean similarity to the map of the trained network, for each stage of `ExplanationSettings`.
    shuffled_labels : float or None
        Mean rank correlation with maps of weights trained on shuffled labels; None where that was not measured.
    depends_on_model : bool
        Whether the map depends on what the network has learnt.
    """

    images: NonNegativeInt
    spearman: tuple[float, ...]
    ssim: tuple[float, ...]
    shuffled_labels: float | None
    depends_on_model: bool


class MethodResult(Record):
    """Measures of one attribution method.

    Attributes
    ----------
    name : str
        Of `cxrmodel.explain.methods.METHODS`.
    images : int
        On which its map was computed.
    empty : int
        Of these, images whose map is zero everywhere.
    deletion_auc, insertion_auc : Estimate
        Mean area under the deletion and insertion curve; n is the images.
    random_deletion_auc, random_insertion_auc : float
        The same of random orders.
    in_lungs : Estimate
        Mean share of attribution inside the lungs.
    in_lungs_positive : Estimate
        The same on images of the positive class.
    stability : Estimate
        Mean rank correlation with the map under noise too small to see.
    map_range : float
        Top of its colour range.
    range_images : int
        On which the range was fixed.
    seconds : float
        Median time of one map.
    randomisation : Randomisation
    """

    name: MethodName
    images: NonNegativeInt
    empty: NonNegativeInt
    deletion_auc: Estimate
    insertion_auc: Estimate
    random_deletion_auc: float
    random_insertion_auc: float
    in_lungs: Estimate
    in_lungs_positive: Estimate
    stability: Estimate
    map_range: float
    range_images: NonNegativeInt
    seconds: float
    randomisation: Randomisation


class Similarity(Record):
    """Mean similarity of two maps."""

    spearman: float
    ssim: float


class ShuffledLabels(Record):
    """Weights trained on shuffled labels, and the similarity of each method's maps with those of the real weights.

    Attributes
    ----------
    weights_sha256 : str
    recipe : Recipe
    final_loss : float
        Of the training.
    similarity : dict of str to Similarity
        By method.
    """

    weights_sha256: str
    recipe: Recipe
    final_loss: float
    similarity: dict[MethodName, Similarity]


class AdultAttribution(Record):
    """Where a method's attribution falls on adults with boxes.

    Attributes
    ----------
    name : str
        Of the method.
    peak_in_box : Estimate
        Share of images whose peak is inside a box.
    share : Estimate
        Mean share of attribution inside the boxes; images with an empty map are left out.
    """

    name: MethodName
    peak_in_box: Estimate
    share: Estimate


class AdultExplanations(Record):
    """Adults with boxes of radiologists.

    Attributes
    ----------
    images, without_lungs : int
        Measured, and left out as no lungs are found.
    expected_by_area : float
        Mean share of the crop inside the boxes: what an even map would have.
    methods : tuple of AdultAttribution
    """

    images: NonNegativeInt
    without_lungs: NonNegativeInt
    expected_by_area: float
    methods: tuple[AdultAttribution, ...]


class ExplanationAudit(Record):
    """Attribution methods compared on the test images.

    Attributes
    ----------
    images : ExplainedImages
    settings : ExplanationSettings
    methods : tuple of MethodResult
        In the order of the registry.
    agreement : tuple of tuple of float or None
        Mean rank correlation of every two methods; None of a method with itself.
    similar_from : float
        Mean rank correlation with the map of randomised weights from which a method does not depend on the model.
    shuffled : ShuffledLabels or None
    adults : AdultExplanations or None
    """

    images: ExplainedImages
    settings: ExplanationSettings
    methods: Annotated[tuple[MethodResult, ...], Field(min_length=1)]
    agreement: Annotated[tuple[tuple[float | None, ...], ...], Field(min_length=1)]
    similar_from: float
    shuffled: ShuffledLabels | None
    adults: AdultExplanations | None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        count, stages = len(self.methods), len(self.settings.stages)
        if [len(line) for line in self.agreement] != [count] * count:
            raise ValueError("agreement is not of every two methods")
        for row in self.methods:
            if not len(row.randomisation.spearman) == len(row.randomisation.ssim) == stages:
                raise ValueError(f"randomisation of {row.name} is not of every stage")
        return self

    def method(self, name: str) -> MethodResult | None:
        """The row of a method; None where it was not measured."""
        return next((row for row in self.methods if row.name == name), None)
