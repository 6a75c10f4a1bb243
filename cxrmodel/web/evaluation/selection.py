"""The choice of images and model on the Evaluation page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.schema import SPLITS, Evaluation, SplitScores
from cxrmodel.evaluation.storage import load_evaluation, load_file, own_evaluations
from cxrmodel.model.spec import Labels, ModelSpec
from cxrmodel.models import MODELS, model_title
from cxrmodel.sinks import label
from cxrmodel.web.text import plain, text

_OWN = "own "


@dataclass(frozen=True, eq=False)
class Selection:
    """What the page shows.

    Attributes
    ----------
    split : {"test", "held_out"}
    evaluations : mapping of str to Evaluation
        Of the same images, by the title of the model, in the order of the registry.
    title : str
        Of the model whose details are shown.
    """

    split: str
    evaluations: Mapping[str, Evaluation]
    title: str

    @property
    def evaluation(self) -> Evaluation:
        """Of the model whose details are shown."""
        return self.evaluations[self.title]

    @property
    def selected_first(self) -> dict[str, Evaluation]:
        """All evaluations, that of the selected model first."""
        return {self.title: self.evaluation} | dict(self.evaluations)

    @property
    def scores(self) -> SplitScores:
        """Of the selected model, on these images."""
        return self.evaluation.splits[self.split]

    @property
    def labels(self) -> Labels:
        """Names of the classes."""
        return self.evaluation.labels

    @property
    def is_shipped(self) -> bool:
        """Whether these are the images that the program ships an evaluation of."""
        return self.evaluation.dataset is None


def choose(spec: ModelSpec | None) -> Selection | None:
    """Draw the choice of images and model, with a sentence for each evaluation that cannot be used.

    Parameters
    ----------
    spec : ModelSpec or None
        Of the model that reads: an evaluation of other weights under its name is refused.

    Returns
    -------
    Selection or None
        None where there is no evaluation to show.
    """
    own = own_evaluations()
    titles: dict[str, str] = {split: text(f"web.evaluation.split.{split}") for split in SPLITS}
    titles |= {f"{_OWN}{name}": text("web.evaluation.own", name=label(name)) for name in own}
    with st.container(horizontal=True, gap="medium", vertical_alignment="top"):
        images = st.selectbox(
            text("web.evaluation.images"),
            list(titles),
            format_func=lambda name: titles[name],
            key="images evaluated",
            width=320,
        )
        place = st.container(width="content")
    loaders: dict[str, Callable[..., Evaluation]] = {model: partial(load_evaluation, model) for model in MODELS.names}
    split = images
    if images.startswith(_OWN):
        files = own[images.removeprefix(_OWN)]
        loaders, split = {model: partial(load_file, path, model) for model, path in files.items()}, "test"
    found = _load(loaders, spec)
    if not found:
        return None
    first = next(iter(found))
    title = place.segmented_control(text("web.evaluation.model"), list(found), default=first, required=True)
    return Selection(split, found, title or first)


def _load(loaders: Mapping[str, Callable[..., Evaluation]], spec: ModelSpec | None) -> dict[str, Evaluation]:
    found = {}
    for model, load in loaders.items():
        try:
            found[model_title(model)] = load(spec=spec if spec is not None and spec.model == model else None)
        except CxrError as error:
            st.warning(plain(error), icon=":material/warning:")
    return found
