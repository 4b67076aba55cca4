"""One layer of a stream as head measures see it: its vectors, its attention, its tokens and its maps."""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.alignment import Alignment, head_alignment
from services.atlas import Atlas, TokenTable
from services.atlas.schema import StreamInfo
from services.measures.attended import Attended, attended_in_atlas
from services.measures.attention_scores import Scored, scores
from services.measures.averages import offset_profile
from services.measures.estimate import Estimate
from services.measures.explained import NO_PAIR, explained
from services.measures.fidelity import Fidelity, fidelities, head_sample
from services.measures.pair_marks import sides
from services.numerics.linear import lift

ALIGNED, UNALIGNED, LIFT = "aligned", "unaligned", "lift"
SPACES = (ALIGNED, UNALIGNED, LIFT)  # of the vectors, before any projection
NO_ATTENTION = "this atlas keeps no attention weights of this kind"


@dataclass(frozen=True)
class InputAttention:
    """The attention of all heads of a layer on one input.

    weights: float32 [heads, queries, keys], the model's own, 0 where the mask hides a key · visible: bool
    [queries, keys] · queries, keys: its rows in the token tables
    """

    weights: np.ndarray
    visible: np.ndarray
    queries: slice
    keys: slice


class Layer:
    """A layer; what several measures need is worked out once, when the first asks for it.

    number: of the layer · heads: how many · space: the map (umap2d) or space that a number is wanted for; None for
    numbers of the heads themselves.
    """

    def __init__(
        self,
        atlas: Atlas,
        stream: StreamInfo,
        number: int,
        spaces: Sequence[str] = (),
        finished: Callable[[int], None] = lambda heads: None,
    ) -> None:
        """spaces: all that numbers will be wanted for. finished: told how many heads are done; may raise to stop."""
        self.atlas, self.stream, self.number, self.heads = atlas, stream, number, stream.heads
        self.space: str | None = None
        self._spaces, self._finished = spaces, finished
        self._known: dict[str, Any] = {}

    def on(self, space: str | None) -> "Layer":
        """The same layer, asked about one map or space."""
        other = copy.copy(self)  # shares what is known
        other.space = space
        return other

    # --- vectors ------------------------------------------------------------------------------------------------

    @property
    def queries(self) -> np.ndarray:
        """float32 [heads, n_queries, head_dim], as the model dots them."""
        return self.once("vectors", lambda: self.atlas.vectors(self.stream).layer(self.number))[0]

    @property
    def keys(self) -> np.ndarray:
        """float32 [heads, n_keys, head_dim]; keys that heads share are repeated."""
        return self.once("vectors", lambda: self.atlas.vectors(self.stream).layer(self.number))[1]

    def alignment(self, head: int) -> Alignment:
        """How the vectors of a head were aligned for its maps."""
        return head_alignment(self.atlas, self.stream, self.number, head)

    def cloud(self, space: str, head: int) -> np.ndarray:
        """[n_queries + n_keys, dims] of a head on a map or in one of SPACES."""
        queries, keys = self.queries[head], self.keys[head]
        if space == ALIGNED:
            alignment = self.alignment(head)
            return np.concatenate([alignment.queries(queries), alignment.keys(keys)])
        if space == UNALIGNED:
            return np.concatenate([queries, keys])
        if space == LIFT:
            return np.concatenate(lift(queries, keys))
        return np.array(self.atlas.array(f"{self.stream.name}/{space}")[self.number, head])

    # --- tokens and attention -----------------------------------------------------------------------------------

    @property
    def query_tokens(self) -> TokenTable:
        return self.atlas.tokens(self.stream.query_table)

    @property
    def key_tokens(self) -> TokenTable:
        return self.atlas.tokens(self.stream.key_table)

    def inputs(self) -> Iterator[InputAttention]:
        """The attention on every input that has a query and a key; none when the atlas keeps no weights."""
        blocks = self.atlas.attention(self.stream)
        for index in range(blocks.inputs if blocks.kept else 0):
            if all(blocks.shape(index)):
                weights = blocks.of_layer(index, self.number).astype(np.float32)
                yield InputAttention(weights, blocks.visible(index), *blocks.rows(index))

    def scored(self) -> Iterator[Scored]:
        """Every input that has a query and a key, with its tokens; none when the atlas keeps no weights."""
        blocks = self.atlas.attention(self.stream)
        query, key = sides(self.atlas, self.stream)
        for index in range(blocks.inputs if blocks.kept else 0):
            if all(blocks.shape(index)):
                queries, keys = blocks.rows(index)
                weights = blocks.of_layer(index, self.number)
                yield Scored(weights, blocks.visible(index), query[queries], key[keys])

    def score(self, name: str) -> list[Estimate | str]:
        """One of services.measures.attention_scores of each head, or of services.measures.explained."""
        if not self.atlas.attention(self.stream).kept:
            return [NO_ATTENTION] * self.heads
        if name in NO_PAIR:
            return self.once("explained", lambda: explained(self.scored, self.heads))[name]
        return self.once("scores", self._scores)[name]

    def _scores(self) -> dict[str, list[Estimate | str]]:
        table = self.stream.query_table
        return scores(
            self.scored(),
            self.heads,
            same_positions=self.stream.mask.same_positions,
            modality=self.atlas.info.modality,
            objects=self.atlas.has_column(table, "object"),
        )

    def attended(self, head: int) -> Attended | None:
        """What the attention of a head says; None when the atlas keeps no weights."""
        return self.once(f"attended {head}", lambda: attended_in_atlas(self.atlas, self.stream, self.number, head))

    def offsets(self) -> np.ndarray | None:
        """float32 [heads, COLUMNS] of services.measures.averages.offset_profile; None without averages."""
        found = offset_profile(self.atlas, self.stream)
        return None if found is None else found[self.number]

    # --- maps ---------------------------------------------------------------------------------------------------

    def fidelity(self, name: str) -> list[float | str]:
        """One of services.measures.fidelity.MEASURES of each head in the present space."""
        found: list[dict[str, Fidelity]] = self.once("fidelity", self._fidelities)
        assert self.space is not None
        of_space = [one[self.space] for one in found]
        return [_value(one.values[name], one.reasons.get(name)) for one in of_space]

    def _fidelities(self) -> list[dict[str, Fidelity]]:
        """Of every head in all spaces: scores and true neighbours are found once for all of them."""
        tokens, found = self.atlas.stream_tokens(self.stream), []
        for head in range(self.heads):
            queries, keys, alignment = self.queries[head], self.keys[head], self.alignment(head)
            attended = self.attended(head)
            sample = head_sample(
                queries,
                keys,
                alignment.queries(queries),
                alignment.keys(keys),
                tokens,
                attended=attended.top if attended else None,
            )
            clouds = {space: self.cloud(space, head) for space in self._spaces}
            maps = {space: cloud for space, cloud in clouds.items() if space not in SPACES}
            spaces = {space: cloud for space, cloud in clouds.items() if space in SPACES}
            found.append(fidelities(sample, maps, spaces))
            self._finished(head + 1)
        return found

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, made when it is asked for by name for the first time."""
        if name not in self._known:
            self._known[name] = make()
        return self._known[name]


def _value(value: float | None, reason: str | None) -> float | str:
    return value if value is not None else reason or "not defined"
