"""Images of errors, coded for the screen."""

import cv2
import numpy as np

from cxrmodel.web.evaluation.error_images import jpeg


def test_jpeg_keeps_channels_apart():
    """Red stays red."""
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 255
    blue, green, back = cv2.imdecode(np.frombuffer(jpeg(red), np.uint8), cv2.IMREAD_COLOR)[16, 16]
    assert back > 240
    assert max(blue, green) < 15
