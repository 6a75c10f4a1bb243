"""The check of a configuration: everything that it names is tried, by what it is for."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from cxrmodel.configuration.schema import (
    Configuration,
    CstoreTarget,
    DicomwebInbox,
    FolderInbox,
    ReaderSection,
    ScpInbox,
    StoreSection,
    StowTarget,
)
from cxrmodel.configuration.secret import check_secret
from cxrmodel.demo import demo_images
from cxrmodel.errors import CxrError
from cxrmodel.exchange.inbox.inboxes import make_inbox
from cxrmodel.exchange.outbox.targets import make_target
from cxrmodel.exchange.probe import Probe
from cxrmodel.messages import Message
from cxrmodel.outputs import write
from cxrmodel.reading import Reader
from cxrmodel.store.opening import open_store

SECRETS = ("password_file", "token_file", "key_file")
"""Keys whose files only the account of the program may open."""


class Finding(NamedTuple):
    """One line of the check: what was tried, and what came of it."""

    what: Message
    probe: Probe


def findings(configuration: Configuration) -> Iterator[Finding]:
    """Try everything that a configuration names, one after the other.

    Parameters
    ----------
    configuration : Configuration

    Yields
    ------
    Finding
        At least one for the store, the data folder, the model, each secret, each inbox and each target. What fails
        does not stop the others.
    """
    for key, path in _secrets(configuration, ""):
        yield from _tried(Message("work.check.secret", key=key), partial(_secret, path))
    yield from _tried(Message("work.check.folder"), partial(_folder, configuration.store.folder))
    yield from _tried(Message("work.check.store"), partial(_store, configuration.store))
    yield from _tried(Message("work.check.model"), partial(_model, configuration.reader))
    for entry in configuration.inbox.all:
        yield from _tried(Message("work.check.inbox", name=entry.name), partial(_inbox, entry))
    for target in configuration.outbox.all:
        yield from _tried(Message("work.check.target", name=target.name), partial(_target, target))


def _tried(what: Message, probes: Callable[[], Iterator[Probe]]) -> Iterator[Finding]:
    try:
        for probe in probes():
            yield Finding(what, probe)
    except CxrError as error:
        yield Finding(what, Probe(False, error.message))


def _secrets(section: BaseModel, name: str) -> Iterator[tuple[str, Path]]:
    """Every secret's file with its key: ``outbox.stow[1].token_file``."""
    for key, value in section:
        for number, part in enumerate(value if isinstance(value, tuple) else [value], 1):
            here = f"{name}.{key}" if name else key
            if isinstance(part, BaseModel):
                yield from _secrets(part, f"{here}[{number}]" if isinstance(value, tuple) else here)
            elif key in SECRETS and isinstance(part, Path):
                yield here, part


def _secret(path: Path) -> Iterator[Probe]:
    check_secret(path)
    yield Probe(True, Message("work.check.secret_kept"))


def _folder(folder: Path) -> Iterator[Probe]:
    trial = folder / ".cxrmodel-check"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write(trial, b"", overwrite=True)
    trial.unlink()
    yield Probe(True, Message("work.check.writable"))


def _store(section: StoreSection) -> Iterator[Probe]:
    store = open_store(section.address(), section.folder)
    try:
        store.check()
    finally:
        store.close()
    yield Probe(True, Message("work.check.opened"))


def _model(section: ReaderSection) -> Iterator[Probe]:
    reader = Reader.load(section.model, prevalence=section.prevalence)
    image = demo_images()[0].path
    reader.read(image.read_bytes(), image.name)
    yield Probe(True, Message("work.check.reads", model=reader.spec.version))


def _inbox(section: DicomwebInbox | ScpInbox | FolderInbox) -> Iterator[Probe]:
    yield from make_inbox(section).check()


def _target(section: StowTarget | CstoreTarget) -> Iterator[Probe]:
    yield from make_target(section).check()
