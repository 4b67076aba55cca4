"""What the place of a point on a map tells: its position, its side, and how much a key near it is attended to."""

from typing import Literal

import numpy as np

from services.measures.layer import NO_ATTENTION, Layer
from services.numerics.correlation import mean_within, ranks_within
from services.streams import StreamTokens

POINTS_A_CELL = 12  # of the grid laid over a map; fewer and cells hold too few points to have a mean
MOST_CELLS = 24  # a side
PAIRS = 8000  # of query and key a head, for how far its map keeps attention
NOTHING_VARIES = "all points have one value, or lie in one place"
FEW_KEYS = "no query sees three keys"
EQUAL = "all distances or all weights of every query are equal"


def explained(layer: Layer, what: Literal["position", "side"]) -> list[float | str]:
    """`explained_by_place` of each head: of the position in the input, 0 … 1, or of the side, 0 or 1."""
    assert layer.space is not None
    tables = layer.query_tokens, layer.key_tokens
    if what == "position":
        values = np.concatenate([table.position / np.maximum(table.length - 1, 1) for table in tables])
    else:
        values = np.repeat([0.0, 1.0], [len(table) for table in tables])
    cells = layer.once(f"cells of {layer.space}", lambda: _cells(layer))
    found = [explained_by_cells(cell, members, values) for cell, members in cells]
    return [NOTHING_VARIES if value is None else value for value in found]


def _cells(layer: Layer) -> list[tuple[np.ndarray, np.ndarray]]:
    """`grid_cells` of each head."""
    assert layer.space is not None
    return [grid_cells(layer.cloud(layer.space, head)) for head in range(layer.heads)]


def explained_by_place(layout: np.ndarray, values: np.ndarray) -> float | None:
    """How much of the variance of `values` [points] the place on a map [points, dims] explains: ε², about 0 … 1.

    The map is cut into squares or cubes; ε² = 1 − (variance within them) / (variance), both unbiased (Kelley 1935), so
    that chance gives 0 whatever their number. None when nothing varies or all points lie in one of them.
    """
    return explained_by_cells(*grid_cells(layout), values)


def grid_cells(layout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A grid laid over a map [points, dims]: the cell of each point, and how many points each cell has."""
    count, dims = layout.shape
    side = int(np.clip((count / POINTS_A_CELL) ** (1 / dims), 1, MOST_CELLS))
    low, high = layout.min(axis=0), layout.max(axis=0)
    spread = np.where(high > low, high - low, 1)
    places = np.clip(((layout - low) / spread * side).astype(int), 0, side - 1)
    _, cell, members = np.unique(places @ side ** np.arange(dims), return_inverse=True, return_counts=True)
    return cell, members


def explained_by_cells(cell: np.ndarray, members: np.ndarray, values: np.ndarray) -> float | None:
    """`explained_by_place` from `grid_cells`."""
    count = len(values)
    values = values - values.mean()
    total = float(values @ values)
    if total <= 0 or len(members) < 2 or count <= len(members):
        return None
    sums = np.bincount(cell, values)
    within = total - float((sums**2 / members).sum())
    return 1 - (within / (count - len(members))) / (total / (count - 1))


def attention_order(layer: Layer) -> list[float | str]:
    """Spearman's correlation of distance on a map with attention, mean over queries: −1, the nearer the more."""
    assert layer.space is not None
    blocks = layer.atlas.attention(layer.stream)
    if not blocks.kept:
        return [NO_ATTENTION] * layer.heads
    query, key, group = layer.once("sampled pairs", lambda: sampled_pairs(blocks.tokens))
    if not len(query):
        return [FEW_KEYS] * layer.heads
    orders = layer.once("orders of attention", lambda: _orders(layer, query, key, group))
    found: list[float | str] = []
    for head in range(layer.heads):
        cloud = layer.cloud(layer.space, head).astype(np.float64)
        distance = np.linalg.norm(cloud[query] - cloud[len(blocks.tokens.queries) + key], axis=1)
        value = mean_within(ranks_within(distance, group), orders[head], group)
        found.append(EQUAL if value is None else value)
    return found


def _orders(layer: Layer, query: np.ndarray, key: np.ndarray, group: np.ndarray) -> list[np.ndarray]:
    """Of each head the rank of a pair's weight among those of its query."""
    blocks = layer.atlas.attention(layer.stream)
    pairs = blocks.locate(query, key)
    return [ranks_within(blocks.at(pairs, layer.number, head).astype(np.float64), group) for head in range(layer.heads)]


def sampled_pairs(tokens: StreamTokens) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Queries evenly over the corpus with all keys that each can see: query rows, key rows, group of each pair."""
    visible = tokens.mask.keys_seen(tokens.queries, tokens.keys)
    rows = np.flatnonzero(visible >= 3)  # fewer keys have no order to speak of
    if len(rows):
        step = max(1, int(np.ceil(visible[rows].sum() / PAIRS)))
        rows = rows[::step]
    group, key = tokens.some(rows).runs_within_inputs().pairs()
    return rows[group], key, group
