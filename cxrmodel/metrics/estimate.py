"""Estimate: a figure with its confidence interval and the number of images behind it."""

import math

from pydantic import ConfigDict, NonNegativeInt, model_validator
from pydantic.dataclasses import dataclass

DIGITS = 6
"""Significant digits of every stored figure."""


def significant(number: float, digits: int = DIGITS) -> float:
    """Round to a number of significant digits."""
    return float(f"{number:.{digits}g}")


@dataclass(frozen=True, config=ConfigDict(extra="forbid", ser_json_inf_nan="strings"))
class Estimate:
    """A figure with its 95 % confidence interval.

    Attributes
    ----------
    value : float or None
        None where undefined, for example the AUC of one class. A likelihood ratio may be infinite.
    low, high : float or None
        Bounds of the interval. Both are None where there is no value, or where the sample is too small for an interval.
    n : int
        Images that the value is computed from: those of its denominator for a share (images with the disease for the
        sensitivity), else all images of the sample.

    Raises
    ------
    pydantic.ValidationError
        When a number is NaN, one bound is missing, the bounds cross, or n is negative.
    """

    value: float | None
    low: float | None
    high: float | None
    n: NonNegativeInt

    @model_validator(mode="after")
    def _consistent(self) -> "Estimate":
        if any(part is not None and math.isnan(part) for part in (self.value, self.low, self.high)):
            raise ValueError("not a number; an undefined figure is None")
        if (self.low is None) != (self.high is None) or (self.value is None and self.low is not None):
            raise ValueError("an interval has a value and two bounds")
        if self.interval is not None and self.interval[0] > self.interval[1]:
            raise ValueError("the lower bound is above the upper bound")
        return self

    @classmethod
    def undefined(cls, n: int = 0) -> "Estimate":
        """Make an estimate without value and interval."""
        return cls(None, None, None, n)

    @classmethod
    def rounded(cls, value: float, low: float, high: float, n: int, digits: int = DIGITS) -> "Estimate":
        """Make an estimate for storage: rounded to significant digits, with None for NaN."""
        if math.isnan(value):
            return cls.undefined(n)
        if math.isnan(low) or math.isnan(high):
            return cls(significant(value, digits), None, None, n)
        return cls(significant(value, digits), significant(low, digits), significant(high, digits), n)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both bounds; None where there is no interval."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def contains(self, number: float) -> bool:
        """Whether the interval holds a number; False where there is no interval."""
        return self.interval is not None and self.interval[0] <= number <= self.interval[1]
