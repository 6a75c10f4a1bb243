"""Compare the numbers of two versions: ``python tests/support/compare_versions.py --old DIR --new DIR --images DIR``.

Both versions read the same images on this machine (``python -m cxrmodel read --json``), and their evaluations, the
JSON files that ``evaluate`` wrote, are compared number by number. Every difference is listed with its place, the old
value, the new value and its cause. Timings (``milliseconds``, ``seconds``) are left out.

Readings
    Must be equal in every value: probability, finding, thresholds, model, prevalence and so on. ``reasons`` are
    sentences, so only their number counts. Keys that only the new version writes are listed once. Nothing excuses a
    difference.
Evaluations
    Numbers, booleans, null, hashes and a few choices are compared exactly; prose is not. Keys and records may have new
    names or places, and a number may have become an estimate (value, low, high, n). Records of a list are matched by
    name, or by position where names were reworded, which the output says. A number that only the old version has
    needs a cause; one that only the new version has is listed without.

The tables of new names, new places and causes lie in ``compare_versions.toml`` beside this file (``--tables``).
With ``--old-readings`` and ``--new-readings`` saved outputs are compared instead of fresh ones.

Exit status: 0 when every difference has a cause, 1 when one has none, 2 for wrong usage or when a version fails to run.
"""

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path
from typing import Literal, TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | None"
Record: TypeAlias = "dict[str, Json]"
Kind: TypeAlias = Literal["changed", "old only", "new only"]

TABLES = Path(__file__).with_suffix(".toml")
TIMINGS = {"milliseconds", "seconds"}
CHOICES = {"model", "version", "chosen", "default", "patient", "organism"}
IDENTITIES = ("file", "id", "code", "name", "group", "class", "method", "title")
FINISHED = (0, 3)  # exit statuses of `read`: everything was read, or something was rejected


class UsageError(Exception):
    """The comparison cannot be made; the message says why."""


@dataclass(frozen=True)
class Cause:
    """An expected change: a shell-style pattern of places, a kind of difference or None for any, and the reason."""

    place: str
    reason: str
    kind: Kind | None = None


@dataclass(frozen=True)
class Tables:
    """New names of words, keys and branches, and the causes of change."""

    words: dict[str, str] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    moves: dict[str, str] = field(default_factory=dict)
    causes: Sequence[Cause] = ()

    @classmethod
    def load(cls, path: Path) -> "Tables":
        """Read the tables from a TOML file."""
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(**{**tables, "causes": [Cause(**cause) for cause in tables.get("causes", [])]})

    def names(self, name: str) -> Iterator[str]:
        """Yield the names that an old key or record may have in the new version, the likeliest first."""
        plain = re.sub(r"[^a-z0-9+]+", "_", name.lower()).strip("_")
        for written in (name, plain):
            for renamed in self._reworded(written):
                yield renamed
                yield from self.keys.get(renamed, ())

    def cause(self, place: str, kind: Kind) -> str | None:
        """Reason why a difference of this kind is expected at a place, or None."""
        fits = (c for c in self.causes if fnmatchcase(place, c.place) and c.kind in (None, kind))
        return next((cause.reason for cause in fits), None)

    def _reworded(self, name: str) -> Iterator[str]:
        """Yield the name as it is, then with some or all of its words renamed."""
        parts = re.split(r"([A-Za-z]+)", name)
        for choice in product(*((part, self.words[part]) if part in self.words else (part,) for part in parts)):
            yield "".join(choice)


@dataclass(frozen=True)
class Difference:
    """One value that differs, or that only one version has (the other is then None)."""

    place: str
    kind: Kind
    old: Json
    new: Json
    cause: str | None = None

    def __str__(self) -> str:
        """Place, old value, new value."""
        old = "-" if self.kind == "new only" else json.dumps(self.old)
        new = "-" if self.kind == "old only" else json.dumps(self.new)
        return f"{self.place}: {old} -> {new}"


@dataclass
class Comparison:
    """Everything that a comparison found.

    Attributes
    ----------
    compared : int
        Number of values that both versions have.
    differences : list of Difference
    notes : list of str
        What a reader should know, such as records matched by position.
    """

    tables: Tables
    compared: int = 0
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def unexplained(self) -> list[Difference]:
        """Differences that nothing accounts for. A number that only the new version has needs no cause."""
        return [d for d in self.differences if d.cause is None and (d.kind != "new only" or is_reading(d))]

    def add(self, place: str, kind: Kind, old: Json, new: Json) -> None:
        """List a difference with its cause."""
        self.differences.append(Difference(place, kind, old, new, self.tables.cause(place, kind)))

    # Evaluations

    def evaluations(self, name: str, old: Record, new: Record) -> None:
        """Compare two evaluations, whose places begin with ``name``."""
        for source, target in self.tables.moves.items():
            if _at(new, target.split("/")) is not None:
                old = _moved(old, source.split("/"), target.split("/"))
        self._pair(name, old, new)

    def _pair(self, place: str, old: Json, new: Json) -> None:
        if isinstance(old, dict) and isinstance(new, dict):
            self._pair_dicts(place, old, new)
        elif isinstance(old, list) and isinstance(new, list):
            self._pair_lists(place, old, new)
        elif isinstance(new, dict) and _is_number(old) and "value" in new:
            self._pair_dicts(place, {"value": old}, new)
        elif isinstance(old, dict) and _is_number(new) and "value" in old:
            self._pair_dicts(place, old, {"value": new})
        elif isinstance(old, dict | list) or isinstance(new, dict | list):
            self._one_side(place, "old only", old)
            self._one_side(place, "new only", new)
        elif _counts(place, old) or _counts(place, new):
            self.compared += 1
            if not _equal(old, new):
                self.add(place, "changed", old, new)

    def _pair_dicts(self, place: str, old: Record, new: Record) -> None:
        partners: dict[str, str] = {}
        for key in old:
            taken = set(partners.values())
            partner = next((name for name in self.tables.names(key) if name in new and name not in taken), None)
            if partner is not None:
                partners[key] = partner
        for key, value in _with_estimates(old, new, partners).items():
            if key in partners:
                self._pair(f"{place}/{partners[key]}", value, new[partners[key]])
            else:
                self._one_side(f"{place}/{key}", "old only", value)
        for key, value in new.items():
            if key not in partners.values():
                self._one_side(f"{place}/{key}", "new only", value)

    def _pair_lists(self, place: str, old: list[Json], new: list[Json]) -> None:
        names = self._identities(place, old, new)
        if names is not None:
            self._pair_dicts(place, *(dict(zip(*side, strict=True)) for side in zip(names, (old, new), strict=True)))
            return
        for index in range(max(len(old), len(new))):
            here = f"{place}/#{index + 1}"
            if index >= len(new):
                self._one_side(here, "old only", old[index])
            elif index >= len(old):
                self._one_side(here, "new only", new[index])
            else:
                self._pair(here, old[index], new[index])

    def _identities(self, place: str, old: list[Json], new: list[Json]) -> tuple[list[str], list[str]] | None:
        """Names of the records of two lists, the old ones as the new version has them; None where there are none."""
        best: tuple[list[str], list[str]] | None = None
        most = -1
        for new_key, old_key in product(IDENTITIES, IDENTITIES):
            new_names = _texts(new, new_key)
            old_names = [
                next((n for n in self.tables.names(name) if n in new_names), name) for name in _texts(old, old_key)
            ]
            shared = len(set(old_names) & set(new_names))
            if old_names and new_names and len(set(old_names)) == len(old_names) and shared > most:
                best, most = (old_names, new_names), shared
        if best is None:
            return None
        old_names, new_names = best
        rest = [name for name in new_names if name not in old_names]
        if rest and len(old_names) == len(new_names):
            self.notes.append(f"{place}: matched by position, as names differ: {', '.join(rest)}")
            following = iter(rest)
            old_names = [name if name in new_names else next(following) for name in old_names]
        return old_names, new_names

    def _one_side(self, place: str, kind: Kind, value: Json) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                self._one_side(f"{place}/{key}", kind, inner)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self._one_side(f"{place}/#{index + 1}", kind, inner)
        elif value is not None and _counts(place, value):
            self.add(place, kind, *((value, None) if kind == "old only" else (None, value)))

    # Readings

    def readings(self, old: Sequence[Record], new: Sequence[Record]) -> None:
        """Compare what both versions read from the same files, in any order; another order is a difference."""
        before, after = _by_file(old), _by_file(new)
        moved = {Path(file).name: file for file in after if file not in before}
        partners = {file: file if file in after else moved.pop(Path(file).name, None) for file in before}
        added: Counter[str] = Counter()
        for file, partner in partners.items():
            if partner is None:
                self._reading_differs(file, "old only", before[file].get("status"), None)
            else:
                self._pair_readings(file, before[file], after[partner], added)
        for file in after.keys() - set(partners.values()):
            self._reading_differs(file, "new only", None, after[file].get("status"))
        order = [file for file in partners.values() if file is not None]
        if order != [file for file in after if file in set(order)]:
            self._reading_differs("order of the files", "changed", None, None)
        self.notes += [f"readings: new key {key} in {count} of {len(after)}" for key, count in sorted(added.items())]

    def _pair_readings(self, file: str, old: Record, new: Record, added: Counter[str]) -> None:
        for key in old.keys() - TIMINGS - {"file"}:
            if key not in new:
                self._reading_differs(f"{file}/{key}", "old only", old[key], None)
                continue
            values = [record[key] for record in (old, new)]
            if key == "reasons":
                values = [len(value) if isinstance(value, list) else value for value in values]
            self.compared += 1
            if not _equal(*values):
                self._reading_differs(f"{file}/{key}", "changed", *values)
        added.update(new.keys() - old.keys() - TIMINGS)

    def _reading_differs(self, place: str, kind: Kind, old: Json, new: Json) -> None:
        self.differences.append(Difference(f"readings/{place}", kind, old, new))


def is_reading(difference: Difference) -> bool:
    """Whether a difference is one of readings, which nothing excuses."""
    return difference.place.startswith("readings/")


def run_read(checkout: Path, python: Path, images: Sequence[Path]) -> str:
    """Standard output of ``read --json`` of a checkout over files and folders.

    Raises
    ------
    UsageError
        When the command fails.
    """
    command = [str(python), "-m", "cxrmodel", "read", "--json", *(str(path.resolve()) for path in images)]
    environment = {**os.environ, "PYTHONPATH": str(checkout.resolve()), "TF_CPP_MIN_LOG_LEVEL": "3"}
    run = subprocess.run(command, cwd=checkout, env=environment, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    if run.returncode not in FINISHED:
        raise UsageError(f"{checkout}: read ended with exit status {run.returncode}")
    return run.stdout


def report(comparison: Comparison, summary: bool) -> str:
    """Text of a comparison: notes, differences by cause, additions, and the unexplained last."""
    groups: dict[str, list[Difference]] = {}
    for difference in comparison.differences:
        if difference.cause is not None:
            groups.setdefault(difference.cause, []).append(difference)
    known = {id(d) for group in groups.values() for d in group} | {id(d) for d in comparison.unexplained}
    groups["Only in the new version"] = [d for d in comparison.differences if id(d) not in known]
    groups["Unexplained"] = comparison.unexplained
    lines = [f"{comparison.compared} values compared, {len(comparison.differences)} differences", *comparison.notes]
    for title, differences in groups.items():
        lines += ["", f"{title}: {len(differences)}"]
        if not summary or title == "Unexplained":
            lines += [f"  {difference}" for difference in differences]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    options = _parser().parse_args(arguments)
    comparison = Comparison(Tables.load(options.tables))
    try:
        _compare(options, comparison)
        if not comparison.compared:
            raise UsageError("nothing was compared: give readings or evaluations of both versions")
    except (UsageError, OSError, ValueError) as error:
        print(f"compare_versions: {error}", file=sys.stderr)
        return 2
    print(report(comparison, options.summary))
    return 1 if comparison.unexplained else 0


def _compare(options: argparse.Namespace, comparison: Comparison) -> None:
    sides = ("old", "new")
    outputs = {side: _readings(options, side) for side in sides}
    if all(outputs.values()):
        comparison.readings(*(_records(outputs[side]) for side in sides))
    elif any(outputs.values()):
        raise UsageError("readings of one version only: give both, or both checkouts and --images")
    else:
        comparison.notes.append("readings: not compared")
    folders = [_evaluations(options, side) for side in sides]
    if None in folders:
        comparison.notes.append("evaluations: not compared")
        return
    for name in options.evaluations:
        old, new = (json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for folder in folders if folder)
        comparison.evaluations(name, old, new)


def _readings(options: argparse.Namespace, side: str) -> str:
    saved, checkout = getattr(options, f"{side}_readings"), getattr(options, side)
    if saved:
        return "".join(path.read_text(encoding="utf-8") for path in saved)
    if checkout is None or not options.images:
        return ""
    output = run_read(
        checkout, getattr(options, f"{side}_python") or (checkout / ".venv/bin/python").absolute(), options.images
    )
    if options.save:
        options.save.mkdir(parents=True, exist_ok=True)
        (options.save / f"{side}.jsonl").write_text(output, encoding="utf-8")
    return output


def _evaluations(options: argparse.Namespace, side: str) -> Path | None:
    folder, checkout = getattr(options, f"{side}_evaluations"), getattr(options, side)
    return folder or (checkout / "assets/evaluation" if checkout else None)


def _parser() -> argparse.ArgumentParser:
    description, _, details = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=details, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for side in ("old", "new"):
        group = parser.add_argument_group(f"{side} version")
        group.add_argument(f"--{side}", type=Path, metavar="DIR", help="its checkout")
        group.add_argument(f"--{side}-python", type=Path, metavar="FILE", help="default: DIR/.venv/bin/python")
        group.add_argument(
            f"--{side}-readings", type=Path, nargs="+", metavar="FILE.jsonl", help="saved output; nothing is run"
        )
        group.add_argument(
            f"--{side}-evaluations", type=Path, metavar="DIR", help="default: assets/evaluation in the checkout"
        )
    parser.add_argument("--images", type=Path, nargs="+", metavar="PATH", help="files and folders that both read")
    parser.add_argument(
        "--evaluations", nargs="+", metavar="NAME", default=["densenet121", "cnn"], help="default: both"
    )
    parser.add_argument("--save", type=Path, metavar="DIR", help="keep the readings as old.jsonl and new.jsonl")
    parser.add_argument("--tables", type=Path, metavar="FILE.toml", default=TABLES, help="new names and causes")
    parser.add_argument("--summary", action="store_true", help="list only counts, except for what is unexplained")
    return parser


def _records(output: str) -> list[Record]:
    return [json.loads(line) for line in output.splitlines() if line.strip()]


def _by_file(records: Sequence[Record]) -> dict[str, Record]:
    files = {str(record["file"]): record for record in records}
    if len(files) != len(records):
        raise UsageError("a file occurs twice among the readings of one version")
    return files


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float)


def _counts(place: str, value: Json) -> bool:
    """Whether a single value is compared: no timing, and no prose."""
    keys = place.split("/")
    if TIMINGS & set(keys):
        return False
    return not isinstance(value, str) or keys[-1] in CHOICES or any(key.endswith("sha256") for key in keys)


def _equal(old: Json, new: Json) -> bool:
    both_nan = all(isinstance(value, float) and math.isnan(value) for value in (old, new))
    return both_nan or old == new


def _with_estimates(old: Record, new: Record, partners: dict[str, str]) -> Record:
    """Old values, with ``x`` and ``x_interval`` joined where the new version has one estimate ``x`` for both."""
    joined = dict(old)
    for key, value in old.items():
        interval, estimate = old.get(f"{key}_interval"), new.get(partners.get(key, ""))
        if isinstance(interval, dict) and isinstance(estimate, dict) and f"{key}_interval" not in partners:
            joined[key] = {**interval, "value": value}
            del joined[f"{key}_interval"]
    return joined


def _texts(records: list[Json], key: str) -> list[str]:
    """Value of a key in each record, where all are texts and none occurs twice; otherwise nothing."""
    values = [record.get(key) if isinstance(record, dict) else None for record in records]
    texts = [value for value in values if isinstance(value, str)]
    return texts if len(texts) == len(records) == len(set(texts)) else []


def _at(record: Json, path: Sequence[str]) -> Json:
    """What lies at a path of keys, or None."""
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def _moved(record: Record, source: Sequence[str], target: Sequence[str]) -> Record:
    """A copy of a record in which one branch, where it is there, lies elsewhere."""
    copy: Record = json.loads(json.dumps(record))
    parent = _at(copy, source[:-1])
    if not isinstance(parent, dict) or source[-1] not in parent:
        return record
    branch, place = parent.pop(source[-1]), copy
    for key in target[:-1]:
        inner = place.setdefault(key, {})
        if not isinstance(inner, dict):
            raise UsageError(f"tables: nothing can move to {'/'.join(target)}, as {key} holds a value")
        place = inner
    if target[-1] in place:
        raise UsageError(f"tables: nothing can move to {'/'.join(target)}, which the old version has too")
    place[target[-1]] = branch
    return copy


if __name__ == "__main__":
    sys.exit(main())
