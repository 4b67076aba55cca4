"""What the members of a family of heads share against all other heads, by what is measured of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.measures.measure import HeadMeasure

APART = 0.8  # chance that a member has more (or less) of it than another head, from which on it is worth a name
CERTAIN = 0.01  # chance of such ranks if members were drawn by lot, over all measures that were looked at
MOST = 2  # measures in a name
FEWEST = 3  # members, and others, that a name is given for


@dataclass(frozen=True)
class Shared:
    """A measure that sets a family apart.

    more: members have more of it · ahead: chance that a member has more (less) of it than another head
    inside, outside: medians of the members and of the others
    """

    measure: str
    more: bool
    ahead: float
    inside: float
    outside: float


def shared(values: Mapping[str, np.ndarray], member: np.ndarray) -> list[Shared]:
    """Measures that set members apart, the clearest first. values: of each head, NaN where not defined.

    Ranks alone count (Mann & Whitney 1947), corrected for how many measures were looked at (Bonferroni).
    """
    found = []
    for name, all_values in values.items():
        known = np.isfinite(all_values)
        inside, outside = all_values[known & member], all_values[known & ~member]
        if len(inside) < FEWEST or len(outside) < FEWEST:
            continue
        ahead = _ahead(inside, outside)
        size = max(ahead, 1 - ahead)
        if size >= APART and _chance(size, len(inside), len(outside)) * len(values) < CERTAIN:
            found.append(Shared(name, ahead > 0.5, size, float(np.median(inside)), float(np.median(outside))))
    return sorted(found, key=lambda one: -one.ahead)


def _ahead(inside: np.ndarray, outside: np.ndarray) -> float:
    """P(a member has more) + ½ P(as much)."""
    order = np.sort(outside)
    below = np.searchsorted(order, inside, "left") + np.searchsorted(order, inside, "right")
    return float(below.mean() / (2 * len(outside)))


def _chance(ahead: float, inside: int, outside: int) -> float:
    """Two-sided, by the normal approximation of the rank sum."""
    from math import erfc, sqrt

    deviation = sqrt((inside + outside + 1) / (12 * inside * outside))
    return erfc((ahead - 0.5) / deviation / sqrt(2))


def name(found: Sequence[Shared], measures: Mapping[str, HeadMeasure]) -> str:
    """A family in a few words, none where nothing sets it apart: "Previous token high, Distance low"."""
    parts = [f"{measures[one.measure].label} {'high' if one.more else 'low'}" for one in found[:MOST]]
    return ", ".join(parts)


def reason(found: Sequence[Shared], measures: Mapping[str, HeadMeasure]) -> str:
    """The numbers behind it: medians of the members and of all other heads."""
    return "; ".join(
        f"{measures[one.measure].label}: median {measures[one.measure].form.text(one.inside)} "
        f"against {measures[one.measure].form.text(one.outside)} of all others"
        for one in found
    )
