"""Heads that are known by name, and where our scores find them: what `app.py validate` prints."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from services.atlas.schema import StreamInfo
from services.measures.estimate import Estimate
from services.measures.names import excess
from services.measures.of_repeats import REPEATED
from services.models.loading import LoadedModel
from services.models.untrained import untrained
from services.pipeline import ablation
from services.pipeline.protocol import Layers, repeats
from services.pipeline.relations import Followed

BEYOND = 0.3  # of even attention and of random weights, from where on a head follows a repeat
TOP = 5


@dataclass(frozen=True)
class Known:
    """A head that others have found by other means. within: the rank at which it must be found · source."""

    layer: int
    head: int
    within: int
    source: str


_IOI = "IOI circuit (Wang et al. 2023)"
_GPT2: dict[str, tuple[Known, ...]] = {
    "previous_repeated": (Known(4, 11, 3, _IOI), Known(2, 2, 3, _IOI)),
    "induction_repeated": (Known(5, 5, 10, _IOI), Known(6, 9, 10, _IOI), Known(5, 8, 20, _IOI)),
    "duplicate_repeated": (Known(3, 0, 10, _IOI), Known(0, 1, 10, _IOI)),
}
KNOWN = {"gpt2": _GPT2, "openai-community/gpt2": _GPT2}
# Clark et al. 2019, table 1, from 0; UD's names of the relations. UD turns pobj round: the preposition hangs on its
# object (case), so the query is the preposition in both.
CLARK = {"obj": (7, 9), "det": (7, 10), "nmod:poss": (6, 5), "aux:pass": (3, 9), "case": (8, 5)}
_BERT = ("bert-base-uncased", "google-bert/bert-base-uncased")
CLARK_RANK = 3


@dataclass(frozen=True)
class Line:
    """One line of the table. passed: None where nothing is expected."""

    text: str
    passed: bool | None = None


def repeats_report(loaded: LoadedModel) -> Iterator[Line]:
    """The protocol of repeated random tokens: strongest heads, known heads, and the same with random weights.

    Raises:
        AtlasError: the model cannot read random tokens.
    """
    own = repeats(loaded)
    plain = untrained(loaded)
    fresh = repeats(plain) if plain else {}
    of_name = {stream.name: stream for stream in loaded.streams}
    for stream, layers in own.items():
        for name, of in REPEATED.items():
            values = _grid(layers, of)
            random = _grid(fresh[stream], of) if stream in fresh else None
            if np.isnan(values).all():
                yield Line(f"{stream}: {name}: the model takes too few tokens for a repeat")
                continue
            scored = Scored(f"{stream}: {name}", of_name[stream], values, random, _base(layers, of))
            yield from _of_score(loaded.info.id, name, scored)
            if name == "induction_repeated" and stream == "self":
                strong = _standing_out(values, random, scored.base)[: ablation.HEADS]
                yield from (Line(f"{stream}: {text}", passed) for text, passed in ablation.told(loaded, strong))


class Scored(NamedTuple):
    """One score of a stream's heads: [layers, heads], and of the same model with random weights; base: by chance"""

    title: str
    stream: StreamInfo
    values: np.ndarray
    random: np.ndarray | None
    base: float


def _of_score(model: str, name: str, scored: Scored) -> Iterator[Line]:
    title, stream, values, random, base = scored
    best = " · ".join(f"{_place(cell, stream)} {values[cell]:.2f}" for cell in _ranked(values)[:TOP])
    against = "not measured" if random is None else f"at most {np.nanmax(random):.3f}"
    yield Line(f"{title}: {best} (even {base:.3f}, random weights {against})")
    count = len(_standing_out(values, random, base))
    yield Line(f"{title}: {count} of {values.size} heads stand out of both by {BEYOND:.0%}".replace("%", " %"))
    order = _ranked(values)
    for known in KNOWN.get(model, {}).get(name, ()):
        cell = known.layer, known.head
        if cell not in order:
            yield Line(f"{title}: {_place(cell, stream)} is not there, expected by {known.source}", passed=False)
            continue
        rank = order.index(cell) + 1
        where = f"{_place(cell, stream)} expected among the first {known.within}"
        text = f"{title}: {where} ({known.source}), found at {rank}"
        yield Line(text, passed=rank <= known.within)


def relations_report(
    model: str, found: dict[str, Followed], asked: Sequence[str], stream: StreamInfo | None = None
) -> Iterator[Line]:
    """Heads by relation, with Clark's heads where the model is theirs."""
    for name in asked:
        one = found.get(name)
        if one is None:
            yield Line(f"{name}: too few pairs in this treebank")
            continue
        order = _ranked(one.accuracy)
        best = " · ".join(f"{_place(cell, stream)} {one.accuracy[cell]:.0%}" for cell in order[:TOP])
        yield Line(f"{name}: {best} (best offset {one.offset:+d}: {one.baseline:.0%}; {one.pairs:,} pairs)")
        if model in _BERT:
            rank = order.index(CLARK[name]) + 1
            text = f"{name}: {_place(CLARK[name])} expected among the first {CLARK_RANK} (Clark et al. 2019), found at"
            yield Line(f"{text} {rank}", passed=rank <= CLARK_RANK)


def _grid(layers: Layers, of: str) -> np.ndarray:
    return np.array([[one.value if isinstance(one, Estimate) else np.nan for one in layer[of]] for layer in layers])


def _standing_out(values: np.ndarray, random: np.ndarray | None, base: float) -> list[tuple[int, int]]:
    """Heads beyond even attention and random weights, the strongest first."""
    floor = base if random is None else max(base, float(np.nanmax(random)))
    out = np.vectorize(excess)(values, floor) >= BEYOND
    return [cell for cell in _ranked(values) if out[cell]]


def _base(layers: Layers, of: str) -> float:
    return next(one.base or 0.0 for layer in layers for one in layer[of] if isinstance(one, Estimate))


def _ranked(values: np.ndarray) -> list[tuple[int, int]]:
    """(layer, head), the highest first."""
    flat = np.argsort(-np.nan_to_num(values, nan=-np.inf).ravel(), kind="stable")
    return [(int(cell) // values.shape[1], int(cell) % values.shape[1]) for cell in flat]


def _place(cell: tuple[int, int], stream: StreamInfo | None = None) -> str:
    return (stream.head_name(*cell) if stream else f"L{cell[0]} H{cell[1]}").replace(" ", "")
