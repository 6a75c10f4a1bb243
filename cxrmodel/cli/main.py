"""The command line: from arguments to a command, from errors to an exit status."""

import argparse
import os
import sys
from collections.abc import Sequence

from cxrmodel import __version__
from cxrmodel.cli.command import Status, say
from cxrmodel.cli.commands import COMMANDS
from cxrmodel.errors import CxrError
from cxrmodel.extras import optional_libraries
from cxrmodel.messages import Message

__all__ = ["build_parser", "main"]


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all registered commands."""
    parser = argparse.ArgumentParser(
        prog="cxrmodel",
        description="Reads chest radiographs: probability, finding, heatmap and evidence. "
        "For research use only; not for diagnosis.",
    )
    parser.add_argument("--version", action="version", version=__version__)
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
    parser = build_parser()
    arguments = parser.parse_args(argv)
    try:
        with optional_libraries():
            return COMMANDS[arguments.command].run(arguments)
    except argparse.ArgumentError as error:
        parser.error(str(error))
    except CxrError as error:
        say(error)
        return Status.FAILED
    except BrokenPipeError:  # the program that takes our output has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Status.FAILED
    except OSError as error:
        say(Message("cli.file_error", file=error.filename or "", reason=error.strerror or str(error)))
        return Status.FAILED
    except KeyboardInterrupt:
        say(Message("cli.stopped"))
        return Status.STOPPED
