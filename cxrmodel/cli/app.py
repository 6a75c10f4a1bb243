"""The ``app`` command: start the web app."""

import argparse

from cxrmodel.cli.command import Command, Status
from cxrmodel.cli.numbers import whole_number
from cxrmodel.prevalence import site_prevalence


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=whole_number(0, 65535), metavar="N", help="default: 8501, or the next free port")
    parser.add_argument("--address", metavar="HOST", help="address to listen on; default: localhost")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="name under which browsers may open the app; may be given more than once, and then only these count; "
        "default: localhost and the address",
    )


def _run(arguments: argparse.Namespace) -> Status:
    site_prevalence()  # a setting that cannot be used is refused here, not on the page
    from cxrmodel.web.keeping.service import open_keeping
    from cxrmodel.web.launch import launch

    if (kept := open_keeping()) is not None:
        kept.close()

    launch(arguments.port, arguments.address, arguments.allow_host)
    return Status.DONE


COMMAND = Command("app", "start the web app, for this computer only unless --address is given", _add_arguments, _run)
