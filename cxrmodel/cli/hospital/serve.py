"""The ``serve`` command: the web app and the HTTP interface, for this computer."""

import argparse
from ipaddress import ip_address

from cxrmodel.cli.command import Command, Status
from cxrmodel.cli.hospital.config import add_configuration
from cxrmodel.cli.numbers import whole_number
from cxrmodel.errors import SettingError
from cxrmodel.extras import need


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_configuration(parser)
    parser.add_argument("--port", type=whole_number(1, 65535), metavar="N", help="instead of that in the configuration")
    parser.add_argument(
        "--address", metavar="HOST", help="instead of that in the configuration; an address of this computer"
    )


def _run(arguments: argparse.Namespace) -> Status:
    from cxrmodel import logs
    from cxrmodel.configuration.load import configuration_file, load_configuration

    configuration = load_configuration(arguments.config)
    given = {"port": arguments.port, "host": _loopback(arguments.address)}
    api = configuration.api.replace(**{name: value for name, value in given.items() if value is not None})
    configuration = configuration.replace(api=api)
    targets, inboxes = configuration.outbox.all, configuration.inbox.all
    logs.start(configuration.log.format == "json", [entry.name for entry in (*targets, *inboxes)])
    for library in ("fastapi", "prometheus_client", "sqlalchemy", "highdicom"):
        need(library, extra="hospital")
    from cxrmodel.web.api.server import serve

    serve(configuration, with_store=configuration_file(arguments.config) is not None)
    return Status.DONE


def _loopback(address: str | None) -> str | None:
    """Give an address of this computer.

    Raises
    ------
    SettingError
        For any other: there is no sign-in and no encryption yet.
    """
    try:
        here = address is None or address == "localhost" or ip_address(address).is_loopback
    except ValueError:
        here = False
    if not here:
        raise SettingError("api.not_here", address=str(address))
    return address


COMMAND = Command("serve", "start the web app with its HTTP interface, for this computer only", _add_arguments, _run)
