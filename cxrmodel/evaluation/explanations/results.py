"""Results of the evaluation of an attribution method, with its map, for page and command line."""

from dataclasses import dataclass, replace

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.explanations.schema import ExplanationAudit, MethodResult
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.explain.faithfulness import heat_in_lungs
from cxrmodel.explain.interpolation import CropMap
from cxrmodel.explain.methods import INSTANT, METHODS, Method
from cxrmodel.messages import Message
from cxrmodel.model.spec import ModelSpec
from cxrmodel.reading import Reading

FIXED_RANGE = Message("explanations.fixed_range")
OWN_RANGE = Message("explanations.own_range")


@dataclass(frozen=True, eq=False)
class Explained:
    """A reading with the map of a chosen method.

    Attributes
    ----------
    method : Method
    reading : Reading
        With this method's ``heat``, ``heat_range`` and ``heat_in_lungs``.
    legend : str
        For the colour bar: the method and the unit of its values.
    range_note : Message
        Whether colours can be compared between images.
    """

    method: Method
    reading: Reading
    legend: str
    range_note: Message


def tested_explanations(spec: ModelSpec) -> ExplanationAudit | None:
    """Results of ``evaluate --explanations`` for these weights; None where it has not been run for them."""
    try:
        return load_evaluation(spec.model, spec=spec).explanations
    except CxrError:
        return None


def result_of(tested: ExplanationAudit | None, method: str) -> MethodResult | None:
    """The row of one method; None where it was not tested."""
    return tested.method(method) if tested else None


def as_explained(reading: Reading, method: str, crop_map: CropMap | None, tested: ExplanationAudit | None) -> Explained:
    """Put a method's map into a reading.

    Parameters
    ----------
    reading : Reading
    method : str
    crop_map : CropMap or None
        Of the method; None only for the map that every reading brings.
    tested : ExplanationAudit or None
        As of `tested_explanations`.
    """
    known, result = METHODS[method], result_of(tested, method)
    legend = f"{known.title}: {known.unit}"
    if method == INSTANT or crop_map is None:
        return Explained(known, reading, legend, FIXED_RANGE)
    heat = crop_map.on_image()
    share = heat_in_lungs(heat, reading.lungs.mask)
    top = (result.map_range if result else 0.0) or float(heat.max()) or 1.0
    changed = replace(reading, heat=heat, heat_range=top, heat_in_lungs=share, crop_map=crop_map)
    return Explained(known, changed, legend, FIXED_RANGE if result else OWN_RANGE)


def randomisation_finding(tested: ExplanationAudit | None, method: str) -> tuple[bool | None, Message]:
    """Result of the randomisation test of a method, with its sentence.

    Returns
    -------
    depends : bool or None
        None where that was not tested for these weights.
    message : Message
    """
    result = result_of(tested, method)
    if result is None:
        return None, Message("explanations.not_tested")
    found = result.randomisation
    code = "depends" if found.depends_on_model else "independent"
    return found.depends_on_model, Message(f"explanations.{code}", images=found.images)
