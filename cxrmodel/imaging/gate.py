"""Radiograph -> GateReport: may a number be given for this picture? Asked before any is.

The gates run in the order of a reading: on the picture, on its lungs, and, by `cxrmodel.model.familiarity`, on the
network's own features. Every threshold comes from a file (``assets/gate/spec.json``), fixed on held-out patients.
"""

import json
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cxrmodel.artefacts import read_checked
from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.imaging.borders import film_box
from cxrmodel.imaging.canonical import canonical_film, contrast
from cxrmodel.imaging.gate_lungs import examine_lungs
from cxrmodel.imaging.gate_picture import clipped_share, cropped, examine_margins, examine_posture, inverted
from cxrmodel.imaging.gate_report import Finding, GateReport, Rule, judge, load_rules
from cxrmodel.imaging.likeness import Likeness, whole_film
from cxrmodel.imaging.posture import PostureNetwork
from cxrmodel.imaging.radiograph import Radiograph

__all__ = ["GATE_FOLDER", "Examined", "Gates"]

GATE_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "gate"


class Examined(NamedTuple):
    """A picture after its own gates.

    Attributes
    ----------
    radiograph : Radiograph
        Cropped or inverted where the report's corrections say so.
    canonical : ndarray of uint8, shape (224, 224)
    report : GateReport
    """

    radiograph: Radiograph
    canonical: np.ndarray
    report: GateReport


class Gates:
    """The gates on picture and lungs. Safe to use from several threads.

    Parameters
    ----------
    rules : dict of str to Rule
    posture : PostureNetwork
    film, lungs : Likeness
        Spaces of whole training films, and of their parts around the lungs.
    lungs_sha256 : str
        Of the segmenter that they were fixed with.
    """

    def __init__(
        self, rules: dict[str, Rule], posture: PostureNetwork, film: Likeness, lungs: Likeness, lungs_sha256: str
    ):
        self.rules, self.posture, self.film, self.around = rules, posture, film, lungs
        self.lungs_sha256 = lungs_sha256

    @classmethod
    def load(cls, folder: Path = GATE_FOLDER) -> "Gates":
        """Load the shipped gates.

        Raises
        ------
        MissingWeights, AlteredWeights
            When a file is absent, damaged, or not the one that the specification names.
        """
        try:
            spec = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
            graph = read_checked(folder / "posture.onnx", spec["posture_sha256"])
            spaces = read_checked(folder / "likeness.npz", spec["likeness_sha256"])
            with np.load(BytesIO(spaces)) as saved:
                film = Likeness(saved["film_mean"], saved["film_axes"])
                lungs = Likeness(saved["lungs_mean"], saved["lungs_axes"])
            return cls(load_rules(spec["rules"]), PostureNetwork(graph), film, lungs, spec["lungs_sha256"])
        except OSError as error:
            raise MissingWeights(
                f"The gates are incomplete: {error.filename} cannot be read. Install the program again."
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
        box = film_box(canonical)
        report = GateReport((judge(rules["size"], min(shape)), judge(rules["contrast"], contrast(canonical))))
        report = report.plus(*examine_margins(box, shape, rules))
        if "cropped" in report.corrections:
            radiograph = cropped(radiograph, box)
            canonical = canonical_film(radiograph.pixels)
        shares = self.posture.probabilities(canonical)
        doubtful = rules["polarity"].beyond(shares["inverted"], rules["polarity"].refuse)
        inverse = self.posture.probabilities(255 - canonical) if doubtful else shares
        report = report.plus(*examine_posture(shares, inverse, rules))
        if "inverted" in report.corrections:
            radiograph = inverted(radiograph)
            canonical = canonical_film(radiograph.pixels)
        report = report.plus(
            judge(rules["clipped"], clipped_share(canonical)),
            judge(rules["film likeness"], self.film.distance(whole_film(canonical))),
        )
        return Examined(radiograph, canonical, report)

    def lungs(self, canonical: np.ndarray, mask: np.ndarray) -> tuple[Finding, ...]:
        """Examine what the segmenter marked on a film.

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
