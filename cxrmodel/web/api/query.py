"""What a request for a reading asks for: prevalence, model, and the form of the answer."""

from dataclasses import dataclass
from typing import Final, Literal

from starlette.requests import Request

from cxrmodel.errors import SettingError
from cxrmodel.models import MODELS
from cxrmodel.prevalence import parse_prevalence
from cxrmodel.results.objects import KINDS
from cxrmodel.web.server.content import Refused
from cxrmodel.web.server.requests import header

PARAMETERS: Final = ("prevalence", "model", "results")
Form = Literal["json", "mixed", "dicom"]
"""Of the answer: the reading, the reading with its results, the results alone."""


@dataclass(frozen=True)
class Wish:
    """What a request asks for.

    Attributes
    ----------
    model : str
    prevalence : float or None
        None takes that of the site.
    form : {"json", "mixed", "dicom"}
    kinds : tuple of str
        Results that are wanted.
    """

    model: str
    prevalence: float | None
    form: Form
    kinds: tuple[str, ...]


def wish_of(request: Request, model: str) -> Wish:
    """Understand a request.

    Parameters
    ----------
    request : Request
    model : str
        Where it names none.

    Raises
    ------
    Refused
        For a parameter that does not exist, stands there twice or has another value; for a form that is not offered.
    """
    given = request.query_params.multi_items()
    names = [name for name, _ in given]
    if not set(names) <= set(PARAMETERS) or len(set(names)) != len(names):
        raise Refused(400, "api.unknown_parameter", known=PARAMETERS)
    values = dict(given)
    chosen = values.get("model", model)
    if chosen not in MODELS:
        raise Refused(400, "api.unknown_model", known=MODELS.names)
    kinds = tuple(values["results"].split(",")) if "results" in values else ()
    if not set(kinds) <= set(KINDS) or len(set(kinds)) != len(kinds):
        raise Refused(400, "api.unknown_results", known=KINDS)
    form = _form(header(request.scope, "accept") or "*/*", bool(kinds))
    return Wish(chosen, _prevalence(values.get("prevalence")), form, kinds or (KINDS if form == "dicom" else ()))


def _prevalence(text: str | None) -> float | None:
    try:
        return None if text is None else parse_prevalence(text)
    except SettingError as error:
        raise Refused(400, error.message.code, **error.message.values) from error


def _form(accept: str, with_results: bool) -> Form:
    kinds = [part.strip().lower() for part in accept.split(",")]
    if any(kind.startswith("multipart/related") and "application/dicom" in kind for kind in kinds):
        return "dicom"
    offered = (
        ("multipart/related", "multipart/*", "*/*") if with_results else ("application/json", "application/*", "*/*")
    )
    if not any(kind.partition(";")[0].strip() in offered for kind in kinds):
        raise Refused(406, "api.not_acceptable")
    return "mixed" if with_results else "json"
