"""Run the registered checks on an image, stage by stage."""

from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from cxrmodel.artefacts import read_checked
from cxrmodel.checks.check import Check, Rules, Stage
from cxrmodel.checks.check_input import CheckInput, CheckModels
from cxrmodel.checks.feature_distribution import load_feature_distribution
from cxrmodel.checks.projection import ProjectionNetwork
from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import CheckReport, CheckResult, Rule
from cxrmodel.checks.spec import CheckSpec, load_check_spec
from cxrmodel.errors import AlteredWeights
from cxrmodel.imaging.canonical import canonical_image
from cxrmodel.imaging.radiograph import Radiograph
from cxrmodel.model.spec import ModelSpec
from cxrmodel.paths import CHECK_FOLDER, MODEL_FOLDER


def check_rules(checks: CheckSpec, model: ModelSpec, folder: Path = CHECK_FOLDER) -> dict[str, Rule]:
    """Rules of all registered checks by name, in order.

    Raises
    ------
    AlteredWeights
        When the specification, which is in the folder, lacks one.
    """
    for check in CHECKS:
        if not check.rule and check.name not in checks.rules:
            problem = f"rules.{check.name}: missing"
            raise AlteredWeights("checks.damaged_spec", path=str(folder / "spec.json"), problem=problem)
    return {check.name: check.rule(model) if check.rule else checks.rules[check.name] for check in CHECKS}


class Checks:
    """The registered checks, ready to run. Safe to use from several threads.

    Parameters
    ----------
    rules : mapping of str to Rule
        Of every registered check.
    models : CheckModels
    """

    def __init__(self, rules: Rules, models: CheckModels) -> None:
        self.rules, self.models = rules, models
        self._checks = tuple(CHECKS)

    @classmethod
    def load(cls, model: ModelSpec, folder: Path = CHECK_FOLDER, model_folder: Path = MODEL_FOLDER) -> Self:
        """Load the checks of a model.

        Raises
        ------
        MissingWeights, AlteredWeights
            When a file is absent, damaged, or not the one that a specification names.
        """
        spec = load_check_spec(folder)
        graph = read_checked(folder / "projection.onnx", spec.projection_sha256)
        features = load_feature_distribution(model, model_folder)
        return cls(check_rules(spec, model, folder), CheckModels(ProjectionNetwork(graph), features, model.ages))

    def input(self, radiograph: Radiograph) -> CheckInput:
        """Prepare an image for the checks."""
        height, width = radiograph.pixels.shape
        return CheckInput(self.models, radiograph, canonical_image(radiograph.pixels), (height, width))

    def examine_image(self, image: CheckInput) -> tuple[CheckInput, CheckReport]:
        """Check an image, straighten it, crop wide even margins and correct an inverted greyscale.

        Returns
        -------
        CheckInput
            Straightened, cropped or inverted where the report's corrections say so.
        CheckReport
        """
        results: list[CheckResult] = []
        for check in (*self._of(Stage.METADATA), *self._of(Stage.IMAGE)):
            result = check.result(image, self.rules)
            if result is None:
                continue
            results.append(result)
            if check.correction and result.correction:
                image = check.correction.apply(image)
        return image, CheckReport(tuple(results))

    def examine_lungs(self, image: CheckInput, mask: np.ndarray) -> tuple[CheckResult, ...]:
        """Check the segmenter's result.

        Parameters
        ----------
        image : CheckInput
        mask : ndarray of bool, shape (224, 224)
            All False where no lungs were found.
        """
        return self._results(Stage.LUNGS, replace(image, mask=mask))

    def examine_features(self, image: CheckInput, features: np.ndarray) -> tuple[CheckResult, ...]:
        """Check the network's features.

        Parameters
        ----------
        image : CheckInput
        features : ndarray of float32, shape (F,)
        """
        return self._results(Stage.FEATURES, replace(image, features=features))

    def _of(self, stage: Stage) -> tuple[Check, ...]:
        return tuple(check for check in self._checks if check.stage == stage)

    def _results(self, stage: Stage, image: CheckInput) -> tuple[CheckResult, ...]:
        results = (check.result(image, self.rules) for check in self._of(stage))
        return tuple(result for result in results if result)
