"""A few figures of a head's attention, each a mean over its queries, with the weights as the model gave them."""

from collections.abc import Iterable

import numpy as np

FIGURES = ("first", "special", "last", "self", "previous", "next", "entropy", "distance")
NO_POSITIONS = "positions of queries and keys cannot be compared"
_NONE = "the corpus has no pair of query and key"
WHY_NOT = dict.fromkeys(FIGURES, _NONE) | {
    "previous": "no query has a token before it that it can see",
    "next": "no query has a token after it that it can see",
    "self": "no query can see its own token",
    "entropy": "no query has two keys to choose from",
}


def figures(
    inputs: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]], heads: int, *, same_positions: bool = True
) -> dict[str, np.ndarray]:
    """float64 [heads] by name; NaN where no query could have one.

    first, special, last, self, previous, next: mean weight on the input's first token, on all special tokens, on its
    last token, on the query's own position, the one before, the one after (of queries that have one) · entropy: of a
    row, divided by the log of its number of keys, 0 … 1 · distance: mean |key − query| in positions.

    Args:
        inputs: weights [heads, queries, keys], visible bool [queries, keys], special bool [keys].
        same_positions: whether positions of queries and keys can be compared, see `StreamMask`.
    """
    sums, counts = np.zeros((len(FIGURES), heads)), np.zeros(len(FIGURES), np.int64)
    for block, visible, special in inputs:
        _, n, m = block.shape
        asking = int(visible.any(axis=1).sum())  # global tokens may ask in another stream
        # With an attention sink a row sums to less than 1: its shares decide, not its weights.
        total = block.sum(axis=2, keepdims=True)
        share = np.divide(block, total, out=np.zeros_like(block), where=total > 0)
        entropy = -np.einsum("hqk,hqk->hq", share, np.log(np.where(share > 0, share, 1)))
        choices = visible.sum(axis=1)
        several = choices > 1
        apart = np.abs(np.arange(n)[:, None] - np.arange(m)[None, :]).astype(block.dtype)
        parts = (
            (block[:, :, 0].sum(axis=1), asking),
            (block[:, :, special].sum(axis=(1, 2)), asking),
            (block[:, :, m - 1].sum(axis=1), asking),
            *(_on_diagonal(block, visible, offset) if same_positions else (0.0, 0) for offset in (0, -1, 1)),
            ((entropy[:, several] / np.log(choices[several])).sum(axis=1), int(several.sum())),
            (np.einsum("hqk,qk->h", share, apart), asking if same_positions else 0),
        )
        for number, (value, count) in enumerate(parts):
            sums[number] += value
            counts[number] += count
    with np.errstate(invalid="ignore"):
        values = sums / np.where(counts > 0, counts, np.nan)[:, None]
    return dict(zip(FIGURES, values, strict=True))


def _on_diagonal(block: np.ndarray, visible: np.ndarray, offset: int) -> tuple[np.ndarray, int]:
    """Mass [heads] at key − query = offset, and how many pairs there are."""
    return np.diagonal(block, offset, axis1=1, axis2=2).sum(axis=1), int(np.diagonal(visible, offset).sum())
