"""The first screen: what the program does, demo images to click, and how good the model is."""

import base64
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image as PilImage

from cxrmodel.demo import DemoImage, clear_images, demo_images
from cxrmodel.errors import CxrError, DataError
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.imaging.formats.registry import format_names
from cxrmodel.imaging.radiograph import MAX_BYTES
from cxrmodel.metrics import formatting
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.model.spec import ModelSpec
from cxrmodel.web.components import room
from cxrmodel.web.text import for_browser, text

_WIDTH, _QUALITY = 480, 80
"""Pixels and JPEG quality of a picture to click."""


def welcome(spec: ModelSpec) -> None:
    """Draw the screen, which the browser shows while the session has no image.

    Parameters
    ----------
    spec : ModelSpec
        Of the model that reads.
    """
    figures, measured = _quality(spec)
    words = for_browser("welcome") | {
        "what": text("web.welcome.what", positive=spec.labels.positive),
        "formats": text("web.welcome.formats", formats=format_names(), megabytes=MAX_BYTES // 2**20),
    }
    room.draw("welcome", ("welcome",), words, demos=_demos(), figures=figures, measured=measured)


def _demos() -> list[dict[str, Any]]:
    """Describe the demo images; the clear ones come first and have a picture."""
    try:
        images, clear = demo_images(), clear_images()
    except DataError:
        return []
    first = [*clear, *(image for image in images if image not in clear)]
    return [_demo(image, images.index(image), image in clear) for image in first]


def _demo(image: DemoImage, index: int, is_clear: bool) -> dict[str, Any]:
    return {
        "index": index,
        "name": text("web.read.demo_name", title=image.title),
        "title": text("web.welcome.clear", kind=image.kind) if is_clear else image.title,
        "about": image.title,
        "picture": _picture(image.path) if is_clear else None,
    }


@cache
def _picture(path: Path) -> str:
    """Give a small JPEG of an image as a data URL."""
    coded = BytesIO()
    with PilImage.open(path) as image:
        image.thumbnail((_WIDTH, _WIDTH))
        image.convert("L").save(coded, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(coded.getvalue()).decode()}"


def _quality(spec: ModelSpec) -> tuple[list[dict[str, str]], str]:
    """Give AUC, sensitivity and specificity with their intervals, and what they were measured on."""
    try:
        evaluation = load_evaluation(spec.model, spec=spec)
    except CxrError:
        return [], ""
    test = evaluation.splits["test"]
    rates = test.performance.at["balanced"].rates
    figures = [
        _figure(text("web.welcome.auc"), test.performance.overall["auc"]),
        _figure(text("web.welcome.sensitivity"), rates["sensitivity"]),
        _figure(text("web.welcome.specificity"), rates["specificity"]),
    ]
    level = formatting.share_percent(evaluation.bootstrap.level)
    counts = {"images": len(test.files), "patients": len(set(test.patients))}
    return figures, text("web.welcome.measured", level=level, **counts)


def _figure(title: str, figure: Estimate) -> dict[str, str]:
    low, high = formatting.number(figure.low), formatting.number(figure.high)
    interval = "" if figure.interval is None else text("web.welcome.interval", low=low, high=high)
    return {"title": title, "value": formatting.number(figure.value), "interval": interval}
