"""Neuronpedia's head metrics (HeadVis) and our scores on the same stored attention, side by side.

    python -m benchmarks.headvis ATLAS

Theirs are computed by their formulas (docs/heads.md, *Where ours differ*), naively, from the attention that the atlas
keeps. Printed for each: the rank correlation over heads, the heads that either puts first, and those of their first
ones that here stand out of the base rate, or do not.
"""

import argparse
import math
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from services.atlas import open_atlas
from services.atlas.folder import Atlas
from services.atlas.schema import StreamInfo
from services.measures.names import names_of

LEAST = 0.01  # of a weight that their induction counts
FIRST = 5
# theirs → ours beside it, and the names that a head has by it
BESIDE = {
    "prev_token": ("previous", "previous-token head"),
    "self_attention": ("self", "own-token head"),
    "induction": ("induction", "induction head"),
    "pattern_entropy": ("entropy", ""),
    "qk_distance": ("distance", ""),
    "max_activation": ("sink_share", ""),
}


def theirs(atlas: Atlas, stream: StreamInfo) -> dict[str, np.ndarray]:
    """float64 [layers, heads] of each metric."""
    blocks, tokens = atlas.attention(stream), atlas.tokens(stream.query_table)
    shape = stream.layers, stream.heads
    sums = {name: np.zeros(shape) for name in BESIDE}
    queries = pairs = repeated = 0
    for index in range(blocks.inputs):
        text = list(tokens.token[tokens.rows(index)])
        n = len(text)
        if n < 2:
            continue
        queries, pairs = queries + n, pairs + n - 1
        earlier = [[p for p in range(q) if text[p] == text[q]] for q in range(n)]
        repeated += sum(map(bool, earlier))
        away = np.abs(np.arange(n)[:, None] - np.arange(n))
        for layer in range(stream.layers):
            weights = blocks.of_layer(index, layer).astype(np.float64)
            sums["self_attention"][layer] += np.trace(weights, axis1=1, axis2=2)
            sums["prev_token"][layer] += np.trace(weights, offset=-1, axis1=1, axis2=2)
            logs = np.log(np.where(weights > 0, weights, 1))
            sums["pattern_entropy"][layer] -= (weights * logs).sum(axis=(1, 2))
            sums["qk_distance"][layer] += (weights * away).sum(axis=(1, 2))
            for q, places in enumerate(earlier):
                for p in places:
                    found = weights[:, q, p + 1]
                    sums["induction"][layer] += np.where(found >= LEAST, found, 0)
            most = weights[:, 1:, 1:].max(axis=(1, 2))
            sums["max_activation"][layer] = np.maximum(sums["max_activation"][layer], most)
    below = {"prev_token": pairs, "induction": max(repeated, 1), "max_activation": 1}
    return {name: values / below.get(name, queries) for name, values in sums.items()}


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("atlas", type=Path)
    atlas = open_atlas(cli.parse_args().atlas)
    stream = atlas.info.default_stream
    table = atlas.measures(stream)

    def name(cell: tuple[int, int]) -> str:
        return stream.head_name(*cell).replace(" ", "")

    for metric, values in theirs(atlas, stream).items():
        ours, called = BESIDE[metric]
        own = table.get(ours)
        if own is None or not np.isfinite(own.values).any():
            print(f"{metric}: {ours} is not measured in this atlas")
            continue
        known = np.isfinite(own.values)
        rank = spearmanr(values[known], own.values[known]).statistic
        order = [divmod(int(cell), stream.heads) for cell in np.argsort(-values, axis=None)[:FIRST]]
        mine = [divmod(int(cell), stream.heads) for cell in np.argsort(-np.nan_to_num(own.values), axis=None)[:FIRST]]
        print(f"{metric} beside {ours}: rank correlation {rank:.3f}")
        first = (
            f"{name(cell)} {values[cell]:.3f} ({own.values[cell]:.3f}, even {_base(own.beside_of(*cell)):.3f})"
            for cell in order
        )
        print("  theirs first (ours in brackets): " + " · ".join(first))
        print("  ours first: " + " · ".join(f"{name(cell)} {own.values[cell]:.3f}" for cell in mine))
        if called:
            some = [cell for cell in np.ndindex(values.shape) if called in {one.name for one in names_of(table, *cell)}]
            if not some:
                print(f"  none is called {called}")
                continue
            weakest = min(some, key=lambda cell: values[cell])
            others = int((values >= values[weakest]).sum()) - len(some)
            print(f"  {len(some)} called {called}; theirs of the weakest of them, {name(weakest)}, is")
            print(f"  {values[weakest]:.3f}, which {others} others reach, too")


def _base(beside: dict[str, float | None]) -> float:
    base = beside.get("base")
    return math.nan if base is None else base


if __name__ == "__main__":
    main()
