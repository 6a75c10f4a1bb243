"""Stored records are valid or do not exist."""

import pytest
from pydantic import ValidationError

from cxrmodel.records import Record, Share, first_problem


class Inner(Record):
    """A record inside another."""

    share: Share


class Outer(Record):
    """A record with a record."""

    count: int
    inner: Inner


OUTER = Outer(count=1, inner=Inner(share=0.5))


def test_what_is_written_is_read():
    """Round trip through JSON."""
    assert Outer.model_validate_json(OUTER.to_json()) == OUTER


def test_a_copy_is_checked():
    """Other values pass the same checks as first ones."""
    assert OUTER.replace(count=2).count == 2
    for change in ({"count": 1.5}, {"count": "1"}, {"more": 1}):
        with pytest.raises(ValidationError):
            OUTER.replace(**change)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"count": 1, "inner": {"share": 1.0}}', "inner.share"),
        ('{"count": 1, "inner": {"share": NaN}}', "inner.share"),
        ('{"count": "1", "inner": {"share": 0.5}}', "count"),
        ('{"inner": {"share": 0.5}}', "count"),
        ('{"count": 1, "inner": {"share": 0.5}, "more": 1}', "more"),
    ],
)
def test_the_field_at_fault_is_named(text, field):
    """The description names the field at fault."""
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate_json(text)
    assert first_problem(caught.value).startswith(f"{field}: ")


def test_damaged_json_has_no_field():
    """A file that is not JSON is named as such."""
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate_json("{")
    assert "JSON" in first_problem(caught.value)
