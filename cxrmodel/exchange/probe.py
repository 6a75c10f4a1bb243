"""Probe: one finding about a connection, for ``cxrmodel config check``."""

from dataclasses import dataclass

from cxrmodel.messages import Message


@dataclass(frozen=True)
class Probe:
    """One finding about a connection.

    Attributes
    ----------
    passed : bool or None
        None where something could not be tested.
    message : Message
    """

    passed: bool | None
    message: Message
