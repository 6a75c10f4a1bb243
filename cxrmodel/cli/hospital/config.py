"""The ``config`` command: check the configuration of a hospital, or show what one may hold."""

import argparse
from pathlib import Path

from cxrmodel.cli.command import Command, Status, put


def add_configuration(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the configuration file."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE.toml", help="configuration; default: the file that CXR_CONFIG names"
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("example", help="print a file with every key and its meaning")
    actions.add_parser("reference", help="print the reference page, as Markdown")


def _run(arguments: argparse.Namespace) -> Status:
    from cxrmodel.configuration.document import example, reference_page

    put({"example": example, "reference": reference_page}[arguments.action]().rstrip("\n"))
    return Status.DONE


COMMAND = Command("config", "check or show the configuration of a hospital", _add_arguments, _run)
