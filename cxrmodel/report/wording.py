"""One reading in words, the same on the page, in the PDF and on the command line."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import NamedTuple

from cxrmodel.evaluation.error_rates import ErrorRates, shipped_error_rates
from cxrmodel.evaluation.nearest import Evidence
from cxrmodel.imaging.repairs import Repairs
from cxrmodel.messages import Message
from cxrmodel.metrics.formatting import Percentages, floor_percent, percent, share_percent
from cxrmodel.model.spec import OPERATING_POINTS, UNCERTAIN
from cxrmodel.prevalence import EVEN_ODDS, prevalence_percent, prevalence_words
from cxrmodel.reading import Attribution, Reading

DISCLAIMER = Message("report.disclaimer")


class Fact(NamedTuple):
    """Name and value of a fact that accompanies every probability."""

    name: Message
    value: Message | str


class Written(NamedTuple):
    """What depends on the prevalence, as it is written.

    Attributes
    ----------
    shown : Percentages
        Probability and thresholds.
    prevalence : Message or str
        Beside a number: "at even odds".
    assumed : Message or str
        As a fact: "50 % (even odds)".
    share : int or str
        Of 100 test images with a similar score, those that were positive; None where none was given.
    """

    shown: Percentages
    prevalence: Message | str
    assumed: Message | str
    share: int | str | None = None


OPEN = Written(
    Percentages("{probability}", {name: f"{{{name}}}" for name in OPERATING_POINTS}),
    "{prevalence}",
    "{assumed}",
    "{share}",
)
"""Names in braces: sentences written with them are templates, which the browser fills at any prevalence."""


def written(reading: Reading, found: Evidence | None = None) -> Written:
    """Write what depends on the prevalence of a reading, and of the evidence for it."""
    share = None if found is None else min(max(round(100 * found.share), 1), 99)
    return Written(reading.shown, prevalence_words(reading.prevalence), _assumed(reading.prevalence), share)


def operating_point_title(name: str) -> Message:
    """Title of an operating point for readers."""
    return Message(f"report.operating_point.{name}")


def band(operating_points: Mapping[str, float]) -> tuple[float, float] | None:
    """Give the limits of the uncertain band.

    Parameters
    ----------
    operating_points : mapping of str to float
        Thresholds on the calibrated probability, with ``high_sensitivity`` and ``high_specificity``.

    Returns
    -------
    tuple of float or None
        Lower and upper limit; None where the thresholds cross and leave no band.
    """
    low, high = operating_points["high_sensitivity"], operating_points["high_specificity"]
    return None if low > high else (low, high)


def sides(reading: Reading) -> tuple[str, str]:
    """Letters of the side on the left and on the right of the image, with question marks where they are in doubt."""
    doubt = "?" if reading.check.has_warning("mirroring") else ""
    return f"R{doubt}", f"L{doubt}"


def evidence_sentence(reading: Reading, found: Evidence, words: Written | None = None) -> Message:
    """State what the most similar test images had, at the prevalence of the probability."""
    values = {"images": found.images, "positive": reading.labels.positive}
    if found.positives in (0, found.images):
        return Message(f"report.evidence.{'all' if found.positives else 'none'}", **values)
    words = words or written(reading, found)
    return Message("report.evidence.share", share=words.share, prevalence=words.prevalence, **values)


def evidence_counts(reading: Reading, found: Evidence) -> Message:
    """Count the images that the sentence of evidence rests on."""
    counts = {"images": found.images, "positives": found.positives}
    return Message("report.evidence.counts", positive=reading.labels.positive, **counts)


def reason_for_finding(reading: Reading, words: Written | None = None) -> Message:
    """Name the threshold that led to the finding."""
    labels, thresholds = reading.labels, (words or written(reading)).shown.thresholds
    low, high = thresholds["high_sensitivity"], thresholds["high_specificity"]
    if reading.finding == UNCERTAIN:
        return Message("report.reason.in_band", low=low, high=high)
    positive = reading.finding == labels.positive
    if band(reading.operating_points) is None:
        threshold = thresholds["balanced"]
        above, below = "report.reason.above_balanced", "report.reason.below_balanced"
    else:
        threshold = high if positive else low
        above, below = "report.reason.above_band", "report.reason.below_band"
    if positive:
        return Message(above, threshold=threshold)
    not_healthy = Message("report.not_healthy", positive=labels.positive, negative=labels.negative)
    return Message(below, threshold=threshold, not_healthy=not_healthy)


def reasons(reading: Reading) -> tuple[Message, ...]:
    """Give every reason of a reading: first that the image is unlike those that the model was made for."""
    return unlike_reasons(reading) + other_reasons(reading)


def unlike_reasons(reading: Reading) -> tuple[Message, ...]:
    """State that the image is unlike the training images, and the error rates on such images; else nothing."""
    unlike = reading.check.unlike
    return (unlike, error_rates_sentence(shipped_error_rates(reading.model))) if unlike else ()


def other_reasons(reading: Reading) -> tuple[Message, ...]:
    """Give all other reasons of a reading."""
    return tuple(reason for reason in reading.reasons if reason != reading.check.unlike)


def warnings(reading: Reading) -> tuple[Message, ...]:
    """Give the reasons of a reading that are neither about its population nor notes of what was done to the image."""
    return tuple(reason for reason in other_reasons(reading) if reason not in reading.radiograph.notes)


def error_rates_sentence(rates: ErrorRates | None) -> Message:
    """State how often the finding was wrong on adults of another hospital; None where that was not measured."""
    if rates is None:
        return Message("report.error_rates.unknown")
    wrong, uncertain = (share_percent(count / rates.images) for count in (rates.wrong, rates.uncertain))
    counts = {name: getattr(rates, name) for name in ("images", "positives", "detected", "negatives", "cleared")}
    return Message("report.error_rates.measured", wrong=wrong, uncertain=uncertain, **counts)


def finding_sentence(reading: Reading, words: Written | None = None) -> Message:
    """Finding, probability and assumed prevalence in one line, for a saved picture."""
    words = words or written(reading)
    return Message(
        "report.finding",
        finding=reading.finding,
        positive=reading.labels.positive,
        probability=words.shown.probability,
        prevalence=words.prevalence,
    )


def provenance(reading: Reading) -> Message:
    """Disclaimer, model, checksum of the image and its repairs. Never its name, which may be a patient's."""
    values = {"disclaimer": DISCLAIMER, "model": reading.model, "image": reading.radiograph.sha256[:12]}
    repairs = Repairs.parse(reading.radiograph.repairs).notes
    if not repairs:
        return Message("report.provenance", **values)
    return Message("report.provenance_repaired", repairs=repairs, **values)


def figure_caption(reading: Reading) -> str:
    """Lines below a heatmap that is saved as a file."""
    return "\n".join(map(str, [finding_sentence(reading), *reading.check.warnings, provenance(reading)]))


def heat_sentence(reading: Reading) -> Message:
    """State the share of the heatmap inside the lung fields; of a faint one, only that it is faint."""
    if reading.heat_in_lungs is None:
        return Message("report.heat.empty")
    if reading.attribution is Attribution.FAINT:
        return Message("report.heat.faint", peak=percent(reading.heat_peak))
    code = "report.heat.outside" if reading.attribution is Attribution.OUTSIDE else "report.heat.inside"
    return Message(code, share=floor_percent(reading.heat_in_lungs))


def shares_sentence(reading: Reading) -> Message | None:
    """State the shares of the map by lung and zone; None for an empty or faint one, whose location has no meaning."""
    if reading.shares is None or reading.attribution is Attribution.FAINT:
        return None
    shares = {name: share_percent(share) for name, share in asdict(reading.shares.rounded()).items()}
    return Message("report.shares", **shares)


def facts(reading: Reading, words: Written | None = None) -> list[Fact]:
    """List the facts that accompany every probability, in the order on the page."""
    words = words or written(reading)
    thresholds = words.shown.thresholds
    if band(reading.operating_points):
        edges = {"low": thresholds["high_sensitivity"], "high": thresholds["high_specificity"]}
        limits, threshold = Message("report.fact.band_value", **edges), "report.fact.threshold_beside_band"
    else:
        limits, threshold = Message("report.fact.band_none"), "report.fact.threshold_alone"
    return [
        Fact(Message("report.fact.band"), limits),
        Fact(
            Message("report.fact.threshold", point=operating_point_title(reading.operating_point)),
            Message(threshold, threshold=thresholds[reading.operating_point]),
        ),
        *_heat(reading),
        Fact(Message("report.fact.prevalence"), words.assumed),
        Fact(Message("report.fact.ages"), str(reading.ages)),
        Fact(Message("report.fact.model"), reading.model),
        Fact(Message("report.fact.checksum"), f"{reading.radiograph.sha256[:12]}…"),
    ]


def _assumed(prevalence: float) -> Message | str:
    percentage = prevalence_percent(prevalence)
    return Message("report.fact.even_odds", prevalence=percentage) if prevalence == EVEN_ODDS else percentage


def _heat(reading: Reading) -> list[Fact]:
    """That there are no shares of the map, and why."""
    if reading.attribution not in (Attribution.NONE, Attribution.FAINT):
        return []
    return [Fact(Message("report.fact.heat"), Message(f"report.fact.heat_{reading.attribution}"))]
