"""The demo images that come with the program: synthetic, of no patient."""

import json
from dataclasses import dataclass
from pathlib import Path

from cxrmodel.errors import DataError
from cxrmodel.paths import ASSETS

__all__ = ["IMAGES_FOLDER", "DemoImage", "demo_images"]

IMAGES_FOLDER = ASSETS / "demo"


@dataclass(frozen=True)
class DemoImage:
    """One synthetic image.

    Attributes
    ----------
    name : str
        File name, for example ``synthetic-normal-1.png``.
    title : str
        What a list of images shows, for example ``Synthetic normal image 1``.
    kind : str
        ``normal`` or ``pneumonia``: the class of training images from whose model it was drawn.
    path : Path
        Where the PNG lies.
    """

    name: str
    title: str
    kind: str
    path: Path


def demo_images(folder: Path = IMAGES_FOLDER) -> list[DemoImage]:
    """List the demo images in the order of their index.

    Raises
    ------
    DataError
        When the index is missing or damaged.
    """
    try:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        return [
            DemoImage(image["file"], image["title"], image["kind"], folder / image["file"]) for image in index["images"]
        ]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DataError(
            f"The list of demo images in {folder} cannot be read. Restore it from the program's own archive."
        ) from error
