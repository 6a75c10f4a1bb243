"""What the page looks at: which images, which models, which of them first."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.schema import Scores
from cxrmodel.evaluation.storage import Evaluation, load_evaluation, load_file, own_evaluations
from cxrmodel.model.spec import ModelSpec
from cxrmodel.models import MODELS, model_title
from cxrmodel.web.text import plain

__all__ = ["Shown", "choose"]

_SPLITS = {"test": "Official test images", "held_out": "Held-out training patients"}


@dataclass(frozen=True, eq=False)
class Shown:
    """What is looked at.

    Attributes
    ----------
    images : str
        Name of the images, for the reader.
    split : str
        "test" or "held_out".
    models : dict of str to Evaluation
        Of the same images, by the name to show.
    looked_at : str
        Name of the model whose own figures are shown.
    """

    images: str
    split: str
    models: dict[str, Evaluation]
    looked_at: str

    @property
    def evaluation(self) -> Evaluation:
        """Of the model looked at."""
        return self.models[self.looked_at]

    @property
    def scores(self) -> Scores:
        """Of the model looked at, on the images shown."""
        return self.evaluation.scores[self.split]

    @property
    def first(self) -> dict[str, Evaluation]:
        """All models, the one looked at first."""
        return {self.looked_at: self.evaluation} | self.models

    @property
    def ours(self) -> bool:
        """Whether these are the images that the program ships figures of."""
        return self.evaluation.dataset is None


def choose(spec: ModelSpec | None) -> Shown | None:
    """Draw the choice of images and model, with a sentence for each evaluation that cannot be used.

    Parameters
    ----------
    spec : ModelSpec or None
        Of the model that reads: figures of other weights under its name are refused.

    Returns
    -------
    Shown or None
        None where there is nothing to look at.
    """
    own = own_evaluations()
    names = {
        **_SPLITS,
        **{f"own {name}": f"Own images: {name}" for name in own},
    }
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        images = st.selectbox("Images", list(names), format_func=names.get, key="images evaluated", width=320)
        place = st.container(width="content")
    own_name = images.removeprefix("own ") if images.startswith("own ") else None
    if own_name is None:
        loaders = {model: partial(load_evaluation, model) for model in MODELS.names}
    else:
        loaders = {model: partial(load_file, path, model) for model, path in own[own_name].items()}
    found = _found(loaders, spec)
    if not found:
        return None
    looked_at = place.segmented_control("Model", list(found), default=next(iter(found)), required=True)
    return Shown(names[images], images if own_name is None else "test", found, looked_at)


def _found(loaders: dict[str, Callable[..., Evaluation]], spec: ModelSpec | None) -> dict[str, Evaluation]:
    found = {}
    for model, load in loaders.items():
        try:
            found[model_title(model)] = load(spec=spec if spec is not None and spec.model == model else None)
        except CxrError as error:
            st.warning(plain(str(error)), icon=":material/warning:")
    return found
