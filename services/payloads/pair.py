"""The raw numbers of one query and one key of an input: scores, softmax, distances."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from services.alignment import head_alignment
from services.atlas import Atlas
from services.atlas.schema import ProjectionInfo, StreamInfo

SAMPLE = 4000  # query-key pairs of a head behind a median distance
# Vectors and weights are stored in 16 bits: a score of some tens is off by some hundredths, its softmax by this.
TOLERANCE = 5e-3


@dataclass(frozen=True)
class PairNumbers:
    """One pair.

    dot: q·k · score: q·k × the layer's factor
    position: what the model adds by the key's place alone; None where it adds nothing, or by the tokens too
    softmax: of the scores, with what is added by place, over the query's keys
    weight: the model's own (None: the atlas keeps none)
    aligned: distance of the aligned vectors · median_aligned: median of such distances in the head
    screen: distance on the map divided by the map's median distance of a query and a key; None without a map
    additive: the model adds to the scores what is not known here, so softmax need not be weight
    visible: False where the stream's mask hides the key from the query
    """

    dot: float
    score: float
    position: float | None
    softmax: float
    weight: float | None
    aligned: float
    median_aligned: float
    screen: float | None
    additive: bool
    visible: bool

    @property
    def agrees(self) -> bool:
        return self.weight is None or abs(self.softmax - self.weight) <= TOLERANCE


def pair_numbers(
    atlas: Atlas,
    stream: StreamInfo,
    index: int,
    layer: int,
    head: int,
    query: int,
    key: int,
    projection: ProjectionInfo | None = None,
) -> PairNumbers:
    """Numbers of the query and key at positions `query` and `key` of input `index`.

    Raises:
        IndexError: there is no such input or token.
    """
    if not 0 <= index < len(atlas.inputs):
        raise IndexError(index)
    blocks, vectors = atlas.attention(stream), atlas.vectors(stream)
    n_queries, n_keys = blocks.shape(index)
    if not (0 <= query < n_queries and 0 <= key < n_keys):
        raise IndexError((query, key))
    queries, keys = blocks.rows(index)
    readable = blocks.visible(index)[query]
    q = vectors.queries(layer, head, queries.start + query).astype(np.float64)
    ks = vectors.keys(layer, head, keys).astype(np.float64)
    bias = vectors.position_bias(layer, head)
    added = np.zeros(n_keys)
    if bias is not None:
        added = bias[np.arange(n_keys) - query + len(bias) // 2].astype(np.float64)
    scores = np.where(readable, ks @ q * stream.scaling[layer] + added, -np.inf)
    weights = np.exp(scores - scores.max()) if readable.any() else np.zeros(n_keys)
    weights /= max(weights.sum(), 1e-300)
    aligned = head_alignment(atlas, stream, layer, head)
    dot = float(ks[key] @ q)
    return PairNumbers(
        dot=dot,
        score=dot * stream.scaling[layer],
        position=None if bias is None else float(added[key]),
        softmax=float(weights[key]),
        weight=float(blocks.block(index, layer, head)[query, key]) if blocks.kept else None,
        aligned=float(np.linalg.norm(aligned.queries(q) - aligned.keys(ks[key]))),
        median_aligned=_median_aligned(atlas, stream, layer, head),
        screen=_on_map(atlas, stream, projection, layer, head, queries.start + query, keys.start + key)
        if projection
        else None,
        additive=stream.additive and bias is None,
        visible=bool(readable[key]),
    )


def _sample(queries: int, keys: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.integers(queries, size=SAMPLE), random.integers(keys, size=SAMPLE)


@lru_cache(maxsize=512)
def _median_aligned(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> float:
    """Median distance of a query and a key of any inputs, over a seeded sample."""
    q, k = _sample(*atlas.points(stream))
    aligned = head_alignment(atlas, stream, layer, head)
    vectors = atlas.vectors(stream)
    queries, keys = vectors.queries(layer, head, q), vectors.keys(layer, head, k)
    return float(np.median(np.linalg.norm(aligned.queries(queries) - aligned.keys(keys), axis=1)))


@lru_cache(maxsize=512)
def _median_on_map(atlas: Atlas, stream: StreamInfo, name: str, layer: int, head: int) -> float:
    places = atlas.array(f"{stream.name}/{name}")[layer, head]
    queries, keys = atlas.points(stream)
    q, k = _sample(queries, keys)
    return float(np.median(np.linalg.norm(places[q] - places[queries + k], axis=1)))


def _on_map(
    atlas: Atlas, stream: StreamInfo, projection: ProjectionInfo, layer: int, head: int, query: int, key: int
) -> float | None:
    places = atlas.layout(projection)[layer, head]
    distance = float(np.linalg.norm(places[query] - places[atlas.points(stream)[0] + key]))
    median = _median_on_map(atlas, stream, projection.name, layer, head)
    return distance / median if median > 0 else None
