"""What the Heatmap page offers beside the default map: the other methods, and what was measured of each."""

from typing import Any

from cxrmodel.evaluation.explanations.results import randomisation_finding, result_of, tested_explanations
from cxrmodel.evaluation.explanations.schema import ExplanationAudit
from cxrmodel.explain.methods import INSTANT, METHODS, Method
from cxrmodel.messages import Message
from cxrmodel.model.spec import ModelSpec


def offered(spec: ModelSpec) -> dict[str, Any]:
    """Describe every method, for the viewer in the browser.

    Parameters
    ----------
    spec : ModelSpec
        Of the weights that read.

    Returns
    -------
    dict
        ``default``: the method of the map that comes with every reading; ``others``: those to compare it with.
    """
    tested = tested_explanations(spec)
    described = {method.name: _described(method, tested) for method in METHODS}
    return {"default": described.pop(INSTANT), "others": list(described.values())}


def _described(method: Method, tested: ExplanationAudit | None) -> dict[str, Any]:
    depends, finding = randomisation_finding(tested, method.name)
    result = result_of(tested, method.name)
    wait = Message("web.method.seconds", seconds=result.seconds) if result else Message("web.method.not_measured")
    return {
        "name": method.name,
        "title": method.title,
        "wait": str(wait),
        # What has not passed the randomisation test is not offered to clinicians.
        "research": depends is not True,
        "about": [
            str(Message("web.method.shows", shows=method.shows)),
            str(Message("web.method.cannot", cannot=method.cannot)),
            str(finding),
            str(Message("web.method.paper", paper=method.paper)),
        ],
        "link": method.link,
    }
