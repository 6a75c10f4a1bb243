"""Keras networks: one flat graph each, without a nested backbone, whose outputs are logits.

References
----------
Huang et al., Densely Connected Convolutional Networks, CVPR 2017 (the DenseNet-121 of keras.applications).
Yu et al., Dilated Residual Networks, CVPR 2017 (its last block).
Ronneberger et al., U-Net, MICCAI 2015 (the lung segmenter, much reduced).
"""

import re

import keras
from keras import layers

from cxrmodel.errors import TrainingError
from cxrmodel.model.mirroring import mean_of_views, mirrored
from cxrmodel.models import MODELS

Tensors = tuple[keras.KerasTensor, keras.KerasTensor]
SEGMENTER_WIDTHS, SEGMENTER_BOTTOM = (16, 32, 64), 128
"""Multiples of 16, which fill the vector units."""


def build(model: str, size: int | None = None, dropout: float = 0.0, init: str = "none") -> keras.Model:
    """Build a classifier: image crop in, logit of the positive class out.

    Parameters
    ----------
    model : str
        Name in ``cxrmodel.models.MODELS``.
    size : int or None
        Side of the input in pixels; None accepts any.
    dropout : float
        Share of the last features' channels that training drops.
    init : {"none", "imagenet"}
        ``imagenet`` downloads weights through Keras and sums the first kernel over its colours.

    Returns
    -------
    keras.Model
        Input (N, size, size, 1) float32, normalised; output (N, 1) float32, the logit.

    Raises
    ------
    UnknownName
        When there is no such model.
    TrainingError
        When ImageNet weights are asked for and cannot be had.
    """
    inputs, features = MODELS[model].body(size, init)
    if dropout:
        features = layers.SpatialDropout2D(dropout, name="dropout")(features)
    pooled = layers.GlobalAveragePooling2D(name="pooled")(features)
    logit = layers.Dense(1, dtype="float32", name="logit")(pooled)
    return keras.Model(inputs, logit, name=model)


def densenet121_body(size: int | None, init: str) -> Tensors:
    """Build DenseNet-121 up to its last features: the input and the output; as ``build`` for sizes and errors.

    The last block works at the resolution of the one before it: its pooling is left out, and its 3 x 3 convolutions are
    dilated by two, which keeps what each of their weights sees (Yu et al., Dilated Residual Networks, CVPR 2017). The
    weights are those of the plain network; the map has four times as many places.
    """
    plain = keras.applications.DenseNet121(include_top=False, weights=None, input_shape=(size, size, 1))
    if init == "imagenet":
        _copy_imagenet(plain)
    body = keras.models.clone_model(plain, clone_function=_dilated)
    body.set_weights(plain.get_weights())
    return body.input, body.output


def _dilated(layer: keras.Layer) -> keras.Layer:
    """A layer of DenseNet-121 as it is in the network with a dilated last block."""
    if layer.name == "pool4_pool":
        return layers.Identity(name=layer.name)
    changes = {"dilation_rate": (2, 2)} if re.fullmatch(r"conv5_block\d+_2_conv", layer.name) else {}
    return type(layer).from_config(layer.get_config() | changes)


def cnn_body(size: int | None, init: str) -> Tensors:
    """Build the plain CNN up to its last features: the input and the output; as ``build`` for sizes and errors."""
    if init == "imagenet":
        raise TrainingError("model.no_imagenet_weights")
    inputs = layers.Input((size, size, 1))
    x = inputs
    for depth, filters in enumerate((24, 48, 96, 128)):
        x = _double_convolution(x, filters, f"block{depth}")
        x = layers.MaxPooling2D(2, name=f"block{depth}_pool")(x)
    return inputs, _convolution(x, 192, "last_features")


def with_contributions(network: keras.Model, cam_layer: str) -> keras.Model:
    """Add each place's contribution to the logit as a second output (derived in ``cxrmodel.explain.methods.gradcam``).

    Parameters
    ----------
    network : keras.Model
        Of ``build``, with a fixed input size.
    cam_layer : str
        Layer whose output enters the pooling.

    Returns
    -------
    keras.Model
        Outputs (N, 1), the logit, and (N, h, w, 1), contributions, which sum to the logit less its bias.
    """
    features = network.get_layer(cam_layer).output
    _, height, width, _ = features.shape
    kernel = keras.ops.convert_to_numpy(network.get_layer("logit").kernel)
    weigh = layers.Conv2D(1, 1, use_bias=False, name="contributions")
    contributions = weigh(features)
    weigh.set_weights([kernel[None, None] / (height * width)])
    return keras.Model(network.input, [network.output, contributions], name=f"{network.name}_with_contributions")


def with_evidence(network: keras.Model) -> keras.Model:
    """Put each place's contribution beside the logit, for a training that judges where the evidence lies.

    Parameters
    ----------
    network : keras.Model
        Of ``build``; its weights are shared.

    Returns
    -------
    keras.Model
        Output (N, 1 + places): the logit, and row by row the contributions of ``with_contributions`` times the number
        of places: with the bias, their mean is the logit. Dropout acts on both.
    """
    unit, features = network.get_layer("logit"), network.get_layer("pooled").input
    evidence = layers.Flatten(name="evidence")(unit(features) - unit.bias)
    return keras.Model(network.input, layers.Concatenate(name="both")([network.output, evidence]), name=network.name)


def for_reading(network: keras.Model, model: str) -> keras.Model:
    """Build what a reading runs: logit, contributions and features of a trained classifier, means over both views.

    Parameters
    ----------
    network : keras.Model
        Of ``build``, with a fixed input size.
    model : str
        Its name.

    Returns
    -------
    keras.Model
        The outputs of ``with_contributions``, and (N, F), the activations of its ``feature_layers`` averaged over the
        image.
    """
    entry = MODELS[model]
    explained = with_contributions(network, entry.cam_layer)
    pooled = [
        layers.GlobalAveragePooling2D(name=f"{name}_mean")(network.get_layer(name).output)
        for name in entry.feature_layers
    ]
    one_view = keras.Model(network.input, [*explained.outputs, layers.Concatenate(name="features")(pooled)])
    image = layers.Input(network.input_shape[1:])
    views = keras.ops.concatenate([image, mirrored(image)], axis=0)
    logits, contributions, features = (keras.ops.split(part, 2, axis=0) for part in one_view(views))
    means = [sum(logits) / 2, mean_of_views(*contributions), sum(features) / 2]
    return keras.Model(image, means, name=f"{network.name}_for_reading")


def build_segmenter(size: int | None = None) -> keras.Model:
    """Build the lung segmenter, a U-Net that works at half the resolution of its input.

    Lungs have no detail finer than that, and most of a U-Net's arithmetic is at its finest level.

    Returns
    -------
    keras.Model
        Input (N, size, size, 1) float32 in 0..1, size divisible by 16; output (N, size / 2, size / 2, 1), the
        logit of lung.
    """
    inputs = layers.Input((size, size, 1))
    x, skips = _convolution(inputs, 16, "stem", strides=2), []
    for depth, width in enumerate(SEGMENTER_WIDTHS):
        x = _double_convolution(x, width, f"down{depth}")
        skips.append(x)
        x = layers.MaxPooling2D(2, name=f"down{depth}_pool")(x)
    x = _double_convolution(x, SEGMENTER_BOTTOM, "bottom")
    for depth, width in reversed(list(enumerate(SEGMENTER_WIDTHS))):
        x = layers.UpSampling2D(2, interpolation="nearest", name=f"up{depth}_grow")(x)
        x = layers.Concatenate(name=f"up{depth}_join")([x, skips[depth]])
        x = _double_convolution(x, width, f"up{depth}")
    logit = layers.Conv2D(1, 1, dtype="float32", name="lung_logit")(x)
    return keras.Model(inputs, logit, name="lungs")


def build_projection(size: int, classes: int, dropout: float = 0.0) -> keras.Model:
    """Build the network that tells what an image shows.

    Returns
    -------
    keras.Model
        Input (N, size, size, 1) float32, of ``cxrmodel.checks.projection.as_projection_input``, size divisible by 16;
        output (N, classes), the logits of ``cxrmodel.checks.projection.CLASSES``.
    """
    inputs = layers.Input((size, size, 1))
    x = _convolution(inputs, 24, "down0", strides=2)
    for depth, width in enumerate((48, 64, 96), start=1):
        x = _convolution(x, width, f"down{depth}", strides=2)
        x = _convolution(x, width, f"level{depth}")
    x = layers.Flatten(name="flat")(x)
    x = layers.Dropout(dropout, name="dropout")(layers.Dense(64, "relu", name="hidden")(x))
    return keras.Model(inputs, layers.Dense(classes, name="projection_logits")(x), name="projection")


def _convolution(x: keras.KerasTensor, filters: int, name: str, strides: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.ReLU(name=name)(x)


def _double_convolution(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    return _convolution(_convolution(x, filters, f"{name}_a"), filters, f"{name}_b")


def _copy_imagenet(body: keras.Model) -> None:
    try:
        source = keras.applications.DenseNet121(include_top=False, weights="imagenet", input_shape=(224, 224, 3))
    except Exception as error:  # Keras reports a failed download as a bare Exception
        raise TrainingError("model.imagenet_not_downloaded") from error
    weights = source.get_weights()
    weights[0] = weights[0].sum(axis=2, keepdims=True)
    body.set_weights(weights)
