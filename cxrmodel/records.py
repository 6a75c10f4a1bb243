"""Records: the base of everything that is stored as JSON, strict in both directions."""

import csv
import io
import json
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cxrmodel.errors import CxrError
from cxrmodel.sinks import shortened

Share = Annotated[float, Field(gt=0, lt=1)]
"""A share strictly between 0 and 1."""

Positive = Annotated[float, Field(gt=0)]

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A digest as 64 lower-case hexadecimal digits."""

_LONGEST_PROBLEM = 300
"""Characters of the description of an error."""
_MOST_BYTES = 64 * 2**20
"""Of a document; those of the program have under one MiB."""

Failure = tuple[type[CxrError], str]
"""Kind of an error and the code of its message."""


class Record(BaseModel):
    """A stored record: immutable, of exactly its fields, without conversion and without NaN.

    It is valid or does not exist. ``load`` reads one from a file; its error names the field at fault.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def load(cls, path: Path, missing: Failure, damaged: Failure, **values: Any) -> Self:
        """Read a record from a JSON file.

        Parameters
        ----------
        missing, damaged : Failure
            Raised when the file cannot be read, and when it is no valid record. The messages get ``path``, with
            ``reason`` or ``problem``, and the other values.
        """
        try:
            return cls.model_validate_json(read_document(path))
        except OSError as error:
            raise missing[0](missing[1], path=str(path), reason=str(error.strerror), **values) from error
        except Exception as error:  # a validator may stumble over a value of the right type, such as a huge number
            raise damaged[0](damaged[1], path=str(path), problem=first_problem(error), **values) from error

    def replace(self, **changes: Any) -> Self:
        """Copy the record with other values, checked as new ones are.

        Raises
        ------
        ValidationError
        """
        return type(self)(**dict(self) | changes)

    def to_json(self) -> str:
        """Write the record as an indented JSON file."""
        return json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"


def read_document(path: Path) -> bytes:
    """Read a file that is small where it is what it should be; one that never ends is refused too.

    Raises
    ------
    OSError
        When it cannot be read.
    ValueError
        When it has more than 64 MiB.
    """
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_BYTES // 2**20} MiB")
    return data


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a CSV file with a header.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of dict of str to str
        By column; every row has every column of the header.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it is no CSV file in UTF-8: a field too long, a row too long or too short.
    """
    try:
        text = io.StringIO(read_document(path).decode("utf-8-sig"), newline="")
        rows = list(csv.DictReader(text, strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    if any(None in row or None in row.values() for row in rows):
        raise ValueError("a row has another number of fields than the header")
    return rows


def first_problem(error: Exception) -> str:
    """Describe an error in one short line; of a record that is not valid, its field and what the field should be."""
    if not isinstance(error, ValidationError):
        return shortened(str(error) or type(error).__name__, _LONGEST_PROBLEM)
    found = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in found["loc"])
    return shortened(f"{field}: {found['msg']}" if field else found["msg"], _LONGEST_PROBLEM)
