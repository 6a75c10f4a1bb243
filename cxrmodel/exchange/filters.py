"""Filters: which received images this site wants to be read."""

from collections.abc import Callable
from dataclasses import dataclass

from cxrmodel.configuration.schema import FilterSection
from cxrmodel.exchange.image_header import ImageHeader
from cxrmodel.messages import Message
from cxrmodel.registry import Registry


@dataclass(frozen=True)
class Filter:
    """One filter.

    Attributes
    ----------
    name : str
        End of the code of its message, ``exchange.skipped.NAME``.
    excludes : callable
        Whether the settings exclude an image with this header. A header that does not state what the filter looks at
        passes.
    """

    name: str
    excludes: Callable[[ImageHeader, FilterSection], bool]


def _listed(value: str, names: tuple[str, ...]) -> bool:
    return value.strip().casefold() in {name.strip().casefold() for name in names}


def _excludes_modality(header: ImageHeader, settings: FilterSection) -> bool:
    return bool(settings.modalities and header.modality) and not _listed(header.modality, settings.modalities)


def _excludes_body_part(header: ImageHeader, settings: FilterSection) -> bool:
    return bool(settings.body_parts and header.body_part) and not _listed(header.body_part, settings.body_parts)


def _excludes_station(header: ImageHeader, settings: FilterSection) -> bool:
    return bool(settings.stations and header.station) and not _listed(header.station, settings.stations)


def _excludes_age(header: ImageHeader, settings: FilterSection) -> bool:
    age, least, most = header.age_years, settings.least_age_years, settings.most_age_years
    return age is not None and ((least is not None and age < least) or (most is not None and age > most))


def _lacks_patient(header: ImageHeader, settings: FilterSection) -> bool:
    return settings.needs_patient_id and header.dicom and not header.patient_id


FILTERS: Registry[Filter] = Registry(
    "filter",
    Filter("patient_id", _lacks_patient),
    Filter("modality", _excludes_modality),
    Filter("body_part", _excludes_body_part),
    Filter("station", _excludes_station),
    Filter("age", _excludes_age),
)


def why_skipped(header: ImageHeader, settings: FilterSection) -> Message | None:
    """Why an image is not read here; None for one that is.

    What the object is known to be counts first: a report, a CT, a hand.
    """
    if header.other is not None:
        return header.other
    found = next((one.name for one in FILTERS if one.excludes(header, settings)), None)
    return Message(f"exchange.skipped.{found}") if found else None
