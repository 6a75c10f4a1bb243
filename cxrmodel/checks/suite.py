"""Radiograph -> CheckReport: may a number be given for this picture? Asked before any is.

The checks run in the order of a reading: on the picture, on its lungs, and, by `cxrmodel.checks.out_of_distribution`, on the
network's own features. Every threshold comes from a file (``assets/checks/spec.json``), fixed on held-out patients.
"""

import json
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cxrmodel.artefacts import read_checked
from cxrmodel.checks.lung_fields import examine_lungs
from cxrmodel.checks.orientation import OrientationNetwork
from cxrmodel.checks.picture import clipped_share, cropped, examine_margins, examine_orientation, inverted
from cxrmodel.checks.report import CheckReport, Finding, Rule, judge, load_rules
from cxrmodel.checks.subspace import Likeness, whole_image
from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.imaging.canonical import canonical_image, contrast
from cxrmodel.imaging.margins import image_box
from cxrmodel.imaging.radiograph import Radiograph
from cxrmodel.paths import ASSETS

__all__ = ["CHECK_FOLDER", "Checks", "Examined"]

CHECK_FOLDER = ASSETS / "checks"


class Examined(NamedTuple):
    """A picture after its own checks.

    Attributes
    ----------
    radiograph : Radiograph
        Cropped or inverted where the report's corrections say so.
    canonical : ndarray of uint8, shape (224, 224)
    report : CheckReport
    """

    radiograph: Radiograph
    canonical: np.ndarray
    report: CheckReport


class Checks:
    """The checks on picture and lungs. Safe to use from several threads.

    Parameters
    ----------
    rules : dict of str to Rule
    orientation : OrientationNetwork
    image, lungs : Likeness
        Spaces of whole training images, and of their parts around the lungs.
    lungs_sha256 : str
        Of the segmenter that they were fixed with.
    """

    def __init__(
        self,
        rules: dict[str, Rule],
        orientation: OrientationNetwork,
        image: Likeness,
        lungs: Likeness,
        lungs_sha256: str,
    ):
        self.rules, self.orientation, self.image, self.around = rules, orientation, image, lungs
        self.lungs_sha256 = lungs_sha256

    @classmethod
    def load(cls, folder: Path = CHECK_FOLDER) -> "Checks":
        """Load the shipped checks.

        Raises
        ------
        MissingWeights, AlteredWeights
            When a file is absent, damaged, or not the one that the specification names.
        """
        try:
            spec = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
            graph = read_checked(folder / "orientation.onnx", spec["orientation_sha256"])
            spaces = read_checked(folder / "likeness.npz", spec["likeness_sha256"])
            with np.load(BytesIO(spaces)) as saved:
                image = Likeness(saved["image_mean"], saved["image_axes"])
                lungs = Likeness(saved["lungs_mean"], saved["lungs_axes"])
            return cls(load_rules(spec["rules"]), OrientationNetwork(graph), image, lungs, spec["lungs_sha256"])
        except OSError as error:
            raise MissingWeights(
                f"The checks are incomplete: {error.filename} cannot be read. Install the program again."
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AlteredWeights(f"{folder / 'spec.json'} is damaged. Install the program again.") from error

    def picture(self, radiograph: Radiograph, canonical: np.ndarray) -> Examined:
        """Examine a picture, cut wide even margins off it, and set its polarity right.

        Parameters
        ----------
        radiograph : Radiograph
        canonical : ndarray of uint8, shape (224, 224)
            Of its pixels.

        Raises nothing on any radiograph: what is wrong with it stands in the report.
        """
        rules, shape = self.rules, radiograph.pixels.shape
        box = image_box(canonical)
        report = CheckReport((judge(rules["size"], min(shape)), judge(rules["contrast"], contrast(canonical))))
        report = report.plus(*examine_margins(box, shape, rules))
        if "cropped" in report.corrections:
            radiograph = cropped(radiograph, box)
            canonical = canonical_image(radiograph.pixels)
        shares = self.orientation.probabilities(canonical)
        doubtful = rules["polarity"].beyond(shares["inverted"], rules["polarity"].refuse)
        inverse = self.orientation.probabilities(255 - canonical) if doubtful else shares
        report = report.plus(*examine_orientation(shares, inverse, rules))
        if "inverted" in report.corrections:
            radiograph = inverted(radiograph)
            canonical = canonical_image(radiograph.pixels)
        report = report.plus(
            judge(rules["clipped"], clipped_share(canonical)),
            judge(rules["image likeness"], self.image.distance(whole_image(canonical))),
        )
        return Examined(radiograph, canonical, report)

    def lungs(self, canonical: np.ndarray, mask: np.ndarray) -> tuple[Finding, ...]:
        """Examine what the segmenter marked on an image.

        Parameters
        ----------
        canonical : ndarray of uint8, shape (224, 224)
        mask : ndarray of bool, shape (224, 224)
            All False where nothing was marked.

        Returns
        -------
        tuple of Finding
        """
        return examine_lungs(canonical, mask, self.around, self.rules)
