"""The ``archive`` command: a group of commands on whole archives."""

import argparse

from cxrmodel.cli.archive import query, report, score
from cxrmodel.cli.command import Command, Status
from cxrmodel.registry import Registry

PARTS: Registry[Command] = Registry("archive command", score.COMMAND, report.COMMAND, query.COMMAND)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parsers = parser.add_subparsers(dest="part", required=True, metavar="COMMAND")
    for part in PARTS:
        part.add_arguments(parsers.add_parser(part.name, help=part.help, epilog=part.epilog))


def _run(arguments: argparse.Namespace) -> Status:
    from cxrmodel.extras import need

    need("pyarrow", "archive")
    return PARTS[arguments.part].run(arguments)


COMMAND = Command("archive", "score whole archives of images, each image once", _add_arguments, _run)
