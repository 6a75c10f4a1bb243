"""Refusals and failures by name. Each carries a message; its text says what happened and what to do."""

from typing import Any

from cxrmodel.messages import Message

__all__ = [
    "AlteredWeights",
    "ClusterError",
    "ColourImage",
    "CxrError",
    "DataError",
    "DecoderUnavailable",
    "EmptyFile",
    "EvaluationError",
    "ImageRefused",
    "ImageRejected",
    "ImageTooLarge",
    "ImageTooSmall",
    "ImplausibleShape",
    "MissingExtra",
    "MissingPixelData",
    "MissingWeights",
    "ModelError",
    "MultipleImages",
    "NoLungsFound",
    "NotAnImage",
    "OutputFailed",
    "OutputRefused",
    "PermanentFailure",
    "ResultRefused",
    "SettingError",
    "SourceUnavailable",
    "StoreError",
    "StoreUnavailable",
    "TrainingError",
    "TransientFailure",
    "UnreadableFile",
    "UnsupportedFile",
    "WrongBodyPart",
    "WrongModality",
    "WrongView",
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
    """This file is not read, and no number is given for it.

    Attributes
    ----------
    seen : object or None
        What can be shown of the image, a ``cxrmodel.pipeline.RefusedImage``; None where it was not decoded, or where
        that was not wanted.
    """

    seen: Any = None


class EmptyFile(ImageRefused):
    """The file holds no bytes."""


class UnsupportedFile(ImageRefused):
    """The file is of a format that is not supported."""


class UnreadableFile(ImageRefused):
    """The file is of a supported format but damaged or truncated."""


class MissingPixelData(UnreadableFile):
    """A DICOM file without pixel data, or with less than its size requires."""


class NotAnImage(ImageRefused):
    """A DICOM object that holds no image: a report, a directory, an annotation."""


class WrongModality(ImageRefused):
    """A DICOM file of another modality than projection radiography."""


class WrongBodyPart(ImageRefused):
    """A DICOM file of another part of the body than the chest."""


class WrongView(ImageRefused):
    """A DICOM file of a view that is not frontal."""


class MultipleImages(ImageRefused):
    """The file holds more than one image or frame."""


class ColourImage(ImageRefused):
    """A true-colour image, which no radiograph is."""


class ImageTooLarge(ImageRefused):
    """More bytes or pixels than the limit."""


class ImageTooSmall(ImageRefused):
    """Fewer pixels than the limit."""


class ImplausibleShape(ImageRefused):
    """Far longer than wide, which no radiograph is."""


class ImageRejected(ImageRefused):
    """A check finds that this is no upright, whole, frontal chest radiograph of sufficient quality."""


class NoLungsFound(ImageRejected):
    """The segmenter finds no two lung fields."""


class ModelError(CxrError):
    """The trained artefact cannot be used."""


class MissingWeights(ModelError):
    """A file of the trained model is absent."""


class AlteredWeights(ModelError):
    """A file of the trained model is not the one its specification names."""


class DecoderUnavailable(CxrError):
    """No process in which to decode an image could be started."""


class DataError(CxrError):
    """An image collection is missing, incomplete or damaged."""


class SourceUnavailable(CxrError):
    """A place that holds images cannot be reached; none of its images is at fault."""


class ResultRefused(CxrError):
    """No result object for an archive can be made of this file."""


class ClusterError(CxrError):
    """A cluster cannot be used, or no longer be used."""


class OutputRefused(CxrError):
    """A file that was to be written would replace something, or be of no use."""


class OutputFailed(CxrError):
    """A file could not be written: the disk is full, or the folder cannot be used."""


class SettingError(CxrError):
    """A setting of this site cannot be used."""


class MissingExtra(CxrError):
    """A library of an optional extra is not installed."""


class StoreError(CxrError):
    """The store cannot be used as it is."""


class StoreUnavailable(StoreError):
    """The store does not take or give anything at the moment: it is down, busy, or its disk is full."""


class TransientFailure(CxrError):
    """A server could not be reached or used. The same request may succeed later.

    Attributes
    ----------
    retry_after : float or None
        Seconds after which the server wants to be asked again, where it says so.
    """

    retry_after: float | None = None


class PermanentFailure(CxrError):
    """A server refuses this object. The same request fails again until somebody changes something."""


class TrainingError(CxrError):
    """Training cannot start or go on."""


class EvaluationError(CxrError):
    """A stored evaluation is missing, damaged, or of other weights."""


def _restored(kind: type[CxrError], message: Message) -> CxrError:
    return kind(message.code, **message.values)
