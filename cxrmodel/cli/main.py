"""The command line: runs the command that the arguments name, and turns errors into an exit status."""

import argparse
import os
import sys
from collections.abc import Sequence

from cxrmodel import __version__
from cxrmodel.cli.command import Status, say
from cxrmodel.cli.commands import COMMANDS
from cxrmodel.errors import CxrError
from cxrmodel.messages import Message

OPTIONAL = {
    "keras": "Keras",
    "onnx": "onnx",
    "tensorflow": "TensorFlow",
    "tf2onnx": "tf2onnx",
    "tf_keras_vis": "tf-keras-vis",
}
"""Libraries of the extras ``train`` and ``compare``, and their titles."""


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
    status = Status.FAILED
    try:
        return COMMANDS[arguments.command].run(arguments)
    except argparse.ArgumentError as error:
        parser.error(str(error))
    except CxrError as error:
        message = error.message
    except BrokenPipeError:  # the program that reads standard output has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return status
    except OSError as error:
        reason = error.strerror or str(error)
        named = error.filename not in (None, "")
        message = (
            Message("cli.file_error", file=error.filename, reason=reason)
            if named
            else Message("cli.system_error", reason=reason)
        )
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in OPTIONAL:
            raise
        message = Message("package.missing_extra", library=OPTIONAL[library])
    except KeyboardInterrupt:
        message, status = Message("cli.stopped"), Status.STOPPED
    say(message)
    return status
