"""Opening of the store: without an import of its libraries before it is asked for."""

from pathlib import Path
from typing import TYPE_CHECKING

from cxrmodel.extras import need

if TYPE_CHECKING:
    from cxrmodel.store.store import Store


def open_store(url: str | None, folder: Path, *, upgrade: bool = False) -> "Store":
    """Open a store, and create it where there is none; see ``Store.open``.

    Parameters
    ----------
    url : str or None
        ``postgresql+psycopg://...``; None is SQLite in the data folder.
    folder : Path
        The data folder.
    upgrade : bool
        Whether an older store is brought to the schema of this program.

    Raises
    ------
    MissingExtra
        When the libraries of the store are not installed.
    SettingError, StoreError, StoreUnavailable
    """
    for library in ("sqlalchemy", "alembic"):
        need(library, extra="hospital")
    from cxrmodel.store.store import Store

    return Store.open(url, folder, upgrade=upgrade)
