"""Base of every stored record: immutable, strict about names, validated also when it is copied."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from cxrmodel.messages import Message

__all__ = ["Described", "Record", "what_is_wrong"]


class Record(BaseModel):
    """A stored record. Unknown fields are an error, and infinity is stored as a string."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy with changes, validated."""
        return type(self).model_validate(dict(self) | dict(update or {}))


class Described(Record):
    """A row whose name stands for a title and a description in the catalogue.

    Attributes
    ----------
    area : str
        Class variable: the code under which the texts of its names are.
    name : str
    """

    area: ClassVar[str]
    name: str

    @property
    def title(self) -> Message:
        """Its name for readers."""
        return Message(f"{self.area}.{self.name}.title")

    @property
    def description(self) -> Message:
        """What it is, in a phrase."""
        return Message(f"{self.area}.{self.name}.description")


def what_is_wrong(error: Exception) -> str:
    """Say in a phrase where a file breaks its schema: ``splits.test.counts.images: Field required``."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
