"""The ``config`` command: check the configuration of a hospital, or show what one may hold."""

import argparse
from pathlib import Path

from cxrmodel.cli.command import Command, Status, put
from cxrmodel.messages import Message


def add_configuration(parser: argparse.ArgumentParser, *, again: bool = False) -> None:
    """Add the option that names the configuration file.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    again : bool
        Whether the parser above this one has the option too; its value then holds where this one gets none.
    """
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE.toml",
        default=argparse.SUPPRESS if again else None,
        help="configuration; default: the file that CXR_CONFIG names",
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser(
        "check",
        help="check the file, the store, the folders, the model and every connection",
        epilog="Each line says passed, failed or not tested. Exit status: 0 when everything passed, 3 when "
        "anything was not tested, 1 when anything failed.",
    )
    add_configuration(check)
    actions.add_parser("example", help="print a file with every key and its meaning")
    actions.add_parser("reference", help="print the reference page, as Markdown")


def _run(arguments: argparse.Namespace) -> Status:
    if arguments.action == "check":
        return _check(arguments.config)
    from cxrmodel.configuration.document import example, reference_page

    put({"example": example, "reference": reference_page}[arguments.action]().rstrip("\n"))
    return Status.DONE


def _check(path: Path | None) -> Status:
    from cxrmodel.configuration.load import configuration_file, needed_configuration

    configuration = needed_configuration(path)
    _line(True, Message("work.check.file"), Message("work.check.valid", file=str(configuration_file(path))))
    from cxrmodel.imaging.sandbox.pool import start_sandbox

    start_sandbox()
    from cxrmodel.work.check import findings

    worst = Status.DONE
    for what, probe in findings(configuration):
        _line(probe.passed, what, probe.message)
        if probe.passed is False:
            worst = Status.FAILED
        elif probe.passed is None and worst is Status.DONE:
            worst = Status.NOT_ALL_READ
    return worst


def _line(passed: bool | None, what: Message, finding: Message) -> None:
    code = {True: "work.check.passed", False: "work.check.failed", None: "work.check.not_tested"}[passed]
    put(str(Message("work.check.line", status=Message(code), what=what, finding=finding)))


COMMAND = Command("config", "check or show the configuration of a hospital", _add_arguments, _run)
