"""One layer of a stream as head measures see it: its vectors, its attention, its tokens and its maps."""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.alignment import Alignment, head_alignment
from services.atlas import Atlas, TokenTable
from services.atlas.schema import StreamInfo
from services.measures import attention_figures
from services.measures.attended import Attended, attended_in_atlas
from services.measures.averages import offset_profile
from services.measures.fidelity import Fidelity, fidelities, head_sample
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

    def weight_on(self, marked: np.ndarray) -> list[float | str]:
        """Of each head the weight that falls on marked keys, mean over all queries; marked: bool [rows of keys]."""
        sums, queries = np.zeros(self.heads), 0
        for one in self.inputs():
            sums += one.weights[:, :, marked[one.keys]].sum(axis=(1, 2), dtype=np.float64)
            queries += one.weights.shape[1]
        return (sums / queries).tolist() if queries else [NO_ATTENTION] * self.heads

    def figure(self, name: str) -> list[float | str]:
        """One of services.measures.attention_figures of each head."""
        blocks = self.atlas.attention(self.stream)
        if not blocks.kept:
            return [NO_ATTENTION] * self.heads
        special = self.key_tokens.special
        found = self.once(
            "figures",
            lambda: attention_figures.figures(
                ((one.weights, one.visible, special[one.keys]) for one in self.inputs()),
                self.heads,
                same_positions=self.stream.mask.same_positions,
            ),
        )
        why = attention_figures.WHY_NOT[name] if self.stream.mask.same_positions else attention_figures.NO_POSITIONS
        return [why if np.isnan(value) else value for value in found[name].tolist()]

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
