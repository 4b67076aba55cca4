"""The raw numbers of one query and one key of an input: scores, softmax, distances."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from services.alignment import head_alignment
from services.atlas import Atlas
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.payloads.why import TOLERANCE, Row, corpus_row, step

SAMPLE = 4000  # query-key pairs of a head behind a median distance


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
    row = corpus_row(atlas, stream, index, layer, head, query)
    queries, keys = atlas.attention(stream).rows(index)
    ends = None
    if projection is not None:
        places = atlas.layout(projection)[layer, head]
        ends = places[queries.start + query], places[atlas.points(stream)[0] + keys.start + key]
    return numbers_of(atlas, stream, layer, head, row, key, projection, ends)


def numbers_of(
    atlas: Atlas,
    stream: StreamInfo,
    layer: int,
    head: int,
    row: Row,
    key: int,
    projection: ProjectionInfo | None,
    ends: tuple[np.ndarray, np.ndarray] | None,
) -> PairNumbers:
    """The same of a row of any text. ends: where the two lie on the map, in its own units; None: nowhere.

    Raises:
        IndexError: the row has no such key.
    """
    found = step(row, key)
    aligned = head_alignment(atlas, stream, layer, head)
    return PairNumbers(
        dot=found.dot,
        score=found.score,
        position=found.added,
        softmax=found.share,
        weight=found.weight,
        aligned=float(np.linalg.norm(aligned.queries(row.query) - aligned.keys(row.keys[key]))),
        median_aligned=_median_aligned(atlas, stream, layer, head),
        screen=_on_map(atlas, stream, projection, layer, head, ends) if projection and ends else None,
        additive=found.hidden_terms,
        visible=found.visible,
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
    atlas: Atlas,
    stream: StreamInfo,
    projection: ProjectionInfo,
    layer: int,
    head: int,
    ends: tuple[np.ndarray, np.ndarray],
) -> float | None:
    distance = float(np.linalg.norm(ends[0] - ends[1]))
    median = _median_on_map(atlas, stream, projection.name, layer, head)
    return distance / median if median > 0 else None
