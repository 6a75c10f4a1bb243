"""The ``explain`` command: write an image with its heatmap and colour bar."""

import argparse
import os
import sys
from io import BytesIO
from pathlib import Path, PurePath

from cxrmodel.cli.command import Command, Status, say
from cxrmodel.errors import OutputRefused
from cxrmodel.explain.methods import INSTANT, METHODS
from cxrmodel.messages import Message
from cxrmodel.models import DEFAULT_MODEL, MODELS


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--method", choices=METHODS.names, default=INSTANT, help="default: %(default)s")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="OUT.png")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT.png")
    parser.add_argument("--model", choices=MODELS.names, default=DEFAULT_MODEL, help="default: %(default)s")


def _run(arguments: argparse.Namespace) -> Status:
    from cxrmodel.imaging.sandbox.pool import start_sandbox

    start_sandbox()
    from tqdm import tqdm

    from cxrmodel import outputs
    from cxrmodel.evaluation.explanations.results import as_explained, tested_explanations
    from cxrmodel.explain.explainer import Explainer
    from cxrmodel.explain.overlay import overlay_figure
    from cxrmodel.inputs import InputFile
    from cxrmodel.reading import Reader
    from cxrmodel.report.wording import figure_caption

    if arguments.out.suffix.lower() != ".png":
        raise OutputRefused("cli.explain.not_png", file=str(arguments.out))
    if os.path.realpath(arguments.out) == os.path.realpath(arguments.file):
        raise OutputRefused("cli.explain.own_image", file=str(arguments.out))
    outputs.refuse_existing(arguments.out, overwrite=arguments.overwrite)
    file = InputFile(arguments.file, Path(arguments.file.name))
    reader = Reader.load(arguments.model)
    reading = reader.read(file.read(), PurePath(file.name).name)
    crop_map = None
    if arguments.method != INSTANT:
        explainer = Explainer.shipped(reader.spec, reader.engine)
        with tqdm(total=100, unit="%", file=sys.stderr, bar_format="{desc} |{bar}|") as bar:

            def show_progress(share: float, activity: Message) -> None:
                bar.n = round(100 * share)
                bar.set_description(str(activity))

            crop_map = explainer.image_map(arguments.method, reader.model_input(reading), show_progress)
    explained = as_explained(reading, arguments.method, crop_map, tested_explanations(reader.spec))
    shown = explained.reading
    figure = overlay_figure(
        shown.radiograph.pixels,
        shown.drawn_heat,
        shown.heat_range,
        legend=explained.legend,
        caption=figure_caption(shown),
    )
    picture = BytesIO()
    figure.savefig(picture, dpi=150, format="png")
    outputs.write(arguments.out, picture.getvalue(), overwrite=arguments.overwrite)
    for reason in (*reading.reasons, *(() if arguments.method == INSTANT else (explained.range_note,))):
        say(reason)
    return Status.DONE


COMMAND = Command("explain", "write an image with its heatmap and colour bar", _add_arguments, _run)
