"""The ``synthetic`` command: generate the demo images."""

import argparse
from pathlib import Path

from cxrmodel.cli.command import Command, Status


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: assets/demo")
    parser.add_argument("--overwrite", action="store_true", help="replace images in DIR that exist")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: %(default)s")


def _run(arguments: argparse.Namespace) -> Status:
    from cxrmodel.demo import IMAGES_FOLDER
    from cxrmodel.outputs import refuse_existing
    from cxrmodel.training.archive import data_root
    from cxrmodel.training.synthetic import make_demo_images

    if arguments.out:
        for place in (arguments.out / "index.json", *arguments.out.glob("*.png")):
            refuse_existing(place, overwrite=arguments.overwrite)
    make_demo_images(data_root(), arguments.out or IMAGES_FOLDER, arguments.seed)
    return Status.DONE


COMMAND = Command("synthetic", "generate the synthetic demo images from the training images", _add_arguments, _run)
