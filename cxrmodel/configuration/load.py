"""Loading the configuration: a TOML file in, a valid ``Configuration`` or one error that names every fault out."""

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from cxrmodel.configuration.schema import BASE, Configuration
from cxrmodel.errors import SettingError
from cxrmodel.messages import Message
from cxrmodel.records import read_document

SETTING = "CXR_CONFIG"
"""Environment variable: the configuration file."""
_TABLE = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]")
_PREFIX = re.compile(r"^(Input|String|Tuple|Value error,) ")
_KEY = re.compile(r"\s*([\w-]+)\s*=")


def configuration_file(path: Path | None = None) -> Path | None:
    """The file that is used: the one given, else that of ``CXR_CONFIG``, else none."""
    named = os.environ.get(SETTING, "").strip()
    return path or (Path(named) if named else None)


def load_configuration(path: Path | None = None) -> Configuration:
    """Load the configuration of this site.

    Parameters
    ----------
    path : Path, optional
        Instead of ``CXR_CONFIG``. Where neither is set, every key has its default.

    Raises
    ------
    SettingError
        With every fault of the file: its line, its key, what is wrong, what to do.
    """
    file = configuration_file(path)
    if file is None:
        return Configuration()
    try:
        text = read_document(file).decode()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingError("configuration.unreadable", file=str(file), reason=reason) from error
    return parse_configuration(text, file)


def needed_configuration(path: Path | None = None) -> Configuration:
    """Load the configuration for a command that has nothing to do without one; raises as ``load_configuration``."""
    if configuration_file(path) is None:
        raise SettingError("configuration.none", setting=SETTING)
    return load_configuration(path)


def parse_configuration(text: str, file: Path) -> Configuration:
    """Check the text of a configuration file.

    Parameters
    ----------
    text : str
    file : Path
        Its place: relative paths count from its folder.

    Raises
    ------
    SettingError
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError("configuration.no_toml", file=str(file), problem=str(error)) from error
    try:
        # As JSON, which has one kind of list and no types that only look like another.
        return Configuration.model_validate_json(json.dumps(table, default=str), context={BASE: file.absolute().parent})
    except ValidationError as error:
        found = [_fault(item, text) for item in error.errors(include_url=False)]
        raise SettingError("configuration.wrong", file=str(file), faults=tuple(found)) from error


def _fault(item: Mapping[str, Any], text: str) -> Message:
    place = item["loc"]
    values: dict[str, Any] = {"where": _where(place, text), "key": key_name(place)}
    if item["type"] == "extra_forbidden":
        known = sorted(_keys_beside(place))
        near = get_close_matches(str(place[-1]), known, 1, 0.6)
        if near:
            return Message("configuration.unknown_near", nearest=near[0], **values)
        return Message("configuration.unknown", known=tuple(known), **values)
    if item["type"] == "missing":
        return Message("configuration.missing", **values)
    return Message("configuration.wrong_value", problem=_PREFIX.sub("", item["msg"]), **values)


def key_name(place: tuple[int | str, ...]) -> str:
    """Name a key as the file does, tables of a list counted from 1: ``inbox.dicomweb[1].url``."""
    name = ""
    for part in place:
        name += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if name else part
    return name


def section_at(place: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The section of the schema in which a place lies; None where there is none."""
    section: type[BaseModel] = Configuration
    for part in place:
        if isinstance(part, int):
            continue
        field = section.model_fields.get(part)
        inner = field and next(iter(sections_in(field.annotation)), None)
        if inner is None:
            return None
        section = inner
    return section


def sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Sections that a field's type holds: itself, or the entries of a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    else:
        for part in get_args(annotation):
            yield from sections_in(part)


def _keys_beside(place: tuple[int | str, ...]) -> set[str]:
    section = section_at(place[:-1])
    return set(section.model_fields) if section else set()


def _where(place: tuple[int | str, ...], text: str) -> Message:
    line = _line_of(place, text)
    return Message("configuration.line", line=line) if line else Message("configuration.file")


def _line_of(place: tuple[int | str, ...], text: str) -> int | None:
    """Line of a key, or of the table that holds it; None where the file writes it in another way."""
    best, best_depth = None, 0
    here: tuple[int | str, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if table := _TABLE.match(line):
            names = tuple(part.strip().strip("\"'") for part in table[2].split("."))
            if table[1] == "[[":
                counts[names] = counts.get(names, -1) + 1
                here = (*names, counts[names])
            else:
                here = names
            found = here
        elif key := _KEY.match(line):
            found = (*here, key[1])
        else:
            continue
        if found == place[: len(found)] and len(found) > best_depth:
            best, best_depth = number, len(found)
    return best
