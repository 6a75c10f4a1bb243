"""The ``store`` command: create or upgrade the store, look at it, forget images, revive what was given up."""

import argparse
import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Any

from cxrmodel.cli.command import Command, Status, put, say
from cxrmodel.cli.hospital.config import add_configuration
from cxrmodel.cli.numbers import whole_number
from cxrmodel.messages import Message

if TYPE_CHECKING:
    from cxrmodel.store.forget import Forgettable, Selection
    from cxrmodel.store.store import Store


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_configuration(parser)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("upgrade", help="create the store, or bring it to the schema of this version")
    status = actions.add_parser("status", help="count jobs, deliveries and refusals, and check the audit")
    status.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    forget = actions.add_parser(
        "forget",
        help="delete images with everything made of them",
        epilog="Copies that a PACS has are listed, not deleted. The audit keeps that something happened to an image, "
        "and loses which one.",
    )
    chosen = forget.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--patient", metavar="ID", help="all images with this Patient ID")
    chosen.add_argument("--study", metavar="UID", help="all images with this Study Instance UID")
    chosen.add_argument(
        "--older-than",
        type=whole_number(0),
        metavar="DAYS",
        help="all images that arrived so many days ago, or earlier",
    )
    forget.add_argument(
        "--issuer",
        help="with --patient: only where Issuer of Patient ID is this; an empty text: only where there is none",
    )
    forget.add_argument("--dry-run", action="store_true", help="show what would be deleted, and delete nothing")
    forget.add_argument("--yes", action="store_true", help="do not ask")
    dead = actions.add_parser("dead", help="list deliveries and jobs that were given up, or revive them")
    dead.add_argument("--revive", metavar="NAME", help="try one again, by its name in the list, or all")
    for action in actions.choices.values():
        add_configuration(action, again=True)


def _run(arguments: argparse.Namespace) -> Status:
    from cxrmodel.configuration.load import load_configuration
    from cxrmodel.store.opening import open_store

    section = load_configuration(arguments.config).store
    place = section.address(), section.folder
    store = open_store(*place, upgrade=arguments.action == "upgrade")
    try:
        return {"upgrade": _upgrade, "status": _status, "forget": _forget, "dead": _dead}[arguments.action](
            store, arguments
        )
    finally:
        store.close()


def _upgrade(store: "Store", arguments: argparse.Namespace) -> Status:
    say(Message("store.upgraded", folder=str(store.folder)))
    return Status.DONE


def _status(store: "Store", arguments: argparse.Namespace) -> Status:
    from cxrmodel.store.audit import first_broken

    state = store.state()
    with store.database.reading() as session:
        broken = first_broken(session)
    if arguments.json:
        put(json.dumps(dataclasses.asdict(state) | {"audit_broken_at": broken}))
    else:
        for line in _lines(state):
            put(str(line))
        put(str(Message("store.audit_whole") if broken is None else Message("store.audit_broken", entry=broken)))
    return Status.DONE if broken is None else Status.FAILED


def _lines(state: Any) -> list[Message]:
    lines = [Message("store.jobs"), *(Message("store.count", name=name, count=n) for name, n in state.jobs.items())]
    if state.oldest_waiting is not None:
        lines.append(Message("store.oldest_waiting", seconds=state.oldest_waiting))
    lines += [
        Message("store.deliveries"),
        *(Message("store.count", name=name, count=n) for name, n in state.deliveries.items()),
    ]
    if state.oldest_delivery is not None:
        lines.append(Message("store.oldest_delivery", seconds=state.oldest_delivery))
    if state.refusals:
        refusals = sorted(state.refusals.items())
        lines += [Message("store.refusals"), *(Message("store.count", name=code, count=n) for code, n in refusals)]
    return lines


def _forget(store: "Store", arguments: argparse.Namespace) -> Status:
    from cxrmodel.store.forget import forget, forgettable

    selection = _selection(arguments)
    found = forgettable(store, selection)
    _tell(found)
    if arguments.dry_run:
        return Status.DONE
    if not found.is_empty and not arguments.yes and not _confirmed():
        say(Message("store.nothing_deleted"))
        return Status.STOPPED
    forget(store, selection)  # also where nothing is left: an earlier run may have been interrupted at its end
    say(Message("store.nothing_found" if found.is_empty else "store.deleted"))
    return Status.DONE


def _selection(arguments: argparse.Namespace) -> "Selection":
    from cxrmodel.store.forget import OfPatient, OfStudy, OlderThan

    if arguments.issuer is not None and arguments.patient is None:
        raise argparse.ArgumentError(None, str(Message("store.issuer_alone")))
    if arguments.patient is not None:
        return OfPatient(arguments.patient, arguments.issuer)
    return OfStudy(arguments.study) if arguments.study is not None else OlderThan(arguments.older_than)


def _tell(found: "Forgettable") -> None:
    counts = {name: value for name, value in dataclasses.asdict(found).items() if name != "copies"}
    say(Message("store.forgettable", **counts))
    if found.copies:
        say(Message("store.copies"))
        for copy in found.copies:
            put(f"{copy.target}\t{copy.uid}")


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise argparse.ArgumentError(None, str(Message("store.cannot_ask")))
    say(Message("store.ask"))
    return sys.stdin.readline().strip() == "yes"


def _dead(store: "Store", arguments: argparse.Namespace) -> Status:
    if arguments.revive is None:
        for dead in store.dead_letters():
            place = Message("store.to_target", target=dead.target) if dead.target else Message("store.to_reader")
            values = {"what": dead.name, "place": place, "tries": dead.tries, "reason": dead.code}
            put(str(Message("store.dead", since=f"{dead.since:%Y-%m-%d %H:%M}", **values)))
        return Status.DONE
    if arguments.revive == "all":
        count = store.revive("delivery") + store.revive("job")
    else:
        named = [dead for dead in store.dead_letters() if dead.name == arguments.revive]
        if not named:
            raise argparse.ArgumentError(None, str(Message("store.no_dead", name=arguments.revive)))
        count = sum(store.revive(dead.what, dead.id) for dead in named)
    say(Message("store.revived", count=count))
    return Status.DONE


COMMAND = Command("store", "create, upgrade, inspect and prune the store of a hospital", _add_arguments, _run)
