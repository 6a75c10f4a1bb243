"""Arguments of the command line, and what each command calls.

Heavy imports wait until a command is chosen, so that help and wrong usage answer at once.
"""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from cxrmodel import __version__
from cxrmodel.cli.app import add_app
from cxrmodel.cli.evaluate import add_evaluate
from cxrmodel.errors import CxrError, OutputRefused
from cxrmodel.explain.methods import INSTANT, METHODS
from cxrmodel.extras import optional_libraries
from cxrmodel.model.spec import MODELS
from cxrmodel.paths import RECIPES

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cxrmodel",
        description="Reads paediatric chest radiographs for pneumonia. Research use; not for diagnosis.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    read = commands.add_parser(
        "read",
        help="read images: probability, finding and reasons",
        epilog="The finding is normal below uncertain_from, pneumonia at or above uncertain_to, and uncertain between. "
        "Exit status: 0 when every file was read, 3 when any was refused or failed, 2 for wrong usage.",
    )
    read.add_argument("paths", nargs="+", type=Path, metavar="FILE|DIR", help="directories are walked recursively")
    read.add_argument("--json", action="store_true", help="one JSON object a line on standard output")
    read.add_argument("--csv", type=Path, metavar="OUT.csv", help="write the same columns as a table")
    read.add_argument("--resume", action="store_true", help="leave out the images that OUT.csv has already")
    read.add_argument(
        "--heatmaps",
        type=Path,
        metavar="DIR",
        help="write an overlay of each image: of a.png a.png.heatmap.png; paths kept",
    )
    read.add_argument("--model", choices=MODELS, default="densenet121", help="default: densenet121")
    read.set_defaults(run=_read)

    explain = commands.add_parser("explain", help="write an image with its heatmap and colour bar")
    explain.add_argument("file", type=Path, metavar="FILE")
    explain.add_argument("--method", choices=tuple(METHODS), default=INSTANT, help=f"default: {INSTANT}")
    explain.add_argument("-o", "--out", type=Path, required=True, metavar="OUT.png")
    explain.add_argument("--model", choices=MODELS, default="densenet121")
    explain.set_defaults(run=_explain)

    train = commands.add_parser(
        "train", help="train a reader, the lung segmenter or the orientation network, on the public archive"
    )
    train.add_argument("--model", choices=(*MODELS, "lungs", "orientation"), default="densenet121")
    train.add_argument("--recipe", type=Path, metavar="FILE.toml", help="default: the recipe shipped for the model")
    train.add_argument("--init", default="none", metavar="imagenet|none|PATH.keras", help="weights to start from")
    train.add_argument("--out", type=Path, metavar="DIR", help="default: runs/MODEL")
    train.add_argument("--seed", type=int, metavar="N", help="instead of the recipe's: other patients held out too")
    train.add_argument("--limit", type=int, metavar="N", help="learn from only so many images, to rehearse")
    train.add_argument("--resume", action="store_true", help="go on from the last finished epoch in the output folder")
    train.set_defaults(run=_train)

    export = commands.add_parser(
        "export", help="fix a trained network's calibration or thresholds and put it where the app reads it"
    )
    export.add_argument(
        "--run", type=Path, required=True, dest="folder", metavar="DIR", help="a folder that train wrote"
    )
    export.add_argument("--out", type=Path, metavar="DIR", help="default: assets/model, assets/lungs or assets/checks")
    export.set_defaults(run=_export)

    add_evaluate(commands)

    bench = commands.add_parser("bench", help="measure the speed of a reading against the naive way, in one run")
    bench.add_argument("--json", action="store_true", help="one JSON object on standard output")
    bench.add_argument("--model", choices=MODELS, default="densenet121")
    bench.add_argument("--images", type=_at_least_100, default=600, metavar="N", help="length of the folder, from 100")
    bench.add_argument(
        "--train", action="store_true", help="measure training instead: our feed against Keras's own, on the archive"
    )
    bench.add_argument("--size", type=int, metavar="PX", help="with --train: side of the images; default: the recipe's")
    bench.add_argument("--batches", type=int, default=20, metavar="N", help="with --train: how many are timed")
    bench.set_defaults(run=_bench)

    synthetic = commands.add_parser("synthetic", help="draw the synthetic demo images from the training images")
    synthetic.add_argument("--out", type=Path, metavar="DIR", help="default: assets/demo")
    synthetic.add_argument("--seed", type=int, default=0)
    synthetic.set_defaults(run=_synthetic)

    add_app(commands)
    return parser


def _at_least_100(text: str) -> int:
    if int(text) < 100:
        raise argparse.ArgumentTypeError("at least 100 images are needed")
    return int(text)


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0 when all went well, 1 when the command failed with a sentence, 3 when ``read`` refused or failed on
        an image; wrong usage exits with 2.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command == "read" and arguments.resume and not arguments.csv:
        parser.error("--resume goes on with a table: name it with --csv OUT.csv")
    try:
        with optional_libraries():
            return arguments.run(arguments)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"{error.filename or 'A file'} cannot be used: {error.strerror}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def _read(arguments) -> int:
    from cxrmodel.cli.batch import read_paths
    from cxrmodel.reading import Reader

    return read_paths(
        Reader.load(arguments.model),
        arguments.paths,
        as_json=arguments.json,
        table=arguments.csv,
        heatmaps=arguments.heatmaps,
        resume=arguments.resume,
    )


def _explain(arguments) -> int:
    from tqdm import tqdm

    from cxrmodel.evaluation.explanations.results import as_explained, tested_explanations
    from cxrmodel.explain.explainer import Explainer
    from cxrmodel.explain.overlay import overlay_figure
    from cxrmodel.reading import Reader
    from cxrmodel.report.wording import figure_caption

    if arguments.out.suffix.lower() != ".png":
        raise OutputRefused(f"{arguments.out} does not end in .png, which is what is written. Name it so.")
    if arguments.out.resolve() == arguments.file.resolve():
        raise OutputRefused(f"{arguments.out} is the image itself and is left as it is. Name another file.")
    reader = Reader.load(arguments.model)
    reading = reader.read(arguments.file.read_bytes(), arguments.file.name)
    heat = reading.heat
    if arguments.method != INSTANT:
        explainer = Explainer.shipped(reader.spec, reader.engine)
        with tqdm(total=100, unit="%", file=sys.stderr, bar_format="{desc} |{bar}|") as bar:

            def told(share: float, words: str) -> None:
                bar.n = round(100 * share)
                bar.set_description(words)

            heat = explainer.image_map(arguments.method, reader.model_input(reading), told)
    explained = as_explained(reading, arguments.method, heat, tested_explanations(reader.spec))
    shown = explained.reading
    figure = overlay_figure(
        shown.radiograph.pixels,
        shown.heat,
        shown.heat_range,
        legend=explained.legend,
        caption=figure_caption(shown),
    )
    figure.savefig(arguments.out, dpi=150, format="png")
    for reason in (*reading.reasons, *(() if arguments.method == INSTANT else (explained.range_note,))):
        print(reason, file=sys.stderr)
    return 0


def _train(arguments) -> int:
    from cxrmodel.training import archive as dataset
    from cxrmodel.training import classifier as reader
    from cxrmodel.training import loop
    from cxrmodel.training import orientation as orientation
    from cxrmodel.training import segmenter as lungs

    recipe = loop.load_recipe(arguments.recipe or RECIPES / f"{arguments.model}.toml")
    if arguments.seed is not None:
        recipe = replace(recipe, seed=arguments.seed)
    folder = arguments.out or Path("runs") / arguments.model
    root = dataset.data_root()
    if arguments.model == "lungs":
        lungs.train_lungs(root, recipe, folder, arguments.resume)
    elif arguments.model == "orientation":
        orientation.train_orientation(root, recipe, folder, arguments.resume)
    else:
        options = {"init": arguments.init, "resume": arguments.resume, "limit": arguments.limit}
        reader.train_reader(root, recipe, folder, **options)
    print(f"Trained {arguments.model}; weights, history and configuration are in {folder}.", file=sys.stderr)
    return 0


def _export(arguments) -> int:
    from cxrmodel.training import archive as dataset
    from cxrmodel.training import checks as check
    from cxrmodel.training import export

    optional = {"out": arguments.out} if arguments.out else {}
    if (arguments.folder / "lungs.keras").is_file():
        export.export_lungs(arguments.folder, **optional)
    elif (arguments.folder / "orientation.keras").is_file():
        check.export_checks(arguments.folder, dataset.data_root(), **optional)
    else:
        export.export_reader(arguments.folder, dataset.data_root(), **optional)
    return 0


def _bench(arguments) -> int:
    from cxrmodel.benchmark.reading import bench, in_words

    if arguments.train:
        from cxrmodel.benchmark.training import bench_training, training_in_words
        from cxrmodel.training.archive import data_root

        found = bench_training(data_root(), arguments.model, arguments.size, arguments.batches)
        print(json.dumps(found) if arguments.json else training_in_words(found))
        return 0
    found = bench(arguments.model, images=arguments.images)
    print(json.dumps(found) if arguments.json else in_words(found))
    return 0


def _synthetic(arguments) -> int:
    from cxrmodel.demo import IMAGES_FOLDER
    from cxrmodel.training.archive import data_root
    from cxrmodel.training.synthetic import make_demo_images

    make_demo_images(data_root(), arguments.out or IMAGES_FOLDER, arguments.seed)
    return 0
