"""What every result object begins with: UIDs, device, times, and the image that it refers to."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from highdicom import UID
from pydicom.dataset import Dataset
from pydicom.valuerep import DA, DT, TM

from cxrmodel import __version__
from cxrmodel.imaging.dicom.own_results import MANUFACTURER, MODEL_NAME, own_uid
from cxrmodel.results.source import SourceImage

FORMAT = "1"
"""Version of what the objects contain. Another one gives other UIDs, as an archive keeps what it has under a UID."""
DEVICE_UID = own_uid("device")
_OFFSET = re.compile(r"([+-])([01]\d|2[0-3])([0-5]\d)")


@dataclass(frozen=True)
class Head:
    """What an object of one kind begins with.

    Attributes
    ----------
    source : SourceImage
    kind : str
        ``sr`` or ``sc``.
    model : str
        Version.
    profile : str
        Layout of the objects.
    prevalence : float
    made_at : datetime
        With time zone.
    """

    source: SourceImage
    kind: str
    model: str
    profile: str
    prevalence: float
    made_at: datetime

    def uid(self, part: str) -> str:
        """Derive a UID: always the same for one image, model, profile, prevalence and kind of object.

        Parameters
        ----------
        part : str
            What it names: ``instance``, ``series``.
        """
        return own_uid(
            FORMAT, self.source.instance_uid, self.model, self.profile, repr(self.prevalence), self.kind, part
        )

    @property
    def evidence(self) -> Dataset:
        """The image, as far as a reference to it needs; its patient and study are copied later, as they are stored."""
        image = Dataset()
        image.SOPClassUID, image.SOPInstanceUID = self.source.sop_class, self.source.instance_uid
        image.SeriesInstanceUID, image.StudyInstanceUID = self.source.series_uid, self.source.study_uid
        for keyword in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber"):
            setattr(image, keyword, None)
        image.StudyID = image.StudyDate = image.StudyTime = image.ReferringPhysicianName = None
        return image

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments that the constructors of all kinds of objects share."""
        return {
            "series_instance_uid": UID(self.uid("series")),
            "sop_instance_uid": UID(self.uid("instance")),
            "instance_number": 1,
            "manufacturer": MANUFACTURER,
            "manufacturer_model_name": MODEL_NAME,
            "software_versions": (__version__, self.model),
            "device_serial_number": __version__,
            "content_date": DA(self._local.date()),
            "content_time": TM(self._local.time()),
        }

    def complete(self, dataset: Dataset) -> Dataset:
        """Set what the constructors leave out, and the one time at which the object is made."""
        date, time = DA(self._local.date()), TM(self._local.time())
        dataset.InstanceCreationDate, dataset.InstanceCreationTime = date, time
        for equipment in dataset.ContributingEquipmentSequence:
            equipment.ContributionDateTime = DT(self._local.replace(tzinfo=None))
        if "DateOfSecondaryCapture" in dataset:
            dataset.DateOfSecondaryCapture, dataset.TimeOfSecondaryCapture = date, time
        dataset.DeviceUID = DEVICE_UID
        return dataset

    @property
    def _local(self) -> datetime:
        """The time as the image writes times: with its offset from UTC, else that of this machine; whole seconds."""
        stated = _OFFSET.fullmatch(self.source.offset)
        zone = None
        if stated:
            minutes = int(stated[2]) * 60 + int(stated[3])
            zone = timezone(timedelta(minutes=-minutes if stated[1] == "-" else minutes))
        return self.made_at.astimezone(zone).replace(microsecond=0)
