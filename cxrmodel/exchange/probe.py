"""Probe: one finding about a connection, for ``cxrmodel config check``."""

from dataclasses import dataclass

from cxrmodel.messages import Message


@dataclass(frozen=True)
class Probe:
    """One finding about a connection.

    Attributes
    ----------
    passed : bool
    message : Message
    """

    passed: bool
    message: Message
