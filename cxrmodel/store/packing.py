"""Messages as JSON: their codes and values, so that a later program puts them into words."""

from typing import Any

from cxrmodel.messages import Message

_CODE, _VALUES, _PARTS = "code", "values", "parts"


def pack(message: Message) -> dict[str, Any]:
    """Give a message as JSON.

    Parameters
    ----------
    message : Message
        Its values are numbers, strings, messages or tuples of these; others are stored as text.
    """
    return {_CODE: message.code, _VALUES: pack_values(message)}


def pack_values(message: Message) -> dict[str, Any]:
    """Give the values of a message as JSON."""
    return {name: _packed(value) for name, value in message.values.items()}


def unpack(packed: dict[str, Any]) -> Message:
    """Give the message that `pack` has packed."""
    return Message(packed[_CODE], **{name: _unpacked(value) for name, value in packed[_VALUES].items()})


def _packed(value: Any) -> Any:
    if isinstance(value, Message):
        return pack(value)
    if isinstance(value, tuple):
        return {_PARTS: [_packed(part) for part in value]}
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    return float(value) if hasattr(value, "__float__") else str(value)


def _unpacked(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if _PARTS in value:
        return tuple(_unpacked(part) for part in value[_PARTS])
    return unpack(value)
