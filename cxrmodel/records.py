"""Records: the base of everything that is stored as JSON, strict in both directions."""

import json
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

__all__ = ["Positive", "Record", "Sha256", "Share", "first_problem"]

Share = Annotated[float, Field(gt=0, lt=1)]
"""A share strictly between 0 and 1."""

Positive = Annotated[float, Field(gt=0)]

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A digest as 64 lower-case hexadecimal digits."""


class Record(BaseModel):
    """A stored record: immutable, of exactly its fields, without conversion and without NaN.

    It is valid or does not exist. ``model_validate_json`` reads one; ``ValidationError`` names the field at fault.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

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


def first_problem(error: ValidationError) -> str:
    """Say in one line what is wrong with a record: its field, and what the field should be."""
    found = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in found["loc"])
    return f"{field}: {found['msg']}" if field else found["msg"]
