"""What a head is called: only where a score stands out of what even attention, and an untrained model, would give.

A head may have several names, or none.
"""

from dataclasses import dataclass

from services.atlas.measure_table import MeasureTable
from services.measures import registry
from services.measures.measure import Called, HeadMeasure

UNTRAINED = "untrained"  # as a space: the same architecture with random weights
LEAST_COUNT = 30  # positions behind a score by which a head is called something


@dataclass(frozen=True)
class Name:
    """What a head is called, and by which measure."""

    name: str
    measure: HeadMeasure


def names_of(table: MeasureTable, layer: int, head: int) -> list[Name]:
    """All names of a head, in the order of the registry."""
    named = [(measure, measure.called) for measure in registry.measures() if measure.called]
    found = {measure.name for measure, called in named if _stands_out(table, measure.name, called, (layer, head))}
    names: dict[str, Name] = {}
    for measure, called in named:
        beside = not called.also or _stands_out(table, called.also, called, (layer, head))
        if measure.name in found and beside and not found & set(called.unless):
            names.setdefault(called.name, Name(called.name, measure))
    return list(names.values())


def excess(value: float, base: float) -> float:
    """How far a value is from its base towards 1."""
    return (value - base) / (1 - base) if base < 1 else 0.0


def _stands_out(table: MeasureTable, measure: str, called: Called, cell: tuple[int, int]) -> bool:
    """Whether even the low end of its interval lies far enough beyond the base rate, and beyond an untrained model."""
    found = table.get(measure)
    beside = found.beside_of(*cell) if found else {}
    low, base, count = beside.get("low"), beside.get("base"), beside.get("n")
    if low is None or base is None or not count or count < LEAST_COUNT:
        return False
    return excess(low, max(base, _by_chance(table, measure, cell, base))) >= called.beyond


def _by_chance(table: MeasureTable, measure: str, cell: tuple[int, int], base: float) -> float:
    """What an untrained head has beyond its own base rate, from this one on: it may have read other inputs."""
    found = table.get(measure, UNTRAINED)
    value = None if found is None else found.of(*cell)
    if found is None or value is None:
        return base
    own = found.beside_of(*cell).get("base")
    return base + (1 - base) * excess(value, base if own is None else own)
