"""Faults at named points: an object whose operations fail as often as wanted, before or after they are done."""

from collections import defaultdict
from typing import Any


class Faulty:
    """An object with faults; everything else is that of the object.

    Parameters
    ----------
    whole : object

    Attributes
    ----------
    before, after : dict of str to list of Exception
        By name of an operation: what its next calls raise, instead of being done or once they are done.
    calls : list of str
        Names of the operations called, in order.
    """

    def __init__(self, whole: Any) -> None:
        self._whole = whole
        self.before: dict[str, list[Exception]] = defaultdict(list)
        self.after: dict[str, list[Exception]] = defaultdict(list)
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._whole, name)
        if not callable(found):
            return found

        def called(*values: Any, **options: Any) -> Any:
            self.calls.append(name)
            if self.before[name]:
                raise self.before[name].pop(0)
            result = found(*values, **options)
            if self.after[name]:
                raise self.after[name].pop(0)
            return result

        return called
