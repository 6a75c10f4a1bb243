"""Start the app as a program of its own, with the settings that travel with it."""

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from streamlit.web import cli

from cxrmodel.paths import APP, SETTINGS


def settings(
    port: int | None = None, address: str | None = None, hosts: Sequence[str] = (), file: Path = SETTINGS
) -> dict[str, Any]:
    """Give the app's settings by Streamlit's names.

    Parameters
    ----------
    port : int or None
        Where to listen; None takes Streamlit's, 8501 or the next free one.
    address : str or None
        Which address to listen on; None takes that of the settings, which is this machine alone.
    hosts : sequence of str
        Names under which browsers may ask for the app; empty takes those of this machine and of the address.
    file : Path
        A Streamlit ``config.toml``.
    """
    values = {
        f"{section}.{name}": value
        for section, options in tomllib.loads(file.read_text(encoding="utf-8")).items()
        for name, value in options.items()
    }
    if port is not None:
        values["server.port"] = port
    if address is not None:
        values["server.address"] = address
    if hosts:
        values["server.allowedHosts"] = hosts
    return values


def flags(
    port: int | None = None, address: str | None = None, hosts: Sequence[str] = (), file: Path = SETTINGS
) -> list[str]:
    """Write the app's settings as arguments of ``streamlit run``.

    Arguments win over the environment and over every other configuration file, so a folder or a user's own
    configuration cannot open the server to other machines or turn usage statistics on.

    Parameters
    ----------
    port, address, hosts, file
        As for :func:`settings`.
    """
    values = settings(port, address, hosts, file)
    return [f"--{name}={_written(one)}" for name, value in values.items() for one in _each(value)]


def launch(port: int | None = None, address: str | None = None, hosts: Sequence[str] = ()) -> None:
    """Run the app until it is stopped.

    Parameters
    ----------
    port, address, hosts
        As for :func:`settings`.
    """
    cli.main(["run", str(APP), *flags(port, address, hosts)], prog_name="cxrmodel app", standalone_mode=False)


def _each(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else [value]


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
