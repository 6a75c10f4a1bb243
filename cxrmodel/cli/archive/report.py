"""The ``archive report`` command: distributions, groups and outliers of an archive's output as one page."""

import argparse
from pathlib import Path

from cxrmodel.cli.command import Command, Status, say
from cxrmodel.messages import Message


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("output", type=Path, metavar="OUT", help="folder that archive score wrote or is writing")
    parser.add_argument("--to", type=Path, metavar="FILE.html", help="default: report.html in OUT")
    parser.add_argument("--overwrite", action="store_true", help="replace a report that exists")
    parser.add_argument(
        "--thumbnails",
        action="store_true",
        help="fetch the outliers again from their sources and show them small; the page then holds patients' images",
    )


def _run(arguments: argparse.Namespace) -> Status:
    from cxrmodel.archive.report.page import write_report
    from cxrmodel.imaging.sandbox.pool import start_sandbox

    if arguments.thumbnails:
        start_sandbox()
    path = arguments.to or arguments.output / "report.html"
    write_report(arguments.output, path, thumbnails=arguments.thumbnails, overwrite=arguments.overwrite)
    say(Message("archive.report.written", file=str(path)))
    return Status.DONE


COMMAND = Command(
    "report",
    "write a page on an output: scores, findings, refusals, groups, outliers",
    _add_arguments,
    _run,
    epilog="The page names no file and holds no image, unless --thumbnails asks for small ones.",
)
