"""Check of the network's features: an image far from the training images is out of distribution."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.report import Rule
from cxrmodel.errors import OutOfDistribution

OUT_OF_DISTRIBUTION = Check(
    "out_of_distribution",
    Stage.FEATURES,
    lambda image: None if image.features is None else float(image.models.features.scores(image.features[None])[0]),
    warning="checks.out_of_distribution.warning",
    rejection="checks.out_of_distribution.rejected",
    error=OutOfDistribution,
    rule=lambda spec: Rule(
        side="above",
        warning=spec.out_of_distribution.warn,
        rejection=spec.out_of_distribution.reject,
        source=spec.out_of_distribution.source,
    ),
    values=lambda image: {"ages": str(image.models.ages)},
)
