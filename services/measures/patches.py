"""What attention does between patches of images: by how far apart they lie, and rolled out over layers."""

from collections.abc import Iterable

import numpy as np

from services.atlas import Atlas
from services.atlas.schema import StreamInfo


def patch_grid(atlas: Atlas, index: int) -> tuple[int, int]:
    """Rows and columns of patches of an image."""
    columns = atlas.inputs.columns
    return int(columns["rows"][index]), int(columns["columns"][index])


def mean_by_offset(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean attention of a head from a patch to the patch so many rows and columns away, over all images.

    Returns:
        mean, count: float64 and int64 [2·rows − 1, 2·columns − 1] for the largest grid of all images; the middle is a
        patch itself, count says how many pairs stand behind a mean, which is NaN where there are none.
    """
    grids = [patch_grid(atlas, index) for index in range(len(atlas.inputs))]
    most_rows, most_columns = (max(sizes) for sizes in zip(*grids, strict=True))
    shape = (2 * most_rows - 1, 2 * most_columns - 1)
    total, count = np.zeros(shape), np.zeros(shape, np.int64)
    blocks = atlas.attention(stream)
    for index, (rows, columns) in enumerate(grids):
        weights = blocks.block(index, layer, head).astype(np.float64)
        first = len(weights) - rows * columns
        weights = weights[first:, first:].reshape(rows, columns, rows, columns)
        for row in range(rows):
            for column in range(columns):
                top, left = most_rows - 1 - row, most_columns - 1 - column
                place = slice(top, top + rows), slice(left, left + columns)
                total[place] += weights[row, column]
                count[place] += 1
    return np.where(count, total / np.maximum(count, 1), np.nan), count


def rollout(atlas: Atlas, stream: StreamInfo, index: int, layer: int) -> np.ndarray:
    """Attention rollout (Abnar and Zuidema 2020): how much of each token has reached which, up to a layer.

    Each layer's weights are averaged over heads, half of them is the residual connection, ½A + ½I with rows of sum 1,
    and layers are multiplied: R = Aₗ ⋯ A₁ A₀.

    Returns:
        float64 [tokens, tokens]; rows sum to 1.
    """
    blocks = atlas.attention(stream)
    return rollout_of(
        np.stack([blocks.block(index, below, head).astype(np.float64) for head in range(stream.heads)])
        for below in range(layer + 1)
    )


def rollout_of(layers: Iterable[np.ndarray]) -> np.ndarray:
    """The same of weights, [heads, tokens, tokens] a layer, from the lowest."""
    flow: np.ndarray | None = None
    for heads in layers:
        mixed = 0.5 * np.mean(heads, axis=0, dtype=np.float64) + 0.5 * np.eye(heads.shape[1])
        mixed /= mixed.sum(axis=1, keepdims=True)
        flow = mixed if flow is None else mixed @ flow
    assert flow is not None
    return flow


def of_one_token(atlas: Atlas, stream: StreamInfo, index: int, position: int, side: str) -> np.ndarray:
    """Weights of one token of an input in every head: what it reads as a query, or who reads it as a key.

    Returns:
        float32 [layers, heads, tokens].

    Raises:
        IndexError: the input has no such token.
    """
    blocks = atlas.attention(stream)
    found = []
    for layer in range(stream.layers):
        for head in range(stream.heads):
            block = blocks.block(index, layer, head)
            if not 0 <= position < block.shape[0 if side == "query" else 1]:
                raise IndexError(position)
            found.append(block[position] if side == "query" else block[:, position])
    return np.asarray(found, np.float32).reshape(stream.layers, stream.heads, -1)
