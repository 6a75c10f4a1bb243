"""Result objects of one image: what an archive stores beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cxrmodel.errors import ImageRefused, NotAnImage, WrongBodyPart, WrongModality
from cxrmodel.extras import need
from cxrmodel.model.spec import ModelSpec
from cxrmodel.reading import Reading

KINDS = ("sr", "sc")
"""Structured report and secondary capture."""
PROFILE = "standard"
"""The one layout of the objects."""
FOREIGN = (NotAnImage, WrongModality, WrongBodyPart)
"""Refusals of objects that are no chest radiographs. They get no results: a CT would get one for each slice."""


@dataclass(frozen=True)
class ResultObject:
    """One DICOM object.

    Attributes
    ----------
    uid, sop_class : str
        SOP instance and SOP class.
    kind : str
        One of ``KINDS``.
    data : bytes
        A whole file.
    """

    uid: str
    kind: str
    sop_class: str
    data: bytes = field(repr=False)


def result_objects(
    dicom: bytes,
    outcome: Reading | ImageRefused,
    spec: ModelSpec,
    *,
    prevalence: float,
    kinds: Sequence[str] = KINDS,
    profile: str = PROFILE,
    made_at: datetime | None = None,
) -> tuple[ResultObject, ...]:
    """Make the result objects of one image.

    Everything but the time is derived from the arguments: the same ones give the same UIDs, and with the same
    ``made_at`` the same bytes. Whoever sends an object again sends the bytes that were stored.

    Parameters
    ----------
    dicom : bytes
        The file that was read.
    outcome : Reading or ImageRefused
        A rejected image gets a report that says why, and no capture. What is no chest radiograph gets nothing.
    spec : ModelSpec
        Of the model that read it.
    prevalence : float
        That the probability and the thresholds assume.
    kinds : sequence of str
        Of ``KINDS``, in the order wanted.
    profile : str
        Layout of the objects.
    made_at : datetime, optional
        With time zone; default: now.

    Returns
    -------
    tuple of ResultObject
        In the order of ``kinds``.

    Raises
    ------
    ResultRefused
        When the file is no DICOM file, or states no study, series or instance to refer to.
    MissingExtra
        When the libraries for DICOM results are not installed.
    """
    unknown = set(kinds) - set(KINDS)
    if unknown or profile != PROFILE:
        raise ValueError(f"kinds are of {KINDS}, and the profile is {PROFILE!r}")
    if isinstance(outcome, FOREIGN):
        return ()
    need("highdicom", extra="hospital")
    from cxrmodel.results.encoding import encode
    from cxrmodel.results.head import Head
    from cxrmodel.results.makers import MAKERS
    from cxrmodel.results.source import read_source

    source = read_source(dicom)
    shown = outcome.at(prevalence) if isinstance(outcome, Reading) else outcome
    made_at = made_at or datetime.now(UTC)
    objects = []
    for kind in kinds:
        head = Head(source, kind, spec.version, profile, prevalence, made_at)
        dataset = MAKERS[kind](head, shown, spec)
        if dataset is not None:
            data = encode(head.complete(dataset), source)
            objects.append(ResultObject(head.uid("instance"), kind, str(dataset.SOPClassUID), data))
    return tuple(objects)
