"""All kinds of sources. An argument of the command line belongs to the first that takes it."""

from collections.abc import Iterable

from cxrmodel.archive.sources.dicomweb import DICOMWEB
from cxrmodel.archive.sources.files import FILES
from cxrmodel.archive.sources.paths import PATHS
from cxrmodel.archive.sources.source import Source, SourceKind, SourceName
from cxrmodel.archive.sources.stored import BUCKET, SHARDS
from cxrmodel.errors import DataError
from cxrmodel.registry import Registry

SOURCES: Registry[SourceKind] = Registry("source", BUCKET, DICOMWEB, PATHS, SHARDS, FILES)
"""Files take every argument, so they come last."""


def source_names(arguments: Iterable[str]) -> tuple[SourceName, ...]:
    """Name the sources that arguments of the command line mean, in their order.

    Raises
    ------
    DataError, SettingError
        When a kind cannot use its argument, or two mean the same source.
    """
    names: list[SourceName] = []
    for argument in arguments:
        kind = next(kind for kind in SOURCES if kind.takes(argument))
        name = SourceName(kind=kind.name, place=kind.place(argument))
        if name in names:
            raise DataError("archive.source.twice", place=argument)
        names.append(name)
    return tuple(names)


def open_source(name: SourceName) -> Source:
    """Open a source, in any process.

    Raises
    ------
    DataError, SettingError, MissingExtra
    """
    return SOURCES[name.kind].open(name.place)
