"""Why this pair: from q·k to the share of attention step by step, and what the score is made of.

Everything here is of the atlas alone; services.probe.pair asks the model itself for the rest.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.numerics.bilinear import Basis, own_basis

# Vectors and weights are stored in 16 bits: a score of some tens is off by some hundredths, its softmax by this.
TOLERANCE = 5e-3
INPUTS = 64  # of the corpus, evenly spread, behind the comparison of a weight with those of other pairs
ALIKE = 4  # tokens named for a direction, on either side
ROWS = 200_000  # the most queries and keys of a corpus that a direction or a rank is worked out from
# Rotary models in which dimension i turns with i + d/2, all of them: what their scores are made of by frequency.
HALVES = {
    f"{name}Model"
    for name in (
        "Llama", "Mistral", "Mixtral", "Qwen2", "Qwen3", "Gemma", "Gemma2", "Gemma3Text", "Olmo", "Olmo2", "SmolLM3",
        "Granite", "Starcoder2", "GptOss", "ModernBert",
    )
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One query of an input and all keys of it, in one head.

    query: float64 [d] · keys: float64 [n, d] · visible: bool [n]
    added: float64 [n], what the model adds for a key's place; None where it adds nothing
    weights: float64 [n], the model's own attention; None where none is kept · norms: float64 [n] of value vectors
    hidden_terms: the model adds to the scores what the atlas does not know
    """

    query: np.ndarray
    keys: np.ndarray
    visible: np.ndarray
    scaling: float
    added: np.ndarray | None
    weights: np.ndarray | None
    norms: np.ndarray
    hidden_terms: bool


@dataclass(frozen=True)
class Step:
    """What the softmax does with one key of a row.

    dot: q·k · score: dot × scaling · added: for its place, or None · total: score + added
    top: the largest total of a visible key · power: exp(total − top) · whole: the sum of those of all visible keys
    share: power / whole · weight: the model's own share, None where unknown · agrees: both are one within rounding
    rank: of the key by total, 1 the largest · keys: visible ones · visible: whether this one is
    moved: weight × ‖v‖ · moved_share: of the sum of these over the keys · moved_rank: among them
    """

    dot: float
    score: float
    added: float | None
    total: float
    top: float
    power: float
    whole: float
    share: float
    weight: float | None
    rank: int
    keys: int
    visible: bool
    norm: float
    moved: float
    moved_share: float
    moved_rank: int
    hidden_terms: bool

    @property
    def agrees(self) -> bool:
        return self.weight is None or abs(self.share - self.weight) <= TOLERANCE


@dataclass(frozen=True)
class Part:
    """One summand of a score, in units of the score. asks, answers: tokens that have most of it, where it is told."""

    name: str
    value: float
    asks: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Standing:
    """How strong a pair is in the corpus.

    rank, keys: of this key by q·k among the keys of all inputs, for this query · weaker: share of pairs of this head
    with a smaller weight, over `pairs` pairs of `inputs` inputs; None where no weights are kept
    """

    rank: int
    keys: int
    weaker: float | None
    pairs: int
    inputs: int


def corpus_row(atlas: Atlas, stream: StreamInfo, index: int, layer: int, head: int, query: int) -> Row:
    """The row of a query, by its place in an input of the corpus.

    Raises:
        IndexError: there is no such input or query.
    """
    if not 0 <= index < len(atlas.inputs):
        raise IndexError(index)
    blocks, vectors = atlas.attention(stream), atlas.vectors(stream)
    n_queries, n_keys = blocks.shape(index)
    if not 0 <= query < n_queries:
        raise IndexError(query)
    queries, keys = blocks.rows(index)
    return Row(
        query=vectors.queries(layer, head, queries.start + query).astype(np.float64),
        keys=vectors.keys(layer, head, keys).astype(np.float64),
        visible=blocks.visible(index)[query],
        scaling=stream.scaling[layer],
        added=added_for_place(atlas, stream, layer, head, query, n_keys),
        weights=blocks.block(index, layer, head)[query].astype(np.float64) if blocks.kept else None,
        norms=vectors.value_norms(layer, head, keys).astype(np.float64),
        hidden_terms=stream.additive and vectors.position_bias(layer, head) is None,
    )


def added_for_place(
    atlas: Atlas, stream: StreamInfo, layer: int, head: int, query: int, keys: int
) -> np.ndarray | None:
    """float64 [keys]: what the model adds to a query's scores by the place of the key; None where it adds nothing."""
    bias = atlas.vectors(stream).position_bias(layer, head)
    if bias is None:
        return None
    offsets = np.arange(keys) - query + len(bias) // 2
    known = (offsets >= 0) & (offsets < len(bias))
    return np.where(known, bias[np.clip(offsets, 0, len(bias) - 1)], 0.0).astype(np.float64)


def step(row: Row, key: int) -> Step:
    """
    Raises:
        IndexError: there is no such key.
    """
    if not 0 <= key < len(row.keys):
        raise IndexError(key)
    dots = row.keys @ row.query
    added = np.zeros(len(dots)) if row.added is None else row.added
    totals = np.where(row.visible, dots * row.scaling + added, -np.inf)
    top = float(totals.max()) if row.visible.any() else 0.0
    powers = np.exp(totals - top)
    whole = float(powers.sum())
    shares = powers / max(whole, 1e-300)
    weights = shares if row.weights is None else row.weights
    moved = weights * row.norms
    score = float(dots[key] * row.scaling)
    return Step(
        dot=float(dots[key]),
        score=score,
        added=None if row.added is None else float(added[key]),
        total=score + float(added[key]),
        top=top,
        power=float(powers[key]),
        whole=whole,
        share=float(shares[key]),
        weight=None if row.weights is None else float(row.weights[key]),
        # The model's own weights order the keys where it adds to their scores what the atlas does not know.
        rank=1 + int((weights > weights[key]).sum()) if row.hidden_terms else 1 + int((totals > totals[key]).sum()),
        keys=int(row.visible.sum()),
        visible=bool(row.visible[key]),
        norm=float(row.norms[key]),
        moved=float(moved[key]),
        moved_share=float(moved[key] / max(moved.sum(), 1e-300)),
        moved_rank=1 + int((moved > moved[key]).sum()),
        hidden_terms=row.hidden_terms,
    )


def strongest_key(row: Row) -> int:
    """The key that the query attends to most."""
    weights = row.weights
    if weights is None:
        weights = row.keys @ row.query * row.scaling + (0.0 if row.added is None else row.added)
    return int(np.argmax(np.where(row.visible, weights, -np.inf)))


# --- what a score is made of ------------------------------------------------------------------------------------------


def by_dimension(row: Row, key: int) -> list[Part]:
    """Every dimension of the head; they sum to the score."""
    values = row.query * row.keys[key] * row.scaling
    return [Part(f"dimension {number}", float(value)) for number, value in enumerate(values)]


def by_frequency(row: Row, key: int) -> list[Part]:
    """Every pair of dimensions that a rotary model turns together, the fastest first; they sum to the score."""
    values = row.query * row.keys[key] * row.scaling
    half = len(values) // 2
    return [Part(f"frequency {n}", float(value)) for n, value in enumerate(values[:half] + values[half:])]


def turns_by_halves(architecture: str, head_dim: int) -> bool:
    """Whether the model turns dimension i together with i + head_dim / 2."""
    return architecture in HALVES and head_dim % 2 == 0


def by_popularity(atlas: Atlas, stream: StreamInfo, layer: int, head: int, row: Row, key: int) -> list[Part]:
    """What the preference map shows, what it leaves out, and what is the same for all keys; they sum to the score.

    q·k = (q − q̄)·(k − k̄) + q̄·(k − k̄) + q·k̄, means over the corpus (services.attributes.popularity).
    """
    known = _head(atlas, stream, layer, head)
    beyond = row.keys[key] - known.mean_key
    parts = (
        ("preference: this query rather than others", (row.query - known.mean_query) @ beyond),
        ("popularity: the average query", known.mean_query @ beyond),
        ("the same for all keys: the average key", row.query @ known.mean_key),
    )
    return [Part(name, float(value) * row.scaling) for name, value in parts]


def by_direction(atlas: Atlas, stream: StreamInfo, layer: int, head: int, row: Row, key: int) -> list[Part]:
    """The singular directions of the scores of all queries and keys of the corpus, with tokens that lie along them.

    They sum to the score, but for what a query or a key from elsewhere has beyond those of the corpus.
    """
    known = _head(atlas, stream, layer, head)
    values = known.basis.parts(row.query, row.keys[key]) * row.scaling
    found = []
    for number, value in enumerate(values):
        sign = np.sign(row.query @ known.basis.asks[:, number]) or 1.0
        other = np.sign(row.keys[key] @ known.basis.answers[:, number]) or 1.0
        found.append((float(value), number, float(sign), float(other)))
    told = {number for _, number, _, _ in sorted(found, key=lambda one: -abs(one[0]))[:ALIKE]}
    parts = []
    for value, number, sign, other in found:
        asks = known.most(known.asks[:, number] * sign, stream.query_table) if number in told else ()
        answers = known.most(known.answers[:, number] * other, stream.key_table) if number in told else ()
        parts.append(Part(f"direction {number + 1}", value, asks, answers))
    return parts


def largest(parts: list[Part], count: int) -> tuple[list[Part], Part | None]:
    """The parts that matter most, by size, and one for the sum of all others, unless there are none."""
    ordered = sorted(parts, key=lambda part: -abs(part.value))
    rest = ordered[count:]
    if not rest:
        return ordered, None
    return ordered[:count], Part(f"the other {len(rest)} together", float(sum(part.value for part in rest)))


@dataclass(frozen=True)
class _Head:
    """What one head's queries and keys are over the corpus. asks, answers: their parts in each direction."""

    atlas: Atlas
    mean_query: np.ndarray
    mean_key: np.ndarray
    basis: Basis
    asks: np.ndarray
    answers: np.ndarray
    query_rows: np.ndarray
    key_rows: np.ndarray

    def most(self, loads: np.ndarray, table: str) -> tuple[str, ...]:
        """Tokens with the largest loads, each text once."""
        rows = self.query_rows if loads.shape == self.query_rows.shape else self.key_rows
        texts = self.atlas.tokens(table).text
        found: list[str] = []
        for place in np.argsort(-loads)[:400]:
            text = str(texts[int(rows[place])]).strip()
            if text and text not in found:
                found.append(text)
            if len(found) == ALIKE:
                break
        return tuple(found)


@lru_cache(maxsize=32)
def _head(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> _Head:
    vectors = atlas.vectors(stream)
    rows = [np.linspace(0, count - 1, min(count, ROWS)).astype(np.int64) for count in atlas.points(stream)]
    queries, keys = (
        np.nan_to_num(read(layer, head)[chosen].astype(np.float64), posinf=0.0, neginf=0.0)
        for read, chosen in zip((vectors.queries, vectors.keys), rows, strict=True)
    )
    basis = own_basis(queries.T @ queries, keys.T @ keys)
    none = np.zeros(stream.head_dim)
    means = [side.mean(axis=0) if len(side) else none for side in (queries, keys)]
    return _Head(atlas, means[0], means[1], basis, queries @ basis.asks, keys @ basis.answers, rows[0], rows[1])


# --- beside the rest of the corpus ------------------------------------------------------------------------------------


def standing(atlas: Atlas, stream: StreamInfo, layer: int, head: int, row: Row, key: int) -> Standing:
    """How strong the pair is among all of the corpus."""
    vectors = atlas.vectors(stream)
    count = atlas.points(stream)[1]
    chosen = np.linspace(0, count - 1, min(count, ROWS)).astype(np.int64)
    dots = vectors.keys(layer, head)[chosen].astype(np.float64) @ row.query
    own = float(row.keys[key] @ row.query)
    rank = 1 + int((dots > own + 1e-9 * max(1.0, abs(own))).sum())
    weights, inputs = _weights(atlas, stream, layer, head)
    weight = None if row.weights is None else float(row.weights[key])
    weaker = None
    if weight is not None and len(weights):
        weaker = float(np.searchsorted(weights, weight, side="left")) / len(weights)
    return Standing(rank, len(chosen), weaker, len(weights), inputs)


@lru_cache(maxsize=32)
def _weights(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> tuple[np.ndarray, int]:
    """Weights of all visible pairs of some inputs, sorted, and of how many inputs."""
    blocks = atlas.attention(stream)
    if not blocks.kept:
        return np.zeros(0), 0
    chosen = np.unique(np.linspace(0, blocks.inputs - 1, min(blocks.inputs, INPUTS)).astype(int))
    found = [blocks.block(int(i), layer, head)[blocks.visible(int(i))] for i in chosen]
    return np.sort(np.concatenate(found).astype(np.float64)), len(chosen)
