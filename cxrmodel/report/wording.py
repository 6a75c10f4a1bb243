"""How a reading is put into words, the same on the page and on paper. Arithmetic stays elsewhere."""

from collections.abc import Mapping

from cxrmodel.explain.overlay import NO_HEAT
from cxrmodel.reading import Reading
from cxrmodel.reasons import HARDLY, MOSTLY, heat_percent

__all__ = [
    "DISCLAIMER",
    "NOT_HEALTHY",
    "OPERATING_POINTS",
    "band",
    "facts",
    "figure_caption",
    "finding_sentence",
    "frequency_sentence",
    "heat_peak",
    "heat_sentence",
    "in_a_hundred",
    "percent",
    "probability_percent",
    "provenance",
    "reason_for_finding",
    "threshold_percent",
]

DISCLAIMER = "Not for diagnosis; research use only"

OPERATING_POINTS = {
    "high_sensitivity": "high sensitivity",
    "balanced": "balanced",
    "high_specificity": "high specificity",
}
NOT_HEALTHY = "Normal means no pneumonia: nothing else was looked for, and such an image may show another disease."
"""What a finding of normal does not say."""

_NO_BREAK = "\u00a0"


def percent(share: float) -> str:
    """Say a probability as a whole percentage, never as a false certainty.

    Parameters
    ----------
    share : float
        0..1.

    Returns
    -------
    str
        "< 1 %" below 0.01, "> 99 %" above 0.99, else such as "73 %", with no-break spaces.
    """
    if share < 0.01:
        return f"<{_NO_BREAK}1{_NO_BREAK}%"
    if share > 0.99:
        return f">{_NO_BREAK}99{_NO_BREAK}%"
    return f"{share * 100:.0f}{_NO_BREAK}%"


def probability_percent(probability: float, operating_points: Mapping[str, float]) -> str:
    """Say an image's probability so that it never contradicts a threshold that stands beside it.

    Parameters
    ----------
    probability : float
        0..1.
    operating_points : mapping of str to float
        Thresholds on it.

    Returns
    -------
    str
        As ``percent``, but with one decimal where the whole number would equal a threshold as it is shown, or fall
        on its other side.
    """
    said = percent(probability)
    if not said[0].isdigit():
        return said
    whole = int(said.split(_NO_BREAK)[0])
    for threshold in operating_points.values():
        shown = float(threshold_percent(threshold).split(_NO_BREAK)[0])
        if whole == shown or (whole > shown) != (probability >= threshold):
            return f"{probability * 100:.1f}{_NO_BREAK}%"
    return said


def threshold_percent(threshold: float) -> str:
    """Say a threshold as a percentage with one decimal, or as many as it takes to tell it from 0 and 100.

    Parameters
    ----------
    threshold : float
        0..1.
    """
    if threshold in (0.0, 1.0):
        return f"{threshold * 100:.0f}{_NO_BREAK}%"
    decimals = 1
    while float(f"{threshold * 100:.{decimals}f}") in (0.0, 100.0) and decimals < 12:
        decimals += 1
    return f"{threshold * 100:.{decimals}f}{_NO_BREAK}%"


def in_a_hundred(share: float) -> str:
    """Say a probability as a natural frequency.

    Parameters
    ----------
    share : float
        0..1.
    """
    if share < 0.01:
        return "fewer than 1 in 100"
    if share > 0.99:
        return "more than 99 in 100"
    return f"about {share * 100:.0f} in 100"


def frequency_sentence(probability: float, finding: str, prevalence: float) -> str:
    """Say what a probability means for images that are scored alike, where it may be trusted to mean that.

    Parameters
    ----------
    probability, prevalence : float
        0..1.
    finding : str
        "pneumonia", "normal" or "uncertain".
    """
    if finding == "uncertain":
        return (
            "Between the two thresholds of the uncertain band the stated probability is least reliable; the program's "
            "Evaluation page shows how often such images had pneumonia."
        )
    return (
        f"On images like those it was trained on, of those that the model scores like this one "
        f"{in_a_hundred(probability)} show pneumonia, where {in_a_hundred(prevalence)} of all images do."
    )


def band(operating_points: Mapping[str, float]) -> tuple[float, float] | None:
    """Give both edges of the uncertain band.

    Parameters
    ----------
    operating_points : mapping of str to float
        Thresholds on the calibrated probability, with ``high_sensitivity`` and ``high_specificity``.

    Returns
    -------
    tuple of float or None
        Lower and upper edge; None where the two thresholds cross and leave no band.
    """
    low, high = operating_points["high_sensitivity"], operating_points["high_specificity"]
    return None if low > high else (low, high)


def reason_for_finding(finding: str, operating_points: Mapping[str, float]) -> str:
    """Say in one sentence which threshold led to a finding.

    Parameters
    ----------
    finding : str
        "pneumonia", "normal" or "uncertain".
    operating_points : mapping of str to float
        Thresholds on the calibrated probability.
    """
    edges = band(operating_points)
    if edges is None:
        side = "at or above" if finding == "pneumonia" else "below"
        said = (
            f"The model's probability is {side} {threshold_percent(operating_points['balanced'])}, "
            "the balanced threshold, which decides alone because there is no uncertain band."
        )
        return said if finding == "pneumonia" else f"{said} {NOT_HEALTHY}"
    low, high = (threshold_percent(edge) for edge in edges)
    if finding == "pneumonia":
        return f"The model's probability is at or above {high}, the upper edge of the uncertain band."
    if finding == "normal":
        return f"The model's probability is below {low}, the lower edge of the uncertain band. {NOT_HEALTHY}"
    return (
        f"The model's probability lies between {low} and {high}: the model does not decide. Read this image without it."
    )


def finding_sentence(reading: Reading) -> str:
    """Say finding and probability in one line, for a picture that leaves the page.

    Parameters
    ----------
    reading : Reading
    """
    said = probability_percent(reading.probability, reading.operating_points)
    return (
        f"Finding: {reading.finding}. Probability of pneumonia {said} (assumes a prevalence of "
        f"{percent(reading.prevalence)})."
    )


def provenance(reading: Reading) -> str:
    """Say what a picture is not for, and of which model and image it is; never by the image's name.

    Parameters
    ----------
    reading : Reading
    """
    return f"{DISCLAIMER}. Model {reading.model}. Image {reading.radiograph.sha256[:12]}."


def figure_caption(reading: Reading) -> str:
    """Say in lines what belongs beneath a heatmap that is kept as a file.

    Parameters
    ----------
    reading : Reading
    """
    return "\n".join([finding_sentence(reading), *map(str, reading.check.warnings), provenance(reading)])


def heat_peak(reading: Reading) -> float:
    """Give the greatest heat of an image as a share of the colour range, 0 or above.

    Parameters
    ----------
    reading : Reading
    """
    return float(reading.heat.max()) / reading.heat_range


def heat_sentence(reading: Reading) -> str:
    """Say how much heat there is, and how much of it lies within the lung fields.

    Parameters
    ----------
    reading : Reading

    Returns
    -------
    str
        No share where there is hardly any heat: a share of next to nothing says nothing.
    """
    if reading.heat_in_lungs is None:
        return NO_HEAT
    peak = heat_peak(reading)
    if peak < HARDLY:
        return f"There is hardly any heat on this image: its peak is {percent(peak)} of the colour range."
    share = _share_within(reading.heat_in_lungs)
    if reading.heat_in_lungs < MOSTLY:
        return (
            f"Only {share} of the heat lies within the lung fields. Most of it lies outside, "
            "so be wary: the probability may rest on something other than the lungs."
        )
    return f"{share} of the heat lies within the lung fields."


def facts(reading: Reading) -> list[tuple[str, str]]:
    """List what must stand beside every probability.

    Parameters
    ----------
    reading : Reading

    Returns
    -------
    list of (str, str)
        Name and value of each.
    """
    edges = band(reading.operating_points)
    point = OPERATING_POINTS.get(reading.operating_point, reading.operating_point)
    role = "for comparison: the band decides the finding" if edges else "which decides the finding: there is no band"
    return [
        ("Uncertain band", " to ".join(map(threshold_percent, edges)) if edges else "none, as the thresholds cross"),
        (f"{point.capitalize()} threshold", f"{threshold_percent(reading.threshold)}, {role}"),
        ("Heat within the lungs", _share_of_heat(reading)),
        ("Prevalence assumed", percent(reading.prevalence)),
        ("Trained on ages", str(reading.ages)),
        ("Model", reading.model),
        ("SHA-256 of the file", f"{reading.radiograph.sha256[:12]}…"),
    ]


def _share_of_heat(reading: Reading) -> str:
    if reading.heat_in_lungs is None:
        return "no heat on the image"
    if heat_peak(reading) < HARDLY:
        return "hardly any heat on the image"
    return _share_within(reading.heat_in_lungs)


def _share_within(inside: float) -> str:
    return heat_percent(inside).replace(" ", _NO_BREAK)
