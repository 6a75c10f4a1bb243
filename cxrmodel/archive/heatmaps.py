"""Heatmaps of an archive as compact arrays: the few values of the map on the crop, and where the crop lies."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from cxrmodel.explain.interpolation import CropMap
from cxrmodel.reading import Reading

BOX = ("top", "left", "bottom", "right")
SCHEMA = pa.schema(
    [
        pa.field("item", pa.int64(), nullable=False),
        *(pa.field(name, pa.int16(), nullable=False) for name in BOX),
        pa.field("rows", pa.int16(), nullable=False),
        pa.field("columns", pa.int16(), nullable=False),
        pa.field("values", pa.binary(), nullable=False),
    ]
)
"""``values`` are ``rows`` x ``columns`` float16, little-endian, zero or above, in units of the logit.

``BOX`` is where the crop lies on the canonical image of 224 x 224.
"""


def heatmap_row(number: int, reading: Reading) -> dict[str, Any] | None:
    """Make the row of a reading's map; half precision keeps three digits.

    Parameters
    ----------
    number : int
        Of the image in the output.
    reading : Reading

    Returns
    -------
    dict of str to object or None
        By column; None for a reading without a map of its crop.
    """
    if reading.crop_map is None:
        return None
    values = reading.crop_map.values
    return {
        "item": number,
        **dict(zip(BOX, map(int, reading.crop_map.box), strict=True)),
        "rows": values.shape[0],
        "columns": values.shape[1],
        "values": values.astype("<f2").tobytes(),
    }


def crop_map(row: Mapping[str, Any]) -> CropMap:
    """Give the map of a row. ``on_image`` and ``drawn`` of it are those of the reading, to half precision."""
    values = np.frombuffer(row["values"], "<f2").reshape(row["rows"], row["columns"])
    return CropMap(values.astype(np.float32), (row["top"], row["left"], row["bottom"], row["right"]))
