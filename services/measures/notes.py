"""Where the picture of a head misleads, in plain words: from the head's numbers to sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

# At twice the length one cloud's radius is the other's diameter: before scaling, the outer half lies alone.
NORM_RATIO = 2.0
# Of a point's 15 nearest, a perfect mixture holds as many of the other kind as there are; a quarter of that is
# fewer than two of 15: to the eye the kinds lie apart.
MIXING = 0.25
# One token takes more than all others together.
SINK_SHARE = 0.5
# … and at least this many times its even share, so that inputs of two or three tokens do not count.
SINK_TIMES_EVEN = 3.0
# Spearman −0.3 explains 9 % of the order of a query's keys: nothing the eye can use.
QUERY_SPEARMAN = -0.3
# Below 0.85, neighbours on screen come, as a rule, from anywhere in the head: trustworthiness of a random map is 0.5.
TRUSTWORTHINESS = 0.85
# Below this many tokens "the 100 nearest keys" is cut to a quarter of all and every sample is the whole head.
TOKENS = 400
# A note that most heads of a map share says nothing of one head: those on its maps go to the worst tenth only. With
# fewer heads than this there is no tenth, and the thresholds above decide alone.
LEAST_HEADS = 8


@dataclass(frozen=True)
class WorstTenth:
    """Where the worst tenth of a map's heads ends, for one measure.

    bound: the value there · best: the best value of the measure
    """

    bound: float
    best: float

    def holds(self, value: float) -> bool:
        """Whether a value is worse than nine tenths are."""
        return abs(value - self.best) > abs(self.bound - self.best)


def worst_tenth(values: Sequence[float], *, best: float) -> WorstTenth | None:
    """Of the defined values of all heads (NaN: not defined); None for fewer than LEAST_HEADS.

    best: the best value of the measure, above or below all others.
    """
    known = [value for value in values if value == value]
    if len(known) < LEAST_HEADS:
        return None
    tenths = quantiles(known, n=10, method="inclusive")
    return WorstTenth(tenths[0] if best >= tenths[-1] else tenths[-1], best)


@dataclass(frozen=True)
class Note:
    """One warning: a kind for sorting and icons, and a sentence for the reader."""

    kind: str  # apart, norms, sink, attention, neighbors, few
    text: str


def head_notes(
    *,
    tokens: int | None = None,
    query_norm: float | None = None,
    key_norm: float | None = None,
    mixing: float | None = None,
    sink_share: float | None = None,
    first_share: float | None = None,
    last_share: float | None = None,
    even_share: float | None = None,
    query_spearman: float | None = None,
    preference_order: float | None = None,
    trustworthiness: float | None = None,
    worst: Mapping[str, WorstTenth | None] | None = None,
) -> list[Note]:
    """What to say of one head and map; a number that is None or left out is not judged.

    query_norm, key_norm: medians before alignment · mixing, query_spearman, preference_order, trustworthiness: of the
    map (services.measures.fidelity), of the two orders the one that it is made to keep · the shares:
    services.measures.attended
    worst: of the measures of the map: other values than these are not noted
    """
    tenths = worst or {}

    def rare(name: str, value: float | None) -> float | None:
        tenth = tenths.get(name)
        return value if value is None or tenth is None or tenth.holds(value) else None

    notes = [
        _apart(rare("mixing", mixing)),
        _norms(query_norm, key_norm),
        _sink(sink_share, first_share, last_share, even_share),
        _attention(rare("query_spearman", query_spearman)),
        _preference(rare("preference_order", preference_order)),
        _neighbors(rare("trustworthiness", trustworthiness)),
        _few(tokens),
    ]
    return [note for note in notes if note is not None]


def _apart(mixing: float | None) -> Note | None:
    if mixing is None or mixing >= MIXING:
        return None
    return Note(
        "apart",
        f"Queries and keys lie apart on this map: around a point there are only {_percent(mixing)} of the other kind "
        "that a mixture would have. The distance between the two clouds says nothing about attention.",
    )


def _norms(query_norm: float | None, key_norm: float | None) -> Note | None:
    if query_norm is None or key_norm is None:
        return None
    if query_norm <= 0 or key_norm <= 0:
        which = "Half or more of the queries are" if query_norm <= 0 else "Half or more of the keys are"
        return Note(
            "norms", f"{which} zero vectors: they have no direction, and attention is the same for all of them."
        )
    ratio = query_norm / key_norm
    if 1 / NORM_RATIO <= ratio <= NORM_RATIO:
        return None
    longer, shorter = ("Queries", "keys") if ratio > 1 else ("Keys", "queries")
    times = max(ratio, 1 / ratio)
    return Note(
        "norms",
        f"{longer} are {times:.1f} times as long as {shorter} before alignment: without scaling the two would stay "
        "apart, and with it one of the two clouds is drawn out.",
    )


def _sink(share: float | None, first: float | None, last: float | None, even: float | None) -> Note | None:
    if share is None or share < SINK_SHARE or (even is not None and share < SINK_TIMES_EVEN * even):
        return None
    place = "one token of each input"
    if first is not None and first >= 0.9 * share:
        place = "the first token of each input"
    elif last is not None and last >= 0.9 * share:
        place = "the last token of each input"
    return Note(
        "sink",
        f"{_percent(share)} of the attention goes to {place} (an attention sink): most of what this head does is not "
        "on the map; hide that token to see the rest.",
    )


def _attention(query_spearman: float | None) -> Note | None:
    if query_spearman is None or query_spearman <= QUERY_SPEARMAN:
        return None
    return Note(
        "attention",
        f"On this map near does not mean attended: distance and attention agree with a rank correlation of "
        f"{_signed(query_spearman)} (−1 would be perfect). Read attention from the lines and rings, not from distance.",
    )


def _preference(preference_order: float | None) -> Note | None:
    if preference_order is None or preference_order <= QUERY_SPEARMAN:
        return None
    return Note(
        "attention",
        f"On this map near hardly means preferred: distance and preference agree with a rank correlation "
        f"of {_signed(preference_order)} (−1 would be perfect). Read attention from lines and rings, not distance.",
    )


def _neighbors(trustworthiness: float | None) -> Note | None:
    if trustworthiness is None or trustworthiness >= TRUSTWORTHINESS:
        return None
    return Note(
        "neighbors",
        f"Many neighbours on this map are not neighbours in the head's own space (trustworthiness "
        f"{trustworthiness:.2f} of 1): clusters may be an effect of the projection.",
    )


def _few(tokens: int | None) -> Note | None:
    if tokens is None or tokens >= TOKENS:
        return None
    count = "one token" if tokens == 1 else f"{tokens} tokens"
    return Note(
        "few",
        f"There {'is' if tokens == 1 else 'are'} only {count}: shapes on the map and its numbers are mostly chance.",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
