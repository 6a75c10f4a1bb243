"""What the checks say to the reader of an image: for each rule what it measures, and its sentences."""

__all__ = ["MEASURES", "SENTENCES"]

_WHOLE = "Use the whole, upright, frontal chest radiograph."
_NOT_CHEST = (
    "This picture does not look like a frontal chest radiograph, so it is not read. "
    "If it is one, export the whole image, upright and without its surroundings, and drop that."
)

SENTENCES = {
    "size": {
        "warn": "The picture is smaller than the images that the model learnt from, so fine detail is missing: "
        "export the image at its full size if you can.",
        "refuse": "This picture is too small to judge: export the image at its full size and drop that.",
    },
    "margins": {
        "warn": "The picture has wide even margins; they were cut off and the image inside was read. "
        "Check that nothing of the image is missing.",
    },
    "page": {
        "refuse": "An image fills only a small part of this picture, or there is none: "
        "export the image itself, without the page or screen around it.",
    },
    "inverted": {
        "warn": "Black and white were exchanged in this picture; it was inverted so that air is dark, and read so.",
    },
    "polarity": {
        "refuse": "It cannot be told whether black and white are exchanged in this picture, so it is not read: "
        "export the image with air dark and bone bright.",
    },
    "turned": {
        "refuse": "This image lies on its side or upside down, so it is not read: turn it upright and drop it again.",
    },
    "mirrored": {
        "warn": "The image may be mirrored: the heart seems to lie on the wrong side. Check the side marker; "
        "the image was read as it is.",
    },
    "strange": {"refuse": _NOT_CHEST},
    "contrast": {
        "warn": "The image has unusually little contrast, so trust the number less: "
        "export it with a wider window if you can.",
        "refuse": "This picture is blank or almost even, so it is not read: export the image again with its full range.",
    },
    "clipped": {
        "warn": "Much of the image is pure black or pure white. Where that is more than air and frame, nothing can be "
        "seen there: export the image with a wider window if you can.",
        "refuse": "Most of this picture is pure black or pure white, so it is not read: "
        "export the image with a wider window, in shades of grey.",
    },
    "image likeness": {"refuse": _NOT_CHEST},
    "lung area": {"refuse": f"No two lungs were found on this picture, so it is not read. {_WHOLE}"},
    "lung balance": {
        "refuse": f"Two lungs of a plausible size were not found on this picture, so it is not read. {_WHOLE}"
    },
    "lung distance": {
        "refuse": f"What looks like lungs on this picture does not lie side by side, so it is not read. {_WHOLE}"
    },
    "lung level": {"refuse": f"What looks like lungs on this picture does not lie level, so it is not read. {_WHOLE}"},
    "lung likeness": {"refuse": _NOT_CHEST},
    "cut off": {
        "warn": "The lungs reach the edge of the image and may be cut off: what lies beyond was not seen.",
    },
    "familiarity": {
        "warn": "This image differs from nearly all images that the model learnt from, which show children of one "
        "to five years from one hospital: trust the number less.",
        "refuse": "This image is unlike every image that the model learnt from, so a number would mean nothing and "
        "none is given: judge it without the model, or export it again if it looks unusual on the screen.",
    },
}

MEASURES = {
    "size": "shorter side of the picture, in pixels",
    "margins": "share of the picture that is even margin",
    "page": "shorter extent of the image inside wide margins, as a share of the picture",
    "inverted": "belief of the orientation network that the image is inverted; above it the image is corrected",
    "polarity": "the same, where the image is not corrected",
    "turned": "belief of the orientation network that the image lies on its side or upside down",
    "mirrored": "belief of the orientation network that the image is mirrored",
    "strange": "belief of the orientation network that this is no whole chest radiograph",
    "contrast": "standard deviation of the image's grey levels, of 255",
    "clipped": "share of the image that is pure black or white",
    "image likeness": "distance of the whole image from the space of training images",
    "lung area": "share of the image that is lung",
    "lung balance": "area of the smaller lung over that of the larger",
    "lung distance": "distance between the middles of the lungs across the image, as a share of its width",
    "lung level": "difference in height between the middles of the lungs, as a share of the image's height",
    "lung likeness": "distance of the part around the lungs from the space of training images",
    "cut off": "share of the image's edge that is lung",
    "familiarity": "distance of the network's own features from those of training images, against its mean there",
}
