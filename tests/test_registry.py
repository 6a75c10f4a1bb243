"""A registry keeps order, refuses a taken name and never answers for an unknown one."""

from dataclasses import dataclass

import pytest

from cxrmodel.registry import Registry


@dataclass(frozen=True)
class Tool:
    """Anything with a name."""

    name: str


def test_entries_come_in_order():
    """By iteration, by name, and as names."""
    tools = Registry("tool", Tool("saw"), Tool("axe"))
    plane = tools.register(Tool("plane"))
    assert list(tools) == [Tool("saw"), Tool("axe"), plane]
    assert tools.names == ("saw", "axe", "plane")
    assert tools["plane"] is plane
    assert "axe" in tools
    assert len(tools) == 3


def test_an_unknown_name_is_an_error():
    """The error lists what is known."""
    with pytest.raises(KeyError, match="axe"):
        Registry("tool", Tool("axe"))["saw"]


def test_a_name_is_taken_once():
    """A second entry would hide the first."""
    with pytest.raises(ValueError, match="saw"):
        Registry("tool", Tool("saw"), Tool("saw"))


def test_an_extension_ends_with_its_block():
    """Also when the block fails."""
    tools = Registry("tool", Tool("saw"))
    with tools.extended(Tool("axe")):
        assert tools.names == ("saw", "axe")
    with pytest.raises(KeyError), tools.extended(Tool("axe")):
        tools["plane"]
    assert tools.names == ("saw",)
