"""Every way of explaining a reading: its name, its source, what it can and cannot show, what it costs.

Importing this module loads no TensorFlow; the methods that need it load it when they are first run.
"""

from dataclasses import dataclass

from cxrmodel.explain.occlusion import COVERS

__all__ = ["INSTANT", "METHODS", "SCORECAM_CHANNELS", "SMOOTHGRAD_COPIES", "Method"]

INSTANT = "gradcam"
"""The method whose map every reading brings along."""
SCORECAM_CHANNELS = 16
"""Channels that Score-CAM tries of each view."""
SMOOTHGRAD_COPIES = 16


@dataclass(frozen=True)
class Method:
    """One way of explaining.

    Attributes
    ----------
    name, title : str
        On the command line and in files; for readers.
    paper, link : str
        Where it was published, and an address of it.
    shows, cannot : str
        Sentences: what may be read from its map, and what may not.
    unit : str
        What the values of its map are, for the colour bar.
    passes : int
        How often the network is run on an image and its mirror image, forwards or forwards and backwards.
    backwards : bool
        Whether those passes compute gradients, which only Keras can.
    tensorflow : bool
        Whether TensorFlow must be loaded for it.
    """

    name: str
    title: str
    paper: str
    link: str
    shows: str
    cannot: str
    unit: str
    passes: int
    backwards: bool = True
    tensorflow: bool = True

    @property
    def cost(self) -> str:
        """What one map costs, in words."""
        if not self.passes:
            return "Nothing: it comes with every reading."
        passes = "One pass" if self.passes == 1 else f"{self.passes} passes"
        return f"{passes} of the network{', forwards and backwards' if self.backwards else ''}."


_ALL = (
    Method(
        INSTANT,
        "Grad-CAM",
        "Selvaraju et al., Grad-CAM, ICCV 2017",
        "https://arxiv.org/abs/1610.02391",
        "Which coarse places add to the logit, and how much: before negative places are dropped, they sum to it.",
        "Small lesions: it has a few places along a side. What speaks against pneumonia is left out.",
        "what each place adds to the logit",
        0,
        backwards=False,
        tensorflow=False,
    ),
    Method(
        "gradcam++",
        "Grad-CAM++",
        "Chattopadhay et al., Grad-CAM++, WACV 2018",
        "https://arxiv.org/abs/1710.11063",
        "Several separate places, four times as fine as Grad-CAM, from an earlier layer.",
        "How much a place adds: its values have no unit, and later layers are followed only roughly.",
        "weighed activations, without a unit",
        1,
    ),
    Method(
        "layercam",
        "LayerCAM",
        "Jiang et al., LayerCAM, IEEE Transactions on Image Processing 2021",
        "https://doi.org/10.1109/TIP.2021.3089943",
        "Places four times as fine as Grad-CAM, each weighed by its own effect on the logit, not its channel's.",
        "Places at which less activation would raise the logit: only a rising effect is kept.",
        "activation times its rising effect on the logit",
        1,
    ),
    Method(
        "scorecam",
        "Score-CAM (faster variant)",
        "Wang et al., Score-CAM, CVPR workshops 2020",
        "https://arxiv.org/abs/1910.01279",
        "Places twice as fine as Grad-CAM, weighed by what the network says of the image behind masks.",
        "Channels that are not tried: only those that vary most over the image are. Masked images are unlike real ones.",
        "activations by the logit that their masks reach",
        2 * (SCORECAM_CHANNELS + 1) + 1,
        backwards=False,
    ),
    Method(
        "saliency",
        "Saliency",
        "Simonyan et al., Deep Inside Convolutional Networks, ICLR workshop 2014",
        "https://arxiv.org/abs/1312.6034",
        "At which pixels the logit would change fastest, up or down.",
        "What speaks for pneumonia: it has no sign. It is grainy, and a pixel that already decided may be dark.",
        "change of the logit by standard deviation of grey",
        1,
    ),
    Method(
        "smoothgrad",
        "SmoothGrad",
        "Smilkov et al., SmoothGrad, 2017",
        "https://arxiv.org/abs/1706.03825",
        "Saliency with less grain: the mean over noisy copies of the image.",
        "What speaks for pneumonia: it has no sign. The noise may carry the copies away from real images.",
        "change of the logit by standard deviation of grey",
        SMOOTHGRAD_COPIES,
    ),
    Method(
        "occlusion",
        "Occlusion sensitivity",
        "Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014",
        "https://arxiv.org/abs/1311.2901",
        "How much the logit falls when a place is blurred away: a measurement, without a look inside the network.",
        "Signs that are there twice, as hiding one leaves the other; and anything much smaller than the cover.",
        "fall of the logit when the place is hidden",
        COVERS + 1,
        backwards=False,
        tensorflow=False,
    ),
)
METHODS = {method.name: method for method in _ALL}
"""By name, in the order in which they are offered."""
