"""A few views worth seeing in an atlas: heads that stand out by one of their numbers.

Each finding is the extreme head of one measure, and is only shown when the measure is strong enough to be seen: the
measure says from where on (`StandsOut`). Everything is deterministic; nothing is known beforehand of any model.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from services.atlas import Atlas, TokenTable
from services.atlas.measure_table import HeadValues, MeasureTable
from services.atlas.schema import StreamInfo
from services.measures import registry
from services.measures.measure import HeadMeasure, StandsOut
from services.measures.names import UNTRAINED
from services.measures.of_repeats import REPEATED

# The clearest kinds first; those of other measures follow.
ORDER = (
    "previous", "next", "self", "induction", "duplicate", "sink", "positional", "faithful", "mixed", "apart", "wide",
    "narrow", "brightness", "hue", "saturation", "object", "frequency", "orientation", "row", "column",
)  # fmt: skip
EVEN = "even_share"  # the measure that says what one token would take if attention were even


@dataclass(frozen=True)
class Finding:
    """One view worth seeing.

    view: parameters of a link, beside atlas and stream. strength: the measure over its threshold, from 1.
    """

    kind: str
    title: str
    text: str
    layer: int
    head: int
    strength: float
    view: dict[str, str] = field(default_factory=dict)


def findings(atlas: Atlas, stream: StreamInfo) -> list[Finding] | None:
    """The findings of a stream; None while its heads have not been measured."""
    table = atlas.measures(stream)
    if not any(space != UNTRAINED and name not in REPEATED for name, space in table.measured):
        return None  # what a capture leaves is there before
    flat = [p.method for p in atlas.info.projections if p.stream == stream.name and p.dims == 2]
    keys = atlas.tokens(stream.key_table)
    used = keys.counts > 0
    ends = {
        "first": _always(keys, keys.offsets[:-1][used]),
        "last": _always(keys, keys.offsets[1:][used].astype(np.int64) - 1),
    }
    return choose(table, flat, ends)


def _always(tokens: TokenTable, rows: Iterable[int]) -> str:
    """ ", [CLS]" where all of these rows have one text, else nothing."""
    texts = {tokens.text[int(row)] for row in rows}
    return f", {texts.pop()}" if len(texts) == 1 else ""


def choose(table: MeasureTable, methods: Iterable[str], ends: Mapping[str, str]) -> list[Finding]:
    """The findings that are strong enough, at most one a kind, the clearest kinds first.

    methods: of the maps in 2D that there are. ends: words for the first and the last token of inputs.
    """
    methods, found = list(methods), []
    declared = [(measure, rule) for measure in registry.measures() for rule in measure.stands_out]
    declared.sort(key=lambda one: ORDER.index(one[1].kind) if one[1].kind in ORDER else len(ORDER))
    taken: set[tuple[int, int]] = set()
    for but_named in (False, True):
        for measure, rule in declared:
            if rule.but_named is but_named:
                found.append(_finding(measure, rule, table, methods, ends, taken if but_named else set()))
        taken |= {(one.layer, one.head) for one in found if one}
    strongest: dict[str, Finding] = {}
    for one in found:
        if one and (one.kind not in strongest or one.strength > strongest[one.kind].strength):
            strongest[one.kind] = one
    return list(strongest.values())


def _finding(
    measure: HeadMeasure,
    rule: StandsOut,
    table: MeasureTable,
    methods: list[str],
    ends: Mapping[str, str],
    taken: set[tuple[int, int]],
) -> Finding | None:
    """The extreme head of a measure, if it is extreme enough."""
    shown = next((method for method in rule.maps if method in methods), None)
    space = None if measure.scope == "head" else f"{shown}2d"
    values = table.get(measure.name, space)
    place = _extreme(values, rule.lowest, taken) if values else None
    if values is None or place is None:
        return None
    value = float(values.values[place])
    even = (values.beside_of(*place).get("base") if rule.times_base else table.of(EVEN, *place)) or 0.0
    if (value > rule.bound) if rule.lowest else (value < max(rule.bound, (rule.times_even or rule.times_base) * even)):
        return None
    other = table.of(rule.against, *place) if rule.against else None
    against = "no number" if other is None else measure.form.text(_within(measure, other))
    text = rule.text.format(value=measure.form.text(_within(measure, value)), against=against, **ends)
    view = {"colour": rule.colour} if rule.colour else {}
    view |= {"method": shown, "dims": "2"} if shown else {}
    return Finding(rule.kind, rule.title, text, *place, _strength(value, rule), view)


def _within(measure: HeadMeasure, value: float) -> float:
    """A value no better than the best and no worse than nothing: an unbiased share can be a little below 0."""
    if measure.best is None:
        return value
    low, high = sorted((measure.zero, measure.best))
    return min(max(value, low), high)


def _extreme(found: HeadValues, lowest: bool, but: set[tuple[int, int]]) -> tuple[int, int] | None:
    """Layer and head of the largest or smallest number that is one; None when there is none."""
    values = np.array(found.values, np.float64)
    for place in but:
        values[place] = np.nan
    if np.isnan(values).all():
        return None
    layer, head = np.unravel_index(np.nanargmin(values) if lowest else np.nanargmax(values), values.shape)
    return int(layer), int(head)


def _strength(value: float, rule: StandsOut) -> float:
    """The value over its threshold, from 1; of a small positive one the other way round."""
    if rule.lowest and rule.bound > 0:
        return rule.bound / max(value, 0.01)
    return value / rule.bound
