"""The description of the interface for OpenAPI: what is sent, what is answered, and with which status."""

from typing import Any, Final

from pydantic import TypeAdapter

from cxrmodel.models import MODELS
from cxrmodel.reading import ReadingRecord
from cxrmodel.results.objects import KINDS
from cxrmodel.web.api.problems import PROBLEM, Problem

SUMMARY: Final = "Read one chest radiograph"
ABOUT: Final = (
    "Sends the bytes of one image (DICOM, PNG, JPEG, TIFF or WebP) and gets the object of `cxrmodel read --json`. "
    "Nothing is kept. For research use only; not for diagnosis."
)
KEYS: Final = {
    "file": "Random identifier of the request, as in the log.",
    "status": "`read`, or `refused`: not an image that may be read.",
    "probability": "Calibrated, 0 to 1, at the stated prevalence; null unless read.",
    "finding": "Positive label at or above `uncertain_to`, negative one below `uncertain_from`, else `uncertain`.",
    "uncertain_from": "High-sensitivity threshold.",
    "uncertain_to": "High-specificity threshold.",
    "operating_point": "Name of the operating point of `threshold`.",
    "threshold": "Threshold of the operating point.",
    "reasons": "Sentences that belong beside the number, or say why there is none.",
    "codes": "The code of each reason.",
    "heat_in_lungs": "Share of attribution inside the lungs; null when the map is empty.",
    "evidence_shares": "Shares of the positive contributions by lung and zone; null when the map is empty.",
    "model": "Version of the model.",
    "prevalence": "Prevalence that the probability and the thresholds assume.",
    "milliseconds": "From the bytes to the reading.",
    "file_bytes": "Size of the content.",
    "file_modified": "Always null.",
}

REQUEST: Final = {
    "requestBody": {
        "required": True,
        "description": "The bytes of one image, with `Content-Length`; not a form.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("application/dicom", "*/*")},
    }
}
PREVALENCE: Final = (
    "Share of positive images among those like this one: 0.2 or 20%, from 0.1% to 99.9%. Default: that of the site."
)
MODEL: Final = f"One of {', '.join(MODELS.names)}. Default: that of the site."
RESULTS: Final = (
    f"Results as DICOM, of {', '.join(KINDS)}, separated by commas. The answer is `multipart/related`, the reading "
    "first. The image must be a DICOM file."
)
_PROBLEMS: Final = {
    400: "A parameter cannot be understood.",
    401: "No token, or a wrong one.",
    404: "The interface is off: no token file is configured.",
    405: "Another method than POST.",
    406: "The answer is not offered in a form that the client accepts.",
    408: "The image came too slowly.",
    411: "No `Content-Length`.",
    413: "More bytes than the limit.",
    415: "A form instead of the bytes of an image.",
    500: "Unexpected error, with the reference number under which it was logged.",
    503: "Too many requests at one time, or the model or the token cannot be used now.",
    504: "The reading took too long.",
}


def reading_schema() -> dict[str, Any]:
    """The JSON schema of a reading: every key is always there, and no other."""
    schema = TypeAdapter(ReadingRecord).json_schema(mode="serialization")
    shares = schema.pop("$defs")["EvidenceShares"]
    for part in (schema, shares):
        part.pop("description", None)
        part |= {"required": list(part["properties"]), "additionalProperties": False}
        for key in part["properties"].values():
            key.pop("default", None)
    schema["properties"]["evidence_shares"] = {"anyOf": [shares, {"type": "null"}]}
    for name, description in KEYS.items():
        schema["properties"][name]["description"] = description
    schema["properties"]["status"]["enum"] = ["read", "refused"]
    return schema


def responses() -> dict[int | str, dict[str, Any]]:
    """Every answer by its status."""
    reading = {
        "application/json": {"schema": reading_schema()},
        "multipart/related": {
            "schema": {
                "type": "string",
                "format": "binary",
                "description": "With `results`, the reading as JSON and then each result as application/dicom; with "
                '`Accept: multipart/related; type="application/dicom"`, the results alone.',
            }
        },
    }
    problems: dict[int | str, dict[str, Any]] = {
        status: {"description": text, "content": {PROBLEM: {"schema": Problem.model_json_schema()}}}
        for status, text in _PROBLEMS.items()
    }
    refused = (
        "The image is not read; `codes` and `reasons` say why. A problem where results of no DICOM file were asked for."
    )
    return {
        200: {"description": "The image was read.", "content": reading},
        422: {"description": refused, "content": reading | {PROBLEM: {"schema": Problem.model_json_schema()}}},
        **problems,
    }
