"""What the gates say to the reader of a film: for each rule what it measures, and its sentences."""

__all__ = ["MEASURES", "SENTENCES"]

_WHOLE = "Use the whole, upright, frontal chest film."
_NOT_CHEST = (
    "This picture does not look like a frontal chest radiograph, so it is not read. "
    "If it is one, export the whole film, upright and without its surroundings, and drop that."
)

SENTENCES = {
    "size": {
        "warn": "The picture is smaller than the films that the model learnt from, so fine detail is missing: "
        "export the film at its full size if you can.",
        "refuse": "This picture is too small to judge: export the film at its full size and drop that.",
    },
    "margins": {
        "warn": "The picture has wide even margins; they were cut off and the film inside was read. "
        "Check that nothing of the film is missing.",
    },
    "page": {
        "refuse": "A film fills only a small part of this picture, or there is none: "
        "export the film itself, without the page or screen around it.",
    },
    "inverted": {
        "warn": "Black and white were exchanged in this picture; it was inverted so that air is dark, and read so.",
    },
    "polarity": {
        "refuse": "It cannot be told whether black and white are exchanged in this picture, so it is not read: "
        "export the film with air dark and bone bright.",
    },
    "turned": {
        "refuse": "This film lies on its side or upside down, so it is not read: turn it upright and drop it again.",
    },
    "mirrored": {
        "warn": "The film may be mirrored: the heart seems to lie on the wrong side. Check the side marker; "
        "the film was read as it is.",
    },
    "strange": {"refuse": _NOT_CHEST},
    "contrast": {
        "warn": "The film has unusually little contrast, so trust the number less: "
        "export it with a wider window if you can.",
        "refuse": "This picture is blank or almost even, so it is not read: export the film again with its full range.",
    },
    "clipped": {
        "warn": "Much of the film is pure black or pure white. Where that is more than air and frame, nothing can be "
        "seen there: export the film with a wider window if you can.",
        "refuse": "Most of this picture is pure black or pure white, so it is not read: "
        "export the film with a wider window, in shades of grey.",
    },
    "film likeness": {"refuse": _NOT_CHEST},
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
        "warn": "The lungs reach the edge of the film and may be cut off: what lies beyond was not seen.",
    },
    "familiarity": {
        "warn": "This film differs from nearly all films that the model learnt from, which show children of one "
        "to five years from one hospital: trust the number less.",
        "refuse": "This film is unlike every film that the model learnt from, so a number would mean nothing and "
        "none is given: judge it without the model, or export it again if it looks unusual on the screen.",
    },
}

MEASURES = {
    "size": "shorter side of the picture, in pixels",
    "margins": "share of the picture that is even margin",
    "page": "shorter extent of the film inside wide margins, as a share of the picture",
    "inverted": "belief of the posture network that the film is inverted; above it the film is corrected",
    "polarity": "the same, where the film is not corrected",
    "turned": "belief of the posture network that the film lies on its side or upside down",
    "mirrored": "belief of the posture network that the film is mirrored",
    "strange": "belief of the posture network that this is no whole chest film",
    "contrast": "standard deviation of the film's grey levels, of 255",
    "clipped": "share of the film that is pure black or white",
    "film likeness": "distance of the whole film from the space of training films",
    "lung area": "share of the film that is lung",
    "lung balance": "area of the smaller lung over that of the larger",
    "lung distance": "distance between the middles of the lungs across the film, as a share of its width",
    "lung level": "difference in height between the middles of the lungs, as a share of the film's height",
    "lung likeness": "distance of the part around the lungs from the space of training films",
    "cut off": "share of the film's edge that is lung",
    "familiarity": "distance of the network's own features from those of training films, against its mean there",
}
