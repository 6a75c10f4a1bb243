"""The synthetic demo images that come with the program, and their index ``assets/demo/index.json``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from cxrmodel.errors import DataError
from cxrmodel.paths import ASSETS
from cxrmodel.records import Record, Sha256

IMAGES_FOLDER = ASSETS / "demo"


class IndexedImage(Record):
    """One image of the index.

    Attributes
    ----------
    file, title : str
        File name, for example ``synthetic-normal-1.png``, and title for readers.
    kind : str
        Class of the training images from whose model it was drawn: ``normal`` or ``pneumonia``.
    sha256 : str
        Of the file.
    draw : int
        Its number among the draws of the seed.
    nearest_rmse : float
        Lowest root mean square difference from a training image, in grey levels of 255.
    nearest_correlation : float
        Highest Pearson correlation with a training image.
    """

    file: Annotated[str, Field(pattern=r"^[\w-][\w.-]*$")]
    title: str
    kind: str
    sha256: Sha256
    draw: int
    nearest_rmse: float
    nearest_correlation: float


class Compared(Record):
    """The images that each draw was compared with, their patients, and their side in pixels."""

    images: int
    patients: int
    side: int


class OtherPatients(Record):
    """How near training images of different patients come to each other, as quantiles by name."""

    rmse: dict[str, float]
    correlation: dict[str, float]


class DemoIndex(Record):
    """Origin and checks of the demo images.

    Attributes
    ----------
    format : int
    notice : str
        Also in the metadata of each PNG.
    seed, components, spread
        Of the draws: number of principal components, and coefficients as a share of their standard deviations.
    compared_with : Compared
    criterion : str
        How images too similar to a training image were excluded.
    other_patients : OtherPatients
        Distances that the criterion uses.
    images : tuple of IndexedImage
    """

    format: Literal[1]
    notice: str
    seed: int
    components: int
    spread: float
    compared_with: Compared
    criterion: str
    other_patients: OtherPatients
    images: tuple[IndexedImage, ...]


@dataclass(frozen=True)
class DemoImage:
    """One synthetic image on disk.

    Attributes
    ----------
    name, title, kind : str
        File name, title for readers, and class, as in :class:`IndexedImage`.
    path : Path
        Of the PNG.
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
    index = DemoIndex.load(
        folder / "index.json", (DataError, "training.no_demo_index"), (DataError, "training.bad_demo_index")
    )
    return [DemoImage(image.file, image.title, image.kind, folder / image.file) for image in index.images]


def clear_images(folder: Path = IMAGES_FOLDER) -> list[DemoImage]:
    """List the first demo image of each class, chosen because the shipped model reads it clearly; pneumonia first.

    Raises
    ------
    DataError
        When the index is missing or damaged.
    """
    by_kind: dict[str, DemoImage] = {}
    for image in demo_images(folder):
        by_kind.setdefault(image.kind, image)
    return sorted(by_kind.values(), key=lambda image: image.kind, reverse=True)
