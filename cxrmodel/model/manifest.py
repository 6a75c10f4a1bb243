"""Manifest of a model, ``assets/model/NAME.manifest.json``: which files together make its numbers.

It holds the SHA-256 of three specifications: the model's, the lung segmenter's and the checks'. Each of these holds the
SHA-256 of its own files: graphs, statistics and weights. The hash of the manifest therefore identifies everything that
turns an image into a number, and names the version of the model. Only ``export`` writes manifests.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from cxrmodel.artefacts import read_checked
from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.paths import CHECK_FOLDER, LUNGS_FOLDER, MODEL_FOLDER
from cxrmodel.records import Record, Sha256


class Manifest(Record):
    """Digests of the specifications of one model.

    Attributes
    ----------
    format : int
        Version of this schema.
    model : str
        Name in ``cxrmodel.models.MODELS``.
    spec_sha256, lungs_sha256, checks_sha256 : str
        Of ``NAME.spec.json``, of the segmenter's ``spec.json`` and of the checks' ``spec.json``.
    """

    format: Literal[1] = 1
    model: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
    spec_sha256: Sha256
    lungs_sha256: Sha256
    checks_sha256: Sha256

    @property
    def version(self) -> str:
        """Name of the model and first 12 digits of the manifest's SHA-256."""
        return f"{self.model} {hashlib.sha256(self.to_json().encode()).hexdigest()[:12]}"

    @classmethod
    def of_files(cls, model: str, folder: Path = MODEL_FOLDER) -> Self:
        """Make the manifest of a model's specification in a folder and the shipped ones of lungs and checks.

        Raises
        ------
        MissingWeights
            When one cannot be read.
        """
        found = {name: _digest(path) for name, path in _paths(model, folder).items()}
        return cls(format=1, model=model, **found)

    def check(self, folder: Path = MODEL_FOLDER) -> None:
        """Check that the model's specification, in the folder, and the shipped ones are those of the manifest.

        Raises
        ------
        MissingWeights, AlteredWeights
            With the path of the first file that is absent or another.
        """
        for name, path in _paths(self.model, folder).items():
            read_checked(path, getattr(self, name))


def load_manifest(model: str, folder: Path = MODEL_FOLDER) -> Manifest:
    """Read the manifest of a model.

    Raises
    ------
    MissingWeights
        When there is none.
    AlteredWeights
        When it is damaged, of another format, or of another model.
    """
    path = folder / f"{model}.manifest.json"
    missing, damaged = (MissingWeights, "model.missing_spec"), (AlteredWeights, "model.damaged_spec")
    manifest = Manifest.load(path, missing, damaged, model=model)
    if manifest.model != model:
        raise AlteredWeights("model.damaged_spec", path=str(path), problem=f"model: {manifest.model}")
    return manifest


def _paths(model: str, folder: Path) -> dict[str, Path]:
    return {
        "spec_sha256": folder / f"{model}.spec.json",
        "lungs_sha256": LUNGS_FOLDER / "spec.json",
        "checks_sha256": CHECK_FOLDER / "spec.json",
    }


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise MissingWeights("model.missing_file", path=str(path)) from error
