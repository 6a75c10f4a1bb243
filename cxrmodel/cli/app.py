"""The ``app`` command: start the web app."""

import argparse

__all__ = ["add_app"]


def add_app(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``app`` to the commands of a parser."""
    app = commands.add_parser("app", help="start the web app, for this computer only unless --address is given")
    app.add_argument("--port", type=int, metavar="N", help="default: 8501, or the next free port")
    app.add_argument("--address", metavar="HOST", help="address to listen on; default: localhost")
    app.set_defaults(run=_app)


def _app(arguments: argparse.Namespace) -> int:
    from cxrmodel.web.launch import launch

    launch(arguments.port, arguments.address)
    return 0
