"""The demo films that come with the program: synthetic, of no patient."""

import json
from dataclasses import dataclass
from pathlib import Path

from cxrmodel.errors import DataError

__all__ = ["FILMS_FOLDER", "DemoFilm", "demo_films"]

FILMS_FOLDER = Path(__file__).resolve().parents[1] / "assets" / "films"


@dataclass(frozen=True)
class DemoFilm:
    """One synthetic film.

    Attributes
    ----------
    name : str
        File name, for example ``synthetic-normal-1.png``.
    title : str
        What a list of films shows, for example ``Synthetic normal film 1``.
    kind : str
        ``normal`` or ``pneumonia``: the class of training films from whose model it was drawn.
    path : Path
        Where the PNG lies.
    """

    name: str
    title: str
    kind: str
    path: Path


def demo_films(folder: Path = FILMS_FOLDER) -> list[DemoFilm]:
    """List the demo films in the order of their index.

    Raises
    ------
    DataError
        When the index is missing or damaged.
    """
    try:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        return [DemoFilm(film["file"], film["title"], film["kind"], folder / film["file"]) for film in index["films"]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DataError(
            f"The list of demo films in {folder} cannot be read. Restore it from the program's own archive."
        ) from error
