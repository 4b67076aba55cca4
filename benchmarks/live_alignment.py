"""One step of the slider in the tab "Align": how long PCA and the numbers beside it take, and what travels.

`python -m benchmarks.live_alignment [--points 10000] [--atlas FOLDER]`. Times are CPU milliseconds of this process,
medians of many steps; the budget is 100 ms a step at 10,000 points. `naive` is what a step would cost without the
second moments: align, centre, multiply, decompose.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from components.server.scaled_routes import live_positions
from services.alignment import align
from services.alignment.live import LiveAlignment, LiveHead, Space, head_vectors
from services.atlas import open_atlas
from services.atlas.schema import Distance
from services.projection.points import joint_cloud


def synthetic(points: int, head_dim: int = 64, length: int = 25) -> LiveHead:
    """Half queries, half keys, in inputs of `length` tokens."""
    rng = np.random.default_rng(0)
    n = points // 2
    mix = rng.normal(size=(head_dim, head_dim)) / np.sqrt(head_dim)
    queries = rng.normal(size=(n, head_dim)) @ mix + rng.normal(size=head_dim)
    keys = 0.5 * queries + rng.normal(size=(n, head_dim)) @ mix
    tokens = np.arange(n)
    return LiveHead(queries, keys, tokens // length, tokens // length, tokens % length, tokens % length)


def naive_pca(live: LiveHead, alignment: LiveAlignment) -> np.ndarray:
    """PCA of one head from its vectors, nothing kept between steps."""
    distance: Distance = "cosine" if alignment.space == "cosine" else "euclidean"
    queries, keys, _ = align(live.queries, live.keys, alignment.c, distance)
    cloud, _ = joint_cloud(queries, keys)
    _, _, axes = np.linalg.svd(cloud, full_matrices=False)
    return cloud @ axes[:2].T


def milliseconds(work: Callable[[LiveAlignment], object], space: Space, steps: int) -> float:
    """Median CPU time of a step, over the slider's range of c; the first step, which prepares, is left out."""
    times = []
    for c in np.geomspace(0.2, 5.0, steps + 1):
        begin = time.process_time()
        work(LiveAlignment(round(float(c), 4), space != "lift", space))
        times.append(1000 * (time.process_time() - begin))
    return statistics.median(times[1:])


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--points", type=int, default=10_000)
    cli.add_argument("--steps", type=int, default=40)
    cli.add_argument("--atlas", type=Path, help="also a head of this atlas")
    options = cli.parse_args()
    heads = {f"synthetic, {options.points:,} points × 64": synthetic(options.points)}
    if options.atlas:
        atlas = open_atlas(options.atlas)
        stream = atlas.info.default_stream
        vectors = head_vectors(atlas, stream, stream.layers // 2, 0)
        name = f"{atlas.slug}, {sum(map(len, vectors)):,} points × {stream.head_dim}"
        heads[name] = LiveHead(*vectors, atlas.stream_tokens(stream))
    rows = []
    for name, live in heads.items():
        onto = live.pca(LiveAlignment(), 2)
        for space in ("euclidean", "cosine", "lift"):
            pca = milliseconds(
                lambda one, live=live, onto=onto: live_positions(live.pca(one, 2, onto)), space, options.steps
            )
            numbers = milliseconds(lambda one, live=live: live.agreement(one), space, options.steps)
            screen = milliseconds(lambda _one, live=live, onto=onto: live.agreement_of(onto), space, options.steps)
            naive = None
            if space != "lift":
                naive = milliseconds(lambda one, live=live: naive_pca(live, one), space, 5)
            rows.append([name, space, pca, naive, numbers, screen, len(live_positions(onto)) / 1000])
    names = "head", "distance", "PCA + bytes", "naive PCA", "numbers aligned", "numbers on screen", "kB a step"
    print(f"| {' | '.join(names)} |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join("–" if v is None else f"{v:.1f}" if isinstance(v, float) else v for v in row) + " |")


if __name__ == "__main__":
    main()
