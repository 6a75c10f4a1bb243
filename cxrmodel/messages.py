"""Messages: what the program has to say as a code and values, and the catalogue that turns them into words.

Logic creates messages and compares codes. Only a page, a command or a document asks for the words. The words are in
``cxrmodel/texts/LANGUAGE/*.toml``: the file name is the first part of a code, tables and keys are the others, so that
``Message("imaging.too_large", ...)`` stands under ``too_large`` in ``imaging.toml``.
"""

import string
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cxrmodel.paths import PACKAGE
from cxrmodel.sinks import contained

TEXTS_FOLDER = PACKAGE / "texts"
LANGUAGE = "en"
"""Folder of ``TEXTS_FOLDER`` from which every text comes."""


class Message:
    """A code and the values that belong to it; equal where both are.

    Parameters
    ----------
    code : str
        Dotted name of a text in the catalogue.
    **values
        Numbers, strings, further messages, or tuples of these, that the text names in braces. They must be hashable.
    """

    __slots__ = ("_values", "code")

    def __init__(self, code: str, **values: Any) -> None:
        self.code = code
        self._values = tuple(sorted(values.items()))

    @property
    def values(self) -> dict[str, Any]:
        """The values by name."""
        return dict(self._values)

    def __str__(self) -> str:
        return catalogue().render(self)

    def __repr__(self) -> str:
        return f"Message({', '.join([repr(self.code), *(f'{name}={value!r}' for name, value in self._values)])})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and (self.code, self._values) == (other.code, other._values)

    def __hash__(self) -> int:
        return hash((self.code, self._values))


class _Formatter(string.Formatter):
    """``str.format`` with two further formats, which contains every value: file names and tag values are data.

    A count and its noun, ``{images:n|image|images}``; a tuple of values and what joins them, ``{counts:join|, }``.
    """

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec.startswith("n|"):
            _, one, many = format_spec.split("|")
            return f"{value:,} {one if value == 1 else many}"
        if format_spec.startswith("join|"):
            return format_spec.removeprefix("join|").join(contained(str(part)) for part in value)
        return contained(format(str(value) if isinstance(value, Message) else value, format_spec))


class Catalogue:
    """The texts of one language by code.

    Parameters
    ----------
    texts : mapping of str to str
        ``str.format`` templates.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)
        self._formatter = _Formatter()

    @classmethod
    def load(cls, language: str = LANGUAGE, folder: Path = TEXTS_FOLDER) -> "Catalogue":
        """Read every file of a language.

        Raises
        ------
        OSError, ValueError
            When a file is missing or damaged, which an installed program never sees.
        """
        texts: dict[str, str] = {}
        for path in sorted((folder / language).glob("*.toml")):
            texts |= _flat(tomllib.loads(path.read_text(encoding="utf-8")), f"{path.stem}.")
        return cls(texts)

    def render(self, message: Message) -> str:
        """Put a message into words.

        Raises
        ------
        KeyError
            When the catalogue has no such code, or the text names a value that the message lacks.
        """
        return self._formatter.vformat(self.texts[message.code], (), message.values)


def listed(items: Sequence[str | Message]) -> Message:
    """Make one message of alternatives: "a, b or c".

    Parameters
    ----------
    items : sequence of str or Message
        At least one.
    """
    first, *rest = items
    if not rest:
        return first if isinstance(first, Message) else Message("common.word", word=first)
    if len(rest) == 1:
        return Message("common.or", first=first, last=rest[0])
    return Message("common.comma", first=first, rest=listed(rest))


@cache
def catalogue(language: str = LANGUAGE) -> Catalogue:
    """The shipped catalogue of a language, read once."""
    return Catalogue.load(language)


def _flat(table: Mapping[str, Any], prefix: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            texts |= _flat(value, f"{prefix}{name}.")
        else:
            texts[f"{prefix}{name}"] = str(value)
    return texts
