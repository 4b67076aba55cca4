"""Who may attend to whom: the one place that knows.

Within an input a query at position i sees the keys at positions i − back … i + ahead (either end may be open), and
tokens marked as global are seen by all and see all, or ask elsewhere. Every question that the rest of the program has
about it is a method.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.streams.key_runs import KeyRuns
from services.streams.places import Places

Kind = Literal["full", "causal", "sliding", "local", "cross"]
_WINDOWED = ("sliding", "local")
_COMMON_SHAPES = 512  # masks of inputs that are kept; most corpora have fewer lengths than this


class StreamMask(BaseModel):
    """The mask of a stream.

    kind: full: every key of the input · causal: the query's own position and those before · sliding: of these the
    last `window`, its own included · local: `window` positions on either side, and global tokens see and are seen by
    all; without `global_asks` they see nothing here: they ask in a stream of their own · cross: every key of the
    input, whose positions are not the query's (decoder over encoder).
    A stream whose layers differ has the widest of their masks: what a narrower layer hides has weight 0 there.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind = "full"
    window: int | None = Field(default=None, ge=1, description="of sliding and local")
    global_asks: bool = Field(default=True, description="of local: whether global tokens are queries of this stream")

    @model_validator(mode="after")
    def _fits(self) -> "StreamMask":
        if (self.window is not None) != (self.kind in _WINDOWED):
            raise ValueError("a window belongs to a sliding or local mask, and to no other")
        return self

    # --- what it is ---------------------------------------------------------------------------------------------

    @property
    def reach(self) -> tuple[int | None, int | None]:
        """How many positions back and ahead a query sees; None: all there are."""
        if self.kind == "causal":
            return None, 0
        if self.kind == "sliding":
            return (self.window or 1) - 1, 0
        if self.kind == "local":
            return self.window, self.window
        return None, None

    @property
    def hides(self) -> bool:
        """Whether it can hide a key of the query's own input."""
        return self.reach != (None, None)

    @property
    def same_positions(self) -> bool:
        """Whether a query's position and a key's can be compared."""
        return self.kind != "cross"

    @property
    def words(self) -> str:
        """What hides a key, as a part of a sentence: "the causal mask"."""
        return {
            "full": "nothing",
            "cross": "nothing",
            "causal": "the causal mask",
            "sliding": f"the sliding window of {self.window} tokens",
            "local": f"the window of {self.window} tokens on either side"
            + ("" if self.global_asks else " (global tokens ask in a stream of their own)"),
        }[self.kind]

    def description(self) -> dict[str, Any]:
        """What the browser needs to know (docs/payload.md).

        offsets: least and largest key position − query position, null for no bound; null when positions of queries and
        keys cannot be compared. Global tokens are beyond them: counts tell where there are pairs.
        """
        back, ahead = self.reach
        offsets = [None if back is None else -back, ahead] if self.same_positions else None
        return {"kind": self.kind, "hides": self.words if self.hides else None, "offsets": offsets}

    # --- one input ----------------------------------------------------------------------------------------------

    def visible(
        self,
        n_queries: int,
        n_keys: int,
        query_global: np.ndarray | None = None,
        key_global: np.ndarray | None = None,
    ) -> np.ndarray:
        """bool [n_queries, n_keys] of one input, read-only; `*_global`: bool, which of its tokens are global."""
        if _any(query_global) or _any(key_global):
            found = self.sees(np.arange(n_queries)[:, None], np.arange(n_keys), _column(query_global), key_global)
            found.flags.writeable = False
            return found
        return _visible(self, n_queries, n_keys)

    def sees(
        self,
        query_positions: ArrayLike,
        key_positions: ArrayLike,
        query_global: np.ndarray | None = None,
        key_global: np.ndarray | None = None,
    ) -> np.ndarray:
        """bool, of arrays that broadcast against each other: whether a query at a position may see a key at another."""
        back, ahead = self.reach
        apart = np.asarray(key_positions) - np.asarray(query_positions)
        found = np.ones(apart.shape, bool) if ahead is None else apart <= ahead
        if back is not None:
            found &= apart >= -back
        if self.kind == "local":
            if key_global is not None:
                found |= key_global
            if query_global is not None:
                found = found | query_global if self.global_asks else found & ~query_global
        return found

    @staticmethod
    def hidden_in_batch(shown: Sequence[np.ndarray]) -> np.ndarray:
        """bool [inputs, longest, longest]: pairs of a batch padded on the right at which no weight may be.

        shown: `visible` of each input. Hidden are keys that the mask hides and padding; queries that are padding may do
        what they like.
        """
        longest = [max((one.shape[side] for one in shown), default=0) for side in (0, 1)]
        found = np.zeros((len(shown), *longest), bool)
        for row, one in enumerate(shown):
            found[row, : len(one)] = True
            found[row, : len(one), : one.shape[1]] = ~one
        return found

    # --- a whole corpus -----------------------------------------------------------------------------------------

    def runs_within_inputs(self, queries: Places, keys: Places) -> KeyRuns:
        """The keys of each query's own input that it sees."""
        return _runs_within_inputs(self, _frozen(queries), _frozen(keys))

    def runs_by_position(self, queries: Places, keys: Places) -> KeyRuns:
        """The keys of all inputs but those that no input could put where the query sees them."""
        back, ahead = self.reach
        order = np.argsort(keys.position, kind="stable")
        ordered, at = np.asarray(keys.position, np.int64)[order], np.asarray(queries.position, np.int64)
        first, stop = np.zeros(len(at), np.int64), np.full(len(at), len(order), np.int64)
        if back is not None:
            first = np.searchsorted(ordered, at - back, side="left").astype(np.int64)
        if ahead is not None:
            stop = np.searchsorted(ordered, at + ahead, side="right").astype(np.int64)
        if self.kind == "local" and queries.is_global is not None:
            most = len(order) if self.global_asks else 0
            first, stop = np.where(queries.is_global, 0, first), np.where(queries.is_global, most, stop)
        runs = KeyRuns(order, first, stop)
        if self.kind != "local" or keys.is_global is None or not keys.is_global.any():
            return runs
        entries = np.flatnonzero(keys.is_global[order])
        asking = np.arange(len(at))
        if not self.global_asks and queries.is_global is not None:
            asking = np.flatnonzero(~np.asarray(queries.is_global))
        return runs.with_entries(np.repeat(asking, len(entries)), np.tile(entries, len(asking)))

    def keys_seen(self, queries: Places, keys: Places) -> np.ndarray:
        """int64 [n_queries]: how many keys of its own input each query sees."""
        return self.runs_within_inputs(queries, keys).counts

    def pairs_in_inputs(self, queries: Places, keys: Places, inputs: int) -> np.ndarray:
        """int64 [inputs]: the pairs of query and visible key of each input."""
        return np.bincount(queries.input, self.keys_seen(queries, keys), minlength=inputs).astype(np.int64)

    def hidden(self, queries: Places, keys: Places) -> np.ndarray | None:
        """bool [n_queries, n_keys]: pairs of any inputs that no input could show; None when there are none."""
        if not self.hides:
            return None
        return ~self.sees(
            np.asarray(queries.position)[:, None], keys.position, _column(queries.is_global), keys.is_global
        )


FULL = StreamMask()
CAUSAL = StreamMask(kind="causal")
CROSS = StreamMask(kind="cross")


def _any(flags: np.ndarray | None) -> bool:
    return flags is not None and bool(np.any(flags))


def _column(flags: np.ndarray | None) -> np.ndarray | None:
    return None if flags is None else np.asarray(flags)[:, None]


@lru_cache(maxsize=_COMMON_SHAPES)
def _visible(mask: StreamMask, n_queries: int, n_keys: int) -> np.ndarray:
    found = mask.sees(np.arange(n_queries)[:, None], np.arange(n_keys))
    found.flags.writeable = False
    return found


_Frozen = tuple[bytes, bytes, bytes | None]


def _frozen(places: Places) -> _Frozen:
    """The same as something that can be looked up: all heads of a stream share their tokens."""
    flags = None if not _any(places.is_global) else np.ascontiguousarray(places.is_global, bool).tobytes()
    numbers = (np.ascontiguousarray(side, np.int64).tobytes() for side in (places.input, places.position))
    return (*numbers, flags)  # type: ignore[return-value]


@lru_cache(maxsize=4)
def _runs_within_inputs(mask: StreamMask, queries: _Frozen, keys: _Frozen) -> KeyRuns:
    query_inputs, query_positions = (np.frombuffer(side, np.int64) for side in queries[:2])
    key_inputs, key_positions = (np.frombuffer(side, np.int64) for side in keys[:2])
    back, ahead = mask.reach
    # One number a token, ascending by input and then position.
    step = int(max(query_positions.max(initial=0), key_positions.max(initial=0))) + 1
    codes = key_inputs * step + key_positions
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    begin = query_inputs * step
    low = begin + (0 if back is None else np.maximum(query_positions - back, 0))
    high = begin + (step - 1 if ahead is None else np.minimum(query_positions + ahead, step - 1))
    if mask.kind == "local" and queries[2] is not None:
        whole = np.frombuffer(queries[2], bool)
        low, high = np.where(whole, begin, low), np.where(whole, begin + (step if mask.global_asks else 0) - 1, high)
    first = np.searchsorted(ordered, low, side="left").astype(np.int64)
    stop = np.searchsorted(ordered, high, side="right").astype(np.int64)
    runs = KeyRuns(order, first, stop)
    if mask.kind != "local" or keys[2] is None:
        return runs
    # Global keys, wherever they are in the input: one stretch of the list of all of them.
    entries = np.flatnonzero(np.frombuffer(keys[2], bool)[order])
    left = np.searchsorted(ordered[entries], begin, side="left")
    right = np.searchsorted(ordered[entries], begin + step - 1, side="right")
    if not mask.global_asks and queries[2] is not None:
        right = np.where(np.frombuffer(queries[2], bool), left, right)
    rows, places = KeyRuns(entries, left, right).pairs()
    return runs.with_entries(rows, places)
