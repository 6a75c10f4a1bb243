"""The ``bench`` command: measure the speed of a reading or of training."""

import argparse
from typing import TYPE_CHECKING

from cxrmodel.cli.command import Command, Status, put
from cxrmodel.cli.numbers import whole_number
from cxrmodel.models import DEFAULT_MODEL, MODELS

if TYPE_CHECKING:
    from cxrmodel.benchmark.reading import ReadingBenchmark
    from cxrmodel.benchmark.training import TrainingBenchmark


FEWEST_IMAGES = 100
"""Memory is first measured after so many."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    parser.add_argument("--model", choices=MODELS.names, default=DEFAULT_MODEL, help="default: %(default)s")
    parser.add_argument(
        "--images",
        type=whole_number(FEWEST_IMAGES),
        default=600,
        metavar="N",
        help="images in the folder test, 100 or more; default: %(default)s",
    )
    parser.add_argument("--train", action="store_true", help="measure training instead, on the public archive")
    parser.add_argument(
        "--size", type=whole_number(1), metavar="PX", help="with --train: image size; default: the recipe's"
    )
    parser.add_argument(
        "--batches",
        type=whole_number(1),
        default=20,
        metavar="N",
        help="with --train: number of timed batches; default: %(default)s",
    )


def _run(arguments: argparse.Namespace) -> Status:
    if arguments.train:
        from cxrmodel.benchmark.training import bench_training
        from cxrmodel.training.archive import data_root

        found: ReadingBenchmark | TrainingBenchmark = bench_training(
            data_root(), arguments.model, arguments.size, arguments.batches
        )
    else:
        from cxrmodel.benchmark.reading import bench

        found = bench(arguments.model, images=arguments.images)
    put(found.model_dump_json() if arguments.json else "\n".join(map(str, found.messages())))
    return Status.DONE


COMMAND = Command("bench", "measure the speed of a reading, compared with a naive implementation", _add_arguments, _run)
