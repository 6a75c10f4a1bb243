"""An evaluation for the parts of the Evaluation page."""

import pytest

from cxrmodel.evaluation.storage import load_evaluation, save_evaluation
from tests.support.stand_ins import SPEC, made_up_evaluation


@pytest.fixture(scope="session")
def evaluation(tmp_path_factory):
    """A whole evaluation of drawn scores."""
    folder = tmp_path_factory.mktemp("evaluation")
    save_evaluation(made_up_evaluation(), folder)
    return load_evaluation("densenet121", folder, SPEC)
