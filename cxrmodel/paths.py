"""Paths of the program's files: at the root of a checkout, or inside an installed package.

The wheel carries ``app.py``, ``pages/``, ``assets/`` and ``.streamlit/config.toml`` in ``cxrmodel/_app/``. All other
modules take their folders from here.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
"""The folder ``cxrmodel``."""

BUNDLE = PACKAGE / "_app"
"""Files that the wheel adds to the package; absent in a checkout."""

INSTALLED = BUNDLE.is_dir()
"""True in an installed package, False in a checkout."""

ROOT = BUNDLE if INSTALLED else PACKAGE.parent
"""The folder of ``app.py``; in a checkout also of README.md, MODEL_CARD.md and docs/."""

APP = ROOT / "app.py"
PAGES = ROOT / "pages"
ROUTER = PAGES / "router.py"
"""The script that Streamlit runs; it leads to the pages."""

ASSETS = ROOT / "assets"
MODEL_FOLDER = ASSETS / "model"
LUNGS_FOLDER = ASSETS / "lungs"
CHECK_FOLDER = ASSETS / "checks"
SETTINGS = ROOT / ".streamlit" / "config.toml"
RECIPES = PACKAGE / "training" / "recipes"

RUNS = Path("runs")
"""Default output folder of trainings and long measurements, below the current folder."""

SHUFFLED_RUN = RUNS / "shuffled"
"""A training on shuffled labels, for the randomisation test."""

HOME = Path.cwd() if INSTALLED else ROOT
"""Default folder of a user's own files, ``evaluations/`` and ``data/``."""
