"""Command of the command line: its entry in the registry, its exit status, and messages on standard error."""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from cxrmodel.errors import OutputFailed


class Status(IntEnum):
    """Exit status of the program. Wrong usage is 2, which argparse gives."""

    DONE = 0
    FAILED = 1
    NOT_ALL_READ = 3
    STOPPED = 130


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes
    ----------
    name, help : str
        Name on the command line, and a description in one line.
    add_arguments : callable
        Adds the command's arguments to its parser. Imports nothing heavy: help and wrong usage answer at once.
    run : callable
        Does the work and gives the exit status. Raises ``argparse.ArgumentError`` for arguments that do not fit
        together.
    epilog : str
        Text below the arguments in ``--help``.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Status]
    epilog: str = ""


class ReaderGone(Exception):
    """The program that reads standard output has ended."""


def say(message: object) -> None:
    """Print a message on standard error; standard output is for results."""
    print(message, file=sys.stderr)


def put(line: str) -> None:
    """Print a result on standard output at once.

    Raises
    ------
    ReaderGone
    OutputFailed
        When it cannot be written, for example because the disk is full.
    """
    try:
        print(line, flush=True)
    except OSError as error:
        abandon_output()
        if isinstance(error, BrokenPipeError):
            raise ReaderGone from error
        raise OutputFailed("cli.output_failed", reason=error.strerror or str(error)) from error


def abandon_output() -> None:
    """Drop what standard output has not taken, so that nothing fails again when the program ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
