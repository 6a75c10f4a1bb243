"""The command line: runs the command that the arguments name, and turns errors into an exit status."""

import argparse
import io
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from cxrmodel import __version__
from cxrmodel.account import ensure_home
from cxrmodel.cli.command import ReaderGone, Status, abandon_output, say
from cxrmodel.cli.commands import COMMANDS
from cxrmodel.cli.failures import explained
from cxrmodel.sinks import contained


class _Parser(argparse.ArgumentParser):
    """Arguments may be file names that a shell put in place of a pattern: they are contained when quoted."""

    def error(self, message: str) -> NoReturn:
        super().error(contained(message))


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all registered commands."""
    parser = _Parser(
        prog="cxrmodel",
        description="Reads chest radiographs: probability, finding, heatmap and evidence. "
        "For research use only; not for diagnosis.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--debug",
        action="store_true",
        help="print where an unexpected error happened, which may quote file names",
    )
    parsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_arguments(parsers.add_parser(command.name, help=command.help, epilog=command.epilog))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str or None
        Arguments; None takes those of the process.

    Returns
    -------
    int
        A ``Status``.

    Raises
    ------
    SystemExit
        With 2 for wrong usage, with 0 after ``--help`` and ``--version``.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a letter that the terminal lacks must not end the run
            stream.reconfigure(errors="backslashreplace")
    parser = build_parser()
    arguments = parser.parse_args(argv)
    ensure_home()
    try:
        status = COMMANDS[arguments.command].run(arguments)
        print(end="", flush=True)  # what a full disk does not take is an error now, not after the end
        return status
    except argparse.ArgumentError as error:
        parser.error(str(error))
    except ReaderGone:  # as a program should: without a word
        pass
    except KeyboardInterrupt as error:
        say(explained(error))
        return Status.STOPPED
    except Exception as error:
        if arguments.debug:
            traceback.print_exc()
        say(explained(error))
        try:
            print(end="", flush=True)
        except OSError:
            abandon_output()
    return Status.FAILED
