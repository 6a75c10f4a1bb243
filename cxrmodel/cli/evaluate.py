"""The ``evaluate`` command: everything that is measured on images, and the documents made of it."""

import argparse
import sys
from pathlib import Path

from cxrmodel.errors import EvaluationError, OutputRefused
from cxrmodel.model.spec import MODELS

__all__ = ["add_evaluate"]


def add_evaluate(commands) -> None:
    """Add ``evaluate`` to the commands of a parser."""
    evaluate = commands.add_parser(
        "evaluate",
        help="measure the shipped models on the official test images, or on images of your own",
        epilog="Own images lie in DIR/NORMAL and DIR/PNEUMONIA (or in DIR/test, or DIR/chest_xray/test); the app then "
        "offers their evaluation beside ours. It holds the files' names and scores, and no picture. With --no-read "
        "nothing is measured: table, card, figures and report are made of the evaluations that are there.",
    )
    evaluate.add_argument("--model", choices=MODELS, action="append", help="default: every shipped model")
    evaluate.add_argument("--data", type=Path, metavar="DIR", help="measure on images of your own instead")
    evaluate.add_argument("--name", help="name of your own images; default: the folder's")
    evaluate.add_argument("--no-read", action="store_true", help="read no image; use what was measured before")
    evaluate.add_argument("--report", type=Path, metavar="OUT.html", help="write everything as one HTML file")
    evaluate.add_argument(
        "--out", type=Path, metavar="DIR", help="default: assets/evaluation, or evaluations for images of your own"
    )
    evaluate.add_argument("--figures", type=Path, metavar="DIR", help="draw the curves as SVG as well")
    evaluate.add_argument(
        "--no-audits",
        action="store_true",
        help="leave out lungs removed, shortcuts, disturbances, subgroups, adults",
    )
    evaluate.add_argument(
        "--checks",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="count what the checks refuse and warn of (default: yes)",
    )
    evaluate.add_argument(
        "--explanations",
        action="store_true",
        help="test the methods of explaining instead, of the DenseNet unless --model says otherwise, and add the "
        "results to its evaluation; a run that was broken off goes on where it stopped",
    )
    evaluate.add_argument(
        "--shuffled",
        type=Path,
        metavar="RUN",
        default=Path("runs") / "shuffled",
        help="with --explanations: where weights of shuffled labels were trained, if anywhere; default: %(default)s",
    )
    evaluate.add_argument(
        "--seeds", type=Path, nargs="+", metavar="RUN", help="instead, measure how trainings differ with their seed"
    )
    evaluate.set_defaults(run=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    from cxrmodel.evaluation.documents import renew_documents, report_of
    from cxrmodel.evaluation.report.figures import write_figures
    from cxrmodel.evaluation.report.readme import readme_table
    from cxrmodel.evaluation.storage import EVALUATION_FOLDER

    if arguments.report and arguments.report.suffix.lower() not in (".html", ".htm"):
        raise OutputRefused(f"{arguments.report} does not end in .html, which is what is written. Name it so.")
    own = arguments.data is not None or arguments.name is not None
    out = arguments.out or EVALUATION_FOLDER
    if arguments.explanations:
        return _explanations(arguments, out)
    if arguments.seeds:
        return _seeds(arguments, out)
    evaluations = _measured_own(arguments) if own else _measured(arguments, out)
    print(readme_table(evaluations), file=sys.stderr)
    if arguments.figures:
        write_figures(evaluations, arguments.figures)
    if arguments.report:
        report_of(evaluations, arguments.report)
    if out == EVALUATION_FOLDER and not own:
        for sentence in renew_documents():
            print(sentence, file=sys.stderr)
    return 0


def _explanations(arguments: argparse.Namespace, out: Path) -> int:
    from cxrmodel.evaluation.explanations.run import evaluate_explanations
    from cxrmodel.reading import Reader
    from cxrmodel.training.archive import data_root

    for model in arguments.model or MODELS[:1]:
        evaluate_explanations(Reader.load(model), data_root(), out, shuffled=arguments.shuffled)
    return 0


def _seeds(arguments: argparse.Namespace, out: Path) -> int:
    from cxrmodel.evaluation.report.readme import README, update_readme
    from cxrmodel.evaluation.seeds import measure_run, save_seeds, training_table
    from cxrmodel.evaluation.storage import EVALUATION_FOLDER
    from cxrmodel.training.archive import data_root

    table = training_table(save_seeds([measure_run(run, data_root()) for run in arguments.seeds], out))
    print(table, file=sys.stderr)
    if out == EVALUATION_FOLDER:
        update_readme(README.parent / "docs" / "training.md", table)
    return 0


def _measured(arguments: argparse.Namespace, out: Path) -> list:
    from cxrmodel.evaluation.audits.checks import measure_checks
    from cxrmodel.evaluation.audits.run import audit
    from cxrmodel.evaluation.run import evaluate
    from cxrmodel.evaluation.storage import load_evaluation
    from cxrmodel.reading import Reader
    from cxrmodel.training.archive import data_root

    models = arguments.model or MODELS
    for model in () if arguments.no_read else models:
        reader = Reader.load(model)
        evaluate(reader, data_root(), out)
        if not arguments.no_audits:
            audit(reader, data_root(), out)
        if arguments.checks:
            measure_checks(reader, data_root(), out)
    return [load_evaluation(model, out) for model in models]


def _measured_own(arguments: argparse.Namespace) -> list:
    from cxrmodel.evaluation.documents import load_own
    from cxrmodel.evaluation.own_data import dataset_name, evaluate_folder
    from cxrmodel.evaluation.storage import OWN_FOLDER
    from cxrmodel.reading import Reader

    out, models = arguments.out or OWN_FOLDER, arguments.model or MODELS
    name = dataset_name(arguments.data or Path(), arguments.name)
    for model in () if arguments.no_read else models:
        if arguments.data is None:
            raise EvaluationError(
                "Say with --data DIR where the images lie, or with --no-read that none is to be read."
            )
        evaluate_folder(Reader.load(model), arguments.data, name, out)
    return load_own(name, models, out)
