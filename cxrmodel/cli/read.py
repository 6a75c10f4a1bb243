"""The ``read`` command: probability, finding, reasons and heatmaps of many images."""

import argparse
from pathlib import Path

from cxrmodel.cli.command import Command, Status
from cxrmodel.cli.numbers import prevalence
from cxrmodel.errors import SettingError
from cxrmodel.messages import Message
from cxrmodel.models import DEFAULT_MODEL, MODELS

_IMAGES = 100
"""Images that one decoder process may decode: the files of one call belong to one user."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE|DIR", help="folders are read recursively")
    parser.add_argument("--json", action="store_true", help="print one JSON object per line on standard output")
    parser.add_argument("--csv", type=Path, metavar="OUT.csv", help="also write the results as a table")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue OUT.csv: skip the images that it has, unless they failed or changed",
    )
    parser.add_argument(
        "--heatmaps",
        type=Path,
        metavar="DIR",
        help="write an overlay of each image, a.png.heatmap.png for a.png, in the same subfolders",
    )
    parser.add_argument(
        "--prevalence",
        type=prevalence,
        metavar="SHARE",
        help="share of positive images among those like yours, 0.2 or 20%%, from 0.1%% to 99.9%%: moves probabilities "
        "and thresholds together, never a finding; default: CXR_PREVALENCE, else 0.5",
    )
    parser.add_argument(
        "--repair",
        default="",
        metavar="STEP,...",
        help="set every image right before it is read, in this order: rotate_left, rotate_right, rotate_180, flip, "
        "invert, crop:LEFT:TOP:RIGHT:BOTTOM (edges as shares from 0 to 1); noted in every output",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace overlays that exist")
    parser.add_argument("--model", choices=MODELS.names, default=DEFAULT_MODEL, help="default: %(default)s")


def _run(arguments: argparse.Namespace) -> Status:
    if arguments.resume and not arguments.csv:
        raise argparse.ArgumentError(None, str(Message("cli.read.resume_without_table")))
    if arguments.resume and arguments.repair:
        raise argparse.ArgumentError(None, str(Message("cli.read.resume_with_repair")))
    from cxrmodel.imaging.sandbox.pool import start_sandbox

    start_sandbox(images=_IMAGES)  # first, so that it costs no time: its imports run beside those that follow
    from cxrmodel.cli.batch.readings import read_files
    from cxrmodel.imaging.repairs import Repairs
    from cxrmodel.reading import Reader

    try:
        repairs = Repairs.parse(arguments.repair)
    except SettingError as error:
        raise argparse.ArgumentError(None, str(error)) from error
    return read_files(
        Reader.load(arguments.model, prevalence=arguments.prevalence),
        arguments.paths,
        as_json=arguments.json,
        table_path=arguments.csv,
        heatmaps=arguments.heatmaps,
        resume=arguments.resume,
        overwrite=arguments.overwrite,
        repairs=repairs,
    )


COMMAND = Command(
    "read",
    "read images: probability, finding and reasons",
    _add_arguments,
    _run,
    epilog="The finding is the negative label of the model below uncertain_from, the positive label at or above "
    "uncertain_to, and uncertain between them. Exit status: 0 when every file was read, 3 when any was refused or "
    "failed or its overlay was not written, 2 for wrong usage, 1 when nothing could begin.",
)
