"""Models: the one table of networks that the program can train, read with, evaluate and compare.

To add a model, add its entry here and its files to ``assets/model``. The first entry is the
deployed default. Whatever belongs to one set of weights stands in the model's specification (``model/spec.py``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from cxrmodel.paths import RECIPES
from cxrmodel.registry import Registry

if TYPE_CHECKING:
    import keras

    Body = Callable[[int | None, str], tuple["keras.KerasTensor", "keras.KerasTensor"]]


@dataclass(frozen=True)
class ModelEntry:
    """One network.

    Attributes
    ----------
    name, title : str
        In files and on the command line; for readers.
    body : callable
        Side of the input in pixels (None accepts any) and initial weights -> the input and the features that enter
        the global average pooling. It imports Keras when called.
    cam_layer : str
        Layer of those features, whose places contribute to the logit.
    feature_layers : tuple of str
        Layers whose pooled activations the out-of-distribution check compares with those of training images.
    fine_layer : str
        Layer finer than ``cam_layer``, for Grad-CAM++ and LayerCAM, which are one map up to scale there.
    score_layer : str
        Layer before the last block, for Score-CAM.
    stages : mapping of str to tuple of str
        Stages of the cascading randomisation test, from the output towards the input: name of the stage, and what its
        layers' names begin with, up to the first underscore.
    stride : int
        Pixels of the input, in either direction, that one place of the map covers.
    recipe : Path or None
        Of its training; None takes ``NAME.toml`` among the shipped recipes.
    """

    name: str
    title: str
    body: "Body"
    cam_layer: str
    feature_layers: tuple[str, ...]
    fine_layer: str
    score_layer: str
    stages: Mapping[str, tuple[str, ...]]
    stride: int = 16
    recipe: Path | None = None

    @property
    def recipe_file(self) -> Path:
        """The recipe of its training."""
        return self.recipe or RECIPES / f"{self.name}.toml"


def _lazy(name: str) -> "Body":
    """Give a function of ``cxrmodel.model.network``, which imports Keras, once it is called."""
    return lambda size, init: resolve_name(f"cxrmodel.model.network:{name}")(size, init)


MODELS = Registry[ModelEntry](
    "model",
    ModelEntry(
        name="densenet121",
        title="DenseNet-121",
        body=_lazy("densenet121_body"),
        cam_layer="relu",
        feature_layers=("pool3_pool", "pool4_pool"),
        fine_layer="pool3_relu",
        score_layer="pool4_relu",
        stages={
            "output": ("logit",),
            "block 4": ("conv5", "bn"),
            "block 3": ("conv4", "pool4"),
            "block 2": ("conv3", "pool3"),
            "block 1": ("conv2", "pool2"),
            "stem": ("conv1",),
        },
    ),
    ModelEntry(
        name="cnn",
        title="Plain CNN",
        body=_lazy("cnn_body"),
        cam_layer="last_features",
        feature_layers=("block2_pool", "block3_pool"),
        fine_layer="block2_b",
        score_layer="block3_b",
        stages={
            "output": ("logit",),
            "block 4": ("last",),
            "block 3": ("block3",),
            "block 2": ("block2",),
            "block 1": ("block1",),
            "stem": ("block0",),
        },
    ),
)

DEFAULT_MODEL = MODELS.names[0]


def model_title(model: str) -> str:
    """Name a model for readers: ``densenet121`` is DenseNet-121; a model that is not registered keeps its name."""
    return MODELS[model].title if model in MODELS else model
