"""A number about a head with what it must be seen beside."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A number with what it must be seen beside.

    base: what even attention would give on the same inputs under the same mask · low, high: the ends of its 95 %
    interval over inputs (services.numerics.bootstrap); None for fewer than five · count: queries, pairs or inputs
    that it is a mean over
    """

    value: float
    base: float | None = None
    low: float | None = None
    high: float | None = None
    count: int = 0
