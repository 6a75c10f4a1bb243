"""The structured report: a Comprehensive 3D SR of template TID 1500, for machines.

docs/reference/result-objects.md lists its content.
"""

from dataclasses import asdict

from highdicom import UID
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    AlgorithmIdentification,
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from cxrmodel import __version__
from cxrmodel.errors import ImageRefused
from cxrmodel.imaging.dicom.own_results import MANUFACTURER, MODEL_NAME
from cxrmodel.messages import Message
from cxrmodel.model.spec import UNCERTAIN, ModelSpec
from cxrmodel.reading import Attribution, Reading
from cxrmodel.report.wording import DISCLAIMER
from cxrmodel.results.codes import (
    ABSENT,
    ATTRIBUTION_OUTSIDE,
    ATTRIBUTION_SHARE,
    INDETERMINATE,
    NOT_EVALUATED,
    OWN_SCHEME,
    PRESENT,
    SITES,
    condition,
)
from cxrmodel.results.head import DEVICE_UID, Head
from cxrmodel.results.percentages import percent_text, percentage
from cxrmodel.results.plain import plain

SERIES_NUMBER = 9901


def structured_report(head: Head, outcome: Reading | ImageRefused, spec: ModelSpec) -> Dataset:
    """Write a reading, or why there is none, as a structured report.

    Parameters
    ----------
    head : Head
    outcome : Reading or ImageRefused
    spec : ModelSpec
        Of the model that read the image.
    """
    content = MeasurementReport(
        observation_context=ObservationContext(
            observer_device_context=ObserverContext(
                observer_type=codes.DCM.Device,
                observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
                    uid=DEVICE_UID,
                    name=MODEL_NAME,
                    manufacturer_name=MANUFACTURER,
                    model_name=MODEL_NAME,
                    serial_number=__version__,
                ),
            )
        ),
        procedure_reported=codes.LN.XRUnspecifiedBodyRegion,
        imaging_measurements=[_group(head, outcome, spec)],
        title=codes.DCM.ImagingMeasurementReport,
    )
    return Comprehensive3DSR(
        evidence=[head.evidence],
        content=content,
        series_number=SERIES_NUMBER,
        series_description=plain(Message("results.report.series")),
        is_complete=True,
        coding_schemes=[
            CodingSchemeIdentificationItem(OWN_SCHEME, name=MODEL_NAME, responsible_organization=MANUFACTURER)
        ],
        **head.arguments,
    )


def _group(head: Head, outcome: Reading | ImageRefused, spec: ModelSpec) -> MeasurementsAndQualitativeEvaluations:
    """The measurement group (TID 1501): numbers, codes, and what a reader of them should know."""
    name = condition(spec.labels)
    read = outcome if isinstance(outcome, Reading) else None
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=UID(head.uid("tracking")), identifier=f"{MODEL_NAME}: {name.meaning}"
        ),
        finding_sites=[FindingSite(codes.SCT.Lung)],
        algorithm_id=AlgorithmIdentification(
            name=MODEL_NAME,
            version=spec.version,
            parameters=_parameters(read) if read else None,
            family=codes.DCM.ArtificialIntelligence,
            manufacturer=MANUFACTURER,
        ),
        measurements=_measurements(read) if read else None,
        qualitative_evaluations=[QualitativeEvaluation(name, _presence(read, spec))],
        source_images=[SourceImageForMeasurementGroup(head.source.sop_class, head.source.instance_uid)],
    )
    group[0].ContentSequence.extend(
        TextContentItem(codes.DCM.Comment, plain(words), RelationshipTypeValues.CONTAINS)
        for words in comments(outcome, spec)
    )
    return group


def comments(outcome: Reading | ImageRefused, spec: ModelSpec) -> tuple[Message, ...]:
    """Give the sentences of a report: its limits, then every reason of the reading, or why there is none."""
    limits = (DISCLAIMER, Message("results.scope", positive=spec.labels.positive))
    if isinstance(outcome, Reading):
        ages = Message("results.ages", ages=str(spec.ages))
        return (*limits, ages, *outcome.reasons)
    return (*limits, Message("results.not_read", reason=outcome.message))


def _presence(read: Reading | None, spec: ModelSpec) -> Code:
    if read is None:
        return NOT_EVALUATED
    return {spec.labels.positive: PRESENT, UNCERTAIN: INDETERMINATE}.get(read.finding, ABSENT)


def _parameters(reading: Reading) -> list[str]:
    """What the probability assumes, and the thresholds that the finding follows, with all their digits."""
    shares = {"prevalence": reading.prevalence, **reading.operating_points}
    return [f"{name}={percent_text(share)}%" for name, share in shares.items()]


def _measurements(reading: Reading) -> list[Measurement]:
    """The probability, and the shares of attribution where their location means something."""
    record = reading.as_record("")
    assert record.probability is not None
    certainty = Measurement(codes.DCM.CertaintyOfFinding, 0, codes.UCUM.Percent)
    _set(certainty, record.probability, *reading.operating_points.values())
    if record.evidence_shares is None or reading.attribution is Attribution.FAINT:
        return [certainty]
    doubtful = {"right", "left"} if reading.check.has_warning("mirroring") else set()
    shares = asdict(record.evidence_shares).items()
    return [certainty, *(_attribution(name, share) for name, share in shares if name not in doubtful)]


def _attribution(name: str, share: float) -> Measurement:
    site = SITES.get(name)
    measurement = Measurement(
        ATTRIBUTION_SHARE if site else ATTRIBUTION_OUTSIDE,
        0,
        codes.UCUM.Percent,
        finding_sites=[FindingSite(*site)] if site else None,
        method=codes.DCM.GradientWeightedClassActivation,
    )
    _set(measurement, share)
    return measurement


def _set(measurement: Measurement, share: float, *thresholds: float) -> None:
    text, floating = percentage(share, thresholds)
    value = measurement[0].MeasuredValueSequence[0]
    value.NumericValue = text
    if floating is not None:
        value.FloatingPointValue = floating
