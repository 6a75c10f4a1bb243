"""Rendering of the documents: a Jinja template and values give a text."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from cxrmodel import outputs
from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation import data_flow
from cxrmodel.evaluation.report import context, rows, small_samples, verdicts
from cxrmodel.explain.methods import METHODS
from cxrmodel.messages import Message
from cxrmodel.metrics import formatting, registry
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.registry import METRICS
from cxrmodel.models import model_title
from cxrmodel.paths import PACKAGE
from cxrmodel.sinks import contained, label, markdown

TEMPLATES = PACKAGE / "evaluation" / "templates"
_FUNCTIONS: tuple[Callable[..., object], ...] = (
    context.finding_counts,
    context.images_summary,
    context.overall_figure,
    data_flow.flow,
    data_flow.hashes,
    data_flow.training_summaries,
    registry.rates_in_order,
    registry.score_metrics,
    rows.adult_findings,
    rows.adult_rows,
    rows.lung_rows,
    rows.perturbation_rows,
    small_samples.few,
    small_samples.few_findings,
    small_samples.few_in_bins,
    small_samples.few_in_split,
    small_samples.image_count,
    verdicts.masked_lungs_verdict,
)
"""What templates may call, by name."""
_SPARE_LINES = re.compile(r"\n{3,}")


def render(template: str, **values: object) -> str:
    """Render a template.

    Parameters
    ----------
    template : str
        File name in `TEMPLATES`.
    **values
        By the names that the template uses.

    Returns
    -------
    str
        Ends with one line break. The same values always give the same text.
    """
    text = _environment().get_template(template).render(values)
    return _SPARE_LINES.sub("\n\n", text).strip() + "\n"


def figure(value: Estimate | Message, digits: int = 3) -> str:
    """Write an estimate, or why it is not given."""
    return str(value) if isinstance(value, Message) else formatting.estimate(value, digits)


def marks(name: str) -> tuple[str, str]:
    """Comments around the generated part of a document."""
    return f"<!-- {name}:start -->", f"<!-- {name}:end -->"


def part_between(text: str, name: str, document: str) -> tuple[str, str, str]:
    """Split a document before, inside and after its generated part.

    Raises
    ------
    EvaluationError
        When a mark is missing, repeated or out of order.
    """
    first, last = marks(name)
    before, start, rest = text.partition(first)
    inside, end, after = rest.partition(last)
    if not (start and end) or text.count(first) != 1 or text.count(last) != 1:
        raise EvaluationError("documents.marks_missing", file=document, start=first, end=last)
    return before, inside, after


def replace_between(path: Path, name: str, part: str) -> None:
    """Replace the generated part of a document.

    Raises
    ------
    EvaluationError
        As :func:`part_between`; the file is left as it is.
    """
    before, _, after = part_between(path.read_text(encoding="utf-8"), name, path.name)
    first, last = marks(name)
    outputs.write(path, f"{before}{first}\n{part.strip()}\n{last}{after}", overwrite=True)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html.j2", "svg.j2"), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cell": lambda value: contained(str(value)).replace("|", "/"),
        "change": formatting.change,
        "count_share": formatting.count_share,
        "figure": figure,
        "label": label,
        "markdown": markdown,
        "model_title": model_title,
        "number": formatting.number,
        "percent": formatting.share_percent,
        "spread": formatting.spread,
    }
    environment.globals |= {function.__name__: function for function in _FUNCTIONS}
    environment.globals |= {"METHODS": METHODS, "METRICS": METRICS, "text": _text}
    return environment


def _text(code: str, **values: Any) -> str:
    return str(Message(code, **values))
