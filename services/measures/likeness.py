"""How alike heads attend: the Jensen–Shannon divergence of their rows of attention on the same inputs.

As in Clark et al. 2019 ("What does BERT look at?", section 6) rows of two heads are compared query by query and the
divergences averaged. The root of the Jensen–Shannon divergence is a distance that some Euclidean space has (Fuglede &
Topsøe 2004), and so is the root of its mean: classical scaling needs no correction, and its share of the variance says
how much of it two dimensions show.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from services.alignment.sharing import sharing
from services.atlas import Atlas
from services.atlas.attention import AttentionBlocks
from services.atlas.schema import StreamInfo
from services.errors import NotStoredError

SMOOTHING = 1e-3  # of every row goes evenly to all keys that it may read, so that no weight is nothing
CELLS = (1024, 16384)  # weights of a head that are looked at, at least and at most
ROWS_OF_INPUT = 8  # at most, so that they come from many inputs
WORK = 1.5e9  # pairs of weights that are compared, about: some seconds a thousand million
LANDMARKS = (64, 512)  # heads that all are compared with, where there are too many to compare all with all
_BLOCK = 1 << 20  # weights worked on at a time


@dataclass(frozen=True)
class Rows:
    """Which rows of attention are compared: of each input some queries, and how many keys they read together."""

    of_inputs: tuple[tuple[int, np.ndarray], ...]
    cells: int

    @property
    def count(self) -> int:
        return sum(len(queries) for _, queries in self.of_inputs)


def sample_rows(blocks: AttentionBlocks, cells: int, inputs: Sequence[int] | None = None, seed: int = 0) -> Rows:
    """Rows with two keys at least, from inputs in a random order, until they have so many keys.

    Raises:
        NotStoredError: no row has two keys, or the atlas keeps no attention.
    """
    blocks.check_kept()
    random = np.random.default_rng(seed)
    candidates = np.arange(blocks.inputs) if inputs is None else np.asarray(inputs)
    found: list[tuple[int, np.ndarray]] = []
    total = 0
    for index in random.permutation(candidates).tolist():
        keys = blocks.visible(index).sum(axis=1)
        usable = np.nonzero(keys > 1)[0]
        if not len(usable):
            continue
        chosen = np.sort(random.permutation(usable)[:ROWS_OF_INPUT])
        found.append((index, chosen))
        total += int(keys[chosen].sum())
        if total >= cells:
            break
    if not found:
        raise NotStoredError("No query of this atlas has two keys to choose between, so heads cannot be compared.")
    return Rows(tuple(found), total)


def read_rows(
    blocks: AttentionBlocks, rows: Rows, heads: np.ndarray | None = None, hidden_too: bool = False
) -> np.ndarray:
    """Smoothed weights, float32 [heads, cells].

    heads: some, numbered layer after layer, in rising order · hidden_too: a cell for every key of an input, also for
    those that the mask hides, for rows of two masks
    """
    stream = blocks.stream
    wanted = np.arange(stream.layers * stream.heads) if heads is None else heads
    parts = []
    for index, queries in rows.of_inputs:
        visible = blocks.visible(index)[queries]
        read = np.ones_like(visible) if hidden_too else visible
        part = np.empty((len(wanted), int(read.sum())), np.float32)
        for layer in np.unique(wanted // stream.heads).tolist():
            mine = np.nonzero(wanted // stream.heads == layer)[0]
            weights = blocks.of_layer(index, layer)[:, queries][wanted[mine] % stream.heads].astype(np.float32)
            weights = np.where(visible, weights, 0)
            weights /= np.maximum(weights.sum(axis=2, keepdims=True), 1e-6)
            weights = (1 - SMOOTHING) * weights + SMOOTHING / read.sum(axis=1)[:, None]
            part[mine] = weights[:, read]
        parts.append(part)
    return np.concatenate(parts, axis=1)


def divergences(some: np.ndarray, others: np.ndarray, rows: int) -> np.ndarray:
    """Mean Jensen–Shannon divergence of the rows of each of `some` and each of `others`, in bits: 0 … 1.

    some, others: smoothed weights [heads, cells] of the same rows
    """
    plain = [-(heads * np.log2(heads)).sum(axis=1, dtype=np.float64) for heads in (some, others)]
    mixed = np.zeros((len(some), len(others)))
    step = max(1, _BLOCK // max(1, others.shape[1]))
    for i, one in enumerate(some):
        for start in range(0, len(others), step):
            middle = 0.5 * (others[start : start + step] + one)
            mixed[i, start : start + step] = -(middle * np.log(middle)).sum(axis=1, dtype=np.float64) / np.log(2)
    found = (mixed - 0.5 * (plain[0][:, None] + plain[1][None, :])) / rows
    return np.maximum(found, 0.0)


def plan(heads: int) -> tuple[np.ndarray, int]:
    """Landmarks among so many heads, and weights of a head to compare: within WORK."""
    landmarks = heads if heads**2 / 2 * CELLS[0] <= WORK / 2 else int(np.clip(WORK / CELLS[0] / heads, *LANDMARKS))
    pairs = heads**2 / 2 if landmarks == heads else heads * landmarks
    places = np.unique(np.linspace(0, heads - 1, landmarks).round().astype(int))
    return places, int(np.clip(WORK / pairs, *CELLS))


def between_all(
    weights: np.ndarray, landmarks: np.ndarray, rows: int, told: Callable[[int, int], None] = lambda done, of: None
) -> np.ndarray:
    """Divergences [landmarks, heads]; of all heads with each other, half of them are worked out.

    told: called with (done, of) now and then
    """
    found = np.zeros((len(landmarks), len(weights)))
    whole = len(landmarks) == len(weights)
    for at in range(0, len(landmarks), 8):
        some = landmarks[at : at + 8]
        first = int(some[0]) if whole else 0
        found[at : at + 8, first:] = divergences(weights[some], weights[first:], rows)
        told(min(at + 8, len(landmarks)), len(landmarks))
    return np.triu(found, 1) + np.triu(found, 1).T if whole else found


@dataclass(frozen=True)
class Others:
    """Every head of a stream by how differently it attends from one head. divergence: [layers × heads], bits."""

    divergence: np.ndarray
    rows: int
    inputs: int


def like(
    atlas: Atlas, stream: StreamInfo, layer: int, head: int, other: tuple[Atlas, StreamInfo] | None = None
) -> Others:
    """How differently all heads of a stream, or of another atlas's, attend from one head on the same inputs.

    Raises:
        NotStoredError: an atlas keeps no attention, or they share no input with the same tokens.
    """
    there, its = other or (atlas, stream)
    blocks, others = atlas.attention(stream), there.attention(its)
    others.check_kept()
    blocks.check_kept()
    heads = its.layers * its.heads
    cells = int(np.clip(4e6 / heads, *CELLS))
    mine = np.array([layer * stream.heads + head])
    if other is None or there is atlas:
        rows = sample_rows(blocks, cells)
        return Others(_of_one(blocks, others, rows, rows, mine), rows.count, len(rows.of_inputs))
    shared = sharing(atlas, stream, there, its).inputs
    rows = sample_rows(blocks, cells, shared[:, 0].tolist())
    partner = dict(shared.tolist())
    same = Rows(tuple((partner[index], queries) for index, queries in rows.of_inputs), rows.cells)
    return Others(_of_one(blocks, others, rows, same, mine), rows.count, len(rows.of_inputs))


def _of_one(blocks: AttentionBlocks, others: AttentionBlocks, rows: Rows, same: Rows, mine: np.ndarray) -> np.ndarray:
    pairs = zip(rows.of_inputs, same.of_inputs, strict=True)
    differs = any(not np.array_equal(blocks.visible(a)[q], others.visible(b)[q]) for (a, q), (b, _) in pairs)
    one = read_rows(blocks, rows, mine, hidden_too=differs)
    return divergences(one, read_rows(others, same, hidden_too=differs), rows.count)[0]
