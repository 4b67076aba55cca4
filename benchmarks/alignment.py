"""The metrics that choose c, as one would write them from the seed's text against ours: one run, seven constants.

    python -m benchmarks.alignment [--atlas FOLDER] [--heads 144] [--tokens 2500] [--naive-heads 2]

Ways to write it plainly, float64, one c after another, all giving Pearson, the threshold and the weighted correlation:
"pair"      one pair after another, two lines of numpy each (measured on 5,000 pairs, without the correlations)
"loop"      one query after another, as the formulas read
"broadcast" all differences of an input (or of 64 queries) at once
"cdist"     the distances by SciPy's compiled cdist: as good as it gets without algebra
Naive ways are measured on a few heads and extrapolated to all; ours is measured on all. CPU seconds, one thread.
Without --atlas the demo corpus is captured first (MiniLM, in memory). Target: 50 times the "broadcast" way.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import numpy as np
from scipy.spatial.distance import cdist

from services.alignment.pairs import PairChoice, head_pairs
from services.alignment.scale_metrics import CONSTANTS
from services.streams import FULL, Places, StreamTokens

Blocks = list[tuple[np.ndarray, np.ndarray]]  # rows of queries and of keys that are compared
Distances = Callable[[np.ndarray, np.ndarray], np.ndarray]
ROWS = 64


def loop(queries: np.ndarray, keys: np.ndarray) -> np.ndarray:
    return np.stack([np.linalg.norm(query - keys, axis=1) for query in queries])


def broadcast(queries: np.ndarray, keys: np.ndarray) -> np.ndarray:
    parts = [queries[begin : begin + ROWS] for begin in range(0, len(queries), ROWS)]
    return np.concatenate([np.linalg.norm(part[:, None] - keys[None], axis=-1) for part in parts])


NAIVE: dict[str, Distances] = {"loop": loop, "broadcast": broadcast, "cdist": cdist}


def naive(queries: np.ndarray, keys: np.ndarray, blocks: Blocks, distances: Distances) -> np.ndarray:
    """Pearson, threshold, weighted correlation at each constant: float64 [7, 3]."""
    queries, keys = queries.astype(np.float64), keys.astype(np.float64)
    found = []
    for c in CONSTANTS:
        q, k = queries * c, keys / c
        k = k + q.mean(axis=0) - k.mean(axis=0)
        x = np.concatenate([(queries[rows] @ keys[columns].T).ravel() for rows, columns in blocks])
        d = np.concatenate([distances(q[rows], k[columns]).ravel() for rows, columns in blocks])
        threshold = np.percentile(d, 0.5)
        near = d < threshold
        w = (threshold - d[near]) ** 2
        cov = np.cov(x[near], d[near], aweights=w)
        found.append((np.corrcoef(x, d)[0, 1], threshold, cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1])))
    return np.array(found)


def one_pair(queries: np.ndarray, keys: np.ndarray, pairs: int = 5000) -> float:
    """Seconds that one pair takes in a Python loop."""
    queries, keys = queries.astype(np.float64), keys.astype(np.float64)
    rows, columns = np.random.default_rng(0).integers(0, len(queries), (2, pairs)).tolist()
    start = time.process_time()
    for i, j in zip(rows, columns, strict=True):
        np.linalg.norm(queries[i] - keys[j])
        queries[i] @ keys[j]
    return (time.process_time() - start) / pairs


def ours(queries: np.ndarray, keys: np.ndarray, tokens: StreamTokens, choice: PairChoice):
    pairs = head_pairs(queries, keys, tokens, choice=choice)
    measured = [pairs.measure(c, spearman=False) for c in CONSTANTS]
    return np.array([(m.pearson, m.threshold, m.weighted) for m in measured])


def demo_heads(atlas: Path | None) -> tuple[Iterator[tuple[np.ndarray, np.ndarray]], int, StreamTokens]:
    """All heads of MiniLM on the demo corpus, their number, and their tokens."""
    if atlas is not None:
        from services.atlas import open_atlas

        opened = open_atlas(atlas)
        stream = opened.info.default_stream
        vectors = opened.vectors(stream)
        cells = [(layer, head) for layer in range(stream.layers) for head in range(stream.heads)]
        found = ((vectors.queries(*cell), vectors.keys(*cell)) for cell in cells)
        return found, len(cells), opened.stream_tokens(stream)
    from benchmarks.reproduce import capture_texts
    from services.modalities.corpora import read_corpus

    captured = capture_texts("minilm", read_corpus("demo").texts)
    vectors = zip(*(side.reshape(-1, *side.shape[2:]) for side in (captured.queries, captured.keys)), strict=True)
    return vectors, captured.queries.shape[0] * captured.queries.shape[1], captured.tokens


def synthetic_heads(heads: int, tokens: int, head_dim: int = 64) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(head_dim, head_dim)) / np.sqrt(head_dim)
    for _ in range(heads):
        queries = rng.normal(size=(tokens, head_dim)) + rng.normal(size=head_dim)
        keys = 1.5 * (queries @ mixing + rng.normal(size=(tokens, head_dim))) + rng.normal(size=head_dim)
        yield queries.astype(np.float32), keys.astype(np.float32)


def compare(
    label: str,
    heads: Iterator[tuple[np.ndarray, np.ndarray]],
    count: int,
    tokens: StreamTokens,
    choice: PairChoice,
    naive_heads: int,
) -> None:
    inputs = tokens.queries.input
    everything = np.arange(len(inputs))
    rows = [everything] if choice.pairs == "all" else [np.flatnonzero(inputs == i) for i in np.unique(inputs)]
    blocks = [(block, block) for block in rows]
    pairs = sum(len(block) ** 2 for block in rows)
    print(f"\n{label}: {count} heads, {len(inputs)} tokens, {pairs:,} pairs a head, {len(CONSTANTS)} constants")
    spent, slow, worst = 0.0, dict.fromkeys(NAIVE, 0.0), 0.0
    for number, (queries, keys) in enumerate(heads):
        if not number:
            ours(queries, keys, tokens, choice)  # compiles, or loads what was compiled
        start = time.process_time()
        found = ours(queries, keys, tokens, choice)
        spent += time.process_time() - start
        if number < naive_heads:
            for name, distances in NAIVE.items():
                start = time.process_time()
                expected = naive(queries, keys, blocks, distances)
                slow[name] += time.process_time() - start
                worst = max(worst, float(np.abs(found - expected).max()))
    print(f"  ours       {spent:9.2f} s    {1000 * spent / count:9.1f} ms a head")
    for name, seconds in slow.items():
        each = seconds / naive_heads
        print(
            f"  {name:10} {each * count:9.1f} s    {1000 * each:9.1f} ms a head"
            f"    ours is {each * count / spent:6.0f} times faster   (extrapolated from {naive_heads} heads)"
        )
    each = one_pair(queries, keys) * pairs * len(CONSTANTS)
    print(
        f"  {'pair':10} {each * count:9.1f} s    {1000 * each:9.1f} ms a head"
        f"    ours is {each * count / spent:6.0f} times faster   (extrapolated from 5,000 pairs)"
    )
    print(f"  largest difference {worst:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--atlas", type=Path, help="MiniLM atlas of the demo corpus")
    parser.add_argument("--heads", type=int, default=144, help="synthetic heads")
    parser.add_argument("--tokens", type=int, default=2500, help="synthetic tokens")
    parser.add_argument("--naive-heads", type=int, default=2, help="heads on which the naive ways are measured")
    given = parser.parse_args()
    heads, count, tokens = demo_heads(given.atlas)
    compare("MiniLM, pairs within an input", heads, count, tokens, PairChoice(), given.naive_heads)
    places = Places(np.zeros(given.tokens, np.int32), np.arange(given.tokens))
    compare(
        "synthetic, all pairs",
        synthetic_heads(given.heads, given.tokens),
        given.heads,
        StreamTokens(FULL, places, places),
        PairChoice(pairs="all", sample=given.tokens),
        given.naive_heads,
    )


if __name__ == "__main__":
    main()
