"""The secondary capture: the picture of a reading as a DICOM image, for eyes."""

import numpy as np
from highdicom.sc import SCImage
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import JPEGBaseline8Bit

from cxrmodel.errors import ImageRefused
from cxrmodel.messages import Message
from cxrmodel.model.spec import ModelSpec
from cxrmodel.reading import Reading
from cxrmodel.results.head import Head
from cxrmodel.results.picture import draw
from cxrmodel.results.plain import plain

SERIES_NUMBER = 9902
UPRIGHT = ("L", "F")
"""The rows of the picture run to the patient's left and its columns to the feet, as in every image that is read."""


def secondary_capture(head: Head, outcome: Reading | ImageRefused, spec: ModelSpec) -> Dataset | None:
    """Draw a reading as a secondary capture; None for an image that was not read.

    Parameters
    ----------
    head : Head
    outcome : Reading or ImageRefused
    spec : ModelSpec
        Of the model that read the image.
    """
    if not isinstance(outcome, Reading):
        return None
    picture = np.asarray(draw(outcome))
    evidence = head.evidence
    capture = SCImage(
        pixel_array=picture,
        photometric_interpretation="YBR_FULL_422",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=UPRIGHT,
        study_instance_uid=evidence.StudyInstanceUID,
        series_number=SERIES_NUMBER,
        series_description=plain(Message("results.capture.series")),
        transfer_syntax_uid=JPEGBaseline8Bit,
        **head.arguments,
    )
    capture["PixelData"].VR, capture["PixelData"].is_undefined_length = "OB", True  # as a compressed image is encoded
    if outcome.check.has_warning("mirroring"):
        del capture.PatientOrientation[:]
    capture.BodyPartExamined = "CHEST"  # no paired part, so that no laterality is due
    capture.BurnedInAnnotation = "NO"
    capture.LossyImageCompression, capture.LossyImageCompressionMethod = "01", "ISO_10918_1"
    capture.LossyImageCompressionRatio = f"{picture.nbytes / len(capture.PixelData):.2f}"
    capture.DerivationDescription = plain(Message("results.capture.derivation"))
    capture.SourceImageSequence = [_reference(evidence)]
    return capture


def _reference(evidence: Dataset) -> Dataset:
    item, purpose = Dataset(), Dataset()
    code = codes.DCM.SourceImageForImageProcessingOperation
    purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning = code[:3]
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = evidence.SOPClassUID, evidence.SOPInstanceUID
    item.PurposeOfReferenceCodeSequence = [purpose]
    return item
