"""Opening of the store: without an import of its libraries before it is asked for."""

from pathlib import Path
from typing import TYPE_CHECKING

from cxrmodel.extras import need

if TYPE_CHECKING:
    from cxrmodel.store.store import Store


def open_store(url: str | None, folder: Path, *, upgrade_fresh: bool = True) -> "Store":
    """Open a store; see ``Store.open``.

    Raises
    ------
    MissingExtra
        When the libraries of the store are not installed.
    SettingError, StoreError, StoreUnavailable
    """
    for library in ("sqlalchemy", "alembic"):
        need(library, extra="hospital")
    from cxrmodel.store.store import Store

    return Store.open(url, folder, upgrade_fresh=upgrade_fresh)
