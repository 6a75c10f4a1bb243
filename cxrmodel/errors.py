"""Refusals and failures by name. Each carries a message; its text says what happened and what to do."""

from typing import Any

from cxrmodel.messages import Message

__all__ = [
    "AlteredWeights",
    "AnimatedFile",
    "Busy",
    "ColourPicture",
    "CxrError",
    "DataError",
    "EmptyFile",
    "EvaluationError",
    "ImageRefused",
    "ImageTooLarge",
    "ImageTooSmall",
    "ImplausibleShape",
    "MissingPixels",
    "MissingWeights",
    "ModelError",
    "NoLungsFound",
    "NoPicture",
    "OtherBodyPart",
    "OtherModality",
    "OtherView",
    "OutputRefused",
    "PictureRefused",
    "TrainingError",
    "UnfamiliarImage",
    "UnreadableFile",
    "UnsupportedFile",
]


class CxrError(Exception):
    """Root of everything that this program refuses or fails at by name.

    Parameters
    ----------
    code : str
        Of the message, for example ``imaging.empty``.
    **values
        Of the message.

    Attributes
    ----------
    message : Message
        Its text is the text of the error.
    """

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.message = Message(code, **values)

    def __str__(self) -> str:
        return str(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.message)


class ImageRefused(CxrError):
    """This file is not an image that may be read; no number is given for it."""


class EmptyFile(ImageRefused):
    """The file holds no bytes."""


class UnsupportedFile(ImageRefused):
    """The bytes are not of a type that the program reads."""


class UnreadableFile(ImageRefused):
    """The bytes claim a known type but are broken or truncated."""


class MissingPixels(UnreadableFile):
    """A DICOM file without pixel data, or with fewer than its size calls for."""


class NoPicture(ImageRefused):
    """A DICOM object of another kind: a report, a directory, an annotation."""


class OtherModality(ImageRefused):
    """A DICOM file that names another modality than projection radiography."""


class OtherBodyPart(ImageRefused):
    """A DICOM file that names another part of the body than the chest."""


class OtherView(ImageRefused):
    """A DICOM file that names another view than a frontal one."""


class AnimatedFile(ImageRefused):
    """The file holds more than one picture."""


class ColourPicture(ImageRefused):
    """A true colour picture, which no radiograph is."""


class ImageTooLarge(ImageRefused):
    """More bytes or pixels than the stated limit."""


class ImageTooSmall(ImageRefused):
    """Too few pixels to judge."""


class ImplausibleShape(ImageRefused):
    """A strip far longer than wide, which no image is."""


class PictureRefused(ImageRefused):
    """A check finds that the picture is no upright, whole, frontal chest radiograph."""


class NoLungsFound(PictureRefused):
    """The segmenter finds no lung fields to read."""


class UnfamiliarImage(ImageRefused):
    """The image is too unlike those that the model learnt from."""


class ModelError(CxrError):
    """The trained artefact cannot be used."""


class MissingWeights(ModelError):
    """A file of the trained model is absent."""


class AlteredWeights(ModelError):
    """A file of the trained model is not the one its specification names."""


class Busy(CxrError):
    """Too many readings wait already."""


class DataError(CxrError):
    """An image collection is missing, incomplete or damaged."""


class OutputRefused(CxrError):
    """A file that was to be written would replace something, or be of no use."""


class TrainingError(CxrError):
    """Training cannot start or go on."""


class EvaluationError(CxrError):
    """A stored evaluation is missing, damaged, or of other weights."""


def _restored(kind: type[CxrError], message: Message) -> CxrError:
    return kind(message.code, **message.values)
