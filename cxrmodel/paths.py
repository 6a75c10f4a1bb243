"""Where the program's files are: in a checkout at its root, in an installed package inside the package.

The wheel carries ``app.py``, ``pages/``, ``assets/`` and ``.streamlit/config.toml`` in ``cxrmodel/_app/``. All other
modules take their folders from here.
"""

from pathlib import Path

__all__ = [
    "APP",
    "ASSETS",
    "BUNDLE",
    "HOME",
    "INSTALLED",
    "PACKAGE",
    "PAGES",
    "RECIPES",
    "ROOT",
    "RUNS",
    "SETTINGS",
    "SHUFFLED_RUN",
]

PACKAGE = Path(__file__).resolve().parent
"""The folder ``cxrmodel``."""

BUNDLE = PACKAGE / "_app"
"""What the wheel adds to the package; absent in a checkout."""

INSTALLED = BUNDLE.is_dir()
"""True in an installed package, False in a checkout."""

ROOT = BUNDLE if INSTALLED else PACKAGE.parent
"""The folder of ``app.py``; in a checkout also of README.md, MODEL_CARD.md and docs/."""

APP = ROOT / "app.py"
PAGES = ROOT / "pages"
ASSETS = ROOT / "assets"
SETTINGS = ROOT / ".streamlit" / "config.toml"
RECIPES = PACKAGE / "training" / "recipes"

RUNS = Path("runs")
"""Where trainings and long measurements write unless a command says otherwise, below the current folder."""

SHUFFLED_RUN = RUNS / "shuffled"
"""A training on shuffled labels, for the randomisation test."""

HOME = Path.cwd() if INSTALLED else ROOT
"""Where a user's own files are unless a command or ``CXR_DATA`` says otherwise: ``evaluations/``, ``data/``."""
