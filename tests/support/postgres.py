"""A real PostgreSQL for tests: on a free port of this machine, in a folder of its own."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import psycopg

from tests.support.programs import require_program
from tests.support.server import free_port

_TRIES = 5
"""Another process may take a free port before PostgreSQL does."""


class Postgres:
    """A database server. PostgreSQL refuses to run as root; root lends it to the account ``postgres``.

    Parameters
    ----------
    programs : Path
        Folder of ``initdb`` and ``pg_ctl``.

    Attributes
    ----------
    port : int
        Of the address 127.0.0.1; the same after a new start.
    """

    def __init__(self, programs: Path) -> None:
        self._programs, self.port = programs, 0
        self.folder = Path(tempfile.mkdtemp(prefix="cxr-postgres-", dir="/tmp"))
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._run("initdb", "-D", self._data, "-U", "cxr", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def start(self, durable: bool = False) -> "Postgres":
        """Start, and wait until it answers; without ``durable`` it survives its own end, but no power cut."""
        fixed, log = self.port, str(self.folder / "log")
        for tries_left in reversed(range(1 if fixed else _TRIES)):
            self.port = fixed or free_port()
            options = f"-c listen_addresses=127.0.0.1 -c fsync={'on' if durable else 'off'} "
            options += f"-p {self.port} -k {self.folder}"
            arguments = ("-D", self._data, "-l", log, "-w", "-t", "60", "-o", options, "start")
            if self._run("pg_ctl", *arguments, check=not tries_left):
                break
        return self

    def stop(self, mode: str = "fast") -> None:
        """Stop; ``immediate`` is as if it had crashed."""
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "stop")

    def database(self) -> str:
        """Create an empty database; its address as of ``CXR_STORE``."""
        name = f"cxr_{uuid.uuid4().hex}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.address(name).replace("postgresql:", "postgresql+psycopg:")

    def address(self, database: str) -> str:
        """Address of a database for psycopg."""
        return f"postgresql://cxr@127.0.0.1:{self.port}/{database}"

    def remove(self) -> None:
        """Stop if need be, and delete the folder."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str, check: bool = True) -> bool:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        # The server keeps what it inherits: a pipe would never end.
        with (self.folder / "programs.log").open("ab") as log:
            done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=check)
        return done.returncode == 0


def make_postgres(give_up: Callable[[str], NoReturn]) -> Postgres:
    """Make a server, not yet started; gives up on the test where PostgreSQL is not installed."""
    return Postgres(Path(require_program("initdb", give_up)).resolve().parent)


@contextmanager
def chosen_database(postgres: bool) -> Iterator[str | None]:
    """Address of a new durable database in PostgreSQL for a script that was asked for it; None else."""
    if not postgres:
        yield None
        return
    server = make_postgres(sys.exit).start(durable=True)
    try:
        yield server.database()
    finally:
        server.remove()
