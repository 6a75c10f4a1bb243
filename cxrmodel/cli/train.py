"""The ``train`` command: train a network on the public archive."""

import argparse
from pathlib import Path

from cxrmodel.cli.command import Command, Status, say
from cxrmodel.cli.numbers import whole_number
from cxrmodel.messages import Message
from cxrmodel.models import DEFAULT_MODEL, MODELS
from cxrmodel.paths import RECIPES, RUNS

CHECK_NETWORKS = ("lungs", "projection")
"""Networks of the checks, each with a training of its own."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", choices=(*MODELS.names, *CHECK_NETWORKS), default=DEFAULT_MODEL, help="default: %(default)s"
    )
    parser.add_argument("--recipe", type=Path, metavar="FILE.toml", help="default: the shipped recipe of the model")
    parser.add_argument("--init", default="none", metavar="imagenet|none|PATH.keras", help="initial weights")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: runs/MODEL")
    parser.add_argument(
        "--seed",
        type=whole_number(0),
        metavar="N",
        help="overrides the recipe's seed; it also selects the validation patients",
    )
    parser.add_argument(
        "--fold",
        metavar="I/K",
        type=_fold,
        help="leave out part I of K of the training patients and score them, for the calibration",
    )
    parser.add_argument("--limit", type=whole_number(1), metavar="N", help="train on N images only, as a rehearsal")
    parser.add_argument("--resume", action="store_true", help="continue after the last finished epoch in DIR")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier training in DIR")


def _fold(text: str) -> tuple[int, int]:
    number, of = map(int, text.split("/"))
    if not 1 <= number <= of or of < 2:
        raise ValueError
    return number, of


_fold.__name__ = "fold"  # argparse names the type by it


def _run(arguments: argparse.Namespace) -> Status:
    from cxrmodel import outputs
    from cxrmodel.training.archive import data_root
    from cxrmodel.training.classifier import train_reader
    from cxrmodel.training.loop import CHECKPOINT
    from cxrmodel.training.projection import train_projection
    from cxrmodel.training.recipe import load_recipe
    from cxrmodel.training.record import Fold
    from cxrmodel.training.segmenter import train_lungs

    model, folder = arguments.model, arguments.out or RUNS / arguments.model
    shipped = MODELS[model].recipe_file if model in MODELS else RECIPES / f"{model}.toml"
    recipe = load_recipe(arguments.recipe or shipped)
    if arguments.seed is not None:
        recipe = recipe.replace(seed=arguments.seed)
    if not arguments.resume:
        outputs.refuse_existing(folder / CHECKPOINT, overwrite=arguments.overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    with outputs.locked(folder):
        if model in CHECK_NETWORKS:
            train = {"lungs": train_lungs, "projection": train_projection}[model]
            train(data_root(), recipe, folder, arguments.resume)
        else:
            fold = Fold(number=arguments.fold[0], of=arguments.fold[1]) if arguments.fold else None
            options = {"init": arguments.init, "resume": arguments.resume, "limit": arguments.limit, "fold": fold}
            train_reader(data_root(), recipe, folder, **options)
    say(Message("cli.train.done", model=model, folder=str(folder)))
    return Status.DONE


COMMAND = Command(
    "train",
    "train a classifier, the lung segmenter or the projection network on the public archive",
    _add_arguments,
    _run,
)
