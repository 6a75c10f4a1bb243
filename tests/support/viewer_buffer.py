"""The viewer's buffer taken apart as its documentation says, independently of what the browser does."""

import json
import zlib

import numpy as np


def unpack(data: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    """Header, and every part: image and lungs in their shapes, heat as shares 0..1, colours of shape (maps, 256, 3)."""
    length = int.from_bytes(data[:4], "little")
    header, body = json.loads(data[4 : 4 + length]), data[4 + length :]
    raw = {name: zlib.decompress(body[start : start + size]) for name, start, size in header["parts"]}
    assert sum(size for _, _, size in header["parts"]) == len(body)
    image = header["image"]
    shape = image["height"], image["width"]
    rows = np.frombuffer(raw["image"], np.uint8).astype(np.int64)
    if image["top"] > 255:
        upper, lower = rows.reshape(2, *shape)
        steps, wrap = upper * 256 + lower, 65536
    else:
        steps, wrap = rows.reshape(shape), 256
    return header, {
        "image": np.cumsum(steps, axis=0) % wrap,
        "heat": np.frombuffer(raw["heat"], "<u2").reshape(header["heat"]["height"], -1) / 65535,
        "lungs": np.frombuffer(raw["lungs"], np.uint8).reshape(header["lungs"]["height"], -1),
        "colours": np.frombuffer(raw["colours"], np.uint8).reshape(-1, 256, 3),
    }
