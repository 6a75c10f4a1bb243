"""Compare the numbers of two versions: ``python tests/support/compare_versions.py --old DIR --new DIR --images DIR``.

Both versions read the same images on this machine (``python -m cxrmodel read --json``), and their evaluations, the
JSON files that ``evaluate`` wrote, are compared number by number. Every difference is listed with its place, the old
value, the new value and its cause. Timings (``milliseconds``, ``seconds``) are left out.

Readings
    Must be equal in every value: probability, finding, thresholds, model, prevalence and so on. ``reasons`` are
    sentences, so only their number counts. Keys that only the new version writes are listed once. Nothing excuses a
    difference.
Evaluations
    Numbers, booleans, hashes and choices are compared exactly; titles and descriptions are not. Records of a list are
    matched by name where they have one, else by position. Where the two formats differ, the tables say where a value of
    the old format lies in the new one: under other names, at another place, or as the ``value`` of an estimate. A value
    that only the old version has needs a cause; one that only the new version has is listed without.

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
from pathlib import Path
from typing import Literal, TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | None"
Record: TypeAlias = "dict[str, Json]"
Tree: TypeAlias = "dict[str, Tree | Json]"
Kind: TypeAlias = Literal["changed", "old only", "new only"]

TABLES = Path(__file__).with_suffix(".toml")
TIMINGS = {"milliseconds", "seconds"}
IDENTITIES = ("file", "id", "code", "name", "group", "method", "title")
NOT_COMPARED = {*IDENTITIES, "description", "short", "note", "how", "default_rule", "created"}  # texts only
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
    """New places and names, and the causes of change.

    Attributes
    ----------
    moves : dict of str to str or list of str
        Regular expression of the beginning of an old place, and its replacement, or all of several. Applied in order.
    keys : dict of str to str
        Whole keys and names of records.
    words : dict of str to str
        Words inside a key or name.
    causes : sequence of Cause
    """

    moves: dict[str, str | list[str]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    causes: Sequence[Cause] = ()

    @classmethod
    def load(cls, path: Path) -> "Tables":
        """Read the tables from a TOML file."""
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(**{**tables, "causes": [Cause(**cause) for cause in tables.get("causes", [])]})

    def places(self, place: str, new: Tree) -> list[str]:
        """Where the value of an old place lies in the new version; an unknown part of a place stays as it is."""
        places = {place: None}
        for pattern, replacement in self.moves.items():
            targets = [replacement] if isinstance(replacement, str) else replacement
            places = {re.sub(rf"^{pattern}(?=/|$)", t, p): None for p in places for t in targets}
        return [self._named(place, new) for place in places]

    def names(self, name: str) -> Iterator[str]:
        """Yield the names that an old key or record may have in the new version, the likeliest first."""
        reworded = re.sub(r"[A-Za-z]+", lambda word: self.words.get(word[0], word[0]), name)
        if name in self.keys:
            yield self.keys[name]
        for written in (name, reworded):
            yield written
            yield re.sub(r"[^a-z0-9]+", "_", written.lower()).strip("_")
        yield name.removesuffix("_interval")

    def cause(self, place: str, kind: Kind) -> str | None:
        """Reason why a difference of this kind is expected at a place, or None."""
        fits = (c for c in self.causes if fnmatchcase(place, c.place) and c.kind in (None, kind))
        return next((cause.reason for cause in fits), None)

    def _named(self, place: str, new: Tree) -> str:
        """A place with each key and name as the new version has it."""
        node: Tree | Json = new
        keys = []
        for key in place.split("/"):
            inside = node if isinstance(node, dict) else {}
            keys.append(next((name for name in self.names(key) if name in inside), key))
            node = inside.get(keys[-1])
        return "/".join([*keys, "value"] if isinstance(node, dict) and "value" in node else keys)


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
    compared : Counter of str
        Number of values that both versions have, by what they belong to.
    differences : list of Difference
    notes : list of str
        What a reader should know, such as records matched by position.
    """

    tables: Tables
    compared: "Counter[str]" = field(default_factory=Counter)
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
        same = "format" in old and old["format"] == new.get("format")
        tables = Tables() if same else self.tables
        tree = _tree(new)
        after = dict(_leaves(tree))
        matched: Counter[str] = Counter()
        for old_place, value in _leaves(_tree(old)):
            for place in tables.places(old_place, tree):
                if place in after:
                    matched[place] += 1
                    self._pair(name, place, value, after[place])
                elif value is not None and _counts(place, value):
                    self.add(f"{name}/{place}", "old only", value, None)
        for place, value in after.items():
            if place not in matched and value is not None and _counts(place, value):
                self.add(f"{name}/{place}", "new only", None, value)
        repeated = [place for place, count in matched.items() if count > 1]
        if repeated:
            branches = sorted({place.rsplit("/", 1)[0] for place in repeated})
            self.notes.append(f"{name}: {len(repeated)} values have two of the old version, in {', '.join(branches)}")

    def _pair(self, name: str, place: str, old: Json, new: Json) -> None:
        if _counts(place, old) or _counts(place, new):
            self.compared[name] += 1
            if not _equal(old, new):
                self.add(f"{name}/{place}", "changed", old, new)

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
            self.compared["readings"] += 1
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
    lines = [
        f"{comparison.compared.total()} values compared, {len(comparison.differences)} differences",
        *(f"{name}: {count} values" for name, count in comparison.compared.items()),
        *comparison.notes,
    ]
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
        "--evaluations",
        nargs="+",
        metavar="NAME",
        default=["densenet121", "cnn", "seeds", "published"],
        help="files without .json; default: all four",
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


def _tree(value: Record) -> Tree:
    """The same as dicts inside dicts: items of a list by name or ``#1``, without ``/`` in any key."""
    tree: Tree = {}
    for key, inner in value.items():
        if isinstance(inner, list):
            inner = dict(zip(_item_names(inner), inner, strict=True))
        tree[key.replace("/", ":")] = _tree(inner) if isinstance(inner, dict) else inner
    return tree


def _item_names(items: list[Json]) -> list[str]:
    """Names of the items of a list, their numbers where they have none."""
    numbers = [f"#{index + 1}" for index in range(len(items))]
    return next(filter(None, (_texts(items, key) for key in IDENTITIES)), numbers)


def _leaves(tree: Tree, above: str = "") -> Iterator[tuple[str, Json]]:
    """Yield the place and value of all that is no dict."""
    for key, inner in tree.items():
        if isinstance(inner, dict):
            yield from _leaves(inner, f"{above}{key}/")
        else:
            yield f"{above}{key}", inner


def _counts(place: str, value: Json) -> bool:
    """Whether a single value is compared: no timing, and no title or description."""
    keys = place.split("/")
    return not TIMINGS & set(keys) and not (isinstance(value, str) and keys[-1] in NOT_COMPARED)


def _equal(old: Json, new: Json) -> bool:
    both_nan = all(isinstance(value, float) and math.isnan(value) for value in (old, new))
    return both_nan or old == new


def _texts(records: list[Json], key: str) -> list[str]:
    """Value of a key in each record, where all are texts and none occurs twice; otherwise nothing."""
    values = [record.get(key) if isinstance(record, dict) else None for record in records]
    texts = [value for value in values if isinstance(value, str)]
    return texts if len(texts) == len(records) == len(set(texts)) else []


if __name__ == "__main__":
    sys.exit(main())
