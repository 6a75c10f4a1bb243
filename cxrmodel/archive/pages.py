"""Pages on an archive's output, from templates."""

from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cxrmodel.messages import Message
from cxrmodel.metrics.formatting import count_share, percent, share_percent
from cxrmodel.paths import PACKAGE
from cxrmodel.sinks import label

TEMPLATES = PACKAGE / "archive" / "templates"


def render(template: str, **values: object) -> str:
    """Render a template of ``TEMPLATES``; every value is escaped."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"label": label, "share": share_percent}
    environment.globals |= {"share": share_percent, "percent": percent, "count_share": count_share, "text": _text}
    return environment


def _text(code: str, **values: Any) -> str:
    return str(Message(code, **values))
