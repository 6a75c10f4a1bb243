"""The columns of an archive's output: one row an image. docs/reference/archive.md describes them."""

from dataclasses import asdict
from typing import Any

import pyarrow as pa

from cxrmodel.explain.shares import EvidenceShares
from cxrmodel.imaging.dicom.study import Study
from cxrmodel.reading import ReadingRecord
from cxrmodel.report.table import SHARES

_TEXTS = pa.list_(pa.string())

SCHEMA = pa.schema(
    [
        pa.field("item", pa.int64(), nullable=False),
        pa.field("source", pa.int16(), nullable=False),
        pa.field("sha256", pa.string()),
        pa.field("changed", pa.bool_(), nullable=False),
        pa.field("file", pa.string()),
        pa.field("status", pa.string(), nullable=False),
        pa.field("probability", pa.float64()),
        pa.field("finding", pa.string()),
        pa.field("uncertain_from", pa.float64()),
        pa.field("uncertain_to", pa.float64()),
        pa.field("operating_point", pa.string()),
        pa.field("threshold", pa.float64()),
        pa.field("reasons", _TEXTS, nullable=False),
        pa.field("codes", _TEXTS, nullable=False),
        pa.field("heat_in_lungs", pa.float64()),
        *(pa.field(name, pa.float64()) for name in SHARES),
        pa.field("model", pa.string(), nullable=False),
        pa.field("prevalence", pa.float64()),
        pa.field("milliseconds", pa.float64()),
        pa.field("file_bytes", pa.int64()),
        pa.field("file_modified", pa.int64()),
        pa.field("logit", pa.float64()),
        pa.field("study_year", pa.int16()),
        pa.field("age_years", pa.float32()),
        pa.field("sex", pa.string()),
        pa.field("modality", pa.string()),
        pa.field("manufacturer", pa.string()),
        pa.field("device", pa.string()),
        pa.field("view", pa.string()),
        pa.field("patient_id", pa.string()),
        pa.field("accession", pa.string()),
        pa.field("study_uid", pa.string()),
        pa.field("series_uid", pa.string()),
        pa.field("instance_uid", pa.string()),
    ]
)
"""Columns, in order."""

IDENTITY = ("file", "patient_id", "accession", "study_uid", "series_uid", "instance_uid")
"""Columns that are empty unless identity was asked for."""
OLDEST = 90.0
"""Ages above are stored as this, as such a high age may identify someone."""


def make_row(record: ReadingRecord, logit: float | None, study: Study, **columns: Any) -> dict[str, Any]:
    """Make the row of an image.

    Parameters
    ----------
    record : ReadingRecord
        Its keys are columns, and the shares a column each.
    logit : float or None
        Output of the network, not rounded.
    study : Study
        What the file states; with all its identifiers, which ``without_identity`` takes out.
    **columns
        The other columns: ``item``, ``source``, ``sha256``, ``changed``.

    Returns
    -------
    dict of str to object
        By every column of ``SCHEMA``.
    """
    keys = asdict(record)
    shares: EvidenceShares | None = record.evidence_shares
    del keys["evidence_shares"]
    values = {**keys, **dict(zip(SHARES, vars(shares).values() if shares else (None,) * len(SHARES), strict=True))}
    stated = asdict(study)
    year, age = stated.pop("year"), stated.pop("age")
    age = None if age is None else round(min(age, OLDEST), 1)
    return {**values, **stated, "logit": logit, "study_year": year, "age_years": age, **columns}


def without_identity(row: dict[str, Any]) -> dict[str, Any]:
    """The row of an image without what names its file or its patient."""
    return row | dict.fromkeys(IDENTITY)
