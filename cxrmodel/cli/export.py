"""The ``export`` command: from a training run to the files that the app reads."""

import argparse
from pathlib import Path

from cxrmodel.cli.command import Command, Status


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--run", type=Path, required=True, dest="folder", metavar="DIR", help="output folder of a training"
    )
    parser.add_argument(
        "--folds",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="output folders of the trainings with --fold, one for each fold, which fix the calibration of a "
        "classifier; default: the held-out patients fix it",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: assets/model, assets/lungs or assets/checks")


def _run(arguments: argparse.Namespace) -> Status:
    from cxrmodel.training.archive import data_root
    from cxrmodel.training.checks import export_checks
    from cxrmodel.training.export import export_lungs, export_reader

    optional = {"out": arguments.out} if arguments.out else {}
    if (arguments.folder / "lungs.keras").is_file():
        export_lungs(arguments.folder, **optional)
    elif (arguments.folder / "projection.keras").is_file():
        export_checks(arguments.folder, data_root(), **optional)
    else:
        export_reader(arguments.folder, data_root(), folds=arguments.folds, **optional)
    return Status.DONE


COMMAND = Command(
    "export",
    "calibrate a trained network, fix its thresholds and write the files that the app uses",
    _add_arguments,
    _run,
)
