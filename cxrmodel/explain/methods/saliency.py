"""Saliency: the absolute gradient of the logit by each pixel."""

from cxrmodel.explain.method import Floats, Method, Network
from cxrmodel.messages import Message


def saliency(network: Network, inputs: Floats, traced: bool = False) -> Floats:
    """Absolute gradient of the logit by each pixel (Simonyan et al., ICLR workshop 2014).

    Parameters
    ----------
    network : keras.Model
    inputs : ndarray of float32, shape (N, size, size, 1)
    traced : bool
        Whether to compile the gradients into a graph first; for many images.

    Returns
    -------
    ndarray of float32, shape (N, size, size)
        In units of the logit per standard deviation of grey.
    """
    from cxrmodel.explain.methods import keras_vis

    return keras_vis.pixel_gradients(network, inputs, traced)


METHOD = Method(
    name="saliency",
    title="Saliency",
    paper="Simonyan et al., Deep Inside Convolutional Networks, ICLR workshop 2014",
    link="https://arxiv.org/abs/1312.6034",
    shows=Message("explain.saliency.shows"),
    cannot=Message("explain.saliency.cannot"),
    unit=Message("explain.saliency.unit"),
    passes=1,
    compute=lambda context, tensors, _: saliency(context.network, tensors, context.many),
)
