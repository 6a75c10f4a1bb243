"""Every refusal and failure that the program states by name. A leaf: it imports nothing of ours.

The text of each error is a full sentence, written for the clinician or operator who reads it: what is
wrong, and what to do next.
"""

__all__ = [
    "AlteredWeights",
    "AnimatedFile",
    "Busy",
    "ColourPicture",
    "CxrError",
    "DataError",
    "EmptyFile",
    "EvaluationError",
    "FilmRefused",
    "FilmTooLarge",
    "FilmTooSmall",
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
    "UnfamiliarFilm",
    "UnreadableFile",
    "UnsupportedFile",
]


class CxrError(Exception):
    """Root of everything that this program refuses or fails at by name."""


class FilmRefused(CxrError):
    """This file is not a film that may be read; no number is given for it."""


class EmptyFile(FilmRefused):
    """The file holds no bytes."""


class UnsupportedFile(FilmRefused):
    """The bytes are not of a type that the program reads."""


class UnreadableFile(FilmRefused):
    """The bytes claim a known type but are broken or truncated."""


class MissingPixels(UnreadableFile):
    """A DICOM file without pixel data, or with fewer than its size calls for."""


class NoPicture(FilmRefused):
    """A DICOM object of another kind: a report, a directory, an annotation."""


class OtherModality(FilmRefused):
    """A DICOM file that names another modality than projection radiography."""


class OtherBodyPart(FilmRefused):
    """A DICOM file that names another part of the body than the chest."""


class OtherView(FilmRefused):
    """A DICOM file that names another view than a frontal one."""


class AnimatedFile(FilmRefused):
    """The file holds more than one picture."""


class ColourPicture(FilmRefused):
    """A true colour picture, which no radiograph is."""


class FilmTooLarge(FilmRefused):
    """More bytes or pixels than the stated limit."""


class FilmTooSmall(FilmRefused):
    """Too few pixels to judge."""


class ImplausibleShape(FilmRefused):
    """A strip far longer than wide, which no film is."""


class PictureRefused(FilmRefused):
    """A gate finds that the picture is no upright, whole, frontal chest film."""


class NoLungsFound(PictureRefused):
    """The segmenter finds no lung fields to read."""


class UnfamiliarFilm(FilmRefused):
    """The film is too unlike those that the model learnt from."""


class ModelError(CxrError):
    """The trained artefact cannot be used."""


class MissingWeights(ModelError):
    """A file of the trained model is absent."""


class AlteredWeights(ModelError):
    """A file of the trained model is not the one its specification names."""


class Busy(CxrError):
    """Too many readings wait already."""


class DataError(CxrError):
    """A film collection is missing, incomplete or damaged."""


class OutputRefused(CxrError):
    """A file that was to be written would replace something, or be of no use."""


class TrainingError(CxrError):
    """Training cannot start or go on."""


class EvaluationError(CxrError):
    """A stored evaluation is missing, damaged, or of other weights."""
