"""LayerCAM: features of an earlier layer, each weighted by its own positive gradient."""

from cxrmodel.explain.method import Floats, Method, Network
from cxrmodel.messages import Message


def layercam(network: Network, layer: str, inputs: Floats) -> Floats:
    """LayerCAM of the logit (Jiang et al., IEEE TIP 2021), as raw values.

    Parameters
    ----------
    network : keras.Model
    layer : str
        Name of the layer whose output is weighted.
    inputs : ndarray of float32, shape (N, size, size, 1)

    Returns
    -------
    ndarray of float32, shape (N, h, w)
        Zero or above: at each position, the sum of activations times their positive gradients.
    """
    from tf_keras_vis.layercam import Layercam

    from cxrmodel.explain.methods import keras_vis

    return keras_vis.cam(Layercam(network, clone=False), layer, inputs)


METHOD = Method(
    name="layercam",
    title="LayerCAM",
    paper="Jiang et al., LayerCAM, IEEE Transactions on Image Processing 2021",
    link="https://doi.org/10.1109/TIP.2021.3089943",
    shows=Message("explain.layercam.shows"),
    cannot=Message("explain.layercam.cannot"),
    unit=Message("explain.layercam.unit"),
    passes=1,
    compute=lambda context, tensors, _: layercam(context.network, context.model.fine_layer, tensors),
)
