"""Libraries of the optional extras: imported where they are needed, named where they are missing."""

import importlib
from types import ModuleType

from cxrmodel.errors import MissingExtra


def need(module: str, extra: str) -> ModuleType:
    """Import a module of an extra.

    Call it before a plain ``import`` of the same module, which gives the types.

    Parameters
    ----------
    module : str
        Full name, for example ``pyarrow.parquet``.
    extra : str
        Of ``pyproject.toml``, which installs it.

    Raises
    ------
    MissingExtra
        When the module, or one that it needs, is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = (error.name or module).partition(".")[0]
        raise MissingExtra("package.missing_extra", library=library, extra=extra) from error
