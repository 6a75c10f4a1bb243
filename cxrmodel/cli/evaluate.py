"""The ``evaluate`` command: measure models on images and renew the documents that state the results."""

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from cxrmodel.cli.command import Command, Status, say
from cxrmodel.errors import EvaluationError, OutputRefused
from cxrmodel.messages import Message
from cxrmodel.models import MODELS
from cxrmodel.paths import INSTALLED, SHUFFLED_RUN

if TYPE_CHECKING:
    from cxrmodel.evaluation.schema import Evaluation


HTML = (".html", ".htm")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", choices=MODELS.names, action="append", help="may be repeated; default: every model")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="evaluate on your own images, or on the output of archive score"
    )
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="TABLE.csv",
        help="labels of an archive's output: columns label, one of item, file and sha256, and perhaps patient; "
        "default: the folders NORMAL and PNEUMONIA in the names of its images",
    )
    parser.add_argument("--name", help="name of your own data set; default: the name of DIR")
    parser.add_argument("--no-read", action="store_true", help="read no images; use the stored evaluations")
    parser.add_argument("--report", type=Path, metavar="OUT.html", help="write a report as one HTML file")
    parser.add_argument("--overwrite", action="store_true", help="replace a report and figures that exist")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="default: assets/evaluation, or evaluations for your own images"
    )
    parser.add_argument("--figures", type=Path, metavar="DIR", help="also write the curves as SVG files")
    parser.add_argument(
        "--no-audits",
        action="store_true",
        help="leave out the audits: lungs masked, shortcuts, perturbations, subgroups, adults",
    )
    parser.add_argument(
        "--checks",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="count what the image checks reject and warn of; default: yes",
    )
    parser.add_argument(
        "--explanations",
        action="store_true",
        help="test the explanation methods instead, by default on the first model, and add the results to its "
        "evaluation; an interrupted run continues",
    )
    parser.add_argument(
        "--shuffled",
        type=Path,
        metavar="RUN",
        default=SHUFFLED_RUN,
        help="with --explanations: a training on shuffled labels, if there is one; default: %(default)s",
    )
    parser.add_argument(
        "--seeds", type=Path, nargs="+", metavar="RUN", help="compare trainings with different seeds instead"
    )


def _run(arguments: argparse.Namespace) -> Status:
    _check_usage(arguments)
    from cxrmodel import outputs
    from cxrmodel.evaluation.storage import EVALUATION_FOLDER, OWN_FOLDER

    if arguments.report and arguments.report.suffix.lower() not in HTML:
        raise OutputRefused("cli.evaluate.not_html", file=str(arguments.report))
    for place in (arguments.report, *(arguments.figures.glob("*.svg") if arguments.figures else ())):
        if place:
            outputs.refuse_existing(place, overwrite=arguments.overwrite)
    own = arguments.data is not None or arguments.name is not None
    out = arguments.out or (OWN_FOLDER if own else EVALUATION_FOLDER)
    renew = out == EVALUATION_FOLDER and not INSTALLED  # an installed package has no documents
    with ExitStack() as held:
        if arguments.explanations or arguments.seeds or not arguments.no_read:
            out.mkdir(parents=True, exist_ok=True)
            held.enter_context(outputs.locked(out))
        if arguments.explanations:
            _test_explanations(arguments, out)
        elif arguments.seeds:
            _compare_seeds(arguments.seeds, out, renew)
        else:
            evaluations = _measured_own(arguments, out) if own else _measured(arguments, out)
            _present(evaluations, arguments, renew and not own)
    return Status.DONE


def _check_usage(arguments: argparse.Namespace) -> None:
    """Refuse options of the measurement on images beside those that do something else instead."""
    for instead in ("explanations", "seeds"):
        for other in ("data", "labels", "name", "report", "figures"):
            if getattr(arguments, instead) and getattr(arguments, other) is not None:
                message = Message("cli.evaluate.not_together", option=f"--{instead}", other=f"--{other}")
                raise argparse.ArgumentError(None, str(message))


def _present(evaluations: "list[Evaluation]", arguments: argparse.Namespace, renew: bool) -> None:
    from cxrmodel.evaluation import documents
    from cxrmodel.evaluation.report.figures import write_figures

    say(documents.performance_text(evaluations))
    if arguments.figures:
        write_figures(evaluations, arguments.figures, overwrite=arguments.overwrite)
    if arguments.report:
        documents.report_of(evaluations, arguments.report, overwrite=arguments.overwrite)
    for message in documents.renew_documents() if renew else ():
        say(message)


def _test_explanations(arguments: argparse.Namespace, out: Path) -> None:
    from cxrmodel.evaluation.explanations.run import evaluate_explanations
    from cxrmodel.reading import Reader
    from cxrmodel.training.archive import data_root

    for model in arguments.model or MODELS.names[:1]:
        evaluate_explanations(Reader.load(model), data_root(), out, shuffled=arguments.shuffled)


def _compare_seeds(runs: list[Path], out: Path, renew: bool) -> None:
    from cxrmodel.evaluation import documents, seeds
    from cxrmodel.training.archive import data_root

    measured = [seeds.measure_run(run, data_root()) for run in runs]
    say(documents.trainings_text(seeds.save_seeds(measured, out)))
    if renew:
        documents.DOCUMENTS["training"].renew()


def _measured(arguments: argparse.Namespace, out: Path) -> "list[Evaluation]":
    from cxrmodel.evaluation import run, storage
    from cxrmodel.evaluation.audits import checks
    from cxrmodel.evaluation.audits import run as audits
    from cxrmodel.reading import Reader
    from cxrmodel.training.archive import data_root

    models = arguments.model or MODELS.names
    for model in () if arguments.no_read else models:
        reader = Reader.load(model)
        run.evaluate(reader, data_root(), out)
        if not arguments.no_audits:
            audits.audit(reader, data_root(), out)
        if arguments.checks:
            checks.measure_checks(reader, data_root(), out)
    return [storage.load_evaluation(model, out) for model in models]


def _measured_own(arguments: argparse.Namespace, out: Path) -> "list[Evaluation]":
    from cxrmodel.evaluation import documents, own_data
    from cxrmodel.reading import Reader

    if arguments.data and not arguments.no_read and _is_archive(arguments.data):
        return [_measured_archive(arguments, out)]
    if arguments.labels:
        raise EvaluationError("cli.evaluate.labels_of_archive", folder=str(arguments.data))
    models = arguments.model or MODELS.names
    name = own_data.dataset_name(arguments.data or Path(), arguments.name)
    for model in () if arguments.no_read else models:
        if arguments.data is None:
            raise EvaluationError("cli.evaluate.no_images")
        own_data.evaluate_folder(Reader.load(model), arguments.data, name, out)
    return documents.load_own(name, models, out)


def _is_archive(folder: Path) -> bool:
    if not (folder / "manifest").is_dir():
        return False
    from cxrmodel.extras import need

    need("pyarrow", extra="archive")
    from cxrmodel.archive.evaluation import is_output

    return is_output(folder)


def _measured_archive(arguments: argparse.Namespace, out: Path) -> "Evaluation":
    from cxrmodel.archive.evaluation import evaluate_output

    evaluation, notes = evaluate_output(arguments.data, arguments.name, arguments.labels, out)
    if arguments.model and arguments.model != [evaluation.model]:
        say(Message("cli.evaluate.model_of_archive", model=evaluation.model))
    for note in notes:
        say(note)
    return evaluation


COMMAND = Command(
    "evaluate",
    "measure models on the official test images or on your own images",
    _add_arguments,
    _run,
    epilog="Your own images lie in DIR/NORMAL and DIR/PNEUMONIA, or in such folders within DIR/test or "
    "DIR/chest_xray/test. The Evaluation page then shows their results beside those of the test set. An evaluation "
    "holds file names and scores, never images.",
)
