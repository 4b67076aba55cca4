"""Fidelity of the maps of an atlas: mean, best and worst head of every measure, for each map and the aligned space.

    python -m benchmarks.fidelity ATLAS [--maps pca2d,umap2d,tsne2d] [--sample 500]

Last line: CPU seconds for one map of all heads.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from services.alignment import head_alignment
from services.atlas import Atlas, open_atlas
from services.atlas.schema import StreamInfo
from services.measures.attended import attended_in_atlas
from services.measures.fidelity import Fidelity, HeadSample, aligned_fidelity, head_sample, layout_fidelity

# The worst head is the one with the largest value.
LOWER_IS_BETTER = ("pearson", "spearman", "query_spearman")


def sample_of(atlas: Atlas, stream: StreamInfo, layer: int, head: int, sample: int) -> HeadSample:
    """One head of an atlas with the alignment it was built with."""
    queries, keys = atlas.vectors(stream).head(layer, head)
    alignment = head_alignment(atlas, stream, layer, head)
    attention = attended_in_atlas(atlas, stream, layer, head)
    return head_sample(
        queries,
        keys,
        alignment.queries(queries),
        alignment.keys(keys),
        atlas.stream_tokens(stream),
        attended=attention.top if attention else None,
        sample=sample,
    )


def table(name: str, found: dict[tuple[int, int], Fidelity]) -> None:
    print(f"\n{name:18}{'mean':>8}{'best':>9} head     {'worst':>8} head")
    for measure in next(iter(found.values())).values:
        known = [(f.values[measure], cell) for cell, f in found.items() if f.values[measure] is not None]
        if not known:
            print(f"{measure:18} not defined: {next(iter(found.values())).reasons[measure]}")
            continue
        ordered = sorted(known, reverse=measure not in LOWER_IS_BETTER)
        (best, best_cell), (worst, worst_cell) = ordered[0], ordered[-1]
        mean = np.mean([value for value, _ in known])
        label = "L{} H{}".format
        print(
            f"{measure:18}{mean:8.3f}{best:9.3f} {label(*best_cell):9}{worst:8.3f} {label(*worst_cell)}"
            + (f"   ({len(found) - len(known)} not defined)" if len(known) < len(found) else "")
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("atlas", type=Path, help="folder of an atlas")
    parser.add_argument("--maps", default="pca2d,umap2d,tsne2d")
    parser.add_argument("--sample", type=int, default=500, help="sampled queries, and points, of each head")
    given = parser.parse_args()
    atlas = open_atlas(given.atlas)
    for stream in atlas.info.streams:
        cells = [(layer, head) for layer in range(stream.layers) for head in range(stream.heads)]
        maps = [m for m in given.maps.split(",") if atlas.info.projection(m, stream.name)]
        found: dict[str, dict[tuple[int, int], Fidelity]] = {name: {} for name in (*maps, "aligned space")}
        spent = 0.0
        for cell in cells:
            start = time.process_time()
            head = sample_of(atlas, stream, *cell, given.sample)
            prepared = time.process_time() - start
            for name in maps:
                start = time.process_time()
                found[name][cell] = layout_fidelity(head, atlas.array(f"{stream.name}/{name}")[cell])
                spent += time.process_time() - start
            found["aligned space"][cell] = aligned_fidelity(head)
            spent += prepared * len(maps)
        points = sum(atlas.points(stream))
        print(f"{atlas.info.title}, stream {stream.name}: {len(cells)} heads × {points} points, {given.sample} sampled")
        for name, fidelities in found.items():
            table(name, fidelities)
        if maps:
            print(
                f"\n{spent / len(maps):.1f} s CPU for one map of {len(cells)} heads, the sample's preparation included"
            )


if __name__ == "__main__":
    main()
