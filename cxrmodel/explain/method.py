"""An explanation method: what it is, how its maps are computed, and the network that it explains."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cxrmodel.messages import Message
from cxrmodel.model.mirroring import mean_of_views, mirrored
from cxrmodel.models import MODELS, ModelEntry

if TYPE_CHECKING:
    from cxrmodel.model.engine import Engine
    from cxrmodel.model.spec import ModelSpec


Floats = NDArray[np.float32]
Progress = Callable[[float], None]
"""Takes the share done, 0..1. An exception that it raises stops the work."""
Network = Any
"""A ``keras.Model``, for which there are no types: input (N, size, size, 1), output (N, 1), the logit."""


@dataclass(eq=False)
class Context:
    """A network to explain: on the fast engine, and under Keras once a method asks for it.

    Attributes
    ----------
    spec : ModelSpec
    engine : Engine
        The fast one, of those weights.
    load : callable
        Gives the Keras network of those weights; called once.
    many : bool
        Whether many images will be explained, so that tracing the gradients first saves time.
    """

    spec: "ModelSpec"
    engine: "Engine"
    load: Callable[[], Network]
    many: bool = False

    @property
    def model(self) -> ModelEntry:
        """The architecture, with the layers that methods use."""
        return MODELS[self.spec.model]

    @property
    def loaded(self) -> bool:
        """Whether the Keras network is loaded."""
        return "network" in vars(self)

    @cached_property
    def network(self) -> Network:
        """The Keras network. Loads TensorFlow the first time."""
        return self.load()

    def logits(self, inputs: Floats) -> NDArray[np.float64]:
        """Logits on the fast engine: (N, size, size, 1) float32 -> (N,) float64."""
        return self.engine.run(inputs)[0]


@dataclass(frozen=True)
class Method:
    """One explanation method.

    Attributes
    ----------
    name, title : str
        On the command line and in files; for readers.
    paper, link : str
        Where it was published, and its address.
    shows, cannot : Message
        What its map shows, and what it cannot show.
    unit : Message
        Of the map's values, for the colour bar.
    passes : int
        Passes of the network over an image and its mirror image.
    compute : callable
        (Context, tensors, Progress) -> maps: ndarray of float32, shape (N, h, w), zero or above and raw, that is, not
        scaled to the peak of each image. Tensors are crops: ndarray of float32, shape (N, size, size, 1).
    backwards : bool
        Whether the passes compute gradients, which only Keras can.
    tensorflow : bool
        Whether it loads TensorFlow.
    single_view : bool
        Whether ``compute`` uses one view of the crops, so that ``explain`` averages over both. The fast engine averages
        by itself.
    """

    name: str
    title: str
    paper: str
    link: str
    shows: Message
    cannot: Message
    unit: Message
    passes: int
    compute: Callable[[Context, Floats, Progress], Floats]
    backwards: bool = True
    tensorflow: bool = True
    single_view: bool = True

    @property
    def cost(self) -> Message:
        """Cost of one map."""
        if not self.passes:
            return Message("explain.cost.none")
        return Message("explain.cost.gradients" if self.backwards else "explain.cost.passes", passes=self.passes)

    @property
    def legend(self) -> Message:
        """Title of the colour bar."""
        return Message("explain.legend", title=self.title, unit=self.unit)

    def explain(self, context: Context, tensors: Floats, progress: Progress) -> Floats:
        """Compute the maps of crops.

        Parameters
        ----------
        context : Context
        tensors : ndarray of float32, shape (N, size, size, 1)
        progress : callable

        Returns
        -------
        ndarray of float32, shape (N, h, w)
            Zero or above, raw.

        Raises
        ------
        MissingWeights, AlteredWeights
            When the method needs the Keras weights and they cannot be used.
        """
        progress(0.0)
        if not self.single_view:
            return self.compute(context, tensors, progress)
        maps = self.compute(context, tensors, lambda share: progress(share / 2))
        mirror = np.ascontiguousarray(mirrored(tensors))
        return mean_of_views(maps, self.compute(context, mirror, lambda share: progress((1 + share) / 2)))
